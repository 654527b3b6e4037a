/* The slots of struct quantizer for every scheme that is a point in the space of axes.
 *
 * Range maps, W -> u in [0, 1]:
 *   tanh      t = tanh W, M = max|t|, u = t / (2M) + 1/2; Ŵ = s (2û - 1), s = mean|W| (DoReFa)
 *   minmax    u = (W - lo) / (hi - lo); Ŵ = lo + (hi - lo) û, per layer or output channel
 * Rounders, u -> q in 0 ... 2^k - 1:
 *   nearest   q = round((2^k - 1) u), ties to even
 *   floor     q = min(floor(2^k u), 2^k - 1): then q_N >> (N - k) == q_k, bit for bit (TruncQuant)
 * Dequantizers, q -> û:
 *   endpoint  q / (2^k - 1)
 *   midpoint  (q + 1/2) / 2^k
 *   low       q / 2^k
 * Layer scale (tanh, k < 32): mean: s; pow2: 2^round(log2 s).
 * At k = 32: tanh Ŵ = s t / M, minmax Ŵ = W.
 *
 * Backward is the straight-through estimator, dû/du = 1, with s, lo and hi constants:
 *   tanh    dL/dt_m = s g_m / M - [m = argmax|t|] s sign(t_m) / M² · Σ g_i t_i (equal shares in a
 *           tie), dL/dW = dL/dt (1 - t²)
 *   minmax  dL/dW = g
 * No range (W all zero, or hi = lo): q = 2^(k-1), Ŵ = 0 or lo, gradient 0 or g. */
#ifndef QUANT_AXES_H
#define QUANT_AXES_H

#include "quant/quantizer.h"

#include <math.h>

/* The code of u in [0, 1] at k bits (1 ... 8). A NaN becomes code 0. */
static inline uint8_t axes_code(enum rounder rounder, float u, int k) {
    float top = (float)((1 << k) - 1);
    float x = rounder == ROUND_FLOOR ? (top + 1) * u : rintf(top * u);
    // Comparisons instead of floorf, fmaxf and fminf: these vectorise. A NaN, whose conversion
    // would be undefined, becomes 0; the conversion cuts, which is the floor of what is not
    // negative.
    x = x > 0 ? x : 0;
    return (uint8_t)(x < top ? x : top);
}

/* The multiplier m(q) of 2û - 1 = m(q) / axes_denominator: an integer, odd for endpoint and
 * midpoint. */
int axes_multiplier(enum dequantizer d, int q, int k);
int axes_denominator(enum dequantizer d, int k);

/* û of a code. */
float axes_dequantize(enum dequantizer d, int q, int k);

/* 2^round(log2 s); 0 for s = 0. */
float axes_pow2(float s);

/* u = r(W) of all weights by the layer's range map (tanh or minmax); 1/2 where there is no range.
 */
void axes_map(const struct quant_layer *, const float *W, float *u);

/* Adds dL/dW of dL/du: tanh also through M = max|t|, minmax with lo and hi constants. */
void axes_map_backward(const struct quant_layer *, const float *W, const float *du, float *dW);

/* M, s and the number of weights at M. */
struct tanh_range axes_tanh_range(const float *W, size_t n);

/* Mean of t = tanh W, and ‖t - mean t‖₂. */
void axes_tanh_moments(const float *W, size_t n, float *mean, float *norm);

void axes_quantize(const struct quant_layer *, const float *W, const float *params, int k,
                   float *W_hat);
void axes_backward(const struct quant_layer *, const float *W, const float *params, int k,
                   const float *dW_hat, float *dW, float *dparams);
size_t axes_header_floats(const struct quant_layer *);
void axes_encode(const struct quant_layer *, const float *W, const float *params, int k,
                 uint8_t *codes, float *header);
void axes_decode(const struct quant_layer *, const uint8_t *codes, const float *header, int k,
                 float *W_hat);
uint8_t axes_truncate(uint8_t code, int stored_bits, int k);
void axes_integer_form(const struct quant_layer *, const float *header, int k,
                       struct integer_form *form);

/* All slots at once, for a scheme's entry in the registry. */
#define AXES_SLOTS                                                                                 \
    .quantize = axes_quantize, .backward = axes_backward, .header_floats = axes_header_floats,     \
    .encode = axes_encode, .decode = axes_decode, .truncate = axes_truncate,                       \
    .integer_form = axes_integer_form

#endif
