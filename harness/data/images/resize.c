/* Separable resampling, rows first; resize.h is the manual. */
#include "data/images/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 14, ONE = 1 << BITS, CHANNELS = 3 }; // weights are multiples of 2^-14

/* For each place of the result, the places of the source that it is a mean of. */
struct taps {
    int most;     // of any place
    int *first;   // (size) first source place
    int *n;       // (size)
    int *weights; // (size, most), of ONE in all
};

/* Rounded weights whose sum is ONE: the largest takes what is left over, so that a flat picture
 * stays. */
static void round_weights(const double *exact, int n, double sum, int *weights) {
    int left = ONE, largest = 0;
    for (int i = 0; i < n; i++) {
        weights[i] = (int)floor(exact[i] / sum * ONE + 0.5);
        left -= weights[i];
        largest = weights[i] > weights[largest] ? i : largest;
    }
    weights[largest] += left;
}

static void fill_taps(struct taps *t, int i, double centre, double reach, int lo, int hi,
                      double *exact) {
    int first = (int)floor(centre - reach + 0.5), last = (int)floor(centre + reach + 0.5);
    first = first < lo ? lo : first > hi - 1 ? hi - 1 : first;
    last = last > hi ? hi : last <= first ? first + 1 : last;
    double sum = 0;
    for (int x = first; x < last; x++) {
        double distance = fabs(x + 0.5 - centre) / reach;
        sum += exact[x - first] = distance < 1 ? 1 - distance : 0;
    }
    if (sum == 0)
        sum = exact[0] = 1;
    t->first[i] = first;
    t->n[i] = last - first;
    round_weights(exact, last - first, sum, t->weights + (size_t)i * (size_t)t->most);
}

/* The result's place i is centred on from + (i + 1/2) span / size. */
static struct taps taps_make(double from, double span, int lo, int hi, int size) {
    double step = span / size, reach = step > 1 ? step : 1;
    struct taps t = {.most = 2 * (int)ceil(reach) + 2};
    t.first = need((size_t)size, sizeof *t.first);
    t.n = need((size_t)size, sizeof *t.n);
    t.weights = need((size_t)size * (size_t)t.most, sizeof *t.weights);
    double *exact = need((size_t)t.most, sizeof *exact);
    for (int i = 0; i < size; i++)
        fill_taps(&t, i, from + (i + 0.5) * step, reach, lo, hi, exact);
    free(exact);
    return t;
}

static void taps_free(struct taps *t) {
    free(t->first);
    free(t->n);
    free(t->weights);
}

static uint8_t rounded(int sum) {
    return (uint8_t)((sum + ONE / 2) >> BITS); // weights are not negative: 0 ... 255
}

/* One row: (w, 3) bytes to (3, size). */
static void resample_row(const uint8_t *row, const struct taps *t, int size, uint8_t *to) {
    for (int i = 0; i < size; i++) {
        const int *weights = t->weights + (size_t)i * (size_t)t->most;
        const uint8_t *from = row + (size_t)t->first[i] * CHANNELS;
        int red = 0, green = 0, blue = 0;
        for (int j = 0; j < t->n[i]; j++, from += CHANNELS) {
            red += weights[j] * from[0];
            green += weights[j] * from[1];
            blue += weights[j] * from[2];
        }
        to[i] = rounded(red);
        to[size + i] = rounded(green);
        to[2 * size + i] = rounded(blue);
    }
}

/* Row i of all planes: a mean of rows of (rows, 3, size). */
static void resample_column(const uint8_t *rows, int first_row, const struct taps *t, int i,
                            int size, int *sums, uint8_t *to) {
    const int *weights = t->weights + (size_t)i * (size_t)t->most;
    size_t stride = (size_t)size * CHANNELS, plane = (size_t)size * (size_t)size;
    const uint8_t *from = rows + (size_t)(t->first[i] - first_row) * stride;
    memset(sums, 0, stride * sizeof *sums);
    for (int j = 0; j < t->n[i]; j++, from += stride)
        for (size_t x = 0; x < stride; x++)
            sums[x] += weights[j] * from[x];
    for (size_t c = 0; c < CHANNELS; c++)
        for (size_t x = 0; x < (size_t)size; x++)
            to[c * plane + (size_t)i * (size_t)size + x] = rounded(sums[c * (size_t)size + x]);
}

void image_resize(const struct image *image, const struct crop *w, int size, uint8_t *to) {
    struct taps across = taps_make(w->x, w->w, w->left, w->right, size);
    struct taps down = taps_make(w->y, w->h, w->top, w->bottom, size);
    int first = down.first[0], last = down.first[size - 1] + down.n[size - 1];
    size_t stride = (size_t)size * CHANNELS;
    uint8_t *rows = need((size_t)(last - first), stride);
    int *sums = need(stride, sizeof *sums);
    for (int y = first; y < last; y++)
        resample_row(image->rgb + (size_t)y * (size_t)image->w * CHANNELS, &across, size,
                     rows + (size_t)(y - first) * stride);
    for (int i = 0; i < size; i++)
        resample_column(rows, first, &down, i, size, sums, to);
    free(sums);
    free(rows);
    taps_free(&across);
    taps_free(&down);
}
