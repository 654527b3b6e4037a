/* Steps of training against the double-precision twin: the trainer's batch, passes of all widths,
 * losses and optimizer together, from one set of parameters to the next; and the learning rate
 * schedules. Each step starts from the trainer's own parameters, so that differences do not build
 * up, but the optimizer's moments are the twin's own from the first step on. */
#include "base/random.h"
#include "twin/scene.h"

#include "base/error.h"
#include "train/trainer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double step_tolerance = 1e-4;  // of what a step moves a parameter by
static const double value_rounding = 6e-8;  // of a parameter: its last bit
static const double loss_tolerance = 1e-6;  // relative
static const double rate_tolerance = 1e-12; // relative

enum { BATCH = 3, IMAGES = 7, EPOCHS = 3, STEPS_PER_EPOCH = 2 }; // the seventh image is dropped

/* Rounders off and float activations: trajectories without jumps. pow2 tells the widths apart. */
#define SMOOTH_TANH                                                                                \
    { RANGE_TANH, ROUND_IDENTITY, DEQUANT_ENDPOINT, SCALE_POW2, PER_LAYER }
#define LENET                                                                                      \
    .cfg = scene_lenet, .widths = {3, {2, 4, 32}}, .act_bits = FLOAT_BITS, .n = BATCH, .seed = 21

static const struct scene_plan recursive = {.name = "recursive", .axes = SMOOTH_TANH, LENET};

/* Every option that changes a step. */
static const struct scene_plan options[] = {
    {.name = "labels", .axes = SMOOTH_TANH, .distill = DISTILL_LABELS, LENET},
    {.name = "highest", .axes = SMOOTH_TANH, .distill = DISTILL_HIGHEST, LENET},
    {.name = "one bank", .axes = SMOOTH_TANH, .norm_bank = BANK_SHARED, LENET},
    {.name = "kurtosis", .axes = SMOOTH_TANH, .kurtosis = .5, LENET},
    {.name = "align", .axes = SMOOTH_TANH, .align = 500, LENET},
    {.name = "align, minmax",
     .axes = {RANGE_MINMAX, ROUND_IDENTITY, DEQUANT_ENDPOINT, SCALE_MEAN, PER_CHANNEL},
     .align = 500,
     LENET},
};
enum { OPTIONS = sizeof options / sizeof *options };

struct run {
    struct scene s;
    struct dataset data;
    uint8_t pixels[IMAGES * SCENE_CHANNELS * SCENE_SIDE * SCENE_SIDE];
    uint16_t labels[IMAGES];
    struct program *program;
    struct trainer trainer;
    double **first, **second; // the twin's moments, by parameter
};

static void draw_data(struct run *r) {
    struct random random = random_stream(22, RANDOM_TEST, 0, 0);
    for (size_t i = 0; i < sizeof r->pixels; i++)
        r->pixels[i] = (uint8_t)random_below(&random, 256);
    for (int i = 0; i < IMAGES; i++)
        r->labels[i] = (uint16_t)random_below(&random, SCENE_CLASSES);
    r->data = (struct dataset){.name = "random",
                               .shape = {SCENE_CHANNELS, SCENE_SIDE, SCENE_SIDE},
                               .classes = SCENE_CLASSES,
                               .split = {{IMAGES, r->pixels, r->labels}},
                               .mean = {.5f, .4f, .6f},
                               .deviation = {.3f, .25f, .35f}};
}

static double **moments(const struct model *m) {
    double **x = need((size_t)m->n_parameters, sizeof *x);
    for (int i = 0; i < m->n_parameters; i++)
        x[i] = need(m->parameters[i].n, sizeof **x);
    return x;
}

static void start(struct run *r, const struct scene_plan *plan, enum optimizer_kind kind,
                  enum schedule schedule) {
    struct error e = {0};
    scene_open(&r->s, plan);
    scene_draw(&r->s, 0, 0);
    draw_data(r);
    struct spec *spec = &r->s.spec;
    spec->optimizer = (int)kind;
    spec->schedule = (int)schedule;
    spec->learning_rate = kind == OPTIMIZER_ADAM ? .02 : .1;
    spec->momentum = .9;
    spec->decay = .01;
    spec->milestones = (struct reals){2, {.3, .7}};
    spec->gamma = .1;
    spec->batch = BATCH;
    spec->epochs = EPOCHS;
    spec->act_bits = FLOAT_BITS;
    spec->distill = (int)plan->distill;
    spec->align = plan->align;
    spec->kurtosis = plan->kurtosis;
    spec->width_weight = (struct reals){3, {1, .75, .5}}; // as the scene's step has them
    r->program = engine_reference.compile(r->s.model, BATCH, 1, &e);
    if (trainer_start(&r->trainer, spec, &r->data, r->s.model, &engine_reference, r->program, &e))
        fail_msg("%s", e.text);
    r->first = moments(r->s.model);
    r->second = moments(r->s.model);
}

static void end(struct run *r) {
    scene_free(&r->s, r->first);
    scene_free(&r->s, r->second);
    trainer_free(&r->trainer);
    engine_reference.free(r->program);
    scene_close(&r->s);
}

