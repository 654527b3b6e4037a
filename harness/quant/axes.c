/* Quantizers made of a range map, a rounder, a dequantizer and a layer scale; axes.h has the
 * formulas.
 *
 * What a width needs of W is recomputed from W at each call, unless the caller vouches for it
 * (quant_layer.known). Sums run in double, in the order of the weights, on one thread: the result
 * depends neither on the machine's vector width nor on the number of threads. What is by weight is
 * spread over the threads. */
#include "quant/axes.h"

#include <float.h>
#include <string.h>

/* ---- tanh, 16 values at a time ---- */

/* glibc's vector tanhf (libmvec), which GCC calls for a loop when it is told that there is one.
 * Whole blocks only, the last one filled up: a value's tanh must not depend on its place in the
 * layer, or latent and frozen weights would differ by a bit. */
#if defined __x86_64__ && defined _OPENMP
#pragma omp declare simd notinbranch
extern float tanhf(float);
#endif

enum { BLOCK = 16, PIECE = 512 * BLOCK }; // a piece is one thread's at a time

static void tanh_block(const float *W, size_t left, float t[BLOCK]) {
    float w[BLOCK] = {0};
    memcpy(w, W, (left < BLOCK ? left : BLOCK) * sizeof *w);
#pragma omp simd
    for (int i = 0; i < BLOCK; i++)
        t[i] = tanhf(w[i]);
}

/* for each block: first weight, number of weights, their tanh */
#define FOR_TANH_BLOCKS(at, m, t, W, n)                                                            \
    for (size_t at = 0, m;                                                                         \
         at < (n) && (m = (n)-at < BLOCK ? (n)-at : BLOCK, tanh_block((W) + at, m, t), 1);         \
         at += BLOCK)

static size_t piece_at(size_t at, size_t n) {
    return n - at < PIECE ? n - at : PIECE;
}

struct tanh_range axes_tanh_range(const float *W, size_t n) {
    struct tanh_range r = {.of = W};
    float t[BLOCK];
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabsf(W[i]);
    FOR_TANH_BLOCKS (at, m, t, W, n) {
        float most = r.max;
        for (size_t i = 0; i < m; i++)
            most = fabsf(t[i]) > most ? fabsf(t[i]) : most;
        r.ties = most > r.max ? 0 : r.ties;
        r.max = most;
        for (size_t i = 0; i < m; i++)
            r.ties += fabsf(t[i]) == most;
    }
    r.scale = n ? (float)(sum / (double)n) : 0;
    return r;
}

static struct tanh_range range_of(const struct quant_layer *l, const float *W) {
    return l->known.of == W ? l->known : axes_tanh_range(W, l->n);
}

/* u of a weight whose tanh is t. */
static float tanh_map(float t, const struct tanh_range *r) {
    return r->max > 0 ? t / (2 * r->max) + 0.5f : 0.5f;
}

/* ---- min and max ---- */

struct minmax_range {
    float lo, extent; // extent = hi - lo
};

static struct minmax_range minmax_range(const float *W, size_t n) {
    float lo = W[0], hi = W[0], poison = 0;
    for (size_t i = 0; i < n; i++) {
        lo = fminf(lo, W[i]);
        hi = fmaxf(hi, W[i]);
        poison += W[i] * 0.0f; // fminf and fmaxf drop a NaN; the loss must see it
    }
    return (struct minmax_range){lo + poison, hi - lo};
}

static float minmax_map(float w, const struct minmax_range *r) {
    return r->extent > 0 ? (w - r->lo) / r->extent : 0.5f;
}

/* The code of a weight whose layer has no range: 2^(k-1), which the shift keeps consistent. Both
 * rounders give it for u = 1/2 but `nearest` at k = 1, where the tie would go to 0. */
static uint8_t code_of(enum rounder rounder, float u, int has_range, int k) {
    return has_range ? axes_code(rounder, u, k) : (uint8_t)(1 << (k - 1));
}

