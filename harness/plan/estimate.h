/* How long runs will take, from how long runs took: `plan` and `status` ask here. */
#ifndef PLAN_ESTIMATE_H
#define PLAN_ESTIMATE_H

#include "store/store.h"

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
    int n;
    struct work_rate *rates; // owned
    int here;                // measured on this machine, not on others
};

/* From attempts on this machine if the database has some, else on any. `s` may be NULL: nothing was
 * measured. */
int estimate_open(struct estimate *m, struct store *s, struct error *e);
void estimate_close(struct estimate *m);

/* Seconds that one process takes for `work` multiply-accumulates on `network`. `basis` becomes the
 * worse of what it was and what this rests on. */
double estimate_seconds(const struct estimate *m, const char *network, double work,
                        enum basis *basis);

#endif
