/* Fused passes over nChw16c; blocked.h is the manual. Inner loops run over the 16 lanes of a block,
 * which the compiler turns into one vector (or two, or four), in the same order whatever its width.
 */
#include "engine/onednn/blocked.h"

#include "engine/engine.h"
#include "engine/reference/ops.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct blocked blocked_shape(int n, struct shape s) {
    return (struct blocked){n, s.c, (s.c + LANES - 1) / LANES, s.h * s.w};
}

size_t blocked_size(const struct blocked *s) {
    return (size_t)s->n * (size_t)s->blocks * (size_t)s->plane * LANES;
}

static size_t plain_at(const struct blocked *s, int i) {
    return ((size_t)(i / s->blocks) * (size_t)s->c + (size_t)(i % s->blocks) * LANES) *
           (size_t)s->plane;
}

void blocked_from_plain(const struct blocked *s, const float *plain, float *out) {
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(s); i++) {
        const float *from = plain + plain_at(s, i);
        float *to = out + (size_t)i * blocked_chunk(s);
        int lanes = blocked_lanes(s, i);
        for (int p = 0; p < s->plane; p++)
            for (int l = 0; l < LANES; l++)
                to[p * LANES + l] = l < lanes ? from[(size_t)l * (size_t)s->plane + (size_t)p] : 0;
    }
}

void blocked_to_plain(const struct blocked *s, const float *in, float *plain, int add) {
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(s); i++) {
        const float *from = in + (size_t)i * blocked_chunk(s);
        for (int l = 0; l < blocked_lanes(s, i); l++) {
            float *to = plain + plain_at(s, i) + (size_t)l * (size_t)s->plane;
            for (int p = 0; p < s->plane; p++)
                to[p] = from[p * LANES + l] + (add ? to[p] : 0);
        }
    }
}

/* ---- batch norm ---- */

/* Mean and Σ (x - mean)² of one chunk, by lane. Four accumulators keep the sums short. */
static void chunk_statistics(const float *x, int plane, float *mean, float *squares) {
    float sum[4][LANES] = {{0}}, square[4][LANES] = {{0}};
    for (int p = 0; p < plane; p++)
        for (int l = 0; l < LANES; l++)
            sum[p & 3][l] += x[p * LANES + l];
    for (int l = 0; l < LANES; l++)
        mean[l] = ((sum[0][l] + sum[1][l]) + (sum[2][l] + sum[3][l])) / (float)plane;
    for (int p = 0; p < plane; p++)
        for (int l = 0; l < LANES; l++) {
            float d = x[p * LANES + l] - mean[l];
            square[p & 3][l] += d * d;
        }
    for (int l = 0; l < LANES; l++)
        squares[l] = (square[0][l] + square[1][l]) + (square[2][l] + square[3][l]);
}

/* Where the partial results of a channel start in an array (n, blocks, 16), and how far apart they
 * are. */
static size_t first_of(int channel) {
    return (size_t)channel;
}

static size_t step_of(const struct blocked *s) {
    return (size_t)s->blocks * LANES;
}

void blocked_statistics(const struct blocked *s, const float *X, float *partial, double *mean,
                        double *variance) {
    float *means = partial, *squares = partial + (size_t)blocked_chunks(s) * LANES;
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(s); i++)
        chunk_statistics(X + (size_t)i * blocked_chunk(s), s->plane, means + (size_t)i * LANES,
                         squares + (size_t)i * LANES);
    for (int c = 0; c < s->c; c++) {
        double sum = 0, within = 0, between = 0;
        for (int n = 0; n < s->n; n++)
            sum += means[first_of(c) + (size_t)n * step_of(s)];
        mean[c] = sum / s->n;
        for (int n = 0; n < s->n; n++) {
            double d = means[first_of(c) + (size_t)n * step_of(s)] - mean[c];
            between += d * d;
            within += squares[first_of(c) + (size_t)n * step_of(s)];
        }
        variance[c] = (within / s->plane + between) / s->n;
    }
}

static inline float clip01(float x) {
    return x < 0 ? 0 : x > 1 ? 1 : x; // a NaN stays
}

static void affine_none(const float *x, const float *a, const float *b, int plane, float *y) {
    for (int p = 0; p < plane; p++)
        for (int l = 0; l < LANES; l++)
            y[p * LANES + l] = a[l] * x[p * LANES + l] + b[l];
}

static void affine_relu(const float *x, const float *a, const float *b, int plane, float *y) {
    for (int p = 0; p < plane; p++)
        for (int l = 0; l < LANES; l++) {
            float z = a[l] * x[p * LANES + l] + b[l];
            y[p * LANES + l] = z < 0 ? 0 : z;
        }
}

