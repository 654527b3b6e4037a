/* Kernels of AVX-512 with VPOPCNTDQ: where weights and activations have few bits, sums are counted.
 * With u = v + 2^(k-1), the code without its sign,
 *
 *     Σ u x = Σ over planes a of x, b of u: 2^(a+b) · (bits that both have)
 *     Σ (factor v + odd) x = factor Σ u x + (odd - factor 2^(k-1)) Σ x
 *
 * A bit is a product, so that an instruction does 512 of them; pairs of planes are k · j. Sixteen
 * filters to a vector, 32 inputs of each to a lane, as in vnni.c, which does all else. */
#include "avx512.h"

#if defined(__AVX512VPOPCNTDQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)

#include <immintrin.h>

enum { LANES = 16, WORD = 32, MOST_PAIRS = 2 };

/* ---- which products are counted ---- */

/* Windows have to begin at whole bytes of bits, and to hold nothing but channels. */
static int can_count(const struct product *p) {
    return p->groups == 1 && p->step == p->channels && p->step % 8 == 0 && !tq_is_direct(p);
}

static uint32_t words_of(const struct product *p) {
    return (p->cols * p->step + WORD - 1) / WORD;
}

static uint32_t blocks_of(const struct product *p) {
    return (p->filters + LANES - 1) / LANES;
}

/* Bytes of one vector of filters in one plane; of all of a plane. */
static size_t block_bytes(const struct product *p) {
    return (size_t)p->rows * words_of(p) * LANES * sizeof(uint32_t);
}

static size_t plane_bytes(const struct product *p) {
    return block_bytes(p) * blocks_of(p);
}

/* Bits of one row of windows in one plane, and what a word at its end reads behind. */
static size_t row_bytes(const struct product *p) {
    return tq_aligned(p->span / 8 + 2 * sizeof(uint64_t));
}

/* Weights of so many planes as are counted at most; then a row of codes; then the bits of rows of
 * windows. */
static size_t scratch_at(const struct product *p) {
    return tq_aligned(MOST_PAIRS * plane_bytes(p) + p->layer->inputs);
}

static size_t packed_bytes(const struct product *p) {
    if (tq_is_direct(p))
        return tq_transposed_bytes(p);
    size_t plain = tq_vnni.packed_bytes(p);
    size_t counted = scratch_at(p) + (size_t)MOST_PAIRS * p->rows * row_bytes(p);
    return can_count(p) && counted > plain ? counted : plain;
}

/* ---- packing ---- */

/* The bit of each of n bytes, 64 at a time. */
static void pack_bits(const uint8_t *x, size_t n, int bit, uint8_t *bits) {
    const __m512i mask = _mm512_set1_epi8((char)(1 << bit));
    for (size_t at = 0; at < n; at += 64, bits += sizeof(uint64_t)) {
        __mmask64 there = n - at < 64 ? ((uint64_t)1 << (n - at)) - 1 : ~(uint64_t)0;
        uint64_t word = _mm512_test_epi8_mask(_mm512_maskz_loadu_epi8(there, x + at), mask);
        memcpy(bits, &word, sizeof word);
    }
}

/* One row of taps of one filter into its lane, word by word. */
static void pack_taps(const uint8_t *u, size_t n, int bit, uint32_t *lane) {
    const __m512i mask = _mm512_set1_epi8((char)(1 << bit));
    for (size_t at = 0; at < n; at += 64, lane += 2 * LANES) {
        __mmask64 there = n - at < 64 ? ((uint64_t)1 << (n - at)) - 1 : ~(uint64_t)0;
        uint64_t word = _mm512_test_epi8_mask(_mm512_maskz_loadu_epi8(there, u + at), mask);
        lane[0] = (uint32_t)word;
        if (n - at > WORD)
            lane[LANES] = (uint32_t)(word >> WORD);
    }
}

static void unsign(int8_t *v, uint32_t n, int8_t half) {
    for (uint32_t i = 0; i < n; i++)
        v[i] = (int8_t)(v[i] + half);
}

