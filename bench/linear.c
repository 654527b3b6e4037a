/* Linear layers that are computed straight from the planes, at every width, beside a plain product
 * of bytes and a vector: what fewer bits save where the weights are read from memory. One thread,
 * one image, 8-bit activations. Widths take turns, call by call, so that nobody finds his weights
 * in a cache that the others fit into as well; the plain product does as the planes' kernel does,
 * but finds bytes. Sums are compared with those of the portable kernels first.
 *
 * Prints CSV: weights,what,bits,megabytes,us,min_us,p95_us,over_8_bits,over_plain (medians; how
 * many times as fast). */
#include "median.h"

#include "base/error.h"
#include "base/progress.h"
#include "base/random.h"
#include "runtime/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
#include <immintrin.h>
#endif

enum { CALLS = 60, PLAIN = TQ_BITS + 1, CONTENDERS = PLAIN + 1 }; // contenders 1 ... 8 are widths

struct scene {
    struct tq_model model; // of planes alone
    struct layer layer;
    struct product product[TQ_BITS + 1]; // by width
    struct window window;
    const struct kernels *kernels;
    uint8_t *planes, *x;
    int8_t *plain; // (filters, inputs): the codes of 8 bits
    int32_t *sums, *expected;
    double seconds[CONTENDERS][CALLS];
};

/* ---- the plain product ---- */

static int32_t sum_plain(const uint8_t *x, const int8_t *w, size_t n) {
    int32_t sum = 0;
    size_t i = 0;
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
    __m512i sums[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                       _mm512_setzero_si512()};
    for (; i + 256 <= n; i += 256)
        for (int j = 0; j < 4; j++)
            sums[j] = _mm512_dpbusd_epi32(sums[j], _mm512_loadu_si512(x + i + 64 * j),
                                          _mm512_loadu_si512(w + i + 64 * j));
    sum = _mm512_reduce_add_epi32(
        _mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]), _mm512_add_epi32(sums[2], sums[3])));
#endif
    for (; i < n; i++)
        sum += x[i] * w[i];
    return sum;
}

static void compute_plain(struct scene *s) {
    for (uint32_t f = 0; f < s->layer.rows; f++)
        s->sums[f] = sum_plain(s->x, s->plain + (size_t)f * s->layer.inputs, s->layer.inputs);
}

/* ---- a layer ---- */

static void fill(struct random *r, void *bytes, size_t n) {
    uint64_t *words = bytes, state = random_below(r, 1U << 31) | 1;
    for (size_t i = 0; i < n / sizeof *words; i++) { // xorshift: there are many
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        words[i] = state;
    }
}

static void make(struct scene *s, uint32_t filters, uint32_t inputs) {
    struct random r = random_stream(1, RANDOM_TEST, 0, 0);
    size_t row = tq_row_bytes(inputs), plane = filters * row, weights = (size_t)filters * inputs;
    *s = (struct scene){.layer = {.rows = filters, .inputs = inputs, .row_bytes = (uint32_t)row},
                        .kernels = tq_choose_kernels(0),
                        .planes = need_aligned(TQ_BITS * plane, 1),
                        .x = need_aligned(inputs, 1),
                        .plain = need_aligned(weights, 1),
                        .sums = need_aligned(filters, sizeof *s->sums),
                        .expected = need_aligned(filters, sizeof *s->expected)};
    fill(&r, s->planes, TQ_BITS * plane);
    fill(&r, s->x, inputs);
    s->model = (struct tq_model){.bytes = s->planes, .size = TQ_BITS * plane};
    for (uint32_t i = 0; i < TQ_BITS; i++)
        s->model.plane_at[i] = i * plane;
    s->window = (struct window){.x = s->x, .pixel = inputs, .row = inputs, .pixels = 1};
}

/* Of one width; with `kernels`, packed. The caller frees `packed`. */
static struct product product_of(struct scene *s, int k, const struct kernels *kernels) {
    static const float unit = 1;
    s->layer.form[k] = (struct form){.factor = 1, .units = 1, .unit = &unit};
    struct product p = {.model = &s->model,
                        .layer = &s->layer,
                        .k = k,
                        .act_bits = 8,
                        .filters = s->layer.rows,
                        .groups = 1,
                        .rows = 1,
                        .cols = 1,
                        .channels = s->layer.inputs,
                        .step = s->layer.inputs,
                        .is_linear = 1,
                        .is_row = 1,
                        .span = s->layer.inputs};
    p.packed = need_aligned(kernels->packed_bytes(&p) + 64, 1);
    kernels->pack(&p);
    return p;
}

/* The first kernels and the portable ones, on the same bits. */
static int check(struct scene *s, int k) {
    size_t bytes = s->layer.rows * sizeof *s->sums;
    struct product twin = product_of(s, k, &tq_portable);
    s->kernels->sums(&s->product[k], &s->window, s->sums);
    tq_portable.sums(&twin, &s->window, s->expected);
    free(twin.packed);
    return memcmp(s->sums, s->expected, bytes) != 0;
}

static int prepare(struct scene *s) {
    int wrong = 0;
    for (int k = 1; k <= TQ_BITS; k++) {
        s->product[k] = product_of(s, k, s->kernels);
        wrong |= check(s, k);
    }
    for (uint32_t f = 0; f < s->layer.rows; f++)
        tq_unpack_row(&s->product[TQ_BITS], f, s->plain + (size_t)f * s->layer.inputs);
    compute_plain(s);
    return wrong || memcmp(s->sums, s->expected, s->layer.rows * sizeof *s->sums) != 0;
}

static void release(struct scene *s) {
    for (int k = 1; k <= TQ_BITS; k++)
        free(s->product[k].packed);
    void *all[] = {s->planes, s->x, s->plain, s->sums, s->expected};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* ---- times ---- */

static void time_all(struct scene *s) {
    for (int i = -2; i < CALLS; i++)
        for (int c = 1; c < CONTENDERS; c++) {
            double start = progress_clock();
            if (c == PLAIN)
                compute_plain(s);
            else
                s->kernels->sums(&s->product[c], &s->window, s->sums);
            if (i >= 0)
                s->seconds[c][i] = progress_clock() - start;
        }
}

static void print(struct scene *s) {
    double of[CONTENDERS], weights = (double)s->layer.rows * s->layer.inputs;
    for (int c = 1; c < CONTENDERS; c++)
        of[c] = median(s->seconds[c], CALLS); // sorts them
    for (int c = 1; c < CONTENDERS; c++)
        printf("%.0f,%s,%d,%.1f,%.0f,%.0f,%.0f,%.2f,%.2f\n", weights,
               c == PLAIN ? "plain" : s->kernels->name, c == PLAIN ? 8 : c,
               weights * (c == PLAIN ? 8 : c) / 8e6, 1e6 * of[c], 1e6 * s->seconds[c][0],
               1e6 * s->seconds[c][CALLS * 95 / 100], of[TQ_BITS] / of[c], of[PLAIN] / of[c]);
}

int main(void) {
    static const uint32_t shapes[][2] = {{8192, 8192}, {2048, 4096}};
    static struct scene s;
    puts("weights,what,bits,megabytes,us,min_us,p95_us,over_8_bits,over_plain");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        make(&s, shapes[i][0], shapes[i][1]);
        if (prepare(&s)) {
            fprintf(stderr, "linear: sums of the %s kernels are wrong\n", s.kernels->name);
            return 1;
        }
        time_all(&s);
        print(&s);
        release(&s);
    }
    return 0;
}
