/* Exact inference: sums of integers are equal, bit for bit, to a plain loop in int64 for random
 * geometries; the passes behind them equal a value at a time; the three arithmetics give the same
 * scores to the bit, and those of the reference engine but for flipped codes; codes cut by an
 * arithmetic shift are the codes cut by the scheme; extreme codes saturate nowhere. */
#include "engine/load.h"
#include "engine/onednn/exact/passes.h"
#include "evaluate/exact.h"

#include "base/values.h"
#include "model/net.h"
#include "quant/layer.h"
#include "registry.h"
#include "train/trainer.h"

#ifdef HAVE_ONEDNN
#include "engine/onednn/exact/sums.h"
#endif

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 28, CLASSES = 10, IMAGES = EXACT_BATCH, ROUNDS = 60 };

/* ---- one convolution ---- */

static struct conv draw_geometry(struct random *r) {
    struct conv g = {.groups = values_between(r, 0, 3) ? 1 : values_between(r, 2, 4)};
    g.c = g.groups * values_between(r, 1, 24);
    g.filters = g.groups * values_between(r, 1, 20);
    g.size = 2 * values_between(r, 0, 2) + 1;
    g.stride = values_between(r, 1, 2);
    g.padding = values_between(r, 0, g.size / 2);
    g.h = values_between(r, g.size, 11);
    g.w = values_between(r, g.size, 11);
    g.out_h = (g.h + 2 * g.padding - g.size) / g.stride + 1;
    g.out_w = (g.w + 2 * g.padding - g.size) / g.stride + 1;
    return g;
}

/* Σ w x of one output, and Σ x, in int64. */
static int64_t sum_at(const struct conv *g, const uint8_t *X, const float *W, int image, int f,
                      int oy, int ox, int64_t *box) {
    int per = g->c / g->groups, first = f / (g->filters / g->groups) * per;
    int64_t sum = 0;
    *box = 0;
    for (int c = 0; c < per; c++)
        for (int ky = 0; ky < g->size; ky++)
            for (int kx = 0; kx < g->size; kx++) {
                int y = oy * g->stride + ky - g->padding, x = ox * g->stride + kx - g->padding;
                if (y < 0 || y >= g->h || x < 0 || x >= g->w)
                    continue;
                int code = X[((image * g->h + y) * g->w + x) * g->c + first + c];
                sum += (int64_t)W[((f * per + c) * g->size + ky) * g->size + kx] * code;
                *box += code;
            }
    return sum;
}

static void expect_box(const struct conv *g, int n, const uint8_t *X, const float *W) {
    size_t out = (size_t)(n * g->out_h * g->out_w * g->groups);
    int32_t *columns = need((size_t)(n * g->h * g->w * g->groups), 4), *box = need(out, 4);
    codes_box(g, n, X, columns, box);
    for (int i = 0; i < (int)out; i++) {
        int group = i % g->groups, p = i / g->groups;
        int64_t want;
        sum_at(g, X, W, p / (g->out_h * g->out_w), group * (g->filters / g->groups),
               p / g->out_w % g->out_h, p % g->out_w, &want);
        assert_int_equal(box[i], want);
    }
    free(columns);
    free(box);
}

#ifdef HAVE_ONEDNN
/* How large a weight may be, so that no sum passes what the arithmetic holds exactly. */
static int largest_weight(const struct conv *g, enum arithmetic a) {
    int most = a == ARITHMETIC_INT8 ? 127 : 255, inputs = g->c / g->groups * g->size * g->size;
    while (a != ARITHMETIC_INT8 && (int64_t)inputs * 255 * most >= 1 << 24)
        most /= 2;
    return most;
}

static void expect_sums(struct onednn *o, const struct conv *g, int n, const uint8_t *X,
                        const float *W, enum arithmetic a) {
    struct sum_conv *c = sum_conv_new(o, g, n, 1, a);
    if (!c) {
        assert_true(a != ARITHMETIC_FP32 || g->groups > 1); // the others have fp32 to fall back on
        return;
    }
    size_t out = (size_t)(n * g->out_h * g->out_w) * (size_t)g->filters;
    void *T = need_aligned(out, 4);
    sum_conv_weights(c, W);
    sum_conv_forward(c, X, T);
    for (int i = 0; i < (int)out; i++) {
        int f = i % g->filters, p = i / g->filters;
        int64_t box, want = sum_at(g, X, W, p / (g->out_h * g->out_w), f, p / g->out_w % g->out_h,
                                   p % g->out_w, &box);
        double got = a == ARITHMETIC_INT8 ? ((int32_t *)T)[i] : (double)((float *)T)[i];
        if (got != (double)want)
            fail_msg("%s: %g instead of %lld (c %d, filters %d, size %d)", arithmetic_names[a], got,
                     (long long)want, g->c, g->filters, g->size);
    }
    sum_conv_free(c);
    free(T);
}

