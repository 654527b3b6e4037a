/* The schemes that round in ways of their own, matquant, lsq and double-rounding, against the
 * formulas in double (twin/), by hand in ties and at the ends, and by finite differences where they
 * are smooth. */
#include "base/random.h"
#include "baselines.h"
#include "quant/truncquant.h"
#include "twin/twin.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { WEIGHTS = 108 };

static const double value_tolerance = 1e-6;    // of Ŵ, relative to the largest
static const double gradient_tolerance = 2e-6; // relative to the largest
static const double step_tolerance =
    1e-4; // of dh: W / h up to 128 is right to 4e-6, code - W / h is .3
static const double code_margin = 1e-6; // no weight is nearer to a change of code, in its range

static struct quant_layer layer(const struct quantizer *s, size_t n, int stored_bits) {
    return (struct quant_layer){.n = n,
                                .channels = 1,
                                .axes = s->axes,
                                .widths = {5, {1, 2, 4, 8, 32}},
                                .stored_bits = stored_bits};
}

static double worst_of(const float *a, const double *b, size_t n) {
    double worst = 0, largest = 0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(a[i] - b[i]));
        largest = fmax(largest, fabs(b[i]));
    }
    assert_true(largest > 0);
    return worst / largest;
}

/* ---- a layer, drawn where float and double have to agree on every code ---- */

struct drawn {
    const struct quantizer *s;
    struct quant_layer l;
    struct twin_layer c;
    float W[WEIGHTS], steps[4];
    double wide[WEIGHTS], wide_steps[4];
};

static double nearest_change(struct drawn *d) {
    double nearest = INFINITY, u[WEIGHTS], W_hat[WEIGHTS];
    if (!d->s->n_params) {
        twin_quantize(&d->l, d->wide, FLOAT_BITS, 0, &d->c, W_hat); // measures the range
        twin_range(&d->l, d->wide, &d->c, u);
        for (int i = 0; i < WEIGHTS; i++)
            nearest = fmin(nearest, twin_code_distance(ROUND_NEAREST, u[i], d->l.stored_bits));
        return nearest;
    }
    for (int b = 0; b < 4; b++)
        nearest = fmin(
            nearest, twin_own_flip(d->s->name, &d->l, d->wide, d->wide_steps, d->l.widths.bits[b]));
    return nearest;
}

/* Steps shorter than at the start, so that some weights are clipped. */
static void draw(struct drawn *d, const struct quantizer *s, int stored_bits, float bound,
                 struct random *r) {
    *d = (struct drawn){.s = s, .l = layer(s, WEIGHTS, stored_bits)};
    d->c = twin_layer_new(&d->l);
    do {
        for (int i = 0; i < WEIGHTS; i++)
            d->wide[i] = d->W[i] = bound * (2 * random_unit(r) - 1);
        if (s->n_params)
            s->start_params(&d->l, d->W, d->steps);
        for (int b = 0; b < 4; b++)
            d->wide_steps[b] = d->steps[b] *= .3f + .3f * random_unit(r);
    } while (nearest_change(d) < code_margin);
}

static void formula(struct drawn *d, int k, double *W_hat) {
    if (d->s->n_params)
        twin_own_quantize(d->s->name, &d->l, d->wide, d->wide_steps, k, 0, &d->c, W_hat);
    else
        twin_quantize(&d->l, d->wide, k, 0, &d->c, W_hat);
}

static void check_width(struct drawn *d, int k, struct random *r) {
    float W_hat[WEIGHTS], g[WEIGHTS], dW[WEIGHTS] = {0}, dsteps[4] = {0};
    double expected[WEIGHTS], wide_g[WEIGHTS], wide_dW[WEIGHTS] = {0}, wide_dsteps[4] = {0};
    formula(d, k, expected);
    d->s->quantize(&d->l, d->W, d->steps, k, W_hat);
    if (!(worst_of(W_hat, expected, WEIGHTS) <= value_tolerance))
        fail_msg("%s, k = %d: off by %g", d->s->name, k, worst_of(W_hat, expected, WEIGHTS));
    for (int i = 0; i < WEIGHTS; i++)
        wide_g[i] = g[i] = 2 * random_unit(r) - 1;
    d->s->backward(&d->l, d->W, d->steps, k, g, dW, dsteps);
    if (d->s->n_params)
        twin_own_backward(d->s->name, &d->l, d->wide, d->wide_steps, k, &d->c, TWIN_RIGHT, wide_g,
                          wide_dW, wide_dsteps);
    else
        twin_quantize_backward(&d->l, d->wide, k, &d->c, TWIN_RIGHT, wide_g, wide_dW);
    assert_true(worst_of(dW, wide_dW, WEIGHTS) <= gradient_tolerance);
    if (d->s->n_params && k < FLOAT_BITS)
        assert_true(worst_of(dsteps, wide_dsteps, 4) <= step_tolerance);
    else
        assert_true(!dsteps[0] && !dsteps[1] && !dsteps[2] && !dsteps[3]);
}

