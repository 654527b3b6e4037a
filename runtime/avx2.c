/* Kernels of AVX2, without VNNI: pairs of products of codes and signed bytes are added in 16 bits
 * (vpmaddubsw), which saturates. Where a width's codes and weights are small enough it cannot; else
 * the codes are split into their highest bit and the others, of which it cannot either. Eight
 * filters to a vector. */
#include "kernels.h"

#if defined(__AVX2__)

#include <immintrin.h>

#include "passes.inc"

enum { LANES = 8 };

static void unpack(const struct product *p, uint32_t row, uint32_t from, uint32_t n, int8_t *v) {
    tq_unpack(p, row, from, n, v);
}

#include "dense.inc"

/* Whether two products fit in 16 bits whatever the codes are. */
static int is_narrow(const struct product *p) {
    const struct form *f = &p->layer->form[p->k];
    int half = 1 << (p->k - 1), top = (1 << p->act_bits) - 1;
    int low = p->odd || p->factor > 1 ? -half : f->odd - f->factor * half;
    int high = p->odd || p->factor > 1 ? half - 1 : f->odd + f->factor * (half - 1);
    int most = -low > high ? -low : high;
    return 2 * most * top <= INT16_MAX;
}

static inline __attribute__((always_inline)) __m256i add_products(__m256i sum, __m256i codes,
                                                                  __m256i weights, int narrow) {
    const __m256i ones = _mm256_set1_epi16(1);
    if (narrow)
        return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(codes, weights), ones));
    const __m256i low = _mm256_set1_epi8(127), top = _mm256_set1_epi16(128);
    __m256i below = _mm256_and_si256(codes, low);
    __m256i above = _mm256_and_si256(_mm256_srli_epi16(codes, 7), _mm256_set1_epi8(1));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(below, weights), ones));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(above, weights), top));
}

static void store_lanes(int32_t *T, __m256i sum, uint32_t n) {
    int32_t lanes[LANES];
    if (n == LANES) {
        _mm256_storeu_si256((__m256i *)(void *)T, sum);
        return;
    }
    _mm256_storeu_si256((__m256i *)(void *)lanes, sum);
    memcpy(T, lanes, n * sizeof *T);
}

static inline __attribute__((always_inline)) void tile(const struct runs *r, const uint8_t *x,
                                                       const int8_t *w, int32_t *T, uint32_t last,
                                                       const int pixels, const int vectors,
                                                       const int narrow) {
    __m256i sum[4][2];
    for (int i = 0; i < pixels; i++)
        for (int f = 0; f < vectors; f++)
            sum[i][f] = _mm256_setzero_si256();
    for (uint32_t y = 0; y < r->rows; y++)
        for (uint32_t t = 0; t < r->taps; t++) {
            const uint8_t *from = x + y * r->row + t * r->tap;
            for (uint32_t j = 0; j < r->words; j++, from += WORD, w += LANES * WORD) {
                __m256i weights[2];
                for (int f = 0; f < vectors; f++)
                    weights[f] =
                        _mm256_loadu_si256((const __m256i *)(const void *)(w + f * r->block));
                for (int i = 0; i < pixels; i++) {
                    __m256i codes = _mm256_set1_epi32((int)tq_u32(from + (size_t)i * r->pixel));
                    for (int f = 0; f < vectors; f++)
                        sum[i][f] = add_products(sum[i][f], codes, weights[f], narrow);
                }
            }
        }
    for (int i = 0; i < pixels; i++)
        for (int f = 0; f < vectors; f++)
            store_lanes(T + (size_t)i * r->filters + f * LANES, sum[i][f],
                        f == vectors - 1 ? last : LANES);
}

#define TILES(name, vectors, narrow)                                                               \
    static void name(const struct runs *r, const uint8_t *x, const int8_t *w, int32_t *T,          \
                     uint32_t last, uint32_t pixels) {                                             \
        for (; pixels >= 4; pixels -= 4, x += 4 * r->pixel, T += 4 * r->filters)                   \
            tile(r, x, w, T, last, 4, vectors, narrow);                                            \
        for (; pixels; pixels--, x += r->pixel, T += r->filters)                                   \
            tile(r, x, w, T, last, 1, vectors, narrow);                                            \
    }

TILES(narrow_of_1, 1, 1)
TILES(narrow_of_2, 2, 1)
TILES(wide_of_1, 1, 0)
TILES(wide_of_2, 2, 0)

static void sum_dense(const struct product *p, const struct window *w, int32_t *T) {
    const struct runs r = runs_of(p, w);
    uint32_t width = p->filters / p->groups, blocks = blocks_of(p);
    const int narrow = is_narrow(p);
    for (uint32_t g = 0; g < p->groups; g++)
        for (uint32_t b = 0, now; b < blocks; b += now) {
            const uint8_t *x = (const uint8_t *)w->x + (size_t)g * p->channels;
            const int8_t *packed = (const int8_t *)p->packed + r.block * ((size_t)g * blocks + b);
            int32_t *to = T + (size_t)g * width + b * LANES;
            now = blocks - b >= 2 ? 2 : 1;
            uint32_t left = width - (b + now - 1) * LANES, last = left < LANES ? left : LANES;
            if (now == 2)
                (narrow ? narrow_of_2 : wide_of_2)(&r, x, packed, to, last, w->pixels);
            else
                (narrow ? narrow_of_1 : wide_of_1)(&r, x, packed, to, last, w->pixels);
        }
}

/* ---- sums of floats ---- */

/* One pixel and eight filters, in double. */
static void float_tile(const struct product *p, const float *x, size_t row, const float *weights,
                       float *T) {
    __m256d low = _mm256_setzero_pd(), high = low;
    for (uint32_t y = 0; y < p->rows; y++)
        for (uint32_t t = 0; t < p->cols; t++) {
            const float *tap = x + y * row + (size_t)t * p->step;
            for (uint32_t c = 0; c < p->channels; c++, weights += p->filters) {
                __m256d value = _mm256_set1_pd((double)tap[c]);
                __m256d first = _mm256_cvtps_pd(_mm_loadu_ps(weights)),
                        second = _mm256_cvtps_pd(_mm_loadu_ps(weights + 4));
                low = _mm256_add_pd(low, _mm256_mul_pd(value, first));
                high = _mm256_add_pd(high, _mm256_mul_pd(value, second));
            }
        }
    _mm_storeu_ps(T, _mm256_cvtpd_ps(low));
    _mm_storeu_ps(T + 4, _mm256_cvtpd_ps(high));
}

static void float_sums(const struct product *p, const struct window *w, float *T) {
    if (p->groups > 1 || p->filters % LANES) {
        tq_portable.float_sums(p, w, T);
        return;
    }
    for (uint32_t i = 0; i < w->pixels; i++)
        for (uint32_t f = 0; f < p->filters; f += LANES)
            float_tile(p, (const float *)w->x + i * w->pixel, w->row, p->weights + f,
                       T + (size_t)i * p->filters + f);
}

const struct kernels tq_avx2 = {
    .name = "avx2",
    .unpack_row = tq_unpack_row,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .sums = sums,
    .float_sums = float_sums,
    .box = sum_boxes,
    .affine_sums = affine_sums,
    .affine_floats = affine_floats,
    .quantize = quantize,
    .add = add,
};

#endif
