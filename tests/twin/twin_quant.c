/* The weight quantizers in double, as the method states them: range map, rounder, dequantizer,
 * layer scale, and the straight-through gradient. Learned steps are twin_own.c's; own rounders of
 * the tanh map are matquant's slices. */
#include "twin/twin.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

static size_t channel(const struct quant_layer *q, size_t i) {
    return q->axes.granularity == PER_CHANNEL ? i / (q->n / q->channels) : 0;
}

struct twin_layer twin_layer_new(const struct quant_layer *q) {
    return (struct twin_layer){
        .lo = need(q->channels, sizeof(double)),
        .hi = need(q->channels, sizeof(double)),
        .offset = need(q->n, sizeof(double)),
        .at = need(q->n, sizeof(double)),
        .inside = need(q->n, 1),
    };
}

void twin_layer_free(struct twin_layer *c) {
    free(c->lo);
    free(c->hi);
    free(c->offset);
    free(c->at);
    free(c->inside);
}

static double largest_tanh(const double *W, size_t n) {
    double m = 0;
    for (size_t i = 0; i < n; i++)
        m = fmax(m, fabs(tanh(W[i])));
    return m;
}

static double mean_magnitude(const double *W, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs(W[i]);
    return sum / (double)n;
}

/* s, lo and hi. */
static void measure(const struct quant_layer *q, const double *W, int k, struct twin_layer *c) {
    c->s = mean_magnitude(W, q->n);
    if (q->axes.scale == SCALE_POW2 && k < FLOAT_BITS && c->s > 0)
        c->s = exp2(rint(log2(c->s)));
    for (size_t i = 0; i < q->channels; i++) {
        c->lo[i] = INFINITY;
        c->hi[i] = -INFINITY;
    }
    for (size_t i = 0; i < q->n; i++) {
        size_t at = channel(q, i);
        c->lo[at] = fmin(c->lo[at], W[i]);
        c->hi[at] = fmax(c->hi[at], W[i]);
    }
}

/* True when weight i has no range: all of a layer is 0, or all of its layer or channel is equal. */
static int no_range(const struct quant_layer *q, double max, const struct twin_layer *c, size_t i) {
    if (q->axes.range == RANGE_MINMAX)
        return c->hi[channel(q, i)] == c->lo[channel(q, i)];
    return max == 0;
}

void twin_range(const struct quant_layer *q, const double *W, const struct twin_layer *c,
                double *u) {
    double m = largest_tanh(W, q->n);
    for (size_t i = 0; i < q->n; i++) {
        double lo = c->lo[channel(q, i)], hi = c->hi[channel(q, i)];
        if (q->axes.range == RANGE_MINMAX)
            u[i] = hi == lo ? .5 : (W[i] - lo) / (hi - lo);
        else
            u[i] = m == 0 ? .5 : tanh(W[i]) / (2 * m) + .5;
    }
}

double twin_code_distance(enum rounder r, double u, int k) {
    double top = (1 << k) - 1;
    double x = r == ROUND_NEAREST ? top * u + .5 : (top + 1) * u; // codes change at 1 ... top
    return fabs(x - fmin(fmax(rint(x), 1), top)) / (top + 1);
}

int twin_code(enum rounder r, double u, int k) {
    int top = (1 << k) - 1;
    if (r == ROUND_NEAREST)
        return (int)rint(top * u); // the default mode: ties to even
    int q = (int)floor((1 << k) * u);
    return q < top ? q : top;
}

double twin_dequantize(enum dequantizer d, int q, int k) {
    double levels = 1 << k;
    if (d == DEQUANT_ENDPOINT)
        return q / (levels - 1);
    return d == DEQUANT_MIDPOINT ? (q + .5) / levels : q / levels;
}

double twin_weight(const struct quant_layer *q, const struct twin_layer *c, size_t i,
                   double u_hat) {
    double lo = c->lo[channel(q, i)], hi = c->hi[channel(q, i)];
    if (q->axes.range == RANGE_MINMAX)
        return lo + (hi - lo) * u_hat;
    return c->s * (2 * u_hat - 1);
}

static int untouched(const struct quant_layer *q, int k) {
    return q->axes.range == RANGE_NONE || (q->axes.range == RANGE_MINMAX && k == FLOAT_BITS);
}

int twin_slice(double u, int N, int k) {
    double wide = rint(((1 << N) - 1) * u), top = (1 << k) - 1;
    return (int)fmin(floor(wide / (1 << (N - k)) + .5), top);
}

/* û at k bits. */
static double rounded(const struct quant_layer *q, double u, int k) {
    int N = q->stored_bits;
    if (q->axes.rounder == ROUND_OWN)
        return twin_slice(u, N, k) * (double)(1 << (N - k)) / ((1 << N) - 1);
    return twin_dequantize(q->axes.dequantizer, twin_code(q->axes.rounder, u, k), k);
}