static void values_and_gradients_follow_the_formulas(void **state) {
    (void)state;
    static const float bounds[] = {.01f, .3f, 3};
    struct random r = random_stream(1, RANDOM_TEST, 0, 0);
    static const struct {
        const struct quantizer *s;
        int stored_bits, n, bits[8];
    } cases[] = {
        {&quantizer_matquant, 8, 8, {2, 3, 4, 5, 6, 7, 8, 32}},
        {&quantizer_matquant, 5, 5, {2, 3, 4, 5, 32}},
        {&quantizer_lsq, 8, 5, {1, 2, 4, 8, 32}},
        {&quantizer_double_rounding, 8, 8, {2, 3, 4, 5, 6, 7, 8, 32}},
        {&quantizer_double_rounding, 4, 4, {2, 3, 4, 32}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int b = 0; b < 3; b++) {
            struct drawn d;
            draw(&d, cases[c].s, cases[c].stored_bits, bounds[b], &r);
            for (int i = 0; i < cases[c].n; i++)
                check_width(&d, cases[c].bits[i], &r);
            twin_layer_free(&d.c);
        }
}

/* ---- cut codes, by their formula ---- */

static void check_cut(const struct quantizer *s, int N, struct random *r) {
    struct drawn d;
    draw(&d, s, N, .3f, r);
    uint8_t codes[WEIGHTS];
    float header[2], cut[WEIGHTS];
    double u[WEIGHTS], full[WEIGHTS];
    formula(&d, FLOAT_BITS, full); // measures the range
    twin_range(&d.l, d.wide, &d.c, u);
    s->encode(&d.l, d.W, d.steps, N, codes, header);
    int place = s == &quantizer_lsq ? widths_find(&d.l.widths, N) : 0;
    for (int k = s->min_bits; k <= N; k++) {
        s->decode(&d.l, codes, header, k, cut);
        for (int i = 0; i < WEIGHTS; i++) {
            double h = d.wide_steps[place], half = pow(2, N - 1), apart = pow(2, N - k);
            double stored = fmin(fmax(rint(d.wide[i] / h), -half), half - 1);
            double expected = floor(stored / apart) * apart * h;
            if (s == &quantizer_matquant)
                expected =
                    d.c.s *
                    (2 * floor(rint((2 * half - 1) * u[i]) / apart) * apart / (2 * half - 1) - 1);
            if (!(fabs(cut[i] - expected) <= value_tolerance * .3))
                fail_msg("%s, N = %d, k = %d: %g, not %g", s->name, N, k, (double)cut[i], expected);
        }
    }
    twin_layer_free(&d.c);
}

static void cut_weights_follow_their_formulas(void **state) {
    (void)state;
    struct random r = random_stream(2, RANDOM_TEST, 0, 0);
    for (int N = 2; N <= 8; N++) {
        check_cut(&quantizer_matquant, N, &r);
        check_cut(&quantizer_double_rounding, N, &r);
    }
    check_cut(&quantizer_lsq, 8, &r);
    check_cut(&quantizer_lsq, 4, &r);
}

/* Ŵ is 2^k / (2^k - 1) times AdaBits', with the same rule of the gradient: where a norm follows,
 * that factor is all that tells the two in training. */
static void truncquant_is_adabits_but_for_a_constant(void **state) {
    (void)state;
    struct random r = random_stream(4, RANDOM_TEST, 0, 0);
    float W[WEIGHTS], g[WEIGHTS], a[WEIGHTS], b[WEIGHTS];
    for (int i = 0; i < WEIGHTS; i++) {
        W[i] = 2 * random_unit(&r) - 1;
        g[i] = 2 * random_unit(&r) - 1;
    }
    struct quant_layer trunc = layer(&quantizer_truncquant, WEIGHTS, 8),
                       ada = layer(&quantizer_adabits, WEIGHTS, 8);
    for (int k = 1; k <= 8; k++) {
        float da[WEIGHTS] = {0}, db[WEIGHTS] = {0};
        quantizer_truncquant.quantize(&trunc, W, NULL, k, a);
        quantizer_adabits.quantize(&ada, W, NULL, k, b);
        quantizer_truncquant.backward(&trunc, W, NULL, k, g, da, NULL);
        quantizer_adabits.backward(&ada, W, NULL, k, g, db, NULL);
        for (int i = 0; i < WEIGHTS; i++)
            assert_true(fabs(a[i] * (1 - ldexp(1, -k)) - b[i]) <= value_tolerance);
        assert_memory_equal(da, db, sizeof da);
    }
}

/* ---- by hand ---- */

static void expect(const struct quantizer *s, int N, int k, const float *W, const float *params,
                   const float *W_hat, size_t n) {
    struct quant_layer l = layer(s, n, N);
    float got[16];
    s->quantize(&l, W, params, k, got);
    for (size_t i = 0; i < n; i++)
        if (got[i] != W_hat[i])
            fail_msg("%s, N = %d, k = %d: %g becomes %g, not %g", s->name, N, k, (double)W[i],
                     (double)got[i], (double)W_hat[i]);
}

/* Steps of 1, 2 and 4 bits are params 0, 1 and 2; that of 8 is 3. */
static void lsq_by_hand(void **state) {
    (void)state;
    static const float h[] = {.5f, .25f, 2, 1};
    static const float W[] = {-9, -.5f, -.125f, 0, .125f, .375f, .625f, 9};
    expect(&quantizer_lsq, 8, 1, W, h, (const float[]){-.5f, -.5f, -.5f, .5f, .5f, .5f, .5f, .5f},
           8);
    // ties to even: -.5 and .5 to 0, 1.5 to 2, which is clipped to 1
    expect(&quantizer_lsq, 8, 2, W, h, (const float[]){-.5f, -.5f, 0, 0, 0, .25f, .25f, .25f}, 8);
    expect(&quantizer_lsq, 8, 4, W, h, (const float[]){-8, 0, 0, 0, 0, 0, 0, 8}, 8);
    expect(&quantizer_lsq, 8, 32, W, h, W, 8);
    expect(&quantizer_lsq, 8, 1, (const float[]){-0.f}, h, (const float[]){.5f}, 1);
    expect(&quantizer_lsq, 8, 8, W, (const float[]){1, 1, 1, -3}, // no step is shorter than 1e-8
           (const float[]){-128 * 1e-8f, -128 * 1e-8f, -128 * 1e-8f, 0, 127 * 1e-8f, 127 * 1e-8f,
                           127 * 1e-8f, 127 * 1e-8f},
           8);
}

/* N = 4, h = 1: -8 ... 7 become -2 ... 1 times 4, ties of the second rounding to even. */
static void double_rounding_by_hand(void **state) {
    (void)state;
    static const float W[] = {-99, -6, -5.4f, -2, -1.6f, 2, 2.4f, 2.6f, 6, 99};
    const float h = 1;
    expect(&quantizer_double_rounding, 4, 4, W, &h,
           (const float[]){-8, -6, -5, -2, -2, 2, 2, 3, 6, 7}, 10);
    expect(&quantizer_double_rounding, 4, 2, W, &h,
           (const float[]){-8, -8, -4, 0, 0, 0, 0, 4, 4, 4}, 10);
}

/* N = 8, u = q / 255 exactly at the ends; a slice of 4 bits begins half a step of 16 below its
 * place. */
static void matquant_by_hand(void **state) {
    (void)state;
    struct quant_layer l = layer(&quantizer_matquant, 256, 8);
    float W[256], W_hat[256], header;
    uint8_t stored[256], codes[256];
    for (int q = 0; q < 256; q++)
        W[q] = atanhf(.5f * ((float)(2 * q) / 255 - 1));
    quantizer_matquant.encode(&l, W, NULL, 8, stored, &header);
    for (int k = 2; k <= 8; k++) {
        quantizer_matquant.encode(&l, W, NULL, k, codes, &header);
        quantizer_matquant.quantize(&l, W, NULL, k, W_hat);
        for (int q = 0; q < 256; q++) {
            assert_int_equal(stored[q], q);
            int places = 1 << (8 - k), slice = (q + places / 2) / places;
            slice = slice < 1 << k ? slice : (1 << k) - 1;
            assert_int_equal(codes[q], slice);
            double expected = header * (2.0 * slice * places / 255 - 1);
            assert_true(fabs(W_hat[q] - expected) <= value_tolerance);
        }
    }
}

static void start_values(void **state) {
    (void)state;
    static const float W[] = {-1, 2, -3, 6}; // mean 1, of the magnitudes 3, variance 11.5
    float h[4], reach;
    struct quant_layer l = layer(&quantizer_lsq, 4, 8);
    quantizer_lsq.start_params(&l, W, h);
    assert_int_equal(quantizer_lsq.n_params(&l), 4);
    assert_true(h[0] == 3 && h[1] == 6);
    assert_true(fabs(h[2] - 6 / sqrt(7)) < 1e-6 && fabs(h[3] - 6 / sqrt(127)) < 1e-6);
    l = layer(&quantizer_double_rounding, 4, 8);
    assert_int_equal(quantizer_double_rounding.n_params(&l), 1);
    quantizer_double_rounding.start_params(&l, W, &reach);
    assert_true(fabs(reach - (1 + 3 * sqrt(11.5)) / 128) < 1e-6);
    l.widths = (struct widths){2, {2, 4}};
    assert_int_equal(quantizer_lsq.n_params(&l), 2);
}

/* ---- finite differences of what is smooth: no weight changes its code ---- */

/* Σ g Ŵ as a function of the step. */
static double sum_at(const struct drawn *d, const float *g, int k, int place, float step) {
    float steps[4], W_hat[WEIGHTS];
    double sum = 0;
    memcpy(steps, d->steps, sizeof steps);
    steps[place] = step;
    d->s->quantize(&d->l, d->W, steps, k, W_hat);
    for (int i = 0; i < WEIGHTS; i++)
        sum += (double)g[i] * W_hat[i];
    return sum;
}

/* Where all weights are clipped Ŵ is smooth in h, and the rule is its slope, scaled. */
static void check_clipped(const struct quantizer *s, int k, int place, int bits) {
    struct random r = random_stream(3, RANDOM_TEST, 0, 0);
    struct drawn d = {.s = s, .l = layer(s, WEIGHTS, 8)};
    float g[WEIGHTS], dW[WEIGHTS] = {0}, dsteps[4] = {0}, step = 0x1p-12f;
    for (int i = 0; i < WEIGHTS; i++) {
        d.W[i] = (random_below(&r, 2) ? 1.f : -1.f) * (1 + random_unit(&r));
        g[i] = 2 * random_unit(&r) - 1;
    }
    for (int b = 0; b < 4; b++)
        d.steps[b] = 0x1p-8f;
    double slope = (sum_at(&d, g, k, place, d.steps[place] + step) -
                    sum_at(&d, g, k, place, d.steps[place] - step)) /
                   (2 * step);
    double top = bits == 1 ? 1 : (1 << (bits - 1)) - 1;
    s->backward(&d.l, d.W, d.steps, k, g, dW, dsteps);
    if (!(fabs(dsteps[place] / (slope / sqrt(WEIGHTS * top)) - 1) < 1e-5))
        fail_msg("%s, k = %d: %g is not %g", s->name, k, (double)dsteps[place],
                 slope / sqrt(WEIGHTS * top));
    for (int i = 0; i < WEIGHTS; i++)
        assert_true(dW[i] == 0);
}

static void steps_against_finite_differences(void **state) {
    (void)state;
    check_clipped(&quantizer_lsq, 1, 0, 1);
    check_clipped(&quantizer_lsq, 2, 1, 2);
    check_clipped(&quantizer_lsq, 4, 2, 4);
    check_clipped(&quantizer_double_rounding, 2, 0, 8);
    check_clipped(&quantizer_double_rounding, 5, 0, 8);
}

/* The bounds of the codes themselves still pass the gradient. */
static void gradients_pass_at_the_bounds(void **state) {
    (void)state;
    static const float W[] = {-2.5f, -2, 1, 1.5f}, g[] = {1, 1, 1, 1}, h[] = {1, 1, 1, 1};
    struct quant_layer l = layer(&quantizer_lsq, 4, 8);
    float dW[4] = {0}, dh[4] = {0};
    quantizer_lsq.backward(&l, W, h, 2, g, dW, dh);
    assert_true(dW[0] == 0 && dW[1] == 1 && dW[2] == 1 && dW[3] == 0);
    assert_true(dh[1] == (-2 + 0 + 0 + 1) / 2.f); // outside the code, inside code - v
    memset(dW, 0, sizeof dW);
    quantizer_lsq.backward(&l, (const float[]){-1.5f, -1, 1, 1.5f}, h, 1, g, dW, dh);
    assert_true(dW[0] == 0 && dW[1] == 1 && dW[2] == 1 && dW[3] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_gradients_follow_the_formulas),
        cmocka_unit_test(cut_weights_follow_their_formulas),
        cmocka_unit_test(truncquant_is_adabits_but_for_a_constant),
        cmocka_unit_test(lsq_by_hand),
        cmocka_unit_test(double_rounding_by_hand),
        cmocka_unit_test(matquant_by_hand),
        cmocka_unit_test(start_values),
        cmocka_unit_test(steps_against_finite_differences),
        cmocka_unit_test(gradients_pass_at_the_bounds),
    };
    return cmocka_run_group_tests_name("own rounders", tests, NULL, NULL);
}