/* `extreme`: codes and weights at their ends alone, which is where pairs of products saturate. */
static void compare_sums(struct onednn *o, struct random *r, int extreme) {
    struct conv g = draw_geometry(r);
    int n = values_between(r, 1, 3), weights = g.filters * (g.c / g.groups) * g.size * g.size;
    uint8_t *X = need_aligned((size_t)(n * g.h * g.w * g.c), 1);
    float *W = need_aligned((size_t)weights, sizeof *W);
    for (int a = ARITHMETIC_FP32; a <= ARITHMETIC_INT8; a++) {
        int most = largest_weight(&g, (enum arithmetic)a);
        for (int i = 0; i < n * g.h * g.w * g.c; i++)
            X[i] = (uint8_t)(extreme ? 255 : values_between(r, 0, 255));
        for (int i = 0; i < weights; i++)
            W[i] = (float)(extreme ? (i % 7 ? most : -most) : values_between(r, -most, most));
        expect_sums(o, &g, n, X, W, (enum arithmetic)a);
        expect_box(&g, n, X, W);
    }
    free(X);
    free(W);
}

static void sums_are_exact(void **state) {
    (void)state;
    struct error e = {0};
    struct random r = random_stream(31, RANDOM_TEST, 0, 0);
    struct onednn *o = onednn_open(1, &e);
    assert_non_null(o);
    for (int i = 0; i < ROUNDS; i++)
        compare_sums(o, &r, i % 4 == 0);
    onednn_close(o);
}

/* More inputs than int32 holds the sums of: int8 is refused, not wrong. */
static void sums_that_could_overflow_are_refused(void **state) {
    (void)state;
    struct error e = {0};
    struct onednn *o = onednn_open(1, &e);
    struct conv g = {.c = 32770,
                     .h = 1,
                     .w = 1,
                     .filters = 16,
                     .size = 1,
                     .stride = 1,
                     .groups = 1,
                     .out_h = 1,
                     .out_w = 1};
    assert_null(sum_conv_new(o, &g, 1, 1, ARITHMETIC_INT8));
    struct sum_conv *c = sum_conv_new(o, &g, 1, 1, ARITHMETIC_FP32);
    assert_non_null(c);
    sum_conv_free(c);
    onednn_close(o);
}
#endif

/* ---- the passes ---- */

static float value_at(const struct sums *s, size_t pixel, int c) {
    size_t i = pixel * (size_t)s->c + (size_t)c;
    int32_t box = s->box ? s->box[pixel * (size_t)s->groups + (size_t)(c / (s->c / s->groups))] : 0;
    float T = s->real ? s->real[i] : (float)(s->factor * s->whole[i] + s->odd * box);
    float value = s->a[c] * T + s->b[c];
    return s->o ? value + s->o[c] * (float)box : value;
}

/* Some sums of any kind; `real` or not, box or not, offset or not. */
static void draw_sums(struct random *r, struct sums *s, int kind) {
    s->groups = values_between(r, 1, 3);
    s->c = s->groups * values_between(r, 1, values_between(r, 0, 4) ? 40 : 400);
    s->pixels = (size_t)values_between(r, 1, 60);
    size_t n = s->pixels * (size_t)s->c, boxes = s->pixels * (size_t)s->groups;
    int32_t *whole = need(n, 4), *box = need(boxes, 4);
    float *real = need(n, 4), *all[3];
    for (int k = 0; k < 3; k++) {
        all[k] = need((size_t)s->c, 4);
        for (int c = 0; c < s->c; c++)
            all[k][c] = (random_unit(r) - 0.3f) / (k == 1 ? 1 : 4000);
    }
    for (size_t i = 0; i < n; i++)
        real[i] = (float)(whole[i] = values_between(r, -9000, 9000));
    for (size_t i = 0; i < boxes; i++)
        box[i] = values_between(r, 0, 5000);
    s->a = all[0];
    s->b = all[1];
    s->o = kind & 4 ? all[2] : NULL;
    s->real = kind & 1 ? real : NULL;
    s->whole = kind & 1 ? NULL : whole;
    s->box = kind & 2 || kind & 4 ? box : NULL;
    s->factor = values_between(r, 1, 2);
    s->odd = s->box ? values_between(r, 0, 1) : 0;
    if (s->real)
        free(whole);
    else
        free(real);
    if (!s->box)
        free(box);
    if (!s->o)
        free(all[2]);
}

