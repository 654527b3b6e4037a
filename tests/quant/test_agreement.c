/* The agreement set and the truncation-alignment loss: against the codes that the quantizers
 * compute, against known sizes, against the twin, and the twin against central differences. */
#include "quant/agreement.h"

#include "base/error.h"
#include "base/random.h"
#include "quant/axes.h"
#include "twin/twin.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHANNELS = 3, WEIGHTS = 3 * 40, POINTS = 200001 };

static const double near_edge = 1e-6;          // u in float may fall on the other side of an edge
static const double loss_tolerance = 1e-5;     // relative
static const double gradient_tolerance = 1e-5; // of the gradient's norm
static const double difference_step = 1e-6, difference_tolerance = 1e-7;

static struct quant_layer layer(enum range_map range, enum rounder rounder, struct widths widths,
                                int stored_bits) {
    return (struct quant_layer){.n = WEIGHTS,
                                .channels = CHANNELS,
                                .axes = {range, rounder, DEQUANT_ENDPOINT, SCALE_MEAN, PER_LAYER},
                                .widths = widths,
                                .stored_bits = stored_bits};
}

static const struct widths default_widths = {5, {1, 2, 4, 8, 32}},
                           all_widths = {8, {1, 2, 3, 4, 5, 6, 7, 8}};

static struct agreement set_of(enum rounder rounder, struct widths widths, int stored_bits) {
    struct agreement a;
    struct quant_layer l = layer(RANGE_TANH, rounder, widths, stored_bits);
    agreement_make(&a, &l);
    return a;
}

/* 68.6 % for widths 1, 2, 4 of 8 stored; k = 1 alone agrees everywhere, and so does floor. */
static void its_size_is_known(void **state) {
    (void)state;
    struct agreement a = set_of(ROUND_NEAREST, default_widths, 8);
    if (!(fabs(a.share - .686) < .0005))
        fail_msg("%.4f", a.share);
    a = set_of(ROUND_NEAREST, (struct widths){2, {1, 8}}, 8);
    assert_true(a.share == 1 && a.n == 0);
    a = set_of(ROUND_NEAREST, (struct widths){2, {8, 32}}, 8); // none is cut
    assert_true(a.share == 1 && a.n == 0);
    a = set_of(ROUND_FLOOR, all_widths, 8);
    assert_true(a.share == 1 && a.n == 0);
}

static int codes_agree(const struct quant_layer *l, double u) {
    int N = l->stored_bits, stored = axes_code(l->axes.rounder, (float)u, N);
    for (int b = 0; b < l->widths.n; b++) {
        int k = l->widths.bits[b];
        if (k < N && stored >> (N - k) != axes_code(l->axes.rounder, (float)u, k))
            return 0;
    }
    return 1;
}

static double to_edge(const struct agreement *a, double u) {
    double nearest = fabs(u - .5); // where a tie decides, an edge or not
    for (int i = 0; i < a->n; i++)
        nearest = fmin(nearest, fmin(fabs(u - a->gap[i].from), fabs(u - a->gap[i].to)));
    return nearest;
}

/* For all u: a(u) = u exactly where the codes agree, and elsewhere a point where they do, a margin
 * within, and none of the set's is nearer. */
static void check_points(struct widths widths, int stored_bits) {
    struct quant_layer l = layer(RANGE_TANH, ROUND_NEAREST, widths, stored_bits);
    struct agreement a = set_of(ROUND_NEAREST, widths, stored_bits);
    int inside = 0;
    for (int i = 0; i < POINTS; i++) {
        double u = (double)i / (POINTS - 1), at = agreement_nearest(&a, u);
        if (to_edge(&a, u) < near_edge)
            continue;
        inside += codes_agree(&l, u);
        assert_true(codes_agree(&l, u) == (at == u));
        assert_true(codes_agree(&l, at));
        if (at != u)
            assert_true(fabs(to_edge(&a, at) - 1.0 / 2048) < 1e-12 || to_edge(&a, at) > 1.0 / 2048);
    }
    assert_true(fabs((double)inside / POINTS - a.share) < .001);
}

static void it_is_where_codes_agree(void **state) {
    (void)state;
    check_points(default_widths, 8);
    check_points(all_widths, 8);
    check_points((struct widths){2, {5, 7}}, 8); // with intervals that are too narrow to aim at
    check_points((struct widths){3, {2, 4, 32}}, 6);
    check_points((struct widths){2, {3, 5}}, 7);
    check_points((struct widths){2, {1, 3}}, 2);
}

static void widen(double *to, const float *from) {
    for (int i = 0; i < WEIGHTS; i++)
        to[i] = from[i];
}