int axes_multiplier(enum dequantizer d, int q, int k) {
    switch (d) {
    case DEQUANT_MIDPOINT:
        return 2 * q + 1 - (1 << k);
    case DEQUANT_LOW:
        return 2 * q - (1 << k);
    default:
        return 2 * q - ((1 << k) - 1);
    }
}

int axes_denominator(enum dequantizer d, int k) {
    return d == DEQUANT_ENDPOINT ? (1 << k) - 1 : 1 << k;
}

float axes_dequantize(enum dequantizer d, int q, int k) {
    float place = d == DEQUANT_MIDPOINT ? (float)q + 0.5f : (float)q;
    return place / (float)axes_denominator(d, k);
}

float axes_pow2(float s) {
    return s > 0 ? ldexpf(1.0f, (int)rintf(log2f(s))) : s;
}

static float effective_scale(const struct quant_layer *l, float s, int k) {
    return l->axes.scale == SCALE_POW2 && k < FLOAT_BITS ? axes_pow2(s) : s;
}

/* Ŵ of every code of the tanh map: one product, the same for latent and frozen weights. */
static void tanh_levels(const struct quant_layer *l, float scale, int k, float levels[256]) {
    float unit = scale / (float)axes_denominator(l->axes.dequantizer, k);
    for (int q = 0; q < 1 << k; q++)
        levels[q] = unit * (float)axes_multiplier(l->axes.dequantizer, q, k);
}

static void minmax_levels(const struct quant_layer *l, const struct minmax_range *r, int k,
                          float levels[256]) {
    for (int q = 0; q < 1 << k; q++)
        levels[q] = r->lo + r->extent * axes_dequantize(l->axes.dequantizer, q, k);
}

/* Ŵ at one width. */
struct tanh_quantizer {
    const struct quant_layer *l;
    int k;
    struct tanh_range r;
    float scale, levels[256];
};

/* With `restrict` and what does not change in variables of its own, the loops become vectors. */
static void tanh_quantize_piece(const struct tanh_quantizer *q, const float *W, size_t n,
                                float *restrict W_hat) {
    enum rounder rounder = q->l->axes.rounder;
    float t[BLOCK], s = q->scale;
    struct tanh_range r = q->r;
    int k = q->k;
    if (!(r.max > 0)) {
        // All zero, or not a number: Ŵ = s · 0 keeps a NaN visible.
        for (size_t i = 0; i < n; i++)
            W_hat[i] = s * 0.0f;
    } else if (k == FLOAT_BITS) {
        FOR_TANH_BLOCKS (at, m, t, W, n)
            for (size_t i = 0; i < m; i++)
                W_hat[at + i] = s * (t[i] / r.max);
    } else if (rounder == ROUND_IDENTITY) {
        FOR_TANH_BLOCKS (at, m, t, W, n)
            for (size_t i = 0; i < m; i++)
                W_hat[at + i] = s * (2 * tanh_map(t[i], &r) - 1);
    } else {
        const float *restrict levels = q->levels;
        FOR_TANH_BLOCKS (at, m, t, W, n)
            for (size_t i = 0; i < m; i++)
                W_hat[at + i] = levels[axes_code(rounder, tanh_map(t[i], &r), k)];
    }
}

static void tanh_quantize(const struct quant_layer *l, const float *W, int k, float *W_hat) {
    struct tanh_quantizer q = {.l = l, .k = k, .r = range_of(l, W)};
    q.scale = effective_scale(l, q.r.scale, k);
    if (k <= 8)
        tanh_levels(l, q.scale, k, q.levels);
#pragma omp parallel for if (l->n > PIECE)
    for (size_t at = 0; at < l->n; at += PIECE)
        tanh_quantize_piece(&q, W + at, piece_at(at, l->n), W_hat + at);
}

/* The weights that share one range: the layer, or one output channel of it. */
static size_t group_count(const struct quant_layer *l) {
    return l->axes.granularity == PER_CHANNEL ? l->channels : 1;
}