static void free_sums(struct sums *s) {
    free((void *)s->real);
    free((void *)s->whole);
    free((void *)s->box);
    free((void *)s->a);
    free((void *)s->b);
    free((void *)s->o);
}

static void compare_passes(struct random *r, int kind) {
    struct sums s = {0};
    draw_sums(r, &s, kind);
    size_t n = s.pixels * (size_t)s.c;
    float *Y = need(n, 4), *B = need(n, 4), *sum = need(n, 4);
    uint8_t *codes = need(n, 1);
    int bits = values_between(r, 1, 8);
    for (size_t i = 0; i < n; i++)
        B[i] = random_unit(r);
    sums_to_floats(&s, Y);
    sums_add(&s, 2, 0.5f, B, sum);
    assert_int_equal(sums_to_codes(&s, bits, codes), 1);
    for (size_t i = 0; i < n; i++) {
        float want = value_at(&s, i / (size_t)s.c, (int)(i % (size_t)s.c)), code;
        clip_forward(1, bits, &want, &code);
        assert_true(Y[i] == want);
        assert_true(sum[i] == 2 * want + 0.5f * B[i]);
        assert_true((float)codes[i] == code * (float)((1 << bits) - 1));
    }
    codes_to_floats(n, bits, codes, sum);
    for (size_t i = 0; i < n; i++) {
        clip_forward(1, bits, &Y[i], &B[i]);
        assert_true(sum[i] == B[i]);
    }
    free(Y);
    free(B);
    free(sum);
    free(codes);
    free_sums(&s);
}

static void passes_equal_single_values(void **state) {
    (void)state;
    struct random r = random_stream(32, RANDOM_TEST, 0, 0);
    for (int i = 0; i < ROUNDS * 8; i++)
        compare_passes(&r, i % 8);
}

static void a_value_that_is_no_number_is_told(void **state) {
    (void)state;
    float real[40] = {0}, a[1] = {1}, b[1] = {0};
    uint8_t codes[40];
    struct sums s = {.pixels = 40, .c = 1, .real = real, .a = a, .b = b, .groups = 1};
    assert_int_equal(sums_to_codes(&s, 4, codes), 1);
    real[33] = NAN;
    assert_int_equal(sums_to_codes(&s, 4, codes), 0);
}

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
    return quantizer_exists(n->m->scheme, &n->spec.widths, (int)n->spec.stored_bits, k, 0);
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
    struct plan *p = engine_reference.compile(n->m, IMAGES, 1, &e);
    float *scratch = need(model_largest_weights(n->m), sizeof *scratch);
    for (int b = n->m->widths.n - 1; b >= 0; b--) {
        int k = n->m->widths.bits[b] > 8 ? 8 : n->m->widths.bits[b];
        if (!has(n, k))
            continue;
        struct pass pass = {.mode = PASS_CALIBRATE,
                            .point = {.bits = k, .act_bits = k, .bank = n->m->widths.bits[b]},
                            .momentum = 1};
        load_plan(n->m, NULL, &engine_reference, p, &pass.point, scratch);
        engine_reference.forward(p, &pass, images, IMAGES);
    }
    for (int k = 1; k <= 8; k++) {
        if (!has(n, k))
            continue;
        struct pass pass = {.mode = PASS_EVALUATE, .point = {.bits = k, .act_bits = k, .bank = k}};
        load_plan(n->m, NULL, &engine_reference, p, &pass.point, scratch);
        memcpy(want[k - 1], engine_reference.forward(p, &pass, images, IMAGES), sizeof want[0]);
    }
    free(scratch);
    engine_reference.free(p);
}

static void exact_scores(struct net *n, int threads, enum arithmetic a, scores got) {
    struct error e = {0};
    struct exact x;
    if (exact_start(&x, engine_find(engine_names[0]), n->m, NULL, threads, a, &e))
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
    if (!engine_find(engine_names[0])->inference)
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
    const struct inference_engine *engine = engine_find(engine_names[0])->inference;
    struct inference *p = engine->compile(n.m, 1, a, &e);
    assert_non_null(p);
    for (int i = 0; i < n.m->n_nodes; i++)
        if (n.m->nodes[i].quantizer >= 0) {
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
    if (!engine_find(engine_names[0])->inference)
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
#ifdef HAVE_ONEDNN
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(sums_that_could_overflow_are_refused),
#endif
        cmocka_unit_test(passes_equal_single_values),
        cmocka_unit_test(a_value_that_is_no_number_is_told),
        cmocka_unit_test(forms_are_what_decode_gives),
        cmocka_unit_test(networks_agree),
        cmocka_unit_test(sums_that_could_round_are_told),
    };
    return cmocka_run_group_tests(tests, draw_images, free_images);
}
