/* Rates of work to seconds; estimate.h is the manual. */
#include "plan/estimate.h"

#include <string.h>
#include <unistd.h>

int estimate_open(struct estimate *m, struct store *s, struct error *e) {
    char host[256] = "";
    *m = (struct estimate){0};
    if (!s)
        return 0;
    gethostname(host, sizeof host - 1);
    if (store_work_rates(s, host, &m->rates, &m->n, e))
        return -1;
    m->here = m->n > 0;
    if (m->here)
        return 0;
    store_free_work_rates(m->rates, m->n);
    return store_work_rates(s, NULL, &m->rates, &m->n, e);
}

void estimate_close(struct estimate *m) {
    store_free_work_rates(m->rates, m->n);
    *m = (struct estimate){0};
}

double estimate_seconds(const struct estimate *m, const char *network, double work,
                        enum basis *basis) {
    enum basis found = m->n ? BASIS_OTHERS : BASIS_STATED;
    double rate = m->n ? m->rates[0].rate : ESTIMATE_STATED_RATE;
    for (int i = 1; i < m->n; i++)
        if (!strcmp(m->rates[i].network, network)) {
            rate = m->rates[i].rate;
            found = BASIS_NETWORK;
        }
    *basis = found > *basis ? found : *basis;
    return work / rate;
}
