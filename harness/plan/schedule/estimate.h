/* How long runs will take and how much memory they need, from what runs took: `plan` and `status`
 * ask here. */
#ifndef PLAN_SCHEDULE_ESTIMATE_H
#define PLAN_SCHEDULE_ESTIMATE_H

#include "store/rates.h"

/* What an estimate rests on, the best first. */
enum basis {
    BASIS_NETWORK, // runs of the same network
    BASIS_OTHERS,  // runs of other networks only
    BASIS_STATED,  // none: ESTIMATE_STATED_RATE
};

/* Multiply-accumulates per second of one core where nothing was measured: what small convolutional
 * networks reach on cores with AVX-512 of about 2023. It can be wrong by a factor of 3. */
#define ESTIMATE_STATED_RATE 4e10

struct estimate {
    int n, n_peaks;
    struct work_rate *rates;   // owned
    struct memory_peak *peaks; // owned
    char here[256];            // this machine's name, if something was measured on it; else ""
};

/* From the attempts of the database. `s` may be NULL: nothing was measured. In either case
 * estimate_close. */
int estimate_open(struct estimate *m, struct store *s, struct error *e);
void estimate_close(struct estimate *m);

/* Seconds that one process on `host` takes for `work` multiply-accumulates on `network`; `host`
 * NULL: on this machine. Where nothing was measured there, as all machines did on average. `basis`
 * becomes the worse of what it was and what this rests on. */
double estimate_seconds(const struct estimate *m, const char *host, const char *network,
                        double work, enum basis *basis);

/* Bytes that one process of the run takes at its most: as measured for its network, data set and
 * batch, else as `stated`. */
double estimate_memory(const struct estimate *m, const struct run_row *row, double stated);

#endif
