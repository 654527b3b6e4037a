/* The twin (twin.h) against central differences of its own loss. Everything is drawn away from
 * kinks, so nothing is left out; and wrong rules are put into the twin on purpose, to see that the
 * differences notice. No engine takes part. */
#include "twin/plans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const double difference_tolerance = 1e-6;

#ifdef __SANITIZE_ADDRESS__
#define VALUES "every 23rd parameter value"
enum { STRIDE = 23 };
#else
#define VALUES "every parameter value"
enum { STRIDE = 1 };
#endif

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
    scene_draw(&s, plans_kink, flip_margin);
    double error = twin_error(&s, &where);
    scene_report(&s, "the twin's gradient", error, difference_tolerance, where);
    scene_close(&s);
}

static void twin_against_central_differences(void **state) {
    (void)state;
    for (int i = 0; i < SMOOTH_PLANS; i++)
        check_twin(&plans_smooth[i], 0);
}

/* With real rounders the rule claims to be the gradient of the same formula in which û is u plus a
 * constant, and each activation its clip plus a constant. */
static void straight_through_is_what_it_says(void **state) {
    (void)state;
    for (int i = 0; i < ROUNDED_PLANS; i++)
        check_twin(&plans_rounded[i], plans_flip);
}

/* The wrong gradients are noticed by central differences too; a wrong function (unbiased or wide)
 * is not a wrong gradient. */
static void wrong_gradients_fail_central_differences(void **state) {
    (void)state;
    for (int i = 0; i < MUTATIONS; i++) {
        enum twin_rule rule = plans_mutations[i].rule;
        if (rule == TWIN_UNBIASED_NORM || rule == TWIN_BIASED_RUNNING || rule == TWIN_CLIP_WIDE)
            continue;
        struct scene s;
        scene_open(&s, plans_mutations[i].plan);
        scene_draw(&s, plans_kink, plans_margin(plans_mutations[i].plan));
        s.twin->rules = rule;
        twin_gradient(s.twin, &s.step);
        double **numeric = scene_differences(&s, 5);
        double error = scene_worst(&s, s.twin->grad, numeric, NULL);
        if (!(error > plans_notice * difference_tolerance))
            fail_msg("%s: not noticed, only %g off", plans_mutations[i].name, error);
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
        cmocka_unit_test(wrong_gradients_fail_central_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
