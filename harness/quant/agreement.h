/* The truncation-alignment loss: pulls weights that are rounded to nearest to where truncation
 * gives the codes of training.
 *
 * The agreement set of the widths B and N stored bits,
 *
 *     A = {u in [0, 1] : round((2^k - 1) u) = round((2^N - 1) u) >> (N - k)
 *                        for every k in B, k < N},
 *
 * is a union of intervals whose ends are fractions (2i + 1) / (2 (2^k - 1)), k in B or k = N. They
 * are compared as whole multiples of their common denominator, so the set is exact. (Single points
 * at which a tie decides are not told from the intervals around them.) For B = {1, 2, 4}, N = 8 it
 * is 68.6 % of [0, 1]. With the rounder `floor` the identity of TruncQuant holds, and A is all of
 * [0, 1]. */
#ifndef QUANT_AGREEMENT_H
#define QUANT_AGREEMENT_H

#include "quant/quantizer.h"

/* At most so many gaps between intervals: one for each place where some code changes. */
enum { AGREEMENT_GAPS = 512 };

struct agreement {
    int n;        // gaps
    double share; // of [0, 1] that agrees
    struct gap {
        double from, to;     // u strictly between them is not in A
        double below, above; // nearest points of A to either side, its edges moved inwards by 2^-11
    } gap[AGREEMENT_GAPS];   // ascending
};

/* Of a layer's rounder (nearest or floor), B and N. */
void agreement_make(struct agreement *a, const struct quant_layer *l);

/* a(u): u itself in A, else the nearest point of A after every edge of it was moved inwards by
 * 2^-11 (intervals that are no longer than twice that have none). */
double agreement_nearest(const struct agreement *a, double u);

/* Returns mean((u - a(u))²) of a layer, u = r(W), and adds `weight` times its gradient to dW: a(u)
 * is a constant in it; through the range map as axes_map_backward. */
double agreement_loss(const struct agreement *a, const struct quant_layer *l, const float *W,
                      double weight, float *dW);

#endif
