/* The computation as a whole. The twin (twin/twin.h) is judged by central differences of its own
 * loss, the engines, quantizers and losses of the harness by the twin: scores, losses, the gradient
 * of every parameter, running statistics. Everything is drawn away from kinks, so nothing is left
 * out of a comparison; and wrong rules are put into the twin on purpose, to see that the
 * comparisons notice. */
#include "twin/scene.h"

#include "base/error.h"
#include "baselines.h"
#include "train/optimizer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double difference_tolerance = 1e-6; // twin against central differences
static const double gradient_tolerance = 1e-4;   // engine against twin, of each parameter's norm
static const double score_tolerance = 1e-5;      // scores, outputs of nodes, running statistics
static const double kink = 1e-3;                 // nothing is nearer to a kink
static const double flip = 1e-6;                 // nor, with real rounders, to another code
static const double notice = 100;                // a wrong rule is off by so many tolerances

#ifdef __SANITIZE_ADDRESS__
#define VALUES "every 23rd parameter value"
enum { STRIDE = 23 };
#else
#define VALUES "every parameter value"
enum { STRIDE = 1 };
#endif

enum { LENET, RESNET, BOTTLENECK, ZOO, SHARED, FANOUT, CORRECTED, INVERTED, SMOOTH_PLANS };

// clang-format off
#define TANH(rounder, dequantizer, scale) {RANGE_TANH, rounder, dequantizer, scale, PER_LAYER}
#define MINMAX(rounder, dequantizer, granularity)                                                  \
    {RANGE_MINMAX, rounder, dequantizer, SCALE_MEAN, granularity}

/* Rounders off: every rule has to be the exact gradient. */
static const struct scene_plan smooth[SMOOTH_PLANS] = {
    [LENET] = {.name = "lenet", .cfg = scene_lenet, .n = 3, .seed = 1,
               .axes = TANH(ROUND_IDENTITY, DEQUANT_ENDPOINT, SCALE_MEAN),
               .widths = {3, {2, 4, 32}}, .act_bits = ACT_CLIP_ONLY},
    [RESNET] = {.name = "resnet", .cfg = scene_resnet, .n = 3, .seed = 2,
                .axes = TANH(ROUND_IDENTITY, DEQUANT_ENDPOINT, SCALE_POW2),
                .widths = {3, {1, 4, 32}}, .act_bits = ACT_CLIP_ONLY},
    [BOTTLENECK] = {.name = "bottleneck", .cfg = scene_bottleneck, .n = 4, .seed = 3,
                    .axes = TANH(ROUND_IDENTITY, DEQUANT_MIDPOINT, SCALE_MEAN),
                    .widths = {3, {2, 8, 32}}, .act_bits = ACT_CLIP_ONLY,
                    .shortcut_norm = NORM_SHARED, .distill = DISTILL_HIGHEST},
    [ZOO] = {.name = "zoo", .cfg = scene_zoo, .n = 3, .seed = 4,
             .axes = MINMAX(ROUND_IDENTITY, DEQUANT_ENDPOINT, PER_LAYER),
             .widths = {2, {3, 32}}, .act_bits = ACT_CLIP_ONLY, .distill = DISTILL_LABELS},
    [SHARED] = {.name = "resnet with a shared shortcut norm", .cfg = scene_resnet, .n = 2,
                .seed = 5, .axes = MINMAX(ROUND_IDENTITY, DEQUANT_LOW, PER_CHANNEL),
                .widths = {2, {2, 32}}, .act_bits = ACT_CLIP_ONLY,
                .projections = PROJECTIONS_QUANTIZED, .shortcut_norm = NORM_SHARED},
    [FANOUT] = {.name = "fan-out", .cfg = scene_fanout, .n = 2, .seed = 6,
                .axes = TANH(ROUND_IDENTITY, DEQUANT_LOW, SCALE_MEAN),
                .widths = {2, {8, 32}}, .act_bits = ACT_CLIP_ONLY},
    [CORRECTED] = {.name = "one bank, weights corrected", .cfg = scene_resnet, .n = 3, .seed = 7,
                   .axes = TANH(ROUND_IDENTITY, DEQUANT_LOW, SCALE_POW2),
                   .widths = {3, {2, 8, 32}}, .act_bits = ACT_CLIP_ONLY,
                   .norm_bank = BANK_SHARED},
    [INVERTED] = {.name = "inverted residuals", .cfg = scene_inverted, .n = 3, .seed = 8,
                  .axes = TANH(ROUND_IDENTITY, DEQUANT_ENDPOINT, SCALE_MEAN),
                  .widths = {3, {1, 4, 32}}, .act_bits = ACT_CLIP_ONLY},
};

