/* Every range map, rounder, dequantizer and layer scale of the quantizer's slots against the
 * formulas in double (twin/twin_quant.c), a few values by hand, layers without a range, and the
 * codes of a frozen layer: encode at N bits, cut to k, decode. */
#include "base/error.h"
#include "base/random.h"
#include "quant/axes.h"
#include "quant/layer.h"
#include "registry.h"
#include "twin/twin.h"

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHANNELS = 4, PER_CHANNEL_WEIGHTS = 27, WEIGHTS = CHANNELS * PER_CHANNEL_WEIGHTS };

static const double value_tolerance = 1e-6;    // of Ŵ, relative to the largest
static const double gradient_tolerance = 2e-6; // of dW, relative to its norm
static const double code_margin = 1e-6; // of u: no nearer to a boundary of codes, so that float and
                                        // double have to agree on every code

/* The slots shared by all schemes made of axes. */
static const struct quantizer *slots(void) {
    return quantizer_find(quantizer_registry, "truncquant");
}

static struct quant_layer layer(struct axes axes, int stored_bits) {
    return (struct quant_layer){.n = WEIGHTS,
                                .channels = CHANNELS,
                                .axes = axes,
                                .widths = {5, {1, 2, 4, 8, 32}},
                                .stored_bits = stored_bits};
}

/* --- all combinations of axes
 * --------------------------------------------------------------------- */

enum { COMBINATIONS = 36 };

/* tanh with both scales, minmax with both granularities; every rounder and dequantizer. */
static struct axes combination(int i) {
    static const enum rounder rounders[] = {ROUND_NEAREST, ROUND_FLOOR, ROUND_IDENTITY};
    static const enum dequantizer dequantizers[] = {DEQUANT_ENDPOINT, DEQUANT_MIDPOINT,
                                                    DEQUANT_LOW};
    int first = i % 4;
    return (struct axes){.range = first < 2 ? RANGE_TANH : RANGE_MINMAX,
                         .rounder = rounders[i / 4 % 3],
                         .dequantizer = dequantizers[i / 12],
                         .scale = first == 1 ? SCALE_POW2 : SCALE_MEAN,
                         .granularity = first == 3 ? PER_CHANNEL : PER_LAYER};
}

static const int every_width[] = {1, 2, 3, 4, 5, 6, 7, 8, 32};
enum { EVERY_WIDTH = sizeof every_width / sizeof *every_width };

/* Distance of u from the nearest place where a code changes, at any width. */
static double to_boundary(enum rounder r, double u) {
    double nearest = INFINITY;
    for (int k = 1; k <= 8; k++)
        nearest = fmin(nearest, twin_code_distance(r, u, k));
    return nearest;
}

