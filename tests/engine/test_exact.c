/* Exact evaluation: the three arithmetics give the same scores to the bit, and those of the
 * reference engine but for flipped codes; codes cut by an arithmetic shift are the codes cut by the
 * scheme. */
#include "engine/load.h"
#include "evaluate/exact_threads.h"

#include "base/values.h"
#include "model/net.h"
#include "quant/layer.h"
#include "registry.h"
#include "train/trainer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 28, CLASSES = 10, IMAGES = EXACT_BATCH };

/* ---- the codes of a width ---- */

/* Where the scheme has a direct result at k bits, it is that of the latent weights' integers. */
static void compare_latent(const struct quantizer *q, const struct quant_layer *l, const float *W,
                           const float *params, int k) {
    float hat[64], mine[64];
    if (!quantizer_exists(q, &l->widths, l->stored_bits, k, 0))
        return;
    struct integers x = layer_latent_integers(q, l, W, params, k);
    layer_quantize(q, l, W, params, k, hat);
    layer_of_integers(l, &x, mine);
    for (size_t i = 0; i < l->n; i++)
        if (!(fabsf(mine[i] - hat[i]) <= 1e-6f))
            fail_msg("%s, latent at %d bits: %g instead of %g", q->name, k, mine[i], hat[i]);
    integers_free(&x);
}

/* Ŵ of integer_form is that of decode, and an arithmetic shift cuts the signed codes. */
static void compare_form(const struct quantizer *q, struct axes axes, int corrects,
                         struct random *r) {
    enum { N = 60, CHANNELS = 4 };
    struct quant_layer l = {.n = N,
                            .channels = CHANNELS,
                            .axes = axes,
                            .widths = {.n = 5, .bits = {1, 2, 4, 8, 32}},
                            .stored_bits = 8,
                            .corrects = corrects};
    float W[N], hat[N], mine[N], header[64], *params = NULL;
    uint8_t codes[N];
    for (int i = 0; i < N; i++)
        W[i] = random_unit(r) - 0.5f;
    if (q->n_params) {
        params = need(q->n_params(&l), sizeof *params);
        q->start_params(&l, W, params);
    }
    layer_encode(q, &l, W, params, 8, codes, header);
    struct integers stored = layer_integers(q, &l, codes, header, 8);
    for (int k = q->min_bits; k <= 8; k++) {
        struct integers cut = layer_integers(q, &l, codes, header, k);
        layer_decode(q, &l, codes, header, k, hat);
        layer_of_integers(&l, &cut, mine);
        for (int i = 0; i < N; i++) {
            assert_int_equal(cut.v[i], stored.v[i] >> (8 - k));
            assert_in_range(cut.form.factor * cut.v[i] + cut.form.odd + 256, 0, 512);
            if (!(fabsf(mine[i] - hat[i]) <= 1e-6f))
                fail_msg("%s at %d bits: %g instead of %g", q->name, k, mine[i], hat[i]);
        }
        compare_latent(q, &l, W, params, k);
        integers_free(&cut);
    }
    integers_free(&stored);
    free(params);
}

static void forms_are_what_decode_gives(void **state) {
    (void)state;
    struct random r = random_stream(33, RANDOM_TEST, 0, 0);
    int compared = 0;
    for (int i = 0; quantizer_registry[i]; i++) {
        const struct quantizer *q = quantizer_registry[i];
        struct axes axes = q->axes;
        if (!q->integer_form)
            continue;
        compare_form(q, axes, 0, &r);
        compared++;
        if (axes.range == RANGE_OWN)
            continue;
        if (axes.range == RANGE_TANH)
            compare_form(q, axes, 1, &r);
        for (int d = DEQUANT_ENDPOINT; d <= DEQUANT_LOW; d++) {
            axes.dequantizer = (enum dequantizer)d;
            axes.granularity = axes.range == RANGE_MINMAX ? PER_CHANNEL : PER_LAYER;
            axes.scale = axes.range == RANGE_TANH ? SCALE_POW2 : SCALE_MEAN;
            compare_form(q, axes, 0, &r);
        }
    }
    assert_true(compared >= 4);
}

/* ---- whole networks ---- */

/* Biases, pools of codes and of floats, groups, a quantized layer whose input is not, a linear
 * layer that reads a plane, projections and identity shortcuts. */
