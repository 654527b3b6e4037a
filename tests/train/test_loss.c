/* Softmax cross-entropy against its formula, its gradient against central differences, and the
 * ranks. */
#include "base/random.h"
#include "train/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { N = 3, CLASSES = 5 };
static const double value_tolerance = 1e-6, gradient_tolerance = 1e-4;

static float Z[N * CLASSES], P[N * CLASSES], T[N * CLASSES];
static const uint16_t labels[N] = {2, 0, 4};

static int draw(void **state) {
    (void)state;
    struct random r = random_stream(1, RANDOM_TEST, 0, 0);
    float other[N * CLASSES];
    for (int i = 0; i < N * CLASSES; i++) {
        Z[i] = 4 * random_unit(&r) - 2;
        other[i] = 4 * random_unit(&r) - 2;
    }
    softmax(N, CLASSES, Z, P);
    softmax(N, CLASSES, other, T);
    return 0;
}

static void softmax_is_a_distribution(void **state) {
    (void)state;
    for (int i = 0; i < N; i++) {
        double sum = 0, all = 0;
        for (int c = 0; c < CLASSES; c++)
            all += exp(Z[i * CLASSES + c]);
        for (int c = 0; c < CLASSES; c++) {
            sum += P[i * CLASSES + c];
            assert_true(fabs(P[i * CLASSES + c] - exp(Z[i * CLASSES + c]) / all) < value_tolerance);
        }
        assert_true(fabs(sum - 1) < value_tolerance);
    }
}

static void losses_follow_their_formulas(void **state) {
    (void)state;
    double hard = 0, soft = 0;
    for (int i = 0; i < N; i++) {
        hard -= log(P[i * CLASSES + labels[i]]);
        for (int c = 0; c < CLASSES; c++)
            soft -= T[i * CLASSES + c] * log(P[i * CLASSES + c]);
    }
    assert_true(fabs(cross_entropy_labels(N, CLASSES, Z, labels) - hard) < 1e-5);
    assert_true(fabs(cross_entropy_soft(N, CLASSES, Z, T) - soft) < 1e-5);
}

/* Central differences of the mean loss, times the weight. */
static double difference(int at, int soft) {
    const float h = 1e-2f;
    float kept = Z[at];
    double side[2];
    for (int s = 0; s < 2; s++) {
        Z[at] = kept + (s ? h : -h);
        side[s] = soft ? cross_entropy_soft(N, CLASSES, Z, T)
                       : cross_entropy_labels(N, CLASSES, Z, labels);
    }
    double width = (double)(kept + h) - (kept - h);
    Z[at] = kept;
    return (side[1] - side[0]) / width / N;
}

static void gradients_agree_with_differences(void **state) {
    (void)state;
    const float weight = 0.5f;
    float hard[N * CLASSES], soft[N * CLASSES];
    labels_gradient(N, CLASSES, P, labels, weight, hard);
    soft_gradient(N, CLASSES, P, T, weight, soft);
    for (int i = 0; i < N * CLASSES; i++) {
        assert_true(fabs(hard[i] - weight * difference(i, 0)) < gradient_tolerance);
        assert_true(fabs(soft[i] - weight * difference(i, 1)) < gradient_tolerance);
    }
}

static void large_scores_do_not_overflow(void **state) {
    (void)state;
    const float z[3] = {1000, 999, -1000};
    const uint16_t label = 1;
    assert_true(fabs(cross_entropy_labels(1, 3, z, &label) - (1 + log1p(exp(-1)))) < 1e-6);
}

static void no_number_stays_no_number(void **state) {
    (void)state;
    const uint16_t label = 0;
    for (int at = 0; at < 3; at++) {
        float z[3] = {0, 1, 2};
        z[at] = NAN;
        assert_true(isnan(cross_entropy_labels(1, 3, z, &label)));
    }
}

static void ranks_break_ties_by_class(void **state) {
    (void)state;
    const float z[6] = {1, 3, 3, 0, 2, 3};
    assert_true(is_in_top(z, 6, 1, 1));
    assert_false(is_in_top(z, 6, 2, 1)); // as good as class 1, but behind it
    assert_true(is_in_top(z, 6, 2, 2));
    assert_true(is_in_top(z, 6, 0, 5));
    assert_false(is_in_top(z, 6, 3, 5));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_is_a_distribution),
        cmocka_unit_test(losses_follow_their_formulas),
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(large_scores_do_not_overflow),
        cmocka_unit_test(no_number_stays_no_number),
        cmocka_unit_test(ranks_break_ties_by_class),
    };
    return cmocka_run_group_tests_name("loss", tests, draw, NULL);
}