#define OWN {RANGE_OWN, ROUND_OWN, DEQUANT_OWN, SCALE_MEAN, PER_LAYER}
enum { LSQ = 7, DOUBLE_ROUNDING };

/* Rounders on, of weights and activations. */
static const struct scene_plan rounded[] = {
    {.name = "truncquant", .cfg = scene_resnet, .n = 2, .seed = 11,
     .axes = TANH(ROUND_FLOOR, DEQUANT_ENDPOINT, SCALE_MEAN),
     .widths = {3, {1, 2, 32}}, .act_bits = 2},
    {.name = "qat", .cfg = scene_resnet, .n = 2, .seed = 12,
     .axes = TANH(ROUND_NEAREST, DEQUANT_ENDPOINT, SCALE_MEAN),
     .widths = {2, {2, 4}}, .act_bits = 4, .projections = PROJECTIONS_QUANTIZED},
    {.name = "adabits, power of two", .cfg = scene_resnet, .n = 2, .seed = 13,
     .axes = TANH(ROUND_FLOOR, DEQUANT_MIDPOINT, SCALE_POW2),
     .widths = {2, {3, 8}}, .act_bits = 8, .distill = DISTILL_LABELS},
    {.name = "minmax", .cfg = scene_resnet, .n = 2, .seed = 14,
     .axes = MINMAX(ROUND_NEAREST, DEQUANT_ENDPOINT, PER_LAYER),
     .widths = {2, {1, 5}}, .act_bits = 3},
    {.name = "low, per channel", .cfg = scene_resnet, .n = 2, .seed = 15,
     .axes = MINMAX(ROUND_FLOOR, DEQUANT_LOW, PER_CHANNEL),
     .widths = {2, {4, 32}}, .act_bits = 1, .distill = DISTILL_HIGHEST},
    {.name = "matquant", .cfg = scene_resnet, .n = 2, .seed = 16, .scheme = &quantizer_matquant,
     .axes = TANH(ROUND_OWN, DEQUANT_OWN, SCALE_MEAN),
     .widths = {4, {2, 4, 8, 32}}, .act_bits = 4},
    {.name = "matquant of 5 bits, power of two", .cfg = scene_resnet, .n = 2, .seed = 17,
     .scheme = &quantizer_matquant, .stored_bits = 5,
     .axes = TANH(ROUND_OWN, DEQUANT_OWN, SCALE_POW2), .widths = {2, {3, 5}}, .act_bits = 3},
    [LSQ] = {.name = "lsq", .cfg = scene_resnet, .n = 2, .seed = 18, .scheme = &quantizer_lsq,
     .axes = OWN, .widths = {4, {1, 2, 8, 32}}, .act_bits = 4},
    [DOUBLE_ROUNDING] = {.name = "double rounding", .cfg = scene_resnet, .n = 2, .seed = 19,
     .scheme = &quantizer_double_rounding, .axes = OWN, .widths = {3, {2, 4, 32}}, .act_bits = 4},
    {.name = "double rounding of 4 bits", .cfg = scene_resnet, .n = 2, .seed = 20, .stored_bits = 4,
     .scheme = &quantizer_double_rounding, .axes = OWN, .widths = {3, {2, 3, 4}}, .act_bits = 2,
     .projections = PROJECTIONS_QUANTIZED},
    {.name = "qat, one bank", .cfg = scene_resnet, .n = 2, .seed = 21,
     .axes = TANH(ROUND_NEAREST, DEQUANT_ENDPOINT, SCALE_MEAN),
     .widths = {3, {1, 4, 32}}, .act_bits = 4, .norm_bank = BANK_SHARED},
    {.name = "depthwise", .cfg = scene_inverted, .n = 2, .seed = 17,
     .axes = TANH(ROUND_FLOOR, DEQUANT_ENDPOINT, SCALE_MEAN),
     .widths = {2, {2, 32}}, .act_bits = 2},
};
// clang-format on
enum { ROUNDED_PLANS = sizeof rounded / sizeof *rounded };

