/* Resampling with replacement; bootstrap.h is the manual. */
#include "report/bootstrap.h"

#include "base/error.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>

enum { RESAMPLES = 10000 };

/* The value that would stand at `place` of values[from ... to] if they were sorted; afterwards none
 * before it is larger and none behind it smaller (Hoare's FIND, CACM 4, 1961). Sorting all for two
 * of them took half the time of a table. */
static double select_place(double *values, int from, int to, int place) {
    while (from < to) {
        double pivot = values[place];
        int i = from, j = to;
        while (i <= j) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i <= j) {
                double swapped = values[i];
                values[i++] = values[j];
                values[j--] = swapped;
            }
        }
        if (j < place)
            from = i;
        if (i > place)
            to = j;
    }
    return values[place];
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
    const int low = RESAMPLES / 40, last = RESAMPLES - 1;
    interval[0] = select_place(reductions, 0, last, low);
    interval[1] = select_place(reductions, low + 1, last, last - low);
    free(reductions);
}
