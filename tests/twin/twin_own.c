/* The quantizers with a learned step in double, as the method states them: lsq (a step for each
 * width of B below 32) and double-rounding (one step).
 *
 * The rule claims to be the gradient of Ŵ_i = inside_i (W_i - w_i) + offset_i h, where inside, w
 * and offset are constants (w is 0, but at lsq's 1 bit, where it is W itself), and of which h moves
 * by only `pace` times what is added to it. */
#include "twin/twin.h"

#include <math.h>
#include <string.h>

static const double least_step = 1e-8;

static int is_lsq(const char *scheme) {
    return !strcmp(scheme, "lsq");
}

static int place(const struct quant_layer *q, int k) {
    for (int b = 0; b < q->widths.n; b++)
        if (q->widths.bits[b] == k)
            return b;
    return 0;
}

static int step_place(const char *scheme, const struct quant_layer *q, int k) {
    return is_lsq(scheme) ? place(q, k) : 0;
}

/* Bits that W / h is clipped to. */
static int code_bits(const char *scheme, const struct quant_layer *q, int k) {
    return is_lsq(scheme) ? k : q->stored_bits;
}

static double clip(double x, double lo, double hi) {
    return fmin(fmax(x, lo), hi);
}

static double lowest(int bits) {
    return bits == 1 ? -1 : -pow(2, bits - 1);
}

static double highest(int bits) {
    return bits == 1 ? 1 : pow(2, bits - 1) - 1;
}

/* What stands before h: 2^(N-k) q_k. */
static double multiple(const char *scheme, const struct quant_layer *q, double v, int k) {
    int bits = code_bits(scheme, q, k);
    if (bits == 1)
        return v < 0 ? -1 : 1;
    double wide = clip(rint(v), lowest(bits), highest(bits));
    if (is_lsq(scheme))
        return wide;
    double coarse = pow(2, bits - k);
    return coarse * clip(rint(wide / coarse), lowest(k), highest(k));
}

static void measure(const char *scheme, const struct quant_layer *q, const double *W, double h,
                    int k, struct twin_layer *c) {
    int bits = code_bits(scheme, q, k);
    c->s = h;
    for (size_t i = 0; i < q->n; i++) {
        double v = W[i] / fmax(h, least_step);
        c->inside[i] = v >= lowest(bits) && v <= highest(bits);
        c->at[i] = bits == 1 ? W[i] : 0;
        c->offset[i] = multiple(scheme, q, v, k) - (bits > 1 && c->inside[i] ? v : 0);
    }
}

/* 1 / √(n Qp). */
static double pace(const char *scheme, const struct quant_layer *q, int k, unsigned rules) {
    double top = highest(code_bits(scheme, q, k));
    return rules & TWIN_STEP_UNSCALED ? 1 : 1 / sqrt((double)q->n * top);
}

void twin_own_quantize(const char *scheme, const struct quant_layer *q, const double *W,
                       const double *steps, int k, int frozen, struct twin_layer *c,
                       double *W_hat) {
    if (k == FLOAT_BITS) {
        memcpy(W_hat, W, q->n * sizeof *W);
        return;
    }
    double h = steps[step_place(scheme, q, k)];
    if (!frozen)
        measure(scheme, q, W, h, k, c);
    h = c->s + pace(scheme, q, k, TWIN_RIGHT) * (h - c->s);
    for (size_t i = 0; i < q->n; i++)
        W_hat[i] = (c->inside[i] ? W[i] - c->at[i] : 0) + c->offset[i] * fmax(h, least_step);
}

void twin_own_backward(const char *scheme, const struct quant_layer *q, const double *W,
                       const double *steps, int k, const struct twin_layer *c, unsigned rules,
                       const double *dW_hat, double *dW, double *dsteps) {
    int own = step_place(scheme, q, k);
    for (size_t i = 0; i < q->n; i++) {
        if (k == FLOAT_BITS || c->inside[i] || rules & TWIN_STEP_OPEN)
            dW[i] += dW_hat[i];
        if (k == FLOAT_BITS)
            continue;
        double code = multiple(scheme, q, W[i] / fmax(steps[own], least_step), k);
        dsteps[own] +=
            pace(scheme, q, k, rules) * dW_hat[i] * (rules & TWIN_STEP_CODE ? code : c->offset[i]);
    }
}

double twin_own_flip(const char *scheme, const struct quant_layer *q, const double *W,
                     const double *steps, int k) {
    double nearest = INFINITY;
    if (k == FLOAT_BITS)
        return nearest;
    int bits = code_bits(scheme, q, k);
    for (size_t i = 0; i < q->n; i++) {
        double v = W[i] / fmax(steps[step_place(scheme, q, k)], least_step);
        double between = bits == 1 ? v : v - (floor(v) + .5);
        nearest = fmin(nearest, fabs(between));
        nearest = fmin(nearest, fmin(fabs(v - lowest(bits)), fabs(v - highest(bits))));
    }
    return nearest / pow(2, bits);
}