static void widen(double *to, const float *from, size_t n) {
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

/* One round of redrawing what lies too near a boundary; returns how many did. */
static int redraw(const struct quant_layer *q, float *W, float bound, struct random *r) {
    double wide[WEIGHTS], u[WEIGHTS], W_hat[WEIGHTS];
    struct twin_layer c = twin_layer_new(q);
    int redrawn = 0;
    widen(wide, W, WEIGHTS);
    twin_quantize(q, wide, 8, 0, &c, W_hat); // measures the range
    twin_range(q, wide, &c, u);
    for (int i = 0; i < WEIGHTS; i++)
        if (to_boundary(q->axes.rounder, u[i]) < code_margin) {
            W[i] = bound * (2 * random_unit(r) - 1);
            redrawn++;
        }
    twin_layer_free(&c);
    return redrawn;
}

/* Weights of which none is near a boundary of codes. */
static void draw(const struct quant_layer *q, float *W, float bound, struct random *r) {
    for (int i = 0; i < WEIGHTS; i++)
        W[i] = bound * (2 * random_unit(r) - 1);
    for (int tries = 0; redraw(q, W, bound, r); tries++)
        assert_true(tries < 1000);
}

static double norm_of(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

static const float bounds[] = {.05f, .6f, 3.f}; // from nearly linear to saturated

/* --- values
 * ----------------------------------------------------------------------------------------- */

static void check_values(struct axes axes, float bound, struct random *r) {
    struct quant_layer q = layer(axes, 8);
    struct twin_layer c = twin_layer_new(&q);
    float W[WEIGHTS], W_hat[WEIGHTS];
    double wide[WEIGHTS], expected[WEIGHTS];
    draw(&q, W, bound, r);
    widen(wide, W, WEIGHTS);
    for (int i = 0; i < EVERY_WIDTH; i++) {
        double largest = 0, worst = 0;
        twin_quantize(&q, wide, every_width[i], 0, &c, expected);
        slots()->quantize(&q, W, NULL, every_width[i], W_hat);
        for (int j = 0; j < WEIGHTS; j++) {
            largest = fmax(largest, fabs(expected[j]));
            worst = fmax(worst, fabs(expected[j] - W_hat[j]));
        }
        if (!(largest > 0 && worst <= value_tolerance * largest))
            fail_msg("k = %d, range %d, rounder %d, dequantizer %d: off by %g of %g",
                     every_width[i], (int)axes.range, (int)axes.rounder, (int)axes.dequantizer,
                     worst, largest);
    }
    twin_layer_free(&c);
}

static void values_follow_the_formulas(void **state) {
    (void)state;
    struct random r = random_stream(1, RANDOM_TEST, 0, 0);
    for (int i = 0; i < COMBINATIONS; i++)
        for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++)
            check_values(combination(i), bounds[b], &r);
}

/* --- a few by hand
 * ---------------------------------------------------------------------------------- */

struct example {
    struct axes axes;
    int k;
    float W[4], W_hat[4]; // tanh: W_hat over s
};

static const float a = .54930614f, b = .20273255f; // tanh: 1/2, 1/5; so u = 1/2 ± 1/2, 1/2 ± 1/5

static const struct example examples[] = {
    {{RANGE_MINMAX, ROUND_NEAREST, DEQUANT_ENDPOINT, 0, 0}, 1, {0, .3f, .6f, 1}, {0, 0, 1, 1}},
    {{RANGE_MINMAX, ROUND_NEAREST, DEQUANT_ENDPOINT, 0, 0},
     2,
     {0, .2f, .45f, 1},
     {0, 1 / 3.f, 1 / 3.f, 1}},
    {{RANGE_MINMAX, ROUND_FLOOR, DEQUANT_ENDPOINT, 0, 0}, 2, {0, .2f, .45f, 1}, {0, 0, 1 / 3.f, 1}},
    {{RANGE_MINMAX, ROUND_FLOOR, DEQUANT_MIDPOINT, 0, 0},
     1,
     {0, .3f, .6f, 1},
     {.25f, .25f, .75f, .75f}},
    {{RANGE_MINMAX, ROUND_FLOOR, DEQUANT_LOW, 0, 0}, 1, {0, .3f, .6f, 1}, {0, 0, .5f, .5f}},
    {{RANGE_MINMAX, ROUND_FLOOR, DEQUANT_LOW, 0, 0}, 3, {-2, -1.3f, 1.9f, 6}, {-2, -2, 1, 5}},
    {{RANGE_MINMAX, ROUND_NEAREST, DEQUANT_ENDPOINT, 0, 0},
     32,
     {0, .2f, .45f, 1},
     {0, .2f, .45f, 1}},
    {{RANGE_TANH, ROUND_NEAREST, DEQUANT_ENDPOINT, 0, 0}, 1, {a, -a, b, -b}, {1, -1, 1, -1}},
    {{RANGE_TANH, ROUND_NEAREST, DEQUANT_ENDPOINT, 0, 0},
     2,
     {a, -a, b, -b},
     {1, -1, 1 / 3.f, -1 / 3.f}},
    {{RANGE_TANH, ROUND_FLOOR, DEQUANT_MIDPOINT, 0, 0},
     2,
     {a, -a, b, -b},
     {.75f, -.75f, .25f, -.25f}},
    {{RANGE_TANH, ROUND_FLOOR, DEQUANT_LOW, 0, 0}, 2, {a, -a, b, -b}, {.5f, -1, 0, -.5f}},
    {{RANGE_TANH, ROUND_FLOOR, DEQUANT_ENDPOINT, 0, 0}, 32, {a, -a, b, -b}, {1, -1, .4f, -.4f}},
};

static void values_by_hand(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const struct example *x = &examples[i];
        struct quant_layer q = layer(x->axes, 8);
        q.n = 4;
        float s = x->axes.range == RANGE_TANH ? (a + b) / 2 : 1, W_hat[4];
        slots()->quantize(&q, x->W, NULL, x->k, W_hat);
        for (int j = 0; j < 4; j++)
            if (!(fabsf(W_hat[j] - s * x->W_hat[j]) <= 1e-6f))
                fail_msg("example %zu, weight %d: %.9g, not %.9g", i, j, W_hat[j], s * x->W_hat[j]);
    }
}

