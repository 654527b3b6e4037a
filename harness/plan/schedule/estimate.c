/* Rates of work to seconds; estimate.h is the manual. */
#include "plan/schedule/estimate.h"

#include <string.h>
#include <unistd.h>

static double find_rate(const struct estimate *m, const char *host, const char *network) {
    for (int i = 0; i < m->n; i++)
        if (!strcmp(m->rates[i].host, host) && !strcmp(m->rates[i].network, network))
            return m->rates[i].rate;
    return 0;
}

int estimate_open(struct estimate *m, struct store *s, struct error *e) {
    *m = (struct estimate){0};
    if (!s)
        return 0;
    if (store_work_rates(s, &m->rates, &m->n, e) ||
        store_memory_peaks(s, &m->peaks, &m->n_peaks, e))
        return -1;
    gethostname(m->here, sizeof m->here - 1);
    if (find_rate(m, m->here, "") == 0)
        m->here[0] = '\0';
    return 0;
}

void estimate_close(struct estimate *m) {
    store_free_work_rates(m->rates, m->n);
    store_free_memory_peaks(m->peaks, m->n_peaks);
    *m = (struct estimate){0};
}

double estimate_seconds(const struct estimate *m, const char *host, const char *network,
                        double work, enum basis *basis) {
    host = host ? host : m->here;
    host = find_rate(m, host, "") > 0 ? host : "";
    double rate = find_rate(m, host, network);
    enum basis found = BASIS_NETWORK;
    if (rate == 0) {
        found = BASIS_OTHERS;
        rate = find_rate(m, host, "");
    }
    if (rate == 0) {
        found = BASIS_STATED;
        rate = ESTIMATE_STATED_RATE;
    }
    *basis = found > *basis ? found : *basis;
    return work / rate;
}

double estimate_memory(const struct estimate *m, const struct run_row *row, double stated) {
    for (int i = 0; i < m->n_peaks; i++) {
        const struct memory_peak *p = &m->peaks[i];
        if (!strcmp(p->network, row->network) && !strcmp(p->dataset, row->dataset) &&
            p->batch == row->batch)
            return (double)p->bytes;
    }
    return stated;
}