static const char mixed_network[] =
    "[net]\n"
    "[convolutional]\nfilters=12\nsize=3\npad=1\nactivation=relu\nbatch_normalize=1\n"
    "[maxpool]\nsize=2\nstride=2\n"
    "[convolutional]\nfilters=18\nsize=3\npad=1\nactivation=relu\n"
    "[convolutional]\nfilters=12\nsize=3\npad=1\ngroups=3\nactivation=linear\nbatch_normalize=1\n"
    "[convolutional]\nfilters=12\nsize=1\nactivation=leaky\nbatch_normalize=1\n"
    "[shortcut]\nfrom=-4\nactivation=relu\n"
    "[dropout]\nprobability=0.3\n"
    "[maxpool]\nsize=3\nstride=3\n"
    "[connected]\noutput=30\nactivation=relu\n"
    "[connected]\noutput=10\nactivation=linear\n"
    "[softmax]\n";

static const struct shape input = {1, SIDE, SIDE};

static int has(const struct net *n, int k) {
    return quantizer_exists(n->m->quantizer, &n->spec.widths, (int)n->spec.stored_bits, k, 0);
}

static struct spec spec_of(const char *scheme, const char *dequantizer) {
    struct spec spec = net_spec(scheme);
    if (dequantizer)
        net_set(&spec, "dequantizer", dequantizer);
    if (quantizer_find(quantizer_registry, scheme)->has_direct) // lsq has no other widths than B
        spec.widths = (struct widths){9, {1, 2, 3, 4, 5, 6, 7, 8, 32}};
    return spec;
}

enum { VALUES = IMAGES * SIDE * SIDE };
static float *images;

static int draw_images(void **state) {
    (void)state;
    struct random r = random_stream(34, RANDOM_TEST, 0, 0);
    images = need_aligned(VALUES, sizeof *images);
    values_draw(&r, images, VALUES, -2, 2);
    return 0;
}

static int free_images(void **state) {
    (void)state;
    free(images);
    return 0;
}

typedef float scores[8][IMAGES * CLASSES]; // by k - 1

/* Scores of the reference engine; its statistics become the running ones first. */
static void reference_scores(struct net *n, scores want) {
    struct error e = {0};
    struct program *p = engine_reference.compile(n->m, IMAGES, 1, &e);
    float *scratch = need(model_largest_weights(n->m), sizeof *scratch);
    for (int b = n->m->widths.n - 1; b >= 0; b--) {
        int k = n->m->widths.bits[b] > 8 ? 8 : n->m->widths.bits[b];
        if (!has(n, k))
            continue;
        struct pass pass = {.mode = PASS_CALIBRATE,
                            .point = {.bits = k, .act_bits = k, .bank = n->m->widths.bits[b]},
                            .momentum = 1};
        load_program(n->m, NULL, &engine_reference, p, &pass.point, scratch);
        engine_reference.forward(p, &pass, images, IMAGES);
    }
    for (int k = 1; k <= 8; k++) {
        if (!has(n, k))
            continue;
        struct pass pass = {.mode = PASS_EVALUATE, .point = {.bits = k, .act_bits = k, .bank = k}};
        load_program(n->m, NULL, &engine_reference, p, &pass.point, scratch);
        memcpy(want[k - 1], engine_reference.forward(p, &pass, images, IMAGES), sizeof want[0]);
    }
    free(scratch);
    engine_reference.free(p);
}

static void exact_scores(struct net *n, int threads, enum arithmetic a, scores got) {
    struct error e = {0};
    struct exact_threads x;
    if (exact_start(&x, engine_at(0), n->m, NULL, threads, a, &e))
        fail_msg("%s", e.text);
    int half = IMAGES / 2 + 1; // a last partial batch, behind another one
    for (int k = 1; k <= 8; k++) {
        if (!has(n, k))
            continue;
        struct point point = {.bits = k, .act_bits = k, .bank = k};
        assert_true(exact_covers(&x, &point));
        exact_set_weights(&x, &point);
        x.team.at = k % x.team.sizes; // all of the threads, or fewer
        for (int first = 0; first < IMAGES; first += half) {
            int now = IMAGES - first < half ? IMAGES - first : half;
            const float *z = exact_forward(&x, &point, images + first * SIDE * SIDE, now);
            memcpy(got[k - 1] + first * CLASSES, z, (size_t)(now * CLASSES) * sizeof *z);
        }
    }
    exact_free(&x);
}

static const double tolerance = 2e-5; // median over the scores, which are of about 1
static const double flipped = 0.05;   // of a score, by a flipped code, in networks this shallow