static void pack(struct product *p) {
    p->is_counted = can_count(p) && p->k * p->act_bits <= MOST_PAIRS;
    if (!p->is_counted) {
        tq_vnni.pack(p);
        return;
    }
    const struct form *f = &p->layer->form[p->k];
    size_t run = (size_t)p->cols * p->step, lanes = block_bytes(p) / sizeof(uint32_t);
    uint32_t *packed = p->packed;
    int8_t *v = (int8_t *)packed + MOST_PAIRS * plane_bytes(p);
    memset(packed, 0, (size_t)p->k * plane_bytes(p));
    for (uint32_t row = 0; row < p->filters; row++) {
        uint32_t *to = packed + row / LANES * lanes + row % LANES;
        tq_avx512_unpack_row(p, row, v);
        unsign(v, p->layer->inputs, (int8_t)(1 << (p->k - 1)));
        for (int bit = 0; bit < p->k; bit++, to += plane_bytes(p) / sizeof(uint32_t))
            for (uint32_t y = 0; y < p->rows; y++)
                pack_taps((const uint8_t *)v + y * run, run, bit,
                          to + (size_t)y * words_of(p) * LANES);
    }
    p->factor = f->factor;
    p->odd = f->odd - f->factor * (1 << (p->k - 1));
}

/* ---- sums ---- */

/* What a tile reads: rows of words, the bits of windows `pixel` bytes apart. */
struct counts {
    uint32_t rows, words;
    size_t row, pixel, block, filters;
    int shift, adds; // of the pair of planes; whether another pair is there already
};

static inline __attribute__((always_inline)) void tile(const struct counts *r, const uint8_t *x,
                                                       const uint8_t *w, int32_t *T, __mmask16 last,
                                                       const int pixels, const int vectors) {
    __m512i sum[8][2];
    for (int i = 0; i < pixels; i++)
        for (int f = 0; f < vectors; f++)
            sum[i][f] = _mm512_setzero_si512();
    for (uint32_t y = 0; y < r->rows; y++, x += r->row) {
        const uint8_t *from = x;
        for (uint32_t j = 0; j < r->words; j++, from += WORD / 8, w += LANES * sizeof(uint32_t)) {
            __m512i weights[2];
            for (int f = 0; f < vectors; f++)
                weights[f] = _mm512_loadu_si512(w + (size_t)f * r->block);
            for (int i = 0; i < pixels; i++) {
                __m512i bits = _mm512_set1_epi32((int)tq_u32(from + (size_t)i * r->pixel));
                for (int f = 0; f < vectors; f++)
                    sum[i][f] = _mm512_add_epi32(
                        sum[i][f], _mm512_popcnt_epi32(_mm512_and_si512(bits, weights[f])));
            }
        }
    }
    for (int i = 0; i < pixels; i++)
        for (int f = 0; f < vectors; f++) {
            __mmask16 there = f == vectors - 1 ? last : 0xffff;
            int32_t *to = T + (size_t)i * r->filters + f * LANES;
            __m512i all = _mm512_slli_epi32(sum[i][f], (unsigned)r->shift);
            if (r->adds)
                all = _mm512_add_epi32(all, _mm512_maskz_loadu_epi32(there, to));
            _mm512_mask_storeu_epi32(to, there, all);
        }
}

static void count_pixels(const struct counts *r, const uint8_t *x, const uint8_t *w, int32_t *T,
                         __mmask16 last, uint32_t pixels, uint32_t vectors) {
    enum { TILE = 8 };
    for (; pixels >= TILE; pixels -= TILE, x += TILE * r->pixel, T += TILE * r->filters)
        if (vectors == 2)
            tile(r, x, w, T, last, TILE, 2);
        else
            tile(r, x, w, T, last, TILE, 1);
    for (; pixels; pixels--, x += r->pixel, T += r->filters)
        if (vectors == 2)
            tile(r, x, w, T, last, 1, 2);
        else
            tile(r, x, w, T, last, 1, 1);
}

/* One plane of activations, whose bits are at `bits`, with all of the weights. */
static void count_plane(const struct product *p, const struct window *w, const uint8_t *bits, int a,
                        int32_t *T) {
    uint32_t blocks = blocks_of(p);
    __mmask16 end = (__mmask16)(0xffff >> (blocks * LANES - p->filters));
    for (int b = 0; b < p->k; b++) {
        const uint8_t *plane = (const uint8_t *)p->packed + (size_t)b * plane_bytes(p);
        struct counts r = {.rows = p->rows,
                           .words = words_of(p),
                           .row = row_bytes(p),
                           .pixel = w->pixel / 8,
                           .block = block_bytes(p),
                           .filters = p->filters,
                           .shift = a + b,
                           .adds = a + b > 0};
        for (uint32_t f = 0, now; f < blocks; f += now) {
            now = blocks - f >= 2 ? 2 : 1;
            count_pixels(&r, bits, plane + f * r.block, T + f * LANES,
                         f + now == blocks ? end : 0xffff, w->pixels, now);
        }
    }
}

