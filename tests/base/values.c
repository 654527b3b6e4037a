/* Arrays of numbers; values.h is the manual. */
#include "base/values.h"

#include <math.h>
#include <stdlib.h>

int values_between(struct random *r, int low, int high) {
    return low + (int)random_below(r, (uint32_t)(high - low + 1));
}

void values_draw(struct random *r, float *x, size_t n, float low, float high) {
    for (size_t i = 0; i < n; i++)
        x[i] = low + (high - low) * random_unit(r);
}

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

void values_sort(float *x, size_t n) {
    qsort(x, n, sizeof *x, by_value);
}

double values_distance(const float *x, const float *y, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)x[i] - (y ? y[i] : 0);
        sum += d * d;
    }
    return sqrt(sum);
}
