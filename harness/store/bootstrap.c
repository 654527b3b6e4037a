/* Resampling with replacement; bootstrap.h is the manual. */
#include "store/bootstrap.h"

#include "base/error.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>

enum { RESAMPLES = 10000 };

static int ascending(const void *a, const void *b) {
    double l = *(const double *)a, r = *(const double *)b;
    return (l > r) - (l < r);
}

static double reduction_of_resample(struct random *stream, const double *points,
                                    const double *reference, int n) {
    double sum = 0, reference_sum = 0;
    for (int i = 0; i < n; i++) {
        uint32_t drawn = random_below(stream, (uint32_t)n);
        sum += points[drawn];
        reference_sum += reference[drawn];
    }
    return reference_sum > 0 ? 1 - sum / reference_sum : -INFINITY;
}

void bootstrap_reduction(const double *points, const double *reference, int n, double interval[2]) {
    struct random stream = random_stream(1, RANDOM_BOOTSTRAP, 0, 0);
    double *reductions = need(RESAMPLES, sizeof *reductions);
    for (int i = 0; i < RESAMPLES; i++)
        reductions[i] = reduction_of_resample(&stream, points, reference, n);
    qsort(reductions, RESAMPLES, sizeof *reductions, ascending);
    interval[0] = reductions[RESAMPLES / 40];
    interval[1] = reductions[RESAMPLES - 1 - RESAMPLES / 40];
    free(reductions);
}
