/* Kernels of AVX-512 with VNNI: sums of four products of codes and signed bytes per lane
 * (vpdpbusd), sixteen filters to a vector, several pixels and vectors at a time in registers.
 *
 * Weights are factor · v + odd where that is a byte at the width, else v, and sums are made up by
 * the sums of the windows' codes. */
#include "avx512.h"

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512DQ__) &&                   \
    defined(__AVX512VL__)

#include <immintrin.h>

#include "passes.inc"

enum { LANES = 16 };

static void unpack(const struct product *p, uint32_t row, uint32_t from, uint32_t n, int8_t *v) {
    tq_avx512_unpack(p, row, from, n, v);
}

#include "dense.inc"

/* ---- sums of codes ---- */

static inline __attribute__((always_inline)) void tile(const struct runs *r, const uint8_t *x,
                                                       const int8_t *w, int32_t *T, __mmask16 last,
                                                       const int pixels, const int vectors) {
    __m512i sum[12][4];
    for (int i = 0; i < pixels; i++)
        for (int f = 0; f < vectors; f++)
            sum[i][f] = _mm512_setzero_si512();
    for (uint32_t y = 0; y < r->rows; y++)
        for (uint32_t t = 0; t < r->taps; t++) {
            const uint8_t *from = x + y * r->row + t * r->tap;
            for (uint32_t j = 0; j < r->words; j++, from += WORD, w += LANES * WORD) {
                __m512i weights[4];
                for (int f = 0; f < vectors; f++)
                    weights[f] = _mm512_loadu_si512(w + (size_t)f * r->block);
                for (int i = 0; i < pixels; i++) {
                    __m512i codes = _mm512_set1_epi32((int)tq_u32(from + (size_t)i * r->pixel));
                    for (int f = 0; f < vectors; f++)
                        sum[i][f] = _mm512_dpbusd_epi32(sum[i][f], codes, weights[f]);
                }
            }
        }
    for (int i = 0; i < pixels; i++)
        for (int f = 0; f < vectors; f++)
            _mm512_mask_storeu_epi32(T + (size_t)i * r->filters + f * LANES,
                                     f == vectors - 1 ? last : 0xffff, sum[i][f]);
}

#define TILE(p, v)                                                                                 \
    case p:                                                                                        \
        tile(r, x, w, T, last, p, v);                                                              \
        break

/* Tiles of up to six pixels and four vectors, eight and two, twelve and one. */
static void tile_of_4(const struct runs *r, const uint8_t *x, const int8_t *w, int32_t *T,
                      __mmask16 last, uint32_t pixels) {
    switch (pixels) {
        TILE(1, 4);
        TILE(2, 4);
        TILE(3, 4);
        TILE(4, 4);
        TILE(5, 4);
        TILE(6, 4);
    }
}

static void tile_of_2(const struct runs *r, const uint8_t *x, const int8_t *w, int32_t *T,
                      __mmask16 last, uint32_t pixels) {
    switch (pixels) {
        TILE(1, 2);
        TILE(2, 2);
        TILE(3, 2);
        TILE(4, 2);
        TILE(5, 2);
        TILE(6, 2);
        TILE(7, 2);
        TILE(8, 2);
    }
}

static void tile_of_1(const struct runs *r, const uint8_t *x, const int8_t *w, int32_t *T,
                      __mmask16 last, uint32_t pixels) {
    switch (pixels) {
        TILE(1, 1);
        TILE(2, 1);
        TILE(3, 1);
        TILE(4, 1);
        TILE(5, 1);
        TILE(6, 1);
        TILE(7, 1);
        TILE(8, 1);
        TILE(9, 1);
        TILE(10, 1);
        TILE(11, 1);
        TILE(12, 1);
    }
}

/* All pixels for some vectors of filters, in tiles of about the same size. */
static void sum_vectors(const struct runs *r, const uint8_t *x, const int8_t *w, int32_t *T,
                        __mmask16 last, uint32_t pixels, uint32_t vectors) {
    uint32_t most = vectors == 4 ? 6 : vectors == 2 ? 8 : 12;
    uint32_t tiles = (pixels + most - 1) / most, size = (pixels + tiles - 1) / tiles;
    for (uint32_t i = 0; i < pixels; i += size, x += size * r->pixel, T += size * r->filters) {
        uint32_t now = pixels - i < size ? pixels - i : size;
        if (vectors == 4)
            tile_of_4(r, x, w, T, last, now);
        else if (vectors == 2)
            tile_of_2(r, x, w, T, last, now);
        else
            tile_of_1(r, x, w, T, last, now);
    }
}

static void sum_dense(const struct product *p, const struct window *w, int32_t *T) {
    uint32_t width = p->filters / p->groups, blocks = blocks_of(p);
    const struct runs r = runs_of(p, w);
    __mmask16 end = (__mmask16)(0xffff >> (blocks * LANES - width));
    for (uint32_t g = 0; g < p->groups; g++)
        for (uint32_t b = 0, now; b < blocks; b += now) {
            now = blocks - b >= 4 ? 4 : blocks - b >= 2 ? 2 : 1;
            sum_vectors(&r, (const uint8_t *)w->x + (size_t)g * p->channels,
                        (const int8_t *)p->packed + r.block * ((size_t)g * blocks + b),
                        T + (size_t)g * width + b * LANES, b + now == blocks ? end : 0xffff,
                        w->pixels, now);
        }
}

