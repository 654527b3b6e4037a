/* Training in bf16: its passes against single values; forward over integers equal to the bit to
 * sums in int64 times the scale; whole networks against fp32: scores but for the order of sums,
 * gradients within what rounding to 8 bits costs; and float widths, offsets and partial batches
 * left as they are. */
#include "engine/engine.h"
#include "engine/load.h"
#include "engine/onednn/blocked.h"
#include "engine/onednn/primitive.h"

#include "base/values.h"
#include "model/net.h"
#include "train/loss.h"
#include "train/trainer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IMAGES = 24, CLASSES = 10, SIDE = 12 };

static const double score_tolerance = 1e-4; // median; a score is about 1
static const double gradient_tolerance =
    2e-2;                                // of a layer's norm; rounding alone is 2^-9 a product
static const double flips_allowed = 0.2; // of a layer's norm: one flipped code moves it

static float from_bf16(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* ---- passes ---- */

static void codes_are_those_of_the_affine(void **state) {
    (void)state;
    struct random r = random_stream(41, RANDOM_TEST, 0, 0);
    for (int bits = 1; bits <= 8; bits++) {
        struct blocked s = blocked_shape(3, (struct shape){20, 3, 5});
        size_t n = blocked_size(&s);
        float *X = need(n, 4), *Y = need(n, 4), *values = need(n, 4), a[32] = {0}, b[32] = {0};
        uint16_t *codes = need(n, 2), *back = need(n, 2);
        for (size_t i = 0; i < n; i++)
            X[i] = 3 * random_unit(&r) - 1;
        for (int c = 0; c < 20; c++) {
            a[c] = random_unit(&r) + 0.1f;
            b[c] = random_unit(&r) - 0.5f;
        }
        blocked_affine(&s, X, a, b, BLOCKED_CLIP, bits, Y);
        blocked_affine_codes(&s, X, a, b, bits, codes, values);
        assert_memory_equal(values, Y, n * sizeof *Y);
        for (size_t i = 0; i < n; i++)
            assert_true(from_bf16(codes[i]) / (float)((1 << bits) - 1) == Y[i]);
        blocked_codes(&s, Y, bits, back);
        assert_memory_equal(back, codes, n * sizeof *codes);
        memset(values, 0, n * sizeof *values);
        blocked_codes_to_floats(&s, bits, codes, values);
        assert_memory_equal(values, Y, n * sizeof *Y);
        X[7] = NAN; // of a channel that exists
        blocked_affine_codes(&s, X, a, b, bits, codes, NULL);
        assert_true(isnan(from_bf16(codes[7])));
        free(X);
        free(Y);
        free(values);
        free(codes);
        free(back);
    }
}

/* The nearest of two neighbours, the even one in a tie. */
static void rounding_is_to_nearest_even(void **state) {
    (void)state;
    struct random r = random_stream(42, RANDOM_TEST, 0, 0);
    struct blocked s = blocked_shape(1, (struct shape){16, 1, 64});
    size_t n = blocked_size(&s);
    float *X = need(n, 4), factor[16];
    uint16_t *Y = need(n, 2);
    for (int i = 0; i < 16; i++)
        factor[i] = i % 2 ? 1 : 0.5f;
    for (size_t i = 0; i < n; i++)
        X[i] = i % 3 ? ldexpf(random_unit(&r) - 0.5f, (int)random_below(&r, 60) - 30)
                     : from_bf16((uint16_t)(0x3f80 + i)) + ldexpf(1, -8); // a tie
    X[5] = NAN;
    X[6] = INFINITY;
    blocked_to_bf16(&s, X, factor, Y);
    for (size_t i = 0; i < n; i++) {
        float x = factor[i % 16] * X[i], y = from_bf16(Y[i]);
        if (i == 5 || i == 6) {
            assert_true(i == 5 ? isnan(y) : isinf(y));
            continue;
        }
        float below = from_bf16((uint16_t)(Y[i] - 1)), above = from_bf16((uint16_t)(Y[i] + 1));
        float d = fabsf(y - x);
        assert_true(d <= fabsf(below - x) && d <= fabsf(above - x));
        if (d == fabsf(below - x) || d == fabsf(above - x))
            assert_int_equal(Y[i] & 1, 0);
    }
    free(X);
    free(Y);
}

/* ---- one convolution ---- */

static uint16_t to_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)(bits >> 16);
}