/* 2^round(log2 s): from 1/4 to 1/2 at 2^-1.5 = .3536. */
static void power_of_two_scale(void **state) {
    (void)state;
    static const float scales[][2] = {{.376f, .5f}, {.35f, .25f}, {.36f, .5f},      {3.f, 4.f},
                                      {1.f, 1.f},   {2.8f, 2.f},  {1e-3f, 0x1p-10f}};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        struct axes axes = {RANGE_TANH, ROUND_FLOOR, DEQUANT_ENDPOINT, SCALE_POW2, PER_LAYER};
        struct quant_layer q = layer(axes, 8);
        float W[2] = {scales[i][0], -scales[i][0]}, W_hat[2];
        q.n = 2;
        slots()->quantize(&q, W, NULL, 3, W_hat);
        assert_true(W_hat[0] == scales[i][1] && W_hat[1] == -scales[i][1]);
        slots()->quantize(&q, W, NULL, 32, W_hat); // no power of two at 32 bits
        assert_true(fabsf(W_hat[0] - scales[i][0]) <= 1e-6f * scales[i][0]);
    }
}

/* Where the product (2^k - 1) u is exactly between two codes, the even one. */
static void nearest_goes_to_even_in_a_tie(void **state) {
    (void)state;
    int ties = 0;
    for (int k = 1; k <= 8; k++) {
        int top = (1 << k) - 1;
        for (int i = 0; i < top; i++) {
            float u = ((float)i + .5f) / (float)top;
            if ((float)top * u != (float)i + .5f)
                continue;
            assert_int_equal(axes_code(ROUND_NEAREST, u, k), i % 2 ? i + 1 : i);
            ties++;
        }
    }
    assert_true(ties > 400); // of 502
    assert_int_equal(axes_code(ROUND_NEAREST, .5f, 1), 0);
}

static void codes_stay_in_range(void **state) {
    (void)state;
    static const float at[] = {-1, -1e-7f,     0, 0x1p-149f, .5f, 0x1.fffffep-1f,
                               1,  1.0000001f, 9, NAN};
    for (int k = 1; k <= 8; k++)
        for (size_t i = 0; i < sizeof at / sizeof *at; i++)
            for (enum rounder r = ROUND_NEAREST; r <= ROUND_FLOOR; r++) {
                int code = axes_code(r, at[i], k), top = (1 << k) - 1;
                assert_in_range(code, 0, top);
                if (at[i] >= 0x1.fffffep-1f)
                    assert_int_equal(code, top);
                if (!(at[i] >= 0x1p-149f * 2))
                    assert_int_equal(code, 0);
            }
}

/* --- gradients
 * -------------------------------------------------------------------------------------- */

static void compare_gradients(const struct quant_layer *q, const float *W, int k,
                              struct random *r) {
    struct twin_layer c = twin_layer_new(q);
    float g[WEIGHTS], dW[WEIGHTS];
    double wide[WEIGHTS], g_wide[WEIGHTS], W_hat[WEIGHTS], expected[WEIGHTS], error[WEIGHTS];
    for (int i = 0; i < WEIGHTS; i++) {
        g[i] = 2 * random_unit(r) - 1;
        dW[i] = .25f; // the slot adds
        expected[i] = 0;
    }
    widen(wide, W, WEIGHTS);
    widen(g_wide, g, WEIGHTS);
    twin_quantize(q, wide, k, 0, &c, W_hat);
    twin_quantize_backward(q, wide, k, &c, TWIN_RIGHT, g_wide, expected);
    slots()->backward(q, W, NULL, k, g, dW, NULL);
    for (int i = 0; i < WEIGHTS; i++)
        error[i] = (double)dW[i] - .25 - expected[i];
    double size = norm_of(expected, WEIGHTS) + .25;
    if (!(norm_of(error, WEIGHTS) <= gradient_tolerance * size))
        fail_msg("range %d at %d bits: off by %g of %g", (int)q->axes.range, k,
                 norm_of(error, WEIGHTS), size);
    twin_layer_free(&c);
}

