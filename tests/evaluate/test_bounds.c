/* Measured bounds of clips: against sorting all values, and what every engine does with them. */
#include "evaluate/bounds.h"

#include "base/values.h"
#include "engine/load.h"
#include "engine/reference/ops.h"
#include "train/toy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCHES = 5, BATCH = 16 }; // the toy's 64 training images are wrapped around

static const double tolerance = 1e-6;

static void build(struct toy *t) {
    struct spec spec = toy_spec("ptq", 3, 2);
    spec.calibration = BATCHES;
    spec.act_bits = 4;
    spec.projections = PROJECTIONS_QUANTIZED;
    toy_build(t, &spec);
    toy_train(t, 5);
}

static void measure(struct toy *t) {
    struct error e = {0};
    if (bounds_measure(t->model, &t->spec, &t->data, &engine_reference, t->program, 1, &e))
        fail_msg("%s", e.text);
}

static size_t values_of(const struct node *n) {
    return (size_t)n->shape.c * (size_t)n->shape.h * (size_t)n->shape.w * BATCH;
}

/* The 99.9th percentile of a node's outputs over the batches, by sorting. */
static float by_sorting(struct toy *t, int node) {
    size_t n = values_of(&t->model->nodes[node]), all = n * BATCHES;
    float *values = need(all, sizeof *values), images[BATCH * 64];
    uint32_t order[TOY_TRAIN];
    uint16_t labels[BATCH];
    struct random r = random_stream(3, RANDOM_CALIBRATION, 0, 0);
    random_permutation(&r, order, TOY_TRAIN);
    struct pass pass = {.mode = PASS_EVALUATE,
                        .point = {.bits = FLOAT_BITS, .act_bits = FLOAT_BITS}};
    load_program(t->model, NULL, &engine_reference, t->program, &pass.point, t->trainer.weights);
    for (int i = 0; i < BATCHES; i++) {
        dataset_fill(
            &t->data,
            &(struct batch_request){
                .split = SPLIT_TRAIN, .order = order + i % 4 * BATCH, .n = BATCH, .channels = 1},
            images, labels);
        engine_reference.forward(t->program, &pass, images, BATCH);
        memcpy(values + (size_t)i * n, engine_reference.peek(t->program, node), n * sizeof(float));
    }
    values_sort(values, all);
    float found = values[(size_t)ceil(.999 * (double)all) - 1];
    free(values);
    return found;
}

/* `activation`: the network's own, which may go below 0. */
static void check_percentiles(enum activation activation) {
    struct toy t;
    int clips = 0;
    build(&t);
    for (int i = 0; i < t.cfg.n; i++)
        if (t.cfg.layers[i].activation == ACT_RELU)
            t.cfg.layers[i].activation = activation;
    measure(&t);
    for (int i = 0; i < t.model->n_nodes; i++) {
        const struct node *n = &t.model->nodes[i];
        if (!n->clips) {
            assert_true(n->bound == 1);
            continue;
        }
        clips++;
        assert_true(n->bound > 0 && n->bound != 1);
        assert_true(n->bound == by_sorting(&t, i));
    }
    assert_true(clips >= 2);
    toy_free(&t);
}

static void bounds_are_percentiles(void **state) {
    (void)state;
    check_percentiles(ACT_RELU);
    check_percentiles(ACT_LEAKY);
}

static void nothing_positive_has_no_range(void **state) {
    (void)state;
    struct toy t;
    build(&t);
    for (int c = 0; c < t.model->norms[0].channels; c++)
        t.model->norms[0].shift_of[0][c] = -1000;
    measure(&t);
    int zeros = 0;
    for (int i = 0; i < t.model->n_nodes; i++)
        zeros += t.model->nodes[i].clips && t.model->nodes[i].bound == 0;
    assert_true(zeros > 0);
    float out[3], in[3] = {-1, 0, 2};
    clip_bounded_forward(3, 4, 0, in, out);
    for (int i = 0; i < 3; i++)
        assert_true(out[i] == 0);
    in[0] = NAN;
    clip_bounded_forward(3, 4, 1.5f, in, out);
    assert_true(isnan(out[0]) && out[1] == 0 && out[2] == 1.5f);
    toy_free(&t);
}

/* c round(15 clip(x / c, 0, 1)) / 15 of what each clip reads; the same scores by every engine. */
static void check_clip(const struct node *n, const float *x, const float *y) {
    double c = n->bound;
    int clipped = 0;
    for (size_t i = 0; i < values_of(n); i++) {
        double a = 15 * fmin(fmax(x[i] / c, 0), 1);
        if (fabs(a - floor(a) - .5) > 1e-4) // not so near a tie
            assert_true(fabs(y[i] - c * rint(a) / 15) < tolerance * c);
        clipped += x[i] > c;
    }
    assert_true(clipped > 0);
}

static void check_engine(struct toy *t, const struct engine *engine, float *scores) {
    struct error e = {0};
    struct pass pass = {.mode = PASS_EVALUATE, .point = {.bits = 8, .act_bits = 4}};
    struct program *p = engine->compile(t->model, BATCH, 1, &e);
    load_program(t->model, NULL, engine, p, &pass.point, t->trainer.weights);
    const float *z = engine->forward(p, &pass, t->trainer.images, BATCH);
    memcpy(scores, z, BATCH * TOY_CLASSES * sizeof *scores);
    for (int i = 0; i < t->model->n_nodes; i++) {
        const struct node *n = &t->model->nodes[i];
        if (!n->clips)
            continue;
        float *x = need(values_of(n), sizeof *x);
        memcpy(x, engine->peek(p, n->in[0]), values_of(n) * sizeof *x);
        check_clip(n, x, engine->peek(p, i));
        free(x);
    }
    engine->free(p);
}

static void every_engine_clips_at_them(void **state) {
    (void)state;
    struct toy t;
    float scores[4][BATCH * TOY_CLASSES];
    build(&t);
    measure(&t);
    for (int i = 0; i < t.model->n_nodes; i++) // far below: many values are clipped
        t.model->nodes[i].bound *= t.model->nodes[i].clips ? .5f : 1;
    for (int e = 0; engine_at(e); e++) {
        check_engine(&t, engine_at(e), scores[e]);
        for (int i = 0; i < BATCH * TOY_CLASSES; i++)
            assert_true(fabsf(scores[e][i] - scores[0][i]) < 1e-3f);
    }
    toy_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_percentiles),
        cmocka_unit_test(nothing_positive_has_no_range),
        cmocka_unit_test(every_engine_clips_at_them),
    };
    return cmocka_run_group_tests_name("bounds", tests, NULL, NULL);
}
