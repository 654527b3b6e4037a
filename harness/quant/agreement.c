/* The agreement set and the loss of what lies outside it; agreement.h is the manual. */
#include "quant/agreement.h"

#include "base/error.h"
#include "quant/axes.h"

#include <stdlib.h>

/* Places in [0, 1] as whole numbers: 4 · lcm(2^k - 1, k = 1 ... 8) units, so that the places where
 * codes change are even and the middle between two of them is whole. */
enum { UNIT = 4 * 21082635 };

static const double margin = 1.0 / 2048;

static int64_t code_at(int64_t place, int k) {
    int64_t top = (1 << k) - 1;
    return (2 * top * place + UNIT) / (2 * (int64_t)UNIT);
}

static int agrees(const struct quant_layer *l, int64_t place) {
    int N = l->stored_bits;
    for (int b = 0; b < l->widths.n; b++) {
        int k = l->widths.bits[b];
        if (k < N && code_at(place, N) >> (N - k) != code_at(place, k))
            return 0;
    }
    return 1;
}

static int add_changes(int64_t *places, int n, int k) {
    int64_t top = (1 << k) - 1;
    for (int64_t i = 0; i < top; i++)
        places[n++] = (2 * i + 1) * (UNIT / (2 * top));
    return n;
}

static int ascending(const void *a, const void *b) {
    int64_t l = *(const int64_t *)a, r = *(const int64_t *)b;
    return (l > r) - (l < r);
}

/* 0, every place where a code of some width changes (some may stand twice), and 1. */
static int all_changes(const struct quant_layer *l, int64_t *places) {
    int n = add_changes(places, 0, l->stored_bits);
    for (int b = 0; b < l->widths.n; b++)
        if (l->widths.bits[b] < l->stored_bits)
            n = add_changes(places, n, l->widths.bits[b]);
    places[n++] = 0;
    places[n++] = UNIT;
    qsort(places, (size_t)n, sizeof *places, ascending);
    return n;
}

static double real_of(int64_t place) {
    return (double)place / UNIT;
}

/* From the left: what each gap has below it. An interval counts when something of it is left. */
static void find_below(struct agreement *a) {
    double from = 0, below = 0;
    for (int i = 0; i < a->n; i++) {
        struct gap *g = &a->gap[i];
        if (i == 0 || g->from - from > 2 * margin)
            below = g->from - margin;
        g->below = below;
        from = g->to;
    }
}

static void find_above(struct agreement *a) {
    double to = 1, above = 1;
    for (int i = a->n - 1; i >= 0; i--) {
        struct gap *g = &a->gap[i];
        if (i == a->n - 1 || to - g->to > 2 * margin)
            above = g->to + margin;
        g->above = above;
        to = g->from;
    }
}

static void find_gaps(struct agreement *a, const struct quant_layer *l, const int64_t *places,
                      int n) {
    int64_t outside = 0, end = -1;
    for (int i = 1; i < n; i++) {
        int64_t from = places[i - 1], to = places[i];
        if (from == to || agrees(l, (from + to) / 2))
            continue;
        outside += to - from;
        if (from != end)
            a->gap[a->n++].from = real_of(from);
        a->gap[a->n - 1].to = real_of(to);
        end = to;
    }
    a->share = 1 - real_of(outside);
}

void agreement_make(struct agreement *a, const struct quant_layer *l) {
    int64_t places[2 * AGREEMENT_GAPS];
    *a = (struct agreement){.share = 1};
    if (l->axes.rounder == ROUND_FLOOR)
        return;
    find_gaps(a, l, places, all_changes(l, places));
    find_below(a);
    find_above(a);
}

double agreement_nearest(const struct agreement *a, double u) {
    int low = 0, high = a->n; // the first gap that ends behind u
    while (low < high) {
        int middle = (low + high) / 2;
        if (a->gap[middle].to > u)
            high = middle;
        else
            low = middle + 1;
    }
    const struct gap *g = &a->gap[low];
    if (low == a->n || !(u > g->from))
        return u;
    return u - g->below <= g->above - u ? g->below : g->above;
}

double agreement_loss(const struct agreement *a, const struct quant_layer *l, const float *W,
                      double weight, float *dW) {
    if (!a->n)
        return 0;
    float *u = need(l->n, sizeof *u);
    double loss = 0, slope = 2 * weight / (double)l->n;
    axes_map(l, W, u);
    for (size_t i = 0; i < l->n; i++) {
        double off = u[i] - agreement_nearest(a, u[i]);
        loss += off * off / (double)l->n;
        u[i] = (float)(slope * off);
    }
    axes_map_backward(l, W, u, dW);
    free(u);
    return loss;
}
