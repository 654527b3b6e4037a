/* The losses on the weights themselves in double, as the method states them: truncation alignment
 * and kurtosis. */
#include "twin/twin.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

enum { PLACES = 1024 };

static const double margin = 1.0 / 2048;

/* Maximal intervals of the agreement set, in order. */
struct intervals {
    int n;
    double from[PLACES], to[PLACES];
};

static enum rounder rounder_of(const struct quant_layer *q) {
    return q->axes.rounder == ROUND_FLOOR ? ROUND_FLOOR : ROUND_NEAREST;
}

static int agrees(const struct quant_layer *q, double u) {
    int N = q->stored_bits, stored = twin_code(rounder_of(q), u, N);
    for (int i = 0; i < q->widths.n; i++) {
        int k = q->widths.bits[i];
        if (k < N && stored >> (N - k) != twin_code(rounder_of(q), u, k))
            return 0;
    }
    return 1;
}

/* The next place behind u at which a code of k bits changes; 1 when there is none. */
static double next_change(enum rounder r, double u, int k) {
    double top = (1 << k) - 1, next = 1;
    for (int i = (int)top - 1; i >= 0; i--) {
        double place = r == ROUND_FLOOR ? (i + 1) / (top + 1) : (i + .5) / top;
        next = place > u + 1e-12 ? place : next;
    }
    return next;
}

static double next_of_all(const struct quant_layer *q, double u) {
    double next = next_change(rounder_of(q), u, q->stored_bits);
    for (int i = 0; i < q->widths.n; i++)
        if (q->widths.bits[i] < q->stored_bits)
            next = fmin(next, next_change(rounder_of(q), u, q->widths.bits[i]));
    return next;
}

static void find_intervals(const struct quant_layer *q, struct intervals *a) {
    a->n = 0;
    for (double u = 0, next; u < 1; u = next) {
        next = next_of_all(q, u);
        if (!agrees(q, (u + next) / 2))
            continue;
        if (!a->n || a->to[a->n - 1] != u)
            a->from[a->n++] = u;
        a->to[a->n - 1] = next;
    }
}

/* The point of [from, to], shrunk, that is nearest to u; INFINITY when nothing is left of it. */
static double nearest_in(double from, double to, double u) {
    from += from > 0 ? margin : 0;
    to -= to < 1 ? margin : 0;
    return from < to ? fmin(fmax(u, from), to) : INFINITY;
}

static double nearest(const struct intervals *a, double u) {
    double best = INFINITY;
    for (int i = 0; i < a->n; i++) {
        int above = u >= a->from[i] || i == 0, below = u <= a->to[i] || i == a->n - 1;
        if (above && below) // differences look a little beyond 0 and 1
            return u;
        double x = nearest_in(a->from[i], a->to[i], u);
        best = fabs(x - u) < fabs(best - u) ? x : best;
    }
    return best;
}

double twin_align(const struct quant_layer *q, const double *W, const struct twin_layer *c,
                  double weight, double *dW) {
    struct intervals *a = need(1, sizeof *a);
    double *u = need(q->n, sizeof *u), loss = 0;
    find_intervals(q, a);
    twin_range(q, W, c, u);
    for (size_t i = 0; i < q->n; i++) {
        double off = u[i] - nearest(a, u[i]);
        loss += off * off / (double)q->n;
        u[i] = weight * 2 * off / (double)q->n;
    }
    if (dW)
        twin_range_backward(q, W, c, u, dW);
    free(u);
    free(a);
    return loss;
}

static double moment(const double *W, size_t n, double about, int power) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += pow(W[i] - about, power);
    return sum / (double)n;
}

/* By the quotient rule, from the derivatives of the second and the fourth central moment. */
double twin_kurtosis(const double *W, size_t n, double weight, double *dW) {
    double mean = moment(W, n, 0, 1), m2 = moment(W, n, mean, 2), m3 = moment(W, n, mean, 3),
           m4 = moment(W, n, mean, 4);
    if (m2 == 0)
        return 0;
    double off = m4 / pow(m2, 2) - 1.8;
    for (size_t i = 0; dW && i < n; i++) {
        double c = W[i] - mean, dm2 = 2 * c / (double)n;
        double dm4 = 4 * (pow(c, 3) - m3) / (double)n;
        dW[i] += weight * 2 * off * (dm4 * m2 - 2 * m4 * dm2) / pow(m2, 3);
    }
    return off * off;
}