static void minmax_quantize_group(const struct quant_layer *l, const float *W, size_t n, int k,
                                  float *W_hat) {
    struct minmax_range r = minmax_range(W, n);
    if (!(r.extent > 0)) {
        for (size_t i = 0; i < n; i++)
            W_hat[i] = r.lo + r.extent;
    } else if (l->axes.rounder == ROUND_IDENTITY) {
        for (size_t i = 0; i < n; i++)
            W_hat[i] = r.lo + r.extent * minmax_map(W[i], &r);
    } else {
        float levels[256];
        minmax_levels(l, &r, k, levels);
        for (size_t i = 0; i < n; i++)
            W_hat[i] = levels[axes_code(l->axes.rounder, minmax_map(W[i], &r), k)];
    }
}

void axes_quantize(const struct quant_layer *l, const float *W, const float *params, int k,
                   float *W_hat) {
    (void)params;
    if (l->axes.range == RANGE_TANH) {
        tanh_quantize(l, W, k, W_hat);
        return;
    }
    if (k == FLOAT_BITS) {
        memcpy(W_hat, W, l->n * sizeof *W);
        return;
    }
    size_t groups = group_count(l), n = l->n / groups;
    for (size_t g = 0; g < groups; g++)
        minmax_quantize_group(l, W + g * n, n, k, W_hat + g * n);
}

/* The gradient of Ŵ by weight: (slope g - [|t| = M] sign(t) share) (1 - t²). */
struct tanh_gradient {
    float max, slope, share;
};

static void tanh_backward_piece(struct tanh_gradient d, const float *W, size_t n, const float *g,
                                float *restrict dW) {
    float t[BLOCK];
    FOR_TANH_BLOCKS (at, m, t, W, n)
        for (size_t i = 0; i < m; i++) {
            float at_max = fabsf(t[i]) == d.max ? copysignf(1, t[i]) : 0;
            dW[at + i] += (d.slope * g[at + i] - at_max * d.share) * (1 - t[i] * t[i]);
        }
}

/* Adds dL/dW of dL/du = 2 factor g. */
static void tanh_map_backward(const struct quant_layer *l, const float *W,
                              const struct tanh_range *r, float factor, const float *g, float *dW) {
    float t[BLOCK];
    if (!(r->max > 0))
        return;
    double through_max = 0; // Σ g_i t_i
    FOR_TANH_BLOCKS (at, m, t, W, l->n)
        for (size_t i = 0; i < m; i++)
            through_max += (double)g[at + i] * t[i];
    struct tanh_gradient d = {r->max, factor / r->max,
                              (float)(factor * through_max / ((double)r->max * r->max * r->ties))};
#pragma omp parallel for if (l->n > PIECE)
    for (size_t at = 0; at < l->n; at += PIECE)
        tanh_backward_piece(d, W + at, piece_at(at, l->n), g + at, dW + at);
}

void axes_backward(const struct quant_layer *l, const float *W, const float *params, int k,
                   const float *dW_hat, float *dW, float *dparams) {
    (void)params;
    (void)dparams;
    if (l->axes.range == RANGE_TANH) {
        struct tanh_range r = range_of(l, W);
        tanh_map_backward(l, W, &r, effective_scale(l, r.scale, k), dW_hat, dW);
        return;
    }
    for (size_t i = 0; i < l->n; i++)
        dW[i] += dW_hat[i];
}

void axes_map(const struct quant_layer *l, const float *W, float *u) {
    if (l->axes.range == RANGE_TANH) {
        struct tanh_range r = range_of(l, W);
        float t[BLOCK];
        FOR_TANH_BLOCKS (at, m, t, W, l->n)
            for (size_t i = 0; i < m; i++)
                u[at + i] = tanh_map(t[i], &r);
        return;
    }
    size_t groups = group_count(l), n = l->n / groups;
    for (size_t g = 0; g < groups; g++) {
        struct minmax_range r = minmax_range(W + g * n, n);
        for (size_t i = g * n; i < (g + 1) * n; i++)
            u[i] = minmax_map(W[i], &r);
    }
}