static void draw(float *W, struct random *r) {
    for (int i = 0; i < WEIGHTS; i++)
        W[i] = 1.2f * (2 * random_unit(r) - 1);
    W[7] = 1.4f; // alone at the maximum, in every channel's sense too: no kink is near
    W[8] = -1.3f;
    W[40] = W[80] = 1.3f;
    W[41] = W[81] = -1.3f;
}

static double distance(const double *a, const double *b) {
    double error = 0, norm = 0;
    for (int i = 0; i < WEIGHTS; i++) {
        error += pow(a[i] - b[i], 2);
        norm += b[i] * b[i];
    }
    assert_true(norm > 0);
    return sqrt(error / norm);
}

/* The twin's gradient against central differences of its loss, with lo and hi held. */
static void check_twin(const struct quant_layer *l, double *W, const struct twin_layer *c,
                       const double *gradient) {
    double numeric[WEIGHTS];
    for (int i = 0; i < WEIGHTS; i++) {
        double at = W[i];
        W[i] = at + difference_step;
        double above = twin_align(l, W, c, 0, NULL);
        W[i] = at - difference_step;
        numeric[i] = (above - twin_align(l, W, c, 0, NULL)) / (2 * difference_step);
        W[i] = at;
    }
    double off = distance(gradient, numeric);
    if (!(off < difference_tolerance))
        fail_msg("range %d: the twin's gradient is off by %g", (int)l->axes.range, off);
}

static void check_loss(enum range_map range, enum granularity granularity, struct random *r) {
    struct quant_layer l = layer(range, ROUND_NEAREST, default_widths, 8);
    struct twin_layer c = twin_layer_new(&l);
    struct agreement a;
    float W[WEIGHTS], dW[WEIGHTS] = {0};
    double wide[WEIGHTS], W_hat[WEIGHTS], expected[WEIGHTS] = {0}, found[WEIGHTS];
    l.axes.granularity = granularity;
    draw(W, r);
    widen(wide, W);
    twin_quantize(&l, wide, 8, 0, &c, W_hat); // measures the range
    agreement_make(&a, &l);
    double loss = agreement_loss(&a, &l, W, .7, dW), right = twin_align(&l, wide, &c, .7, expected);
    assert_true(right > 0 && fabs(loss - right) <= loss_tolerance * right);
    widen(found, dW);
    double off = distance(found, expected);
    if (!(off < gradient_tolerance))
        fail_msg("range %d: the gradient is off by %g", (int)range, off);
    for (int i = 0; i < WEIGHTS; i++)
        expected[i] /= .7;
    check_twin(&l, wide, &c, expected);
    twin_layer_free(&c);
}

static void its_gradient_is_that_of_central_differences(void **state) {
    (void)state;
    struct random r = random_stream(31, RANDOM_TEST, 0, 0);
    for (int i = 0; i < 3; i++) {
        check_loss(RANGE_TANH, PER_LAYER, &r);
        check_loss(RANGE_MINMAX, PER_LAYER, &r);
        check_loss(RANGE_MINMAX, PER_CHANNEL, &r);
    }
}

static void nothing_to_align(void **state) {
    (void)state;
    struct quant_layer l = layer(RANGE_TANH, ROUND_FLOOR, default_widths, 8);
    struct random r = random_stream(32, RANDOM_TEST, 0, 0);
    struct agreement a;
    float W[WEIGHTS], dW[WEIGHTS] = {0};
    draw(W, &r);
    agreement_make(&a, &l);
    assert_true(agreement_loss(&a, &l, W, 1, dW) == 0);
    // All in A, or without a range: u = 1/2.
    for (enum range_map range = RANGE_TANH; range <= RANGE_MINMAX; range++) {
        l = layer(range, ROUND_NEAREST, default_widths, 8);
        agreement_make(&a, &l);
        memset(W, 0, sizeof W);
        assert_true(agreement_loss(&a, &l, W, 1, dW) == 0);
        for (int i = 0; i < WEIGHTS; i++)
            W[i] = i % 2 ? 1 : -1;
        assert_true(agreement_loss(&a, &l, W, 1, dW) == 0);
    }
    for (int i = 0; i < WEIGHTS; i++)
        assert_true(dW[i] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_size_is_known),
        cmocka_unit_test(it_is_where_codes_agree),
        cmocka_unit_test(its_gradient_is_that_of_central_differences),
        cmocka_unit_test(nothing_to_align),
    };
    return cmocka_run_group_tests_name("agreement", tests, NULL, NULL);
}