static void gradients_follow_the_formulas(void **state) {
    (void)state;
    struct random r = random_stream(2, RANDOM_TEST, 0, 0);
    float W[WEIGHTS];
    for (int i = 0; i < COMBINATIONS; i++)
        for (size_t j = 0; j < sizeof bounds / sizeof *bounds; j++) {
            struct quant_layer q = layer(combination(i), 8);
            draw(&q, W, bounds[j], &r);
            for (int w = 0; w < EVERY_WIDTH; w++)
                compare_gradients(&q, W, every_width[w], &r);
        }
}

/* Three weights attain max|t|, of both signs: each has a third of what goes through the maximum. */
static void a_tied_maximum_shares_its_gradient(void **state) {
    (void)state;
    struct random r = random_stream(3, RANDOM_TEST, 0, 0);
    struct quant_layer q = layer(combination(4), 8);
    float W[WEIGHTS];
    draw(&q, W, .5f, &r);
    W[3] = .75f;
    W[50] = -.75f;
    W[100] = .75f;
    for (int w = 0; w < EVERY_WIDTH; w++)
        compare_gradients(&q, W, every_width[w], &r);
    float g[WEIGHTS] = {0}, dW[WEIGHTS] = {0};
    g[0] = 1;
    slots()->backward(&q, W, NULL, 4, g, dW, NULL);
    assert_true(dW[3] != 0 && dW[3] == -dW[50] && dW[3] == dW[100]);
}

/* --- many weights
 * ----------------------------------------------------------------------------------- */

enum { MANY = 20011, PART = 97, THREADS = 3 }; // several pieces for threads, the last not full

/* Each part of a layer quantizes as a layer of its own does that is told the whole one's range. */
static void expect_parts(const struct quant_layer *q, const float *W, int k, const float *W_hat) {
    struct quant_layer part = *q;
    float expected[PART];
    for (size_t at = 0; at < q->n; at += PART) {
        part.n = q->n - at < PART ? q->n - at : PART;
        part.known = axes_tanh_range(W, q->n);
        part.known.of = W + at;
        slots()->quantize(&part, W + at, NULL, k, expected);
        assert_memory_equal(expected, W_hat + at, part.n * sizeof *expected);
    }
}

static void expect_gradient(const struct quant_layer *q, const float *W, int k, const float *g,
                            const float *dW) {
    struct tanh_range r = axes_tanh_range(W, q->n);
    double s = q->axes.scale == SCALE_POW2 && k < FLOAT_BITS ? axes_pow2(r.scale) : r.scale,
           sum = 0;
    for (size_t i = 0; i < q->n; i++)
        sum += g[i] * tanh(W[i]);
    for (size_t i = 0; i < q->n; i++) {
        double t = tanh(W[i]), top = fabsf(W[i]) == W[0] ? copysign(1, t) : 0;
        double d = (s / r.max * g[i] - top * s * sum / r.max / r.max / r.ties) * (1 - t * t);
        if (!(fabs(dW[i] - d) <= 1e-5 * (1 + fabs(d))))
            fail_msg("weight %zu at %d bits: %g, not %g", i, k, dW[i], d);
    }
}