static struct conv draw_geometry(struct random *r) {
    struct conv g = {
        .groups = 1, .c = 16 * values_between(r, 1, 2), .filters = 16 * values_between(r, 1, 2)};
    g.size = values_between(r, 0, 1) ? 3 : 1;
    g.stride = values_between(r, 1, 2);
    g.padding = g.size / 2;
    g.h = values_between(r, 3, 9);
    g.w = values_between(r, 3, 9);
    g.out_h = (g.h + 2 * g.padding - g.size) / g.stride + 1;
    g.out_w = (g.w + 2 * g.padding - g.size) / g.stride + 1;
    return g;
}

static size_t place_of(const struct blocked *s, int image, int channel, int pixel) {
    size_t block = (size_t)image * (size_t)s->blocks + (size_t)(channel / 16);
    return (block * (size_t)s->plane + (size_t)pixel) * 16 + (size_t)(channel % 16);
}

/* Σ w x of one output, in int64. */
static int64_t sum_at(const struct conv *g, const struct blocked *in, const uint16_t *X,
                      const float *W, int image, int f, int oy, int ox) {
    int64_t sum = 0;
    for (int k = 0; k < g->c * g->size * g->size; k++) {
        int kx = k % g->size, ky = k / g->size % g->size, channel = k / (g->size * g->size);
        int y = oy * g->stride + ky - g->padding, x = ox * g->stride + kx - g->padding;
        if (y < 0 || y >= g->h || x < 0 || x >= g->w)
            continue;
        float code = from_bf16(X[place_of(in, image, channel, y * g->w + x)]);
        sum += (int64_t)W[f * g->c * g->size * g->size + k] * (int64_t)code;
    }
    return sum;
}

static void expect_sums(const struct conv *g, int n, const uint16_t *X, const float *W,
                        const float *scale, const float *Y) {
    struct blocked in = blocked_shape(n, (struct shape){g->c, g->h, g->w});
    struct blocked out = blocked_shape(n, (struct shape){g->filters, g->out_h, g->out_w});
    int pixels = g->out_h * g->out_w;
    for (int i = 0; i < n * g->filters * pixels; i++) {
        int pixel = i % pixels, f = i / pixels % g->filters, image = i / (pixels * g->filters);
        int64_t sum = sum_at(g, &in, X, W, image, f, pixel / g->out_w, pixel % g->out_w);
        assert_true(Y[place_of(&out, image, f, pixel)] == scale[f] * (float)sum);
    }
}

static void compare_forward(struct onednn *o, struct random *r) {
    struct conv g = draw_geometry(r);
    int most = g.c * g.size * g.size * 255 * 255 < 1 << 24 ? 255 : 200;
    int weights = g.filters * g.c * g.size * g.size, n = 2;
    struct blocked in = blocked_shape(n, (struct shape){g.c, g.h, g.w});
    struct blocked out = blocked_shape(n, (struct shape){g.filters, g.out_h, g.out_w});
    uint16_t *X = need_aligned(blocked_size(&in), 2);
    float *W = need_aligned((size_t)weights, 4), *Y = need_aligned(blocked_size(&out), 4);
    float *scale = need_aligned(32, 4);
    for (size_t i = 0; i < blocked_size(&in); i++)
        X[i] = to_bf16((float)values_between(r, 0, most / 4));
    for (int i = 0; i < weights; i++)
        W[i] = (float)values_between(r, -most, most);
    values_draw(r, scale, 32, 0, .001f);
    struct conv_form form = {.operands = CONV_INTEGERS};
    struct onednn_conv *c = onednn_conv_new(o, &g, n, &form);
    assert_non_null(c);
    onednn_conv_weights(c, W);
    onednn_conv_forward(c, X, scale, Y);
    expect_sums(&g, n, X, W, scale, Y);
    onednn_conv_free(c);
    free(X);
    free(W);
    free(Y);
    free(scale);
}