static void affine_clip(const float *x, const float *a, const float *b, int plane, float *y) {
    for (int p = 0; p < plane; p++)
        for (int l = 0; l < LANES; l++)
            y[p * LANES + l] = clip01(a[l] * x[p * LANES + l] + b[l]);
}

static void affine_quantize(const float *x, const float *a, const float *b, int plane, float top,
                            float *y) {
    for (int p = 0; p < plane; p++)
        for (int l = 0; l < LANES; l++)
            y[p * LANES + l] = rintf(top * clip01(a[l] * x[p * LANES + l] + b[l])) / top;
}

void blocked_affine(const struct blocked *s, const float *X, const float *a, const float *b,
                    enum blocked_act act, int act_bits, float *Y) {
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(s); i++) {
        const float *x = X + (size_t)i * blocked_chunk(s);
        const float *ai = a + i % s->blocks * LANES, *bi = b + i % s->blocks * LANES;
        float *y = Y + (size_t)i * blocked_chunk(s);
        if (act == BLOCKED_NONE)
            affine_none(x, ai, bi, s->plane, y);
        else if (act_bits == FLOAT_BITS)
            affine_relu(x, ai, bi, s->plane, y);
        else if (act_bits == ACT_CLIP_ONLY)
            affine_clip(x, ai, bi, s->plane, y);
        else
            affine_quantize(x, ai, bi, s->plane, (float)((1 << act_bits) - 1), y);
    }
}

/* ---- bf16 ---- */

/* The upper half of a float: exact where the lower one is 0. */
static inline uint16_t upper_half(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)(bits >> 16);
}

static inline float from_upper_half(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint16_t round_to_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)(x == x ? rounded : 0x7fc0);
}

static void affine_codes(const float *x, const float *a, const float *b, int plane, float top,
                         uint16_t *codes) {
    for (int p = 0; p < plane; p++)
        for (int l = 0; l < LANES; l++)
            codes[p * LANES + l] = upper_half(rintf(top * clip01(a[l] * x[p * LANES + l] + b[l])));
}

static void affine_codes_and_values(const float *x, const float *a, const float *b, int plane,
                                    float top, uint16_t *codes, float *y) {
    for (int p = 0; p < plane; p++)
        for (int l = 0; l < LANES; l++) {
            float code = rintf(top * clip01(a[l] * x[p * LANES + l] + b[l]));
            codes[p * LANES + l] = upper_half(code);
            y[p * LANES + l] = code / top;
        }
}

void blocked_affine_codes(const struct blocked *s, const float *X, const float *a, const float *b,
                          int act_bits, uint16_t *codes, float *Y) {
    float top = (float)((1 << act_bits) - 1);
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(s); i++) {
        size_t at = (size_t)i * blocked_chunk(s), c = (size_t)(i % s->blocks * LANES);
        if (Y)
            affine_codes_and_values(X + at, a + c, b + c, s->plane, top, codes + at, Y + at);
        else
            affine_codes(X + at, a + c, b + c, s->plane, top, codes + at);
    }
}

void blocked_codes(const struct blocked *s, const float *X, int act_bits, uint16_t *codes) {
    float top = (float)((1 << act_bits) - 1);
#pragma omp parallel for
    for (size_t i = 0; i < blocked_size(s); i++)
        codes[i] = upper_half(rintf(top * X[i]));
}

void blocked_codes_to_floats(const struct blocked *s, int act_bits, const uint16_t *codes,
                             float *Y) {
    float top = (float)((1 << act_bits) - 1);
#pragma omp parallel for
    for (size_t i = 0; i < blocked_size(s); i++)
        Y[i] = from_upper_half(codes[i]) / top;
}

void blocked_to_bf16(const struct blocked *s, const float *X, const float *factor, uint16_t *Y) {
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(s); i++) {
        const float *x = X + (size_t)i * blocked_chunk(s), *f = factor + i % s->blocks * LANES;
        uint16_t *y = Y + (size_t)i * blocked_chunk(s);
        for (int p = 0; p < s->plane; p++)
            for (int l = 0; l < LANES; l++)
                y[p * LANES + l] = round_to_bf16(f[l] * x[p * LANES + l]);
    }
}

/* The bounds within which a gradient passes: z > 0 for ReLU, 0 <= z <= 1 for a clip, all for none.
 */
struct bounds {
    float lo, hi;
};

static struct bounds bounds_of(enum blocked_act act, int act_bits) {
    if (act == BLOCKED_NONE)
        return (struct bounds){-INFINITY, INFINITY};
    if (act_bits == FLOAT_BITS)
        return (struct bounds){nextafterf(0, 1), INFINITY};
    return (struct bounds){0, 1};
}