/* ---- sums of windows ---- */

/* Of four vectors, lane j of each quarter: the sum of that quarter of v[j]. */
static __m512i sum_quarters(const __m512i v[4]) {
    __m512i a =
        _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
    __m512i b =
        _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
    return _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

/* Neighbouring quarters of both, added. */
static __m512i add_quarters(__m512i a, __m512i b) {
    return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
}

/* Lane i: the sum of all lanes of v[i]. */
static __m512i sum_lanes(const __m512i v[LANES]) {
    return add_quarters(add_quarters(sum_quarters(v), sum_quarters(v + 4)),
                        add_quarters(sum_quarters(v + 8), sum_quarters(v + 12)));
}

/* n bytes of each of `rows` rows, in lanes of four. */
static __m512i sum_rows(const uint8_t *x, size_t n, size_t row, uint32_t rows) {
    __mmask64 there = n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
    __m512i sum = _mm512_setzero_si512();
    for (uint32_t y = 0; y < rows; y++, x += row)
        sum = _mm512_dpbusd_epi32(sum, _mm512_maskz_loadu_epi8(there, x), _mm512_set1_epi8(1));
    return sum;
}

/* Of 16 places of a step of 16, 32 or 64 n codes, `n` bytes of them being there: the sum of all
 * rows of taps. */
static __m512i sum_places(const uint8_t *x, size_t n, size_t row, uint32_t rows, uint32_t step) {
    const __m512i of_16 = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
                  of_32 = _mm512_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
    __m512i v[LANES];
    uint32_t vectors = step < 64 ? step / 4 : LANES, width = step < 64 ? 64 : step;
    for (uint32_t i = 0; i < LANES; i++) {
        v[i] = _mm512_setzero_si512();
        for (size_t at = (size_t)i * width; i < vectors && at < (size_t)(i + 1) * width && at < n;
             at += 64)
            v[i] = _mm512_add_epi32(v[i], sum_rows(x + at, n - at, row, rows));
    }
    if (step == 16)
        return _mm512_permutexvar_epi32(of_16, sum_quarters(v));
    if (step == 32)
        return _mm512_permutexvar_epi32(of_32, add_quarters(sum_quarters(v), sum_quarters(v + 4)));
    return sum_lanes(v);
}

enum { PIXELS = 32, MOST_STRIDE = 2, MOST_COLS = 16 };

/* Up to so many windows: the sums of the places that they share, then of their columns. */
static void sum_shared(const struct product *p, const uint8_t *x, size_t row, uint32_t pixels,
                       uint32_t stride, int32_t *box) {
    int32_t place[(PIXELS - 1) * MOST_STRIDE + MOST_COLS + LANES];
    uint32_t places = (pixels - 1) * stride + p->cols;
    for (uint32_t i = 0; i < places; i += LANES)
        _mm512_storeu_si512(place + i,
                            sum_places(x + (size_t)i * p->step, (size_t)(places - i) * p->step, row,
                                       p->rows, p->step));
    tq_sum_neighbours(place, p->cols, stride, pixels, box);
}

static int shares_places(const struct product *p, const struct window *w) {
    uint32_t step = p->step;
    return p->groups == 1 && (step == 16 || step == 32 || step % 64 == 0) &&
           w->pixel <= (size_t)MOST_STRIDE * step && w->pixel % step == 0 && p->cols <= MOST_COLS;
}

static void sum_windows(const struct product *p, const struct window *w, int32_t *box) {
    if (!shares_places(p, w)) {
        sum_boxes(p, w, box);
        return;
    }
    for (uint32_t i = 0; i < w->pixels; i += PIXELS)
        sum_shared(p, (const uint8_t *)w->x + i * w->pixel, w->row,
                   w->pixels - i < PIXELS ? w->pixels - i : PIXELS, (uint32_t)(w->pixel / p->step),
                   box + i);
}

/* ---- or straight from the planes ---- */

static size_t bytes_of(const struct product *p) {
    return tq_is_direct(p) ? 0 : packed_bytes(p);
}

static void pack_any(struct product *p) {
    if (tq_is_direct(p))
        tq_direct_pack(p);
    else
        pack(p);
}

static void sum_any(const struct product *p, const struct window *w, int32_t *T) {
    if (tq_is_direct(p))
        tq_direct_sums(p, w, T);
    else
        sums(p, w, T);
}

const struct kernels tq_vnni = {
    .name = "avx512-vnni",
    .unpack_row = tq_avx512_unpack_row,
    .packed_bytes = bytes_of,
    .pack = pack_any,
    .sums = sum_any,
    .float_sums = tq_avx512_float_sums,
    .box = sum_windows,
    .affine_sums = tq_avx512_affine_sums,
    .affine_floats = tq_avx512_affine_floats,
    .quantize = tq_avx512_quantize,
    .code_sums = tq_avx512_code_sums,
    .code_floats = tq_avx512_code_floats,
    .add = tq_avx512_add,
};

#endif