static void many_weights_are_spread_over_threads(void **state) {
    (void)state;
    struct random r = random_stream(8, RANDOM_TEST, 0, 0);
    static float W[MANY], g[MANY], W_hat[MANY], dW[THREADS][MANY];
    for (size_t i = 0; i < MANY; i++) {
        W[i] = 1.4f * random_unit(&r) - .7f;
        g[i] = 2 * random_unit(&r) - 1;
    }
    W[0] = .75f; // the maximum, twice
    W[MANY - 1] = -.75f;
    for (int i = 0; i < COMBINATIONS; i++)
        for (int k = 1; k <= FLOAT_BITS && combination(i).range == RANGE_TANH; k *= 2) {
            struct quant_layer q = layer(combination(i), 8);
            q.n = MANY;
            for (int threads = 1; k != 16 && threads <= THREADS; threads++) {
                omp_set_num_threads(threads);
                memset(dW[threads - 1], 0, sizeof dW[0]);
                slots()->quantize(&q, W, NULL, k, W_hat);
                expect_parts(&q, W, k, W_hat);
                slots()->backward(&q, W, NULL, k, g, dW[threads - 1], NULL);
                assert_memory_equal(dW[threads - 1], dW[0], sizeof dW[0]);
                expect_gradient(&q, W, k, g, dW[0]);
            }
        }
    omp_set_num_threads(1);
}

/* What is known of some weights does not serve for others. */
static void a_range_is_of_its_weights_alone(void **state) {
    (void)state;
    struct random r = random_stream(9, RANDOM_TEST, 0, 0);
    struct quant_layer q = layer(combination(4), 8);
    float W[WEIGHTS], other[WEIGHTS], before[WEIGHTS], after[WEIGHTS];
    draw(&q, W, .6f, &r);
    draw(&q, other, .2f, &r);
    slots()->quantize(&q, W, NULL, 4, before);
    layer_weights_stay(&q, other);
    slots()->quantize(&q, W, NULL, 4, after);
    assert_memory_equal(before, after, sizeof before);
    slots()->quantize(&q, other, NULL, 4, after);
    layer_weights_change(&q);
    slots()->quantize(&q, other, NULL, 4, before);
    assert_memory_equal(before, after, sizeof before);
}

/* --- no range
 * --------------------------------------------------------------------------------------- */

static void check_all_equal(const float *x, size_t n, float value) {
    for (size_t i = 0; i < n; i++)
        if (!(x[i] == value))
            fail_msg("weight %zu is %g, not %g", i, x[i], value);
}

/* `first ... first + n - 1` have no range: all of a layer, or a channel of it. */
static void check_no_range(const struct quant_layer *q, const float *W, size_t first, size_t n,
                           float value) {
    float W_hat[WEIGHTS], g[WEIGHTS], dW[WEIGHTS], header[2 * CHANNELS];
    uint8_t codes[WEIGHTS];
    for (int w = 0; w < EVERY_WIDTH; w++) {
        int k = every_width[w];
        for (int i = 0; i < WEIGHTS; i++) {
            g[i] = 1 + (float)i;
            dW[i] = 0;
        }
        slots()->quantize(q, W, NULL, k, W_hat);
        check_all_equal(W_hat + first, n, value);
        slots()->backward(q, W, NULL, k, g, dW, NULL);
        for (size_t i = first; i < first + n; i++)
            assert_true(dW[i] == (q->axes.range == RANGE_TANH ? 0 : g[i]));
        if (k == FLOAT_BITS)
            continue;
        slots()->encode(q, W, NULL, k, codes, header);
        for (size_t i = first; i < first + n; i++)
            assert_int_equal(codes[i], 1 << (k - 1));
        slots()->encode(q, W, NULL, 8, codes, header);
        slots()->decode(q, codes, header, k, W_hat);
        check_all_equal(W_hat + first, n, value);
    }
}

static void layers_without_a_range(void **state) {
    (void)state;
    struct random r = random_stream(4, RANDOM_TEST, 0, 0);
    for (int i = 0; i < COMBINATIONS; i++) {
        struct quant_layer q = layer(combination(i), 8);
        float W[WEIGHTS] = {0};
        check_no_range(&q, W, 0, WEIGHTS, 0);
        if (q.axes.range == RANGE_TANH)
            continue;
        for (int j = 0; j < WEIGHTS; j++)
            W[j] = -.3f;
        check_no_range(&q, W, 0, WEIGHTS, -.3f);
        if (q.axes.granularity == PER_LAYER)
            continue;
        for (int j = 0; j < WEIGHTS; j++)
            W[j] = j / PER_CHANNEL_WEIGHTS == 2 ? .7f : random_unit(&r);
        check_no_range(&q, W, 2 * (size_t)PER_CHANNEL_WEIGHTS, PER_CHANNEL_WEIGHTS, .7f);
    }
}

