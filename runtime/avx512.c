/* What all kernels of AVX-512 share: the planes as bytes, sums of floats, and the passes behind
 * sums; avx512.h has their names. */
#include "avx512.h"

#if defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)

#include <immintrin.h>

#include "passes.inc"

enum { LANES = 16 };

/* The codes without their signs of one place of each plane, and 63 behind it. */
static inline __attribute__((always_inline)) __m512i codes_at(const uint8_t *const *planes,
                                                              const int k, size_t at, size_t n) {
    __m512i u = _mm512_setzero_si512();
    for (int plane = 0; plane < k; plane++) {
        uint64_t bits = 0;
        memcpy(&bits, planes[plane] + at, n);
        u = _mm512_or_si512(u, _mm512_maskz_set1_epi8(bits, (char)(1 << (k - 1 - plane))));
    }
    return u;
}

static inline __attribute__((always_inline)) void unpack_bits(const uint8_t *const *planes,
                                                              size_t at, size_t bytes, uint32_t n,
                                                              int8_t *v, const int k) {
    const __m512i half = _mm512_set1_epi8((char)(1 << (k - 1)));
    for (; n >= 64; n -= 64, v += 64, at += 8)
        _mm512_storeu_si512(v, _mm512_sub_epi8(codes_at(planes, k, at, 8), half));
    if (n)
        _mm512_mask_storeu_epi8(
            v, ((uint64_t)1 << n) - 1,
            _mm512_sub_epi8(codes_at(planes, k, at, bytes - at < 8 ? bytes - at : 8), half));
}

#define WIDTH(k)                                                                                   \
    case k:                                                                                        \
        unpack_bits(planes, from / 8, p->layer->row_bytes, n, v, k);                               \
        break

void tq_avx512_unpack(const struct product *p, uint32_t row, uint32_t from, uint32_t n, int8_t *v) {
    const uint8_t *planes[TQ_BITS];
    tq_row_planes(p->model, p->layer, p->k, row, planes);
    switch (p->k) {
        WIDTH(1);
        WIDTH(2);
        WIDTH(3);
        WIDTH(4);
        WIDTH(5);
        WIDTH(6);
        WIDTH(7);
        WIDTH(8);
    }
}

void tq_avx512_unpack_row(const struct product *p, uint32_t row, int8_t *v) {
    tq_avx512_unpack(p, row, 0, p->layer->inputs, v);
}

/* ---- sums of floats ---- */

/* Some pixels and sixteen filters, in double: products are exact, so fused or not is the same. */
static inline __attribute__((always_inline)) void float_tile(const struct product *p,
                                                             const struct window *w, const float *x,
                                                             const float *weights, float *T,
                                                             __mmask16 there, const int pixels) {
    __m512d low[8], high[8];
    for (int i = 0; i < pixels; i++)
        low[i] = high[i] = _mm512_setzero_pd();
    for (uint32_t y = 0; y < p->rows; y++)
        for (uint32_t t = 0; t < p->cols; t++) {
            const float *tap = x + y * w->row + (size_t)t * p->step;
            for (uint32_t c = 0; c < p->channels; c++, weights += p->filters) {
                __m512 both = _mm512_maskz_loadu_ps(there, weights);
                __m512d first = _mm512_cvtps_pd(_mm512_castps512_ps256(both)),
                        second = _mm512_cvtps_pd(_mm512_extractf32x8_ps(both, 1));
                for (int i = 0; i < pixels; i++) {
                    __m512d value = _mm512_set1_pd((double)tap[(size_t)i * w->pixel + c]);
                    low[i] = _mm512_fmadd_pd(value, first, low[i]);
                    high[i] = _mm512_fmadd_pd(value, second, high[i]);
                }
            }
        }
    for (int i = 0; i < pixels; i++) {
        __m512 both = _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low[i])),
                                         _mm512_cvtpd_ps(high[i]), 1);
        _mm512_mask_storeu_ps(T + (size_t)i * p->filters, there, both);
    }
}

static void float_pixels(const struct product *p, const struct window *w, const float *x,
                         const float *weights, float *T, __mmask16 there, uint32_t pixels) {
    while (pixels) {
        uint32_t now = pixels >= 8 ? 8 : pixels >= 4 ? 4 : pixels >= 2 ? 2 : 1;
        if (now == 8)
            float_tile(p, w, x, weights, T, there, 8);
        else if (now == 4)
            float_tile(p, w, x, weights, T, there, 4);
        else if (now == 2)
            float_tile(p, w, x, weights, T, there, 2);
        else
            float_tile(p, w, x, weights, T, there, 1);
        pixels -= now;
        x += now * w->pixel;
        T += (size_t)now * p->filters;
    }
}

void tq_avx512_float_sums(const struct product *p, const struct window *w, float *T) {
    if (p->groups > 1) {
        tq_portable.float_sums(p, w, T);
        return;
    }
    for (uint32_t f = 0; f < p->filters; f += LANES) {
        uint32_t now = p->filters - f < LANES ? p->filters - f : LANES;
        float_pixels(p, w, w->x, p->weights + f, T + f, (__mmask16)((1U << now) - 1), w->pixels);
    }
}

/* ---- passes ---- */

/* A map of sixteen channels in registers. */
struct lanes {
    __mmask16 there;
    __m512 a, b, o;
    __m512i factor;
};