static void forward_rounds_no_operand(void **state) {
    (void)state;
    struct random r = random_stream(43, RANDOM_TEST, 0, 0);
    struct error e = {0};
    if (!onednn_has_bf16()) {
        print_message("# skipped: this machine has no bf16 arithmetic\n");
        skip();
    }
    struct onednn *o = onednn_open(1, &e);
    for (int i = 0; i < 40; i++)
        compare_forward(o, &r);
    onednn_close(o);
}

/* ---- whole networks ---- */

/* Codes that are read by convolutions alone, by a convolution and an addition, pooled; stride 2. */
static const char network[] =
    "[net]\n"
    "[convolutional]\nfilters=16\nsize=3\npad=1\nactivation=linear\n"
    "[batchnorm]\n[activation]\nactivation=relu\n"
    "[convolutional]\nfilters=32\nsize=3\nstride=2\npad=1\nactivation=relu\nbatch_normalize=1\n"
    "[convolutional]\nfilters=32\nsize=3\npad=1\nactivation=relu\nbatch_normalize=1\n"
    "[shortcut]\nfrom=-2\nactivation=linear\n"
    "[convolutional]\nfilters=32\nsize=1\nactivation=relu\nbatch_normalize=1\n"
    "[maxpool]\nsize=2\nstride=1\n"
    "[convolutional]\nfilters=20\nsize=3\nactivation=relu\nbatch_normalize=1\n"
    "[avgpool]\n"
    "[connected]\noutput=10\nactivation=linear\n"
    "[softmax]\n";

struct planned {
    struct net net;
    const struct engine *engine;
    struct program *program;
};

/* In fp32; `key` NULL: no setting but the scheme. */
static void build_with(struct planned *n, const char *scheme, const char *key, const char *value) {
    struct error e = {0};
    struct spec spec = net_spec(scheme);
    if (key)
        net_set(&spec, key, value);
    net_build(&n->net, &spec, network, "net.cfg", (struct shape){1, SIDE, SIDE}, CLASSES);
    n->engine = engine_at(0);
    n->program = n->engine->compile(n->net.m, IMAGES, 1, &e);
    if (!n->program)
        fail_msg("%s", e.text);
}

static void build(struct planned *n, const char *scheme, enum precision precision) {
    struct error e = {0};
    build_with(n, scheme, NULL, NULL);
    if (engine_use(n->engine, n->program, precision, &e))
        fail_msg("%s", e.text);
}

static void release(struct planned *n) {
    n->engine->free(n->program);
    net_free(&n->net);
}

enum { VALUES = IMAGES * SIDE * SIDE };
static float *images;
static uint16_t labels[IMAGES];

static int draw_images(void **state) {
    (void)state;
    struct random r = random_stream(44, RANDOM_TEST, 0, 0);
    images = need_aligned(VALUES, sizeof *images);
    values_draw(&r, images, VALUES, -2, 2);
    for (int i = 0; i < IMAGES; i++)
        labels[i] = (uint16_t)random_below(&r, CLASSES);
    return 0;
}

static int free_images(void **state) {
    (void)state;
    free(images);
    return 0;
}

/* Scores of `count` images in training mode, and the gradients of their loss. */
static void pass(struct planned *n, int k, int act_bits, int count, float *scores) {
    float dz[IMAGES * CLASSES], probabilities[IMAGES * CLASSES];
    float *scratch = need(model_largest_weights(n->net.m), sizeof *scratch);
    struct pass pass = {.mode = PASS_TRAIN, .point = {.bits = k, .act_bits = act_bits, .bank = k}};
    load_program(n->net.m, NULL, n->engine, n->program, &pass.point, scratch);
    const float *z = n->engine->forward(n->program, &pass, images, count);
    memcpy(scores, z, (size_t)(count * CLASSES) * sizeof *z);
    softmax(count, CLASSES, scores, probabilities);
    labels_gradient(count, CLASSES, probabilities, labels, 1, dz);
    n->engine->backward(n->program, dz);
    free(scratch);
}