/* The twin's step on the batch that the trainer has loaded. */
static void twin_step(struct run *r, long step) {
    struct twin *t = r->s.twin;
    const struct spec *spec = &r->s.spec;
    for (size_t i = 0; i < BATCH * twin_size(r->s.cfg.input); i++)
        r->s.wide[i] = r->trainer.images[i];
    memcpy(r->s.labels, r->trainer.labels, BATCH * sizeof(uint16_t));
    twin_gradient(t, &r->s.step);
    double rate = twin_learning_rate(spec, (double)(step - 1) / (EPOCHS * STEPS_PER_EPOCH));
    for (int i = 0; i < r->s.model->n_parameters; i++) {
        size_t n = r->s.model->parameters[i].n;
        if (spec->optimizer == OPTIMIZER_ADAM)
            twin_adam(t->value[i], t->grad[i], r->first[i], r->second[i], n, step, rate,
                      spec->decay);
        else
            twin_sgd(t->value[i], t->grad[i], r->first[i], n, rate, spec->momentum, spec->decay);
    }
}

/* How far the trainer's new value is from the twin's, against how far the twin moved. */
static void compare(const struct run *r, double **before, long step) {
    for (int i = 0; i < r->s.model->n_parameters; i++) {
        const struct parameter *p = &r->s.model->parameters[i];
        double error = 0, moved = 0, size = 0;
        for (size_t j = 0; j < p->n; j++) {
            double value = r->s.twin->value[i][j];
            error += pow(p->value[j] - value, 2);
            moved += pow(value - before[i][j], 2);
            size += value * value;
        }
        if (!(sqrt(error) <= step_tolerance * sqrt(moved) + value_rounding * sqrt(size)))
            fail_msg("%s, step %ld, %s: off by %g of a move of %g", r->s.plan.name, step, p->name,
                     sqrt(error), sqrt(moved));
    }
}

static void take_step(struct run *r, long step) {
    struct error e = {0};
    double **before = moments(r->s.model);
    twin_read(r->s.twin);
    for (int i = 0; i < r->s.model->n_parameters; i++)
        memcpy(before[i], r->s.twin->value[i], r->s.model->parameters[i].n * sizeof(double));
    if (trainer_step(&r->trainer, &e))
        fail_msg("%s", e.text);
    twin_step(r, step);
    compare(r, before, step);
    int highest = r->s.plan.widths.n - 1;
    if (r->trainer.step == 1) { // of an epoch: the sums are this step's
        double loss = r->trainer.tally[highest].loss / BATCH;
        double expected = r->s.twin->width[highest].loss;
        assert_true(fabs(loss - expected) <= loss_tolerance * expected);
    }
    scene_free(&r->s, before);
}

static void train(const struct scene_plan *plan, enum optimizer_kind kind, enum schedule schedule) {
    struct run *r = need(1, sizeof *r);
    start(r, plan, kind, schedule);
    for (long step = 1; step <= EPOCHS * STEPS_PER_EPOCH; step++)
        take_step(r, step);
    assert_true(trainer_is_done(&r->trainer));
    end(r);
    free(r);
}

static void adam_steps(void **state) {
    (void)state;
    train(&recursive, OPTIMIZER_ADAM, SCHEDULE_COSINE);
}

static void sgd_steps(void **state) {
    (void)state;
    train(&recursive, OPTIMIZER_SGD, SCHEDULE_STEP);
}

static void steps_with_each_option(void **state) {
    (void)state;
    for (int i = 0; i < OPTIONS; i++)
        train(&options[i], OPTIMIZER_SGD, SCHEDULE_COSINE);
}

static void schedules(void **state) {
    (void)state;
    struct spec spec;
    enum { STEPS = 200 };
    spec_defaults(&spec);
    spec.learning_rate = .3;
    spec.gamma = .2;
    spec.milestones = (struct reals){3, {.5, .75, .9}};
    for (spec.schedule = SCHEDULE_STEP; spec.schedule <= SCHEDULE_CONSTANT; spec.schedule++)
        for (int step = 0; step < STEPS; step++) {
            double expected = twin_learning_rate(&spec, (double)step / STEPS);
            double rate = schedule_rate(&spec, step, STEPS);
            if (!(fabs(rate - expected) <= rate_tolerance * spec.learning_rate))
                fail_msg("schedule %d, step %d: %g, not %g", spec.schedule, step, rate, expected);
        }
    spec.schedule = SCHEDULE_STEP; // by hand: the milestone's own step is behind it
    assert_true(schedule_rate(&spec, 99, STEPS) == .3);
    assert_true(fabs(schedule_rate(&spec, 100, STEPS) - .06) < 1e-15);
    spec.schedule = SCHEDULE_COSINE;
    assert_true(fabs(schedule_rate(&spec, 100, STEPS) - .15) < 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adam_steps),
        cmocka_unit_test(sgd_steps),
        cmocka_unit_test(steps_with_each_option),
        cmocka_unit_test(schedules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
