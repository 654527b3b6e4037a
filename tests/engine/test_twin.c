/* The computation as a whole: the engines, quantizers and losses of the harness are judged by the
 * twin (twin/twin.h; what judges it is twin/test_differences.c): scores, losses, the gradient of
 * every parameter, running statistics. Everything is drawn away from kinks, so nothing is left out
 * of a comparison; and wrong rules are put into the twin on purpose, to see that the comparisons
 * notice. */
#include "twin/plans.h"

#include "base/error.h"
#include "train/optimizer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double gradient_tolerance = 1e-4; // engine against twin, of each parameter's norm
static const double score_tolerance = 1e-5;    // scores, outputs of nodes, running statistics

static struct program *compile(const struct engine *engine, struct scene *s, int batch) {
    struct error e = {0};
    struct program *p = engine->compile(s->model, batch, 1, &e);
    if (!p)
        fail_msg("%s: %s", engine->name, e.text);
    return p;
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

static struct result compare_step(struct scene *s, const struct engine *engine, struct program *p) {
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
    scene_report(s, "the loss", r->loss, score_tolerance, -1);
    scene_report(s, "the scores", r->scores, score_tolerance, -1);
    scene_report(s, "the gradient", r->gradient, gradient_tolerance, r->parameter);
    scene_report(s, "the running statistics", r->running, score_tolerance, -1);
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
    struct program *p = compile(engine, &s, full.n);
    s.plan.n = full.n; // a full batch of other images, whatever they are
    float *images = s.images, d_logits[16 * SCENE_CLASSES] = {1, -1, .5f};
    s.images = other.images;
    scene_forward(&s, engine, p, PASS_TRAIN, 0, 0);
    engine->backward(p, d_logits);
    s.images = images;
    s.plan.n = plan->n;
    scene_read_masks(&s, engine, p);
    scene_draw(&s, plans_kink, flip_margin);
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
    for (int e = 0; engine_at(e); e++)
        for (int i = 0; i < SMOOTH_PLANS; i++)
            check_engine(engine_at(e), &plans_smooth[i], 0);
}

static void engines_against_the_twin_with_rounders(void **state) {
    (void)state;
    for (int e = 0; engine_at(e); e++)
        for (int i = 0; i < ROUNDED_PLANS; i++)
            check_engine(engine_at(e), &plans_rounded[i], plans_flip);
}

static void engines_with_one_image(void **state) {
    (void)state;
    struct scene_plan plan = plans_smooth[RESNET];
    plan.n = 1;
    for (int e = 0; engine_at(e); e++)
        check_engine(engine_at(e), &plan, 0);
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
    for (int e = 0; engine_at(e); e++) {
        const struct engine *engine = engine_at(e);
        struct scene s;
        scene_open(&s, &plans_smooth[LENET]);
        struct program *p = compile(engine, &s, s.plan.n);
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

static int compare_nodes(struct scene *s, const struct engine *engine, struct program *p) {
    int compared = 0;
    for (int i = 1; i < s->model->n_nodes; i++) {
        const float *out = engine->peek(p, i);
        size_t n = (size_t)s->plan.n * twin_size(s->model->nodes[i].shape);
        if (!out)
            continue;
        char name[64];
        model_node_name(s->model, i, name, sizeof name);
        scene_report(s, name, scene_distance(out, s->twin->out[i], n), score_tolerance, -1);
        compared++;
    }
    return compared;
}

static void check_modes(const struct engine *engine, const struct scene_plan *plan) {
    static const enum pass_mode modes[] = {PASS_TRAIN, PASS_CALIBRATE, PASS_EVALUATE};
    struct scene s;
    scene_open(&s, plan);
    struct program *p = compile(engine, &s, plan->n);
    scene_read_masks(&s, engine, p);
    scene_draw(&s, plans_kink, 0);
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
                scene_report(&s, "the scores",
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
    for (int e = 0; engine_at(e); e++)
        for (int i = 0; i < SMOOTH_PLANS; i++)
            check_modes(engine_at(e), &plans_smooth[i]);
}

/* The scenes together have every operator, every activation but stair (kinked too densely to stay
 * away from), and in each of them quantized layers and activations that are clipped for them. */
static void scenes_leave_nothing_out(void **state) {
    (void)state;
    int ops[OPS] = {0}, activations[ACTIVATIONS] = {0};
    for (int i = 0; i < SMOOTH_PLANS; i++) {
        struct scene s;
        scene_open(&s, &plans_smooth[i]);
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
        assert_int_equal(shared > 0, plans_smooth[i].shortcut_norm == NORM_SHARED ||
                                         plans_smooth[i].norm_bank == BANK_SHARED);
        if (plans_smooth[i].norm_bank == BANK_SHARED)
            assert_int_equal(shared, s.model->n_norms);
        assert_int_equal(plans_smooth[i].widths.bits[plans_smooth[i].widths.n - 1], FLOAT_BITS);
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

static void check_mutation(const struct engine *engine, int i) {
    struct scene s;
    scene_open(&s, plans_mutations[i].plan);
    struct program *p = compile(engine, &s, s.plan.n);
    scene_read_masks(&s, engine, p);
    scene_draw(&s, plans_kink, plans_margin(plans_mutations[i].plan));
    s.twin->rules = plans_mutations[i].rule;
    struct result r = compare_step(&s, engine, p);
    double error =
        plans_mutations[i].running ? r.running / score_tolerance : r.gradient / gradient_tolerance;
    if (!(error > plans_notice))
        fail_msg("%s: not noticed, only %g tolerances off", plans_mutations[i].name, error);
    engine->free(p);
    scene_close(&s);
}

static void wrong_rules_are_noticed(void **state) {
    (void)state;
    for (int i = 0; i < MUTATIONS; i++)
        check_mutation(&engine_reference, i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engines_against_the_twin),
        cmocka_unit_test(engines_against_the_twin_with_rounders),
        cmocka_unit_test(engines_with_one_image),
        cmocka_unit_test(at_the_kinks_themselves),
        cmocka_unit_test(nodes_in_every_mode),
        cmocka_unit_test(scenes_leave_nothing_out),
        cmocka_unit_test(wrong_rules_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