static void expect_scores(const float *a, const float *b, int k) {
    float d[IMAGES * CLASSES];
    for (int i = 0; i < IMAGES * CLASSES; i++)
        d[i] = fabsf(a[i] - b[i]);
    values_sort(d, IMAGES * CLASSES);
    if (!(d[IMAGES * CLASSES / 2] <= score_tolerance))
        fail_msg("median difference of scores %g at %d bits", d[IMAGES * CLASSES / 2], k);
}

/* The largest |a - b| / |b| over the weights of all layers. */
static double worst_gradient(struct planned *a, struct planned *b) {
    double worst = 0;
    for (int i = 0; i < a->net.m->n_nodes; i++) {
        if (a->net.m->nodes[i].weights < 0)
            continue;
        const float *x = a->engine->weight_gradient(a->program, i);
        const float *y = b->engine->weight_gradient(b->program, i);
        size_t size = a->net.m->parameters[a->net.m->nodes[i].weights].n;
        worst = fmax(worst, values_distance(x, y, size) / values_distance(y, NULL, size));
    }
    return worst;
}

static int can_bf16(void) {
    struct planned n;
    struct error e = {0};
    build(&n, "truncquant", PRECISION_FP32);
    int can = !engine_use(n.engine, n.program, PRECISION_BF16, &e);
    assert_true(can || strstr(e.text, "--precision fp32"));
    assert_int_equal(can, onednn_has_bf16());
    release(&n);
    if (!can)
        print_message("# skipped: %s\n", e.text);
    return can;
}

static void convolutions_of_codes_are_over_integers(void **state) {
    (void)state;
    struct planned n;
    int integers = 0;
    if (!can_bf16())
        skip();
    build(&n, "truncquant", PRECISION_BF16);
    for (int i = 0; i < n.net.m->n_nodes; i++)
        integers += n.net.m->nodes[i].op == OP_CONV && n.engine->wants_integers(n.program, i);
    assert_int_equal(integers, 3); // all but the first and the one that reads an addition
    release(&n);
}

static void networks_agree_with_fp32(void **state) {
    (void)state;
    static float a[IMAGES * CLASSES], b[IMAGES * CLASSES];
    if (!can_bf16())
        skip();
    for (int p = PRECISION_BF16; p <= PRECISION_BF16_BACKWARD; p++)
        for (int k = 1; k <= 8; k *= 2) {
            struct planned plain, fast;
            build(&plain, "truncquant", PRECISION_FP32);
            build(&fast, "truncquant", (enum precision)p);
            pass(&plain, k, k, IMAGES, a);
            pass(&fast, k, k, IMAGES, b);
            assert_memory_not_equal(a, b, sizeof a); // it is another way of computing
            expect_scores(b, a, k);
            double worst = worst_gradient(&fast, &plain);
            if (!(worst <= (k >= 4 ? gradient_tolerance : flips_allowed)))
                fail_msg("gradient off by %g at %d bits in %s", worst, k, precision_names[p]);
            if (p == PRECISION_BF16_BACKWARD && !(worst > 1e-4))
                fail_msg("backward at %d bits is not in bf16: %g", k, worst);
            release(&plain);
            release(&fast);
        }
}

/* Bit for bit what fp32 computes, also behind a pass over integers. */
static void expect_same(const char *scheme, int k, int act_bits, int count) {
    static float a[IMAGES * CLASSES], b[IMAGES * CLASSES];
    struct planned plain, fast;
    build(&plain, scheme, PRECISION_FP32);
    build(&fast, scheme, PRECISION_BF16_BACKWARD);
    pass(&plain, k, act_bits, count, a);
    pass(&fast, 4, 4, IMAGES, b);
    pass(&fast, k, act_bits, count, b);
    assert_memory_equal(a, b, (size_t)(count * CLASSES) * sizeof *a);
    assert_true(worst_gradient(&fast, &plain) == 0);
    release(&plain);
    release(&fast);
}