static struct plan *compile(const struct engine *engine, struct scene *s, int batch) {
    struct error e = {0};
    struct plan *p = engine->compile(s->model, batch, 1, &e);
    if (!p)
        fail_msg("%s: %s", engine->name, e.text);
    return p;
}

static void report(const struct scene *s, const char *what, double error, double tolerance,
                   int parameter) {
    if (!(error <= tolerance))
        fail_msg("%s: %s is off by %g, more than %g%s%s", s->plan.name, what, error, tolerance,
                 parameter < 0 ? "" : ", worst in ",
                 parameter < 0 ? "" : s->model->parameters[parameter].name);
}

/* --- the twin against central differences
 * ------------------------------------------------------------ */

static double twin_error(struct scene *s, int *where) {
    twin_gradient(s->twin, &s->step);
    double **numeric = scene_differences(s, STRIDE);
    double error = scene_worst(s, s->twin->grad, numeric, where);
    scene_free(s, numeric);
    return error;
}

static void check_twin(const struct scene_plan *plan, double flip_margin) {
    struct scene s;
    scene_open(&s, plan);
    int where = -1;
    scene_draw(&s, kink, flip_margin);
    double error = twin_error(&s, &where);
    report(&s, "the twin's gradient", error, difference_tolerance, where);
    scene_close(&s);
}

static void twin_against_central_differences(void **state) {
    (void)state;
    for (int i = 0; i < SMOOTH_PLANS; i++)
        check_twin(&smooth[i], 0);
}

/* With real rounders the rule claims to be the gradient of the same formula in which û is u plus a
 * constant, and each activation its clip plus a constant. */
static void straight_through_is_what_it_says(void **state) {
    (void)state;
    for (int i = 0; i < ROUNDED_PLANS; i++)
        check_twin(&rounded[i], flip);
}

/* --- the engine against the twin
 * --------------------------------------------------------------------- */

struct result {
    double loss, scores, gradient, running; // how far off
    int parameter;                          // the worst
};

static double running_error(const struct scene *s) {
    double worst = 0;
    for (int i = 0; i < s->model->n_norms; i++) {
        const struct norm *norm = &s->model->norms[i];
        for (int b = 0; b < s->model->widths.n; b++) {
            int bank = norm->shared ? 0 : b;
            size_t n = (size_t)norm->channels;
            worst = fmax(worst, scene_distance(norm->mean[b], s->twin->norms[i].mean[bank], n));
            worst =
                fmax(worst, scene_distance(norm->variance[b], s->twin->norms[i].variance[bank], n));
        }
    }
    return worst;
}

static struct result compare_step(struct scene *s, const struct engine *engine, struct plan *p) {
    struct result r = {.parameter = -1};
    size_t scores = (size_t)s->plan.n * SCENE_CLASSES;
    float *logits[WIDTHS_MAX];
    for (int i = 0; i < s->plan.widths.n; i++)
        logits[i] = need(scores, sizeof(float));
    twin_read(s->twin);
    double expected = twin_gradient(s->twin, &s->step);
    r.loss = fabs(scene_engine(s, engine, p, logits) - expected) / expected;
    double **g = scene_gradients(s);
    r.gradient = scene_worst(s, g, s->twin->grad, &r.parameter);
    scene_free(s, g);
    for (int i = 0; i < s->plan.widths.n; i++) {
        r.scores = fmax(r.scores, scene_distance(logits[i], s->twin->width[i].logits, scores));
        free(logits[i]);
    }
    r.running = running_error(s);
    return r;
}