static void chunk_sums(const float *x, const float *dy, const float *a, const float *b,
                       const float *mean, struct bounds in, int plane, float *sum, float *product) {
    float sums[2][LANES] = {{0}}, products[2][LANES] = {{0}};
    for (int p = 0; p < plane; p++)
        for (int l = 0; l < LANES; l++) {
            float value = x[p * LANES + l], z = a[l] * value + b[l];
            float dz = z >= in.lo && z <= in.hi ? dy[p * LANES + l] : 0;
            sums[p & 1][l] += dz;
            products[p & 1][l] += dz * (value - mean[l]);
        }
    for (int l = 0; l < LANES; l++) {
        sum[l] = sums[0][l] + sums[1][l];
        product[l] = products[0][l] + products[1][l];
    }
}

void blocked_norm_sums(const struct blocked *s, const float *X, const float *dY, const float *a,
                       const float *b, const float *mean, enum blocked_act act, int act_bits,
                       float *partial, double *sum, double *product) {
    struct bounds in = bounds_of(act, act_bits);
    float *sums = partial, *products = partial + (size_t)blocked_chunks(s) * LANES;
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(s); i++) {
        int c = i % s->blocks * LANES;
        chunk_sums(X + (size_t)i * blocked_chunk(s), dY + (size_t)i * blocked_chunk(s), a + c,
                   b + c, mean + c, in, s->plane, sums + (size_t)i * LANES,
                   products + (size_t)i * LANES);
    }
    for (int c = 0; c < s->c; c++) {
        sum[c] = product[c] = 0;
        for (int n = 0; n < s->n; n++) {
            sum[c] += sums[first_of(c) + (size_t)n * step_of(s)];
            product[c] += products[first_of(c) + (size_t)n * step_of(s)];
        }
    }
}

struct affine_backward {
    const float *a, *b, *p, *q, *r; // of one block
    struct bounds in;
    int add;
};

static void chunk_backward(const float *x, const float *dy, const struct affine_backward *g,
                           int plane, float *dx) {
    for (int i = 0; i < plane; i++)
        for (int l = 0; l < LANES; l++) {
            float value = x[i * LANES + l], z = g->a[l] * value + g->b[l];
            float dz = z >= g->in.lo && z <= g->in.hi ? dy[i * LANES + l] : 0;
            float d = g->p[l] * dz + g->q[l] * value + g->r[l];
            dx[i * LANES + l] = g->add ? dx[i * LANES + l] + d : d;
        }
}

void blocked_norm_backward(const struct blocked *s, const float *X, const float *dY, const float *a,
                           const float *b, enum blocked_act act, int act_bits, const float *p,
                           const float *q, const float *r, float *dX, int add) {
    struct bounds in = bounds_of(act, act_bits);
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(s); i++) {
        int c = i % s->blocks * LANES;
        size_t at = (size_t)i * blocked_chunk(s);
        chunk_backward(X + at, dY + at,
                       &(struct affine_backward){a + c, b + c, p + c, q + c, r + c, in, add},
                       s->plane, dX + at);
    }
}

/* ---- sums of tensors ---- */

enum { PIECE = 1 << 14 }; // values that one thread takes at a time

void blocked_add(size_t n, float alpha, const float *A, float beta, const float *B, float *Y) {
#pragma omp parallel for
    for (size_t at = 0; at < n; at += PIECE)
        add_forward(n - at < PIECE ? n - at : PIECE, alpha, A + at, beta, B + at, Y + at);
}

void blocked_scale(size_t n, float factor, const float *dY, float *dX, int add) {
#pragma omp parallel for
    for (size_t at = 0; at < n; at += PIECE)
        scale_backward(n - at < PIECE ? n - at : PIECE, factor, dY + at, dX + at, add);
}

void blocked_bias_backward(const struct blocked *s, const float *dY, float *partial,
                           float *d_bias) {
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(s); i++) {
        const float *dy = dY + (size_t)i * blocked_chunk(s);
        float sum[LANES] = {0};
        for (int p = 0; p < s->plane; p++)
            for (int l = 0; l < LANES; l++)
                sum[l] += dy[p * LANES + l];
        memcpy(partial + (size_t)i * LANES, sum, sizeof sum);
    }
    for (int c = 0; c < s->c; c++) {
        double sum = 0;
        for (int n = 0; n < s->n; n++)
            sum += partial[first_of(c) + (size_t)n * step_of(s)];
        d_bias[c] += (float)sum;
    }
}