static void what_is_not_of_integers_stays_in_fp32(void **state) {
    (void)state;
    if (!can_bf16())
        skip();
    expect_same("truncquant", FLOAT_BITS, FLOAT_BITS, IMAGES);
    expect_same("truncquant", FLOAT_BITS, 4, IMAGES);
    expect_same("truncquant", 4, FLOAT_BITS, IMAGES);
    expect_same("minmax", 4, 4, IMAGES); // has an offset
    expect_same("truncquant", 4, 4, IMAGES - 7);
}

static enum precision in_fact(const char *scheme, const char *key, const char *value,
                              enum precision asked) {
    struct planned n;
    struct error e = {0};
    build_with(&n, scheme, key, value);
    if (load_precision(&n.net.spec, n.net.m, n.engine, n.program, &asked, &e))
        fail_msg("%s", e.text);
    int integers = 0;
    for (int i = 0; i < n.net.m->n_nodes; i++)
        integers += n.engine->wants_integers && n.engine->wants_integers(n.program, i);
    assert_int_equal(integers > 0, asked != PRECISION_FP32);
    release(&n);
    return asked;
}

/* What is recorded is what is computed, not what was asked for. */
static void precision_is_that_in_fact(void **state) {
    (void)state;
    if (!can_bf16())
        skip();
    for (int p = PRECISION_FP32; p <= PRECISION_BF16_BACKWARD; p++) {
        enum precision asked = (enum precision)p, none = PRECISION_FP32;
        assert_int_equal(in_fact("truncquant", NULL, NULL, asked), asked);
        assert_int_equal(in_fact("lsq", NULL, NULL, asked), asked);
        assert_int_equal(in_fact("truncquant", "act_bits", "4", asked), asked);
        assert_int_equal(in_fact("truncquant", "widths", "4 32", asked), asked);
        assert_int_equal(in_fact("truncquant", "act_bits", "32", asked), none);
        assert_int_equal(in_fact("truncquant", "widths", "32", asked), none);
        assert_int_equal(in_fact("minmax", NULL, NULL, asked), none); // an offset
        assert_int_equal(in_fact("fp32", NULL, NULL, asked), none);
    }
}

/* What an activation wrote is there for who asks, though only its codes were written. */
static void peek_sees_activations(void **state) {
    (void)state;
    static float scores[IMAGES * CLASSES];
    struct planned plain, fast;
    int seen = 0;
    if (!can_bf16())
        skip();
    build(&plain, "truncquant", PRECISION_FP32);
    build(&fast, "truncquant", PRECISION_BF16_BACKWARD);
    pass(&plain, 4, 4, IMAGES, scores);
    pass(&fast, 4, 4, IMAGES, scores);
    for (int i = 1; i < plain.net.m->n_nodes; i++) {
        const struct node *n = &plain.net.m->nodes[i];
        if (n->op != OP_ACT)
            continue;
        size_t size = (size_t)(IMAGES * n->shape.c * n->shape.h * n->shape.w), differ = 0;
        const float *x = plain.engine->peek(plain.program, i),
                    *y = fast.engine->peek(fast.program, i);
        for (size_t j = 0; j < size; j++)
            differ += fabsf(x[j] - y[j]) > 1e-5f * (1 + fabsf(x[j]));
        if (differ > size / 500) // flipped codes
            fail_msg("node %d: %zu of %zu values differ", i, differ, size);
        seen++;
    }
    assert_true(seen >= 3);
    release(&plain);
    release(&fast);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_those_of_the_affine),
        cmocka_unit_test(rounding_is_to_nearest_even),
        cmocka_unit_test(forward_rounds_no_operand),
        cmocka_unit_test(convolutions_of_codes_are_over_integers),
        cmocka_unit_test(networks_agree_with_fp32),
        cmocka_unit_test(what_is_not_of_integers_stays_in_fp32),
        cmocka_unit_test(precision_is_that_in_fact),
        cmocka_unit_test(peek_sees_activations),
    };
    return cmocka_run_group_tests(tests, draw_images, free_images);
}