static void check_result(const struct scene *s, const struct result *r) {
    report(s, "the loss", r->loss, score_tolerance, -1);
    report(s, "the scores", r->scores, score_tolerance, -1);
    report(s, "the gradient", r->gradient, gradient_tolerance, r->parameter);
    report(s, "the running statistics", r->running, score_tolerance, -1);
}

/* Two steps, so that nothing of the first may linger; compiled for more images than come, and used
 * with all of them before. */
static void check_engine(const struct engine *engine, const struct scene_plan *plan,
                         double flip_margin) {
    struct scene_plan full = *plan;
    full.n += 2;
    struct scene s, other;
    scene_open(&s, plan);
    scene_open(&other, &full);
    struct plan *p = compile(engine, &s, full.n);
    s.plan.n = full.n; // a full batch of other images, whatever they are
    float *images = s.images, d_logits[16 * SCENE_CLASSES] = {1, -1, .5f};
    s.images = other.images;
    scene_forward(&s, engine, p, PASS_TRAIN, 0, 0);
    engine->backward(p, d_logits);
    s.images = images;
    s.plan.n = plan->n;
    scene_read_masks(&s, engine, p);
    scene_draw(&s, kink, flip_margin);
    for (int i = 0; i < 2; i++) {
        struct result r = compare_step(&s, engine, p);
        check_result(&s, &r);
    }
    engine->free(p);
    scene_close(&other);
    scene_close(&s);
}

static void engines_against_the_twin(void **state) {
    (void)state;
    for (int e = 0; engine_names[e]; e++)
        for (int i = 0; i < SMOOTH_PLANS; i++)
            check_engine(engine_find(engine_names[e]), &smooth[i], 0);
}

static void engines_against_the_twin_with_rounders(void **state) {
    (void)state;
    for (int e = 0; engine_names[e]; e++)
        for (int i = 0; i < ROUNDED_PLANS; i++)
            check_engine(engine_find(engine_names[e]), &rounded[i], flip);
}

static void engines_with_one_image(void **state) {
    (void)state;
    struct scene_plan plan = smooth[RESNET];
    plan.n = 1;
    for (int e = 0; engine_names[e]; e++)
        check_engine(engine_find(engine_names[e]), &plan, 0);
}

/* Three channels of constants: 0 and 1, where the clip's gradient passes and ReLU's at 0 does not,
 * and windows of equal values, of which Darknet pools the first. The fourth channel tells the
 * images apart. */
static void put_on_kinks(struct scene *s) {
    static const float bias[] = {0, 1, .5f};
    enum { CONSTANTS = sizeof bias / sizeof *bias };
    const struct node *first = &s->model->nodes[1];
    struct parameter *W = &s->model->parameters[first->weights];
    memset(W->value, 0, W->n / (size_t)first->shape.c * CONSTANTS * sizeof(float));
    memcpy(s->model->parameters[first->bias].value, bias, sizeof bias);
}

static void at_the_kinks_themselves(void **state) {
    (void)state;
    for (int e = 0; engine_names[e]; e++) {
        const struct engine *engine = engine_find(engine_names[e]);
        struct scene s;
        scene_open(&s, &smooth[LENET]);
        struct plan *p = compile(engine, &s, s.plan.n);
        scene_draw(&s, 0, 0);
        put_on_kinks(&s);
        struct result r = compare_step(&s, engine, p);
        check_result(&s, &r);
        const double *d_bias = s.twin->grad[s.model->nodes[1].bias];
        for (int i = 0; i < 4; i++) // or there would be nothing to compare
            assert_true(fabs(d_bias[i]) > 1e-3);
        engine->free(p);
        scene_close(&s);
    }
}

/* --- every node, in every mode
 * ----------------------------------------------------------------------- */

static int compare_nodes(struct scene *s, const struct engine *engine, struct plan *p) {
    int compared = 0;
    for (int i = 1; i < s->model->n_nodes; i++) {
        const float *out = engine->peek(p, i);
        size_t n = (size_t)s->plan.n * twin_size(s->model->nodes[i].shape);
        if (!out)
            continue;
        char name[64];
        model_node_name(s->model, i, name, sizeof name);
        report(s, name, scene_distance(out, s->twin->out[i], n), score_tolerance, -1);
        compared++;
    }
    return compared;
}