void axes_map_backward(const struct quant_layer *l, const float *W, const float *du, float *dW) {
    if (l->axes.range == RANGE_TANH) {
        struct tanh_range r = range_of(l, W);
        tanh_map_backward(l, W, &r, 0.5f, du, dW);
        return;
    }
    size_t groups = group_count(l), n = l->n / groups;
    for (size_t g = 0; g < groups; g++) {
        struct minmax_range r = minmax_range(W + g * n, n);
        for (size_t i = g * n; r.extent > 0 && i < (g + 1) * n; i++)
            dW[i] += du[i] / r.extent;
    }
}

void axes_tanh_moments(const float *W, size_t n, float *mean, float *norm) {
    float t[BLOCK];
    double sum = 0, squares = 0;
    FOR_TANH_BLOCKS (at, m, t, W, n)
        for (size_t i = 0; i < m; i++)
            sum += t[i];
    double middle = n ? sum / (double)n : 0;
    FOR_TANH_BLOCKS (at, m, t, W, n)
        for (size_t i = 0; i < m; i++)
            squares += (t[i] - middle) * (t[i] - middle);
    *mean = (float)middle;
    *norm = (float)sqrt(squares);
}

size_t axes_header_floats(const struct quant_layer *l) {
    return l->axes.range == RANGE_TANH ? 1 : 2 * group_count(l);
}

void axes_encode(const struct quant_layer *l, const float *W, const float *params, int k,
                 uint8_t *codes, float *header) {
    (void)params;
    if (l->axes.range == RANGE_TANH) {
        struct tanh_range r = range_of(l, W);
        float t[BLOCK];
        header[0] = effective_scale(l, r.scale, k);
        FOR_TANH_BLOCKS (at, m, t, W, l->n)
            for (size_t i = 0; i < m; i++)
                codes[at + i] = code_of(l->axes.rounder, tanh_map(t[i], &r), r.max > 0, k);
        return;
    }
    size_t groups = group_count(l), n = l->n / groups;
    for (size_t g = 0; g < groups; g++) {
        struct minmax_range r = minmax_range(W + g * n, n);
        header[2 * g] = r.lo;
        header[2 * g + 1] = r.extent;
        for (size_t i = g * n; i < (g + 1) * n; i++)
            codes[i] = code_of(l->axes.rounder, minmax_map(W[i], &r), r.extent > 0, k);
    }
}

uint8_t axes_truncate(uint8_t code, int stored_bits, int k) {
    return code >> (stored_bits - k);
}

void axes_decode(const struct quant_layer *l, const uint8_t *codes, const float *header, int k,
                 float *W_hat) {
    float levels[256];
    int is_tanh = l->axes.range == RANGE_TANH;
    size_t groups = is_tanh ? 1 : group_count(l), n = l->n / groups;
    for (size_t g = 0; g < groups; g++) {
        if (is_tanh)
            tanh_levels(l, header[0], k, levels);
        else
            minmax_levels(l, &(struct minmax_range){header[2 * g], header[2 * g + 1]}, k, levels);
        for (size_t i = g * n; i < (g + 1) * n; i++)
            W_hat[i] = levels[axes_truncate(codes[i], l->stored_bits, k)];
    }
}

/* tanh: m(q) = 2v + 1, or 2v (low), times s / d. minmax: Ŵ = lo + extent û(v + 2^(k-1)), û linear
 * in v. */
void axes_integer_form(const struct quant_layer *l, const float *header, int k,
                       struct integer_form *form) {
    int denominator = axes_denominator(l->axes.dequantizer, k), half = 1 << (k - 1);
    int is_tanh = l->axes.range == RANGE_TANH;
    double middle = axes_dequantize(l->axes.dequantizer, half, k);
    form->is_signed = 0;
    form->has_offset = !is_tanh;
    form->factor = is_tanh ? 2 : 1;
    form->odd = is_tanh && l->axes.dequantizer != DEQUANT_LOW;
    for (size_t c = 0; c < l->channels; c++) {
        const float *range = header + (group_count(l) > 1 ? 2 * c : 0);
        form->unit[c] =
            is_tanh ? header[0] / (float)denominator : (float)((double)range[1] / denominator);
        form->offset[c] = is_tanh ? 0 : (float)(range[0] + range[1] * middle);
    }
}