static void expect_near(const float *a, const float *b, const char *name, int k) {
    float difference[IMAGES * CLASSES];
    for (int i = 0; i < IMAGES * CLASSES; i++)
        difference[i] = fabsf(a[i] - b[i]);
    values_sort(difference, IMAGES * CLASSES);
    float median = difference[IMAGES * CLASSES / 2], most = difference[IMAGES * CLASSES - 1];
    if (!(median <= tolerance) || !(most <= flipped))
        fail_msg("%s at %d bits: median difference %g, largest %g", name, k, median, most);
}

static void compare_scores(struct net *n) {
    static scores want, got[3];
    reference_scores(n, want);
    for (int a = ARITHMETIC_FP32; a <= ARITHMETIC_INT8; a++) {
        exact_scores(n, 1 + a % 2, (enum arithmetic)a, got[a]);
        assert_memory_equal(got[a], got[0], sizeof got[a]);
    }
    for (int k = 1; k <= 8; k++)
        if (has(n, k))
            expect_near(got[0][k - 1], want[k - 1], n->cfg.path, k);
    net_free(n);
}

static void networks_agree(void **state) {
    (void)state;
    const char *const schemes[][2] = {
        {"truncquant", NULL}, {"qat", "midpoint"},       {"truncquant", "low"}, {"minmax", NULL},
        {"matquant", NULL},   {"double-rounding", NULL}, {"lsq", NULL}};
    if (!engine_at(0)->exact)
        skip();
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        struct net n;
        struct spec spec = spec_of(schemes[i][0], schemes[i][1]);
        net_build(&n, &spec, mixed_network, "mixed.cfg", input, CLASSES);
        compare_scores(&n);
        if (schemes[i][1]) // the axes are one formula: one network tells
            continue;
        net_build_file(&n, &spec, "experiments/networks/lenet.cfg", input, CLASSES);
        compare_scores(&n);
        net_build_file(&n, &spec, "experiments/networks/resnet8.cfg", input, CLASSES);
        compare_scores(&n);
    }
}

/* One quantized layer of `filters` channels behind as many. */
static const char *arithmetic_of(int channels, enum arithmetic a, int8_t v) {
    char text[512];
    struct error e = {0};
    struct net n;
    struct spec spec = spec_of("minmax", NULL);
    snprintf(text, sizeof text,
             "[net]\n[convolutional]\nfilters=%d\nsize=1\nactivation=relu\n"
             "[convolutional]\nfilters=1\nsize=3\npad=1\nactivation=linear\n"
             "[connected]\nactivation=linear\n[softmax]\n",
             channels);
    net_build(&n, &spec, text, "wide.cfg", input, CLASSES);
    const struct exact_engine *engine = engine_at(0)->exact;
    struct exact_program *p = engine->compile(n.m, 1, a, &e);
    assert_non_null(p);
    for (int i = 0; i < n.m->n_nodes; i++)
        if (n.m->nodes[i].quantized >= 0) {
            size_t size = n.m->parameters[n.m->nodes[i].weights].n;
            int8_t *codes = memset(need(size, 1), v, size);
            float unit = 1, offset = 0;
            struct integer_form form = {.factor = 1, .unit = &unit, .offset = &offset};
            engine->set_codes(p, i, 8, codes, &form);
            free(codes);
        }
    const char *name = engine->arithmetic(p);
    engine->free(p);
    net_free(&n);
    return name;
}

/* Float sums of large one-sided weights over many inputs may round; int8's never do. */
static void sums_that_could_round_are_told(void **state) {
    (void)state;
    if (!engine_at(0)->exact)
        skip();
    // 512 · 9 inputs of 255 and 14: below 2^24; and 15: above.
    assert_string_equal(arithmetic_of(512, ARITHMETIC_FP32, 14), "fp32-exact");
    assert_string_equal(arithmetic_of(512, ARITHMETIC_FP32, 15), "rounded");
    assert_string_equal(arithmetic_of(512, ARITHMETIC_FP32, -15), "rounded");
    assert_string_not_equal(arithmetic_of(16, ARITHMETIC_FP32, -128), "rounded");
    if (!strcmp(arithmetic_of(16, ARITHMETIC_INT8, 1), "int8"))
        assert_string_equal(arithmetic_of(512, ARITHMETIC_INT8, -128), "int8");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_what_decode_gives),
        cmocka_unit_test(networks_agree),
        cmocka_unit_test(sums_that_could_round_are_told),
    };
    return cmocka_run_group_tests(tests, draw_images, free_images);
}