static void check_modes(const struct engine *engine, const struct scene_plan *plan) {
    static const enum pass_mode modes[] = {PASS_TRAIN, PASS_CALIBRATE, PASS_EVALUATE};
    struct scene s;
    scene_open(&s, plan);
    struct plan *p = compile(engine, &s, plan->n);
    scene_read_masks(&s, engine, p);
    scene_draw(&s, kink, 0);
    for (int m = 0; m < 3; m++)
        for (int place = 0; place < plan->widths.n; place++)
            for (int own = 0; own < 2; own++) {
                int bank = own ? place : s.model->spare;
                if (modes[m] == PASS_TRAIN && !own)
                    continue; // nothing is trained in the spare bank
                twin_read(s.twin);
                twin_forward(s.twin, modes[m], place, bank, s.step.act_bits[place], s.step.momentum,
                             s.wide);
                const float *scores = scene_forward(&s, engine, p, modes[m], place, bank);
                report(&s, "the scores",
                       scene_distance(scores, s.twin->width[place].logits,
                                      (size_t)plan->n * SCENE_CLASSES),
                       score_tolerance, -1);
                compare_nodes(&s, engine, p);
            }
    engine->free(p);
    scene_close(&s);
}

static void nodes_in_every_mode(void **state) {
    (void)state;
    for (int e = 0; engine_names[e]; e++)
        for (int i = 0; i < SMOOTH_PLANS; i++)
            check_modes(engine_find(engine_names[e]), &smooth[i]);
}

/* The scenes together have every operator, every activation but stair (kinked too densely to stay
 * away from), and in each of them quantized layers and activations that are clipped for them. */
static void scenes_leave_nothing_out(void **state) {
    (void)state;
    int ops[OPS] = {0}, activations[ACTIVATIONS] = {0};
    for (int i = 0; i < SMOOTH_PLANS; i++) {
        struct scene s;
        scene_open(&s, &smooth[i]);
        int clips = 0;
        for (int v = 0; v < s.model->n_nodes; v++) {
            const struct node *node = &s.model->nodes[v];
            ops[node->op]++;
            if (node->op == OP_ACT)
                activations[node->cfg->activation]++; // itself at 32 bits, whether or not it clips
                                                      // below
            clips += node->clips;
        }
        assert_true(s.model->n_quantized > 0 && clips > 0);
        int shared = 0;
        for (int v = 0; v < s.model->n_norms; v++)
            shared += s.model->norms[v].shared;
        assert_int_equal(shared > 0, smooth[i].shortcut_norm == NORM_SHARED ||
                                         smooth[i].norm_bank == BANK_SHARED);
        if (smooth[i].norm_bank == BANK_SHARED)
            assert_int_equal(shared, s.model->n_norms);
        assert_int_equal(smooth[i].widths.bits[smooth[i].widths.n - 1], FLOAT_BITS);
        scene_close(&s);
    }
    for (int i = 0; i < OPS; i++)
        if (!ops[i])
            fail_msg("no scene has operator %d", i);
    for (int i = 0; i < ACTIVATIONS; i++)
        if (!activations[i] && i != ACT_LINEAR && i != ACT_STAIR)
            fail_msg("no scene has activation %s", activation_name((enum activation)i));
}

/* --- wrong rules are noticed
 * ------------------------------------------------------------------------- */