static void sums(const struct product *p, const struct window *w, int32_t *T) {
    if (!p->is_counted) {
        if (tq_is_direct(p))
            tq_transposed_sums(p, w, T);
        else
            tq_vnni.sums(p, w, T);
        return;
    }
    size_t span = (w->pixels - 1) * w->pixel + (size_t)p->cols * p->step, row = row_bytes(p);
    uint8_t *bits = (uint8_t *)p->packed + scratch_at(p);
    for (int a = 0; a < p->act_bits; a++) {
        for (uint32_t y = 0; y < p->rows; y++)
            pack_bits((const uint8_t *)w->x + y * w->row, span, a, bits + y * row);
        count_plane(p, w, bits, a, T);
        bits += p->rows * row;
    }
}

/* ---- sums of windows, of the bits that the sums have left ---- */

/* Up to so many windows at a time, whose places are counted once. */
enum { PIXELS = 32, MOST_STRIDE = 2, MOST_COLS = 16 };
enum { MOST_PLACES = (PIXELS - 1) * MOST_STRIDE + MOST_COLS + LANES };

static int shares_places(const struct product *p, const struct window *w) {
    return p->is_counted && (p->step == 16 || p->step == 32 || p->step == 64) &&
           w->pixel <= (size_t)MOST_STRIDE * p->step && w->pixel % p->step == 0 &&
           p->cols <= MOST_COLS;
}

/* Bits of each of sixteen places of 16, 32 or 64 bits, of which n are there. */
static __m512i count_places(const uint8_t *bits, uint32_t n, uint32_t step) {
    __mmask16 there = (__mmask16)(n < LANES ? (1U << n) - 1 : 0xffff);
    if (step == 16)
        return _mm512_popcnt_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(there, bits)));
    if (step == 32)
        return _mm512_popcnt_epi32(_mm512_maskz_loadu_epi32(there, bits));
    __m512i low = _mm512_maskz_loadu_epi64((__mmask8)there, bits);
    __m512i high = _mm512_maskz_loadu_epi64((__mmask8)(there >> 8), bits + 64);
    return _mm512_inserti64x4(
        _mm512_castsi256_si512(_mm512_cvtepi64_epi32(_mm512_popcnt_epi64(low))),
        _mm512_cvtepi64_epi32(_mm512_popcnt_epi64(high)), 1);
}

static void sum_shared(const struct product *p, const uint8_t *bits, uint32_t pixels,
                       uint32_t stride, int32_t *sum) {
    int32_t place[MOST_PLACES];
    uint32_t places = (pixels - 1) * stride + p->cols;
    for (uint32_t i = 0; i < places; i += LANES) {
        const uint8_t *from = bits + i * p->step / 8;
        __m512i all = _mm512_setzero_si512();
        for (unsigned a = 0; a < (unsigned)p->act_bits; a++)
            for (uint32_t y = 0; y < p->rows; y++, from += row_bytes(p))
                all = _mm512_add_epi32(
                    all, _mm512_slli_epi32(count_places(from, places - i, p->step), a));
        _mm512_storeu_si512(place + i, all);
    }
    tq_sum_neighbours(place, p->cols, stride, pixels, sum);
}

static void box(const struct product *p, const struct window *w, int32_t *sum) {
    if (!shares_places(p, w)) {
        tq_vnni.box(p, w, sum);
        return;
    }
    const uint8_t *bits = (const uint8_t *)p->packed + scratch_at(p);
    for (uint32_t i = 0; i < w->pixels; i += PIXELS)
        sum_shared(p, bits + i * w->pixel / 8, w->pixels - i < PIXELS ? w->pixels - i : PIXELS,
                   (uint32_t)(w->pixel / p->step), sum + i);
}

const struct kernels tq_popcount = {
    .name = "avx512-vpopcntdq",
    .unpack_row = tq_avx512_unpack_row,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .sums = sums,
    .float_sums = tq_avx512_float_sums,
    .box = box,
    .affine_sums = tq_avx512_affine_sums,
    .affine_floats = tq_avx512_affine_floats,
    .quantize = tq_avx512_quantize,
    .code_sums = tq_avx512_code_sums,
    .code_floats = tq_avx512_code_floats,
    .add = tq_avx512_add,
};

#endif
