/* Adam and SGD against their formulas in double over several steps, and the schedules. */
#include "train/optimizer.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { N = 20011, STEPS = 5 }; // enough for threads to share them
static const double tolerance = 1e-6;

struct problem {
    float value[N], grad[N];
    struct parameter parameter;
    struct model model;
    struct spec spec;
};

static void start(struct problem *p, int kind) {
    struct random r = random_stream(2, RANDOM_TEST, 0, 0);
    *p = (struct problem){.parameter = {.n = N}, .spec = {.optimizer = kind}};
    p->parameter.value = p->value;
    p->parameter.grad = p->grad;
    p->model = (struct model){.n_parameters = 1, .parameters = &p->parameter};
    p->spec.momentum = 0.9;
    p->spec.decay = 0.01;
    for (int i = 0; i < N; i++)
        p->value[i] = 2 * random_unit(&r) - 1;
}

/* The gradient of step t: anything that changes. */
static float gradient(int i, int t) {
    return (float)sin(i + 3 * t);
}

static void adam_follows_its_formula(void **state) {
    (void)state;
    static struct problem p;
    start(&p, OPTIMIZER_ADAM);
    struct optimizer o = optimizer_new(&p.model, &p.spec);
    static double w[N], m[N], v[N];
    for (int i = 0; i < N; i++)
        w[i] = p.value[i];
    for (int t = 1; t <= STEPS; t++) {
        for (int i = 0; i < N; i++)
            p.grad[i] = gradient(i, t);
        optimizer_step(&o, &p.model, 0.05);
        for (int i = 0; i < N; i++) {
            double g = gradient(i, t) + 0.01 * w[i];
            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.999 * v[i] + 0.001 * g * g;
            w[i] -= 0.05 * m[i] / (1 - pow(0.9, t)) / (sqrt(v[i] / (1 - pow(0.999, t))) + 1e-8);
            assert_true(fabs(w[i] - p.value[i]) < tolerance);
        }
    }
    optimizer_free(&o);
}

static void sgd_follows_its_formula(void **state) {
    (void)state;
    static struct problem p;
    start(&p, OPTIMIZER_SGD);
    struct optimizer o = optimizer_new(&p.model, &p.spec);
    static double w[N], m[N];
    for (int i = 0; i < N; i++)
        w[i] = p.value[i];
    for (int t = 1; t <= STEPS; t++) {
        for (int i = 0; i < N; i++)
            p.grad[i] = gradient(i, t);
        optimizer_step(&o, &p.model, 0.05);
        for (int i = 0; i < N; i++) {
            m[i] = 0.9 * m[i] + gradient(i, t) + 0.01 * w[i];
            w[i] -= 0.05 * m[i];
            assert_true(fabs(w[i] - p.value[i]) < tolerance);
        }
    }
    assert_null(o.v);
    optimizer_free(&o);
}

static void step_schedule_divides_at_shares(void **state) {
    (void)state;
    struct spec s = {.schedule = SCHEDULE_STEP,
                     .learning_rate = 1,
                     .gamma = 0.1,
                     .milestones = {3, {0.5, 0.75, 0.9}}};
    const struct {
        int step;
        double rate;
    } expected[] = {{0, 1},    {49, 1},   {50, .1},   {74, .1},
                    {75, .01}, {89, .01}, {90, .001}, {99, .001}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(fabs(schedule_rate(&s, expected[i].step, 100) / expected[i].rate - 1) < 1e-12);
}

static void cosine_schedule_falls_from_start_to_nothing(void **state) {
    (void)state;
    struct spec s = {.schedule = SCHEDULE_COSINE, .learning_rate = 0.2};
    assert_true(fabs(schedule_rate(&s, 0, 100) - 0.2) < 1e-12);
    assert_true(fabs(schedule_rate(&s, 50, 100) - 0.1) < 1e-12);
    assert_true(fabs(schedule_rate(&s, 25, 100) - 0.1 * (1 + sqrt(0.5))) < 1e-12);
    assert_true(schedule_rate(&s, 99, 100) > 0 && schedule_rate(&s, 99, 100) < 1e-4);
}

static void constant_schedule_stays(void **state) {
    (void)state;
    struct spec s = {.schedule = SCHEDULE_CONSTANT, .learning_rate = 0.2};
    assert_true(schedule_rate(&s, 0, 9) == 0.2 && schedule_rate(&s, 8, 9) == 0.2);
}

/* Darknet's policy poly, and its burn_in, which counts batches from 1. */
static void poly_schedule_falls_by_its_power(void **state) {
    (void)state;
    struct spec s = {.schedule = SCHEDULE_POLY, .learning_rate = 0.2, .power = 4};
    assert_true(schedule_rate(&s, 0, 100) == 0.2);
    assert_true(fabs(schedule_rate(&s, 50, 100) - 0.2 / 16) < 1e-15);
    assert_true(fabs(schedule_rate(&s, 99, 100) - 0.2e-8) < 1e-18);
    s.power = 1;
    assert_true(fabs(schedule_rate(&s, 75, 100) - 0.05) < 1e-15);
}

static void a_warm_up_rises_to_the_schedule(void **state) {
    (void)state;
    struct spec s = {.schedule = SCHEDULE_CONSTANT, .learning_rate = 0.2, .power = 2, .warmup = .1};
    assert_true(fabs(schedule_rate(&s, 0, 100) - 0.2 / 100) < 1e-15);
    assert_true(fabs(schedule_rate(&s, 4, 100) - 0.2 / 4) < 1e-15);
    assert_true(fabs(schedule_rate(&s, 8, 100) - 0.2 * .81) < 1e-15);
    assert_true(schedule_rate(&s, 9, 100) == 0.2);
    s.schedule = SCHEDULE_POLY;
    assert_true(fabs(schedule_rate(&s, 50, 100) - 0.05) < 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adam_follows_its_formula),
        cmocka_unit_test(sgd_follows_its_formula),
        cmocka_unit_test(step_schedule_divides_at_shares),
        cmocka_unit_test(cosine_schedule_falls_from_start_to_nothing),
        cmocka_unit_test(constant_schedule_stays),
        cmocka_unit_test(poly_schedule_falls_by_its_power),
        cmocka_unit_test(a_warm_up_rises_to_the_schedule),
    };
    return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}
