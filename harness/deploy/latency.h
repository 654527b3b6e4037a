/* How long a packed model takes on this machine, at each of its widths. */
#ifndef DEPLOY_LATENCY_H
#define DEPLOY_LATENCY_H

#include "base/error.h"
#include "runtime/truncquant.h"

struct latency_options {
    int bits[TQ_BITS], n; // widths to be timed
    int batch;            // images of a call
    int calls;            // timed ones of each width, at least
    const char *kernels;  // that have to be the ones it takes; NULL: any
    int without;          // as in tq_options
    int quiet;            // no progress
};

/* Seconds of a call; of setting the width, the median. */
struct latency_point {
    int bits;
    double min, median, p95, switching;
    double residual; // the largest difference of a score from that of the portable kernels
};

struct latency {
    struct latency_point of[TQ_BITS]; // in the order of the options
    int n, calls;                     // calls that were timed of each width
    char kernels[32], compiled[256];  // the library's; its compiler and flags
    char processor[256];              // name of this one
    size_t session_bytes;
};

/* One thread, images of random bytes. Widths take turns, so that whatever else the machine does
 * hits all alike; in a turn the width is set, which is timed for itself, some calls warm the
 * caches, and others are timed. The scores of each width are compared with those of the portable
 * kernels first: -1, and no time of anything, where they differ. */
int latency_measure(struct latency *l, const struct tq_model *m, const struct latency_options *o,
                    struct error *e);

#endif
