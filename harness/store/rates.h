/* What runs took: how fast they were, and how much memory they needed. */
#ifndef STORE_RATES_H
#define STORE_RATES_H

#include "store/store.h"

/* Work per second of one process, by network and host, from the last 20 attempts of each that got
 * on; "" stands for all networks, or all hosts, together. `n` is 0 when there are none. Free them
 * in either case. */
struct work_rate {
    char *network, *host; // owned
    double rate;
};
int store_work_rates(struct store *s, struct work_rate **rates, int *n, struct error *e);
void store_free_work_rates(struct work_rate *rates, int n);

/* The most memory that a finished attempt took, by what decides it most. Likewise. */
struct memory_peak {
    char *network, *dataset; // owned
    long batch;
    int64_t bytes;
};
int store_memory_peaks(struct store *s, struct memory_peak **peaks, int *n, struct error *e);
void store_free_memory_peaks(struct memory_peak *peaks, int n);

#endif