/* A channel of one weight, the least and the largest floats, a single huge weight: never a NaN. */
static void extreme_weights_stay_finite(void **state) {
    (void)state;
    static const float sets[][4] = {{0x1p-149f, 0, 0, 0},
                                    {0x1p-149f, -0x1p-149f, 0x1p-126f, 0},
                                    {1e30f, -1e30f, 1, 0},
                                    {100, 100, -100, 99},
                                    {1e-20f, 2e-20f, -1e-20f, 0}};
    for (int i = 0; i < COMBINATIONS; i++)
        for (size_t j = 0; j < sizeof sets / sizeof *sets; j++)
            for (int w = 0; w < EVERY_WIDTH; w++) {
                struct quant_layer q = layer(combination(i), 8);
                float W_hat[4], dW[4] = {0}, g[4] = {1, -1, 1, 1};
                q.n = 4; // four channels of one weight each
                slots()->quantize(&q, sets[j], NULL, every_width[w], W_hat);
                slots()->backward(&q, sets[j], NULL, every_width[w], g, dW, NULL);
                for (int c = 0; c < 4; c++)
                    if (isnan(W_hat[c]) || isnan(dW[c]))
                        fail_msg("set %zu, combination %d, k = %d: NaN", j, i, every_width[w]);
            }
}

/* --- codes
 * ------------------------------------------------------------------------------------------ */

static void check_codes_of_floor(struct axes axes, const float *W) {
    float direct[WEIGHTS], cut[WEIGHTS], header[2 * CHANNELS];
    uint8_t codes[WEIGHTS], fewer[WEIGHTS];
    for (int N = 2; N <= 8; N++)
        for (int k = 1; k <= N; k++) {
            struct quant_layer q = layer(axes, N);
            slots()->encode(&q, W, NULL, k, fewer, header);
            slots()->encode(&q, W, NULL, N, codes, header);
            slots()->decode(&q, codes, header, k, cut);
            slots()->quantize(&q, W, NULL, k, direct);
            assert_memory_equal(direct, cut, sizeof direct);
            for (int i = 0; i < WEIGHTS; i++)
                assert_int_equal(slots()->truncate(codes[i], N, k), fewer[i]);
        }
}

/* Truncated and direct weights are the same bits, wherever the weights lie. */
static void floor_decodes_to_what_it_trained_with(void **state) {
    (void)state;
    struct random r = random_stream(5, RANDOM_TEST, 0, 0);
    for (int i = 0; i < COMBINATIONS; i++)
        for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
            float W[WEIGHTS];
            for (int j = 0; j < WEIGHTS; j++)
                W[j] = bounds[b] * (2 * random_unit(&r) - 1);
            W[5] = 0;
            if (combination(i).rounder == ROUND_FLOOR)
                check_codes_of_floor(combination(i), W);
        }
}

/* Nearest at N, cut to k, dequantized at k: by the formula. */
static void check_codes_of_nearest(struct axes axes, int N, struct random *r) {
    struct quant_layer q = layer(axes, N);
    struct twin_layer c = twin_layer_new(&q);
    float W[WEIGHTS], cut[WEIGHTS], header[2 * CHANNELS];
    double wide[WEIGHTS], u[WEIGHTS], W_hat[WEIGHTS];
    uint8_t codes[WEIGHTS];
    int differ = 0;
    draw(&q, W, .6f, r);
    widen(wide, W, WEIGHTS);
    slots()->encode(&q, W, NULL, N, codes, header);
    for (int k = 1; k <= N; k++) {
        twin_quantize(&q, wide, k, 0, &c, W_hat);
        twin_range(&q, wide, &c, u);
        slots()->decode(&q, codes, header, k, cut);
        for (int i = 0; i < WEIGHTS; i++) {
            int code = twin_code(ROUND_NEAREST, u[i], N) >> (N - k);
            double expected =
                twin_weight(&q, &c, (size_t)i, twin_dequantize(axes.dequantizer, code, k));
            assert_true(fabs(expected - cut[i]) <= value_tolerance);
            differ += fabs(expected - W_hat[i]) > value_tolerance;
        }
    }
    if (N == 8)
        assert_true(differ > 0); // or the test could not tell truncated from direct
    twin_layer_free(&c);
}