static const struct {
    enum twin_rule rule;
    const char *name;
    const struct scene_plan *plan;
    int running; // where it has to show: in the running statistics, or in the gradient
} mutations[] = {
    {TWIN_MAX_CONSTANT, "max|t| taken as a constant", &smooth[LENET], 0},
    {TWIN_NO_TANH_SLOPE, "tanh' left out", &smooth[LENET], 0},
    {TWIN_SCALE_GRADIENT, "s differentiated", &smooth[LENET], 0},
    {TWIN_UNBIASED_NORM, "unbiased variance normalises", &smooth[RESNET], 0},
    {TWIN_BIASED_RUNNING, "biased variance kept", &smooth[RESNET], 1},
    {TWIN_CONSTANT_NORM, "batch statistics taken as constants", &smooth[RESNET], 0},
    {TWIN_CLIP_OPEN_TOP, "gradient above 1", &smooth[RESNET], 0},
    {TWIN_CLIP_MINUS_ONE, "gradient from -1", &smooth[RESNET], 0},
    {TWIN_CLIP_WIDE, "clip from -1 to 1", &smooth[LENET], 0},
    {TWIN_NO_FACTOR, "factor of the bias correction left out", &smooth[CORRECTED], 0},
    {TWIN_OVERWRITE_1X1, "a 1x1 convolution overwrites a skip's gradient", &smooth[BOTTLENECK], 0},
    {TWIN_STEP_UNSCALED, "a step's gradient as it is", &rounded[LSQ], 0},
    {TWIN_STEP_CODE, "the code alone as a step's gradient", &rounded[LSQ], 0},
    {TWIN_STEP_CODE, "the code alone as the one step's gradient", &rounded[DOUBLE_ROUNDING], 0},
    {TWIN_STEP_OPEN, "gradient outside the bounds of the codes", &rounded[LSQ], 0},
    {TWIN_STEP_OPEN, "gradient outside the bounds of all codes", &rounded[DOUBLE_ROUNDING], 0},
};

static double margin(const struct scene_plan *plan) {
    return plan->axes.rounder == ROUND_IDENTITY ? 0 : flip;
}

static void check_mutation(const struct engine *engine, size_t i) {
    struct scene s;
    scene_open(&s, mutations[i].plan);
    struct plan *p = compile(engine, &s, s.plan.n);
    scene_read_masks(&s, engine, p);
    scene_draw(&s, kink, margin(mutations[i].plan));
    s.twin->rules = mutations[i].rule;
    struct result r = compare_step(&s, engine, p);
    double error =
        mutations[i].running ? r.running / score_tolerance : r.gradient / gradient_tolerance;
    if (!(error > notice))
        fail_msg("%s: not noticed, only %g tolerances off", mutations[i].name, error);
    engine->free(p);
    scene_close(&s);
}

static void wrong_rules_are_noticed(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof mutations / sizeof *mutations; i++)
        check_mutation(&engine_reference, i);
}

/* The wrong gradients are noticed by central differences too; a wrong function (unbiased or wide)
 * is not a wrong gradient. */
static void wrong_gradients_fail_central_differences(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof mutations / sizeof *mutations; i++) {
        enum twin_rule rule = mutations[i].rule;
        if (rule == TWIN_UNBIASED_NORM || rule == TWIN_BIASED_RUNNING || rule == TWIN_CLIP_WIDE)
            continue;
        struct scene s;
        scene_open(&s, mutations[i].plan);
        scene_draw(&s, kink, margin(mutations[i].plan));
        s.twin->rules = rule;
        twin_gradient(s.twin, &s.step);
        double **numeric = scene_differences(&s, 5);
        double error = scene_worst(&s, s.twin->grad, numeric, NULL);
        if (!(error > notice * difference_tolerance))
            fail_msg("%s: not noticed, only %g off", mutations[i].name, error);
        scene_free(&s, numeric);
        scene_close(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        {"twin against central differences of " VALUES, twin_against_central_differences, NULL,
         NULL, NULL},
        {"straight-through rule against its statement, " VALUES, straight_through_is_what_it_says,
         NULL, NULL, NULL},
        cmocka_unit_test(engines_against_the_twin),
        cmocka_unit_test(engines_against_the_twin_with_rounders),
        cmocka_unit_test(engines_with_one_image),
        cmocka_unit_test(at_the_kinks_themselves),
        cmocka_unit_test(nodes_in_every_mode),
        cmocka_unit_test(scenes_leave_nothing_out),
        cmocka_unit_test(wrong_rules_are_noticed),
        cmocka_unit_test(wrong_gradients_fail_central_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