static inline __attribute__((always_inline)) struct lanes lanes_of(const struct affine *f,
                                                                   uint32_t c) {
    struct lanes l = {.there = (__mmask16)(f->c - c < LANES ? (1U << (f->c - c)) - 1 : 0xffff),
                      .factor = _mm512_set1_epi32(f->factor)};
    l.a = _mm512_maskz_loadu_ps(l.there, f->a + c);
    l.b = _mm512_maskz_loadu_ps(l.there, f->b + c);
    l.o = f->o ? _mm512_maskz_loadu_ps(l.there, f->o + c) : _mm512_setzero_ps();
    return l;
}

static inline __attribute__((always_inline)) __m512
map_sum(const struct affine *f, const struct lanes *l, uint32_t pixel, const int32_t *T) {
    int32_t box = f->box ? f->box[pixel] : 0;
    __m512i sum = _mm512_mullo_epi32(_mm512_maskz_loadu_epi32(l->there, T), l->factor);
    sum = _mm512_add_epi32(sum, _mm512_set1_epi32(f->odd * box));
    __m512 y = _mm512_add_ps(_mm512_mul_ps(l->a, _mm512_cvtepi32_ps(sum)), l->b);
    if (f->o)
        y = _mm512_add_ps(y, _mm512_mul_ps(l->o, _mm512_set1_ps((float)box)));
    return y;
}

static inline __attribute__((always_inline)) __m512 map_float(const struct lanes *l,
                                                              const float *X) {
    return _mm512_add_ps(_mm512_mul_ps(l->a, _mm512_maskz_loadu_ps(l->there, X)), l->b);
}

/* Codes of sixteen values; those that are no number are noted in `bad`. */
static inline __attribute__((always_inline)) void round_lanes(__m512 y, __m512 top, __mmask16 there,
                                                              uint8_t *codes, __mmask16 *bad) {
    enum { NEAREST = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC };
    *bad |= _mm512_mask_cmp_ps_mask(there, y, y, _CMP_UNORD_Q);
    // Of no number and 0 the maximum is 0.
    y = _mm512_min_ps(_mm512_max_ps(y, _mm512_setzero_ps()), _mm512_set1_ps(1));
    __m512i code = _mm512_cvt_roundps_epi32(_mm512_mul_ps(top, y), NEAREST);
    _mm512_mask_cvtepi32_storeu_epi8(codes, there, code);
}

/* Sixteen channels of all pixels, then the next: maps stay in registers. */
void tq_avx512_affine_sums(const struct affine *f, uint32_t pixels, const int32_t *T, float *Y) {
    if (f->groups > 1) {
        affine_sums(f, pixels, T, Y);
        return;
    }
    for (uint32_t c = 0; c < f->c; c += LANES) {
        const struct lanes l = lanes_of(f, c);
        for (uint32_t i = 0; i < pixels; i++) {
            size_t at = (size_t)i * f->c + c;
            _mm512_mask_storeu_ps(Y + at, l.there, map_sum(f, &l, i, T + at));
        }
    }
}

void tq_avx512_affine_floats(const struct affine *f, uint32_t pixels, const float *X, size_t step,
                             float *Y) {
    for (uint32_t c = 0; c < f->c; c += LANES) {
        const struct lanes l = lanes_of(f, c);
        for (uint32_t i = 0; i < pixels; i++)
            _mm512_mask_storeu_ps(Y + (size_t)i * f->c + c, l.there,
                                  map_float(&l, X + i * step + c));
    }
}

int tq_avx512_quantize(uint32_t pixels, uint32_t c, float top, const float *Y, uint8_t *codes,
                       size_t step) {
    const __m512 scale = _mm512_set1_ps(top);
    __mmask16 bad = 0;
    for (uint32_t j = 0; j < c; j += LANES) {
        __mmask16 there = (__mmask16)(c - j < LANES ? (1U << (c - j)) - 1 : 0xffff);
        for (uint32_t i = 0; i < pixels; i++)
            round_lanes(_mm512_maskz_loadu_ps(there, Y + (size_t)i * c + j), scale, there,
                        codes + i * step + j, &bad);
    }
    return bad != 0;
}

int tq_avx512_code_sums(const struct affine *f, uint32_t pixels, const int32_t *T, float top,
                        uint8_t *codes, size_t step) {
    const __m512 scale = _mm512_set1_ps(top);
    __mmask16 bad = 0;
    for (uint32_t c = 0; c < f->c; c += LANES) {
        const struct lanes l = lanes_of(f, c);
        for (uint32_t i = 0; i < pixels; i++)
            round_lanes(map_sum(f, &l, i, T + (size_t)i * f->c + c), scale, l.there,
                        codes + i * step + c, &bad);
    }
    return bad != 0;
}

int tq_avx512_code_floats(const struct affine *f, uint32_t pixels, const float *X, size_t from,
                          float top, uint8_t *codes, size_t step) {
    const __m512 scale = _mm512_set1_ps(top);
    __mmask16 bad = 0;
    for (uint32_t c = 0; c < f->c; c += LANES) {
        const struct lanes l = lanes_of(f, c);
        for (uint32_t i = 0; i < pixels; i++)
            round_lanes(map_float(&l, X + i * from + c), scale, l.there, codes + i * step + c,
                        &bad);
    }
    return bad != 0;
}

void tq_avx512_add(uint32_t pixels, uint32_t c, float alpha, float beta, const float *X,
                   size_t step, float *Y) {
    add(pixels, c, alpha, beta, X, step, Y);
}

#endif