static void nearest_decodes_to_its_shifted_codes(void **state) {
    (void)state;
    struct random r = random_stream(6, RANDOM_TEST, 0, 0);
    for (int i = 0; i < COMBINATIONS; i++)
        for (int N = 2; N <= 8 && combination(i).rounder == ROUND_NEAREST; N++)
            check_codes_of_nearest(combination(i), N, &r);
}

/* The header's size is what encode writes, and it is a scale, or lo and hi for each range. */
static void header_sizes(void **state) {
    (void)state;
    struct random r = random_stream(7, RANDOM_TEST, 0, 0);
    for (int i = 0; i < COMBINATIONS; i++) {
        struct quant_layer q = layer(combination(i), 8);
        float W[WEIGHTS], header[2 * CHANNELS + 1];
        uint8_t codes[WEIGHTS];
        size_t floats = slots()->header_floats(&q), groups = q.axes.granularity ? CHANNELS : 1;
        assert_int_equal(floats, q.axes.range == RANGE_TANH ? 1 : 2 * groups);
        for (size_t j = 0; j < 2 * CHANNELS + 1; j++)
            header[j] = NAN;
        draw(&q, W, .6f, &r);
        slots()->encode(&q, W, NULL, 8, codes, header);
        for (size_t j = 0; j < 2 * CHANNELS + 1; j++)
            assert_int_equal(isnan(header[j]), j >= floats);
    }
}

/* Every scheme of the registry is whole: what goes together is there together. */
static void registered_schemes_are_whole(void **state) {
    (void)state;
    for (const struct quantizer *const *s = quantizer_registry; *s; s++) {
        int codes = (*s)->min_bits != FLOAT_BITS;
        assert_non_null((*s)->quantize);
        assert_non_null((*s)->backward);
        assert_int_equal((*s)->header_floats != NULL, codes);
        assert_int_equal((*s)->encode != NULL, codes);
        assert_int_equal((*s)->decode != NULL, codes);
        assert_int_equal((*s)->truncate != NULL, codes);
        assert_int_equal((*s)->n_params == NULL, (*s)->start_params == NULL);
        assert_ptr_equal(quantizer_find(quantizer_registry, (*s)->name), *s);
        int own = (*s)->axes.range == RANGE_OWN || (*s)->axes.rounder == ROUND_OWN ||
                  (*s)->axes.dequantizer == DEQUANT_OWN;
        const struct quantizer *named = quantizer_with_axes(quantizer_registry, &(*s)->axes);
        if ((*s)->parent || (*s)->alone) // more than its axes
            assert_ptr_not_equal(named, *s);
        else
            assert_ptr_equal(named, own ? NULL : *s);
    }
    assert_null(quantizer_find(quantizer_registry, "nearest"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_the_formulas),
        cmocka_unit_test(values_by_hand),
        cmocka_unit_test(power_of_two_scale),
        cmocka_unit_test(nearest_goes_to_even_in_a_tie),
        cmocka_unit_test(codes_stay_in_range),
        cmocka_unit_test(gradients_follow_the_formulas),
        cmocka_unit_test(a_tied_maximum_shares_its_gradient),
        cmocka_unit_test(many_weights_are_spread_over_threads),
        cmocka_unit_test(a_range_is_of_its_weights_alone),
        cmocka_unit_test(layers_without_a_range),
        cmocka_unit_test(extreme_weights_stay_finite),
        cmocka_unit_test(floor_decodes_to_what_it_trained_with),
        cmocka_unit_test(nearest_decodes_to_its_shifted_codes),
        cmocka_unit_test(header_sizes),
        cmocka_unit_test(registered_schemes_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