/* û - u, the part of the rounding that the gradient takes as constant. */
static void round_all(const struct quant_layer *q, int k, const double *u, double *offset) {
    for (size_t i = 0; i < q->n; i++) {
        int off = k == FLOAT_BITS || q->axes.rounder == ROUND_IDENTITY;
        offset[i] = off ? 0 : rounded(q, u[i], k) - u[i];
    }
}

/* mean Ŵ, mean t, and ‖t - mean t‖ / ‖Ŵ - mean Ŵ‖. */
static void measure_correction(size_t n, const double *W, const double *W_hat,
                               struct twin_layer *c) {
    double above = 0, below = 0;
    c->mean = c->target = 0;
    for (size_t i = 0; i < n; i++) {
        c->mean += W_hat[i] / (double)n;
        c->target += tanh(W[i]) / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        above += pow(tanh(W[i]) - c->target, 2);
        below += pow(W_hat[i] - c->mean, 2);
    }
    c->factor = sqrt(below) < 1e-12 ? 1 : sqrt(above) / sqrt(below);
}

void twin_quantize(const struct quant_layer *q, const double *W, int k, int frozen,
                   struct twin_layer *c, double *W_hat) {
    double *u = need(q->n, sizeof *u), max = largest_tanh(W, q->n);
    if (!frozen)
        measure(q, W, k, c);
    twin_range(q, W, c, u);
    if (!frozen)
        round_all(q, k, u, c->offset);
    for (size_t i = 0; i < q->n; i++) {
        if (untouched(q, k))
            W_hat[i] = W[i];
        else if (no_range(q, max, c, i))
            W_hat[i] = q->axes.range == RANGE_MINMAX ? c->lo[channel(q, i)] : 0;
        else
            W_hat[i] = twin_weight(q, c, i, u[i] + c->offset[i]);
    }
    if (q->corrects && !frozen)
        measure_correction(q->n, W, W_hat, c);
    for (size_t i = 0; q->corrects && i < q->n; i++)
        W_hat[i] = (W_hat[i] - c->mean) * c->factor + c->target;
    free(u);
}

/* Wrong on purpose: s differentiated too. Adds Σ dŴ t/M times sign(W)/n to dW. */
static void scale_gradient(const double *W, size_t n, double m, const double *dW_hat, double *dW) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += dW_hat[i] * tanh(W[i]) / m;
    for (size_t i = 0; i < n; i++)
        dW[i] += sum * copysign(1, W[i]) / (double)n;
}

/* With a = dL/du: dL/dt_m = a_m / 2M - [m attains M] sign(t_m) Σ a_i t_i / 2M², shared in a tie. */
static void tanh_backward(const double *W, size_t n, double s, unsigned rules, const double *dW_hat,
                          double *dW) {
    double m = largest_tanh(W, n), through_max = 0;
    size_t attain = 0;
    if (m == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        through_max += 2 * s * dW_hat[i] * tanh(W[i]) / (2 * m * m);
        attain += fabs(tanh(W[i])) == m;
    }
    for (size_t i = 0; i < n; i++) {
        double t = tanh(W[i]), dt = 2 * s * dW_hat[i] / (2 * m);
        if (fabs(t) == m && !(rules & TWIN_MAX_CONSTANT))
            dt -= copysign(1, t) * through_max / (double)attain;
        dW[i] += rules & TWIN_NO_TANH_SLOPE ? dt : dt * (1 - t * t);
    }
    if (rules & TWIN_SCALE_GRADIENT)
        scale_gradient(W, n, m, dW_hat, dW);
}

void twin_quantize_backward(const struct quant_layer *q, const double *W, int k,
                            const struct twin_layer *c, unsigned rules, const double *dW_hat,
                            double *dW) {
    if (q->axes.range == RANGE_TANH) {
        double factor = q->corrects && !(rules & TWIN_NO_FACTOR) ? c->factor : 1;
        tanh_backward(W, q->n, c->s * factor, rules, dW_hat, dW);
        return;
    }
    (void)k; // minmax and no range map: du/dW and dŴ/dû cancel at every width
    for (size_t i = 0; i < q->n; i++)
        dW[i] += dW_hat[i];
}

/* tanh: Ŵ = s (2u - 1) is u but for a constant where s is 1/2. minmax: du/dW is 1 / (hi - lo) for
 * minmax. */
void twin_range_backward(const struct quant_layer *q, const double *W, const struct twin_layer *c,
                         const double *du, double *dW) {
    if (q->axes.range == RANGE_TANH)
        tanh_backward(W, q->n, .5, TWIN_RIGHT, du, dW);
    for (size_t i = 0; q->axes.range == RANGE_MINMAX && i < q->n; i++) {
        double extent = c->hi[channel(q, i)] - c->lo[channel(q, i)];
        dW[i] += extent > 0 ? du[i] / extent : 0;
    }
}
