/* The kurtosis regulariser: known distributions, the twin, and central differences. */
#include "quant/kurtosis.h"

#include "base/random.h"
#include "twin/twin.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WEIGHTS = 90 };

static const double step = 1e-5, tolerance = 1e-6; // of the gradient's norm

static void known_distributions(void **state) {
    (void)state;
    enum { MANY = 20000 };
    static float W[MANY], dW[MANY];
    struct random r = random_stream(41, RANDOM_TEST, 0, 0);
    for (int i = 0; i < MANY; i++)
        W[i] = (float)i; // uniform
    assert_true(kurtosis_loss(MANY, W, 0, dW) < 1e-12);
    for (int i = 0; i < MANY; i++)
        W[i] = i % 2 ? 3 : 5; // two values: 1
    assert_true(fabs(kurtosis_loss(MANY, W, 0, dW) - .64) < 1e-12);
    for (int i = 0; i < MANY; i++) // normal: 3
        W[i] = 10 + sqrtf(-2 * logf(1 - random_unit(&r))) * cosf(6.2831853f * random_unit(&r));
    assert_true(fabs(kurtosis_loss(MANY, W, 0, dW) - 1.44) < .3);
}

static void all_equal_is_nothing(void **state) {
    (void)state;
    float W[WEIGHTS], dW[WEIGHTS] = {0};
    static const float values[] = {0, .25f, -1e-30f};
    for (int v = 0; v < 3; v++) {
        for (int i = 0; i < WEIGHTS; i++)
            W[i] = values[v];
        assert_true(kurtosis_loss(WEIGHTS, W, 1, dW) == 0);
    }
    for (int i = 0; i < WEIGHTS; i++)
        assert_true(dW[i] == 0);
}

static double apart(const double *a, const double *b) {
    double error = 0, norm = 0;
    for (int i = 0; i < WEIGHTS; i++) {
        error += pow(a[i] - b[i], 2);
        norm += b[i] * b[i];
    }
    return sqrt(error / norm);
}

/* Skewed, so that the third moment counts. */
static void its_gradient_is_that_of_central_differences(void **state) {
    (void)state;
    struct random r = random_stream(42, RANDOM_TEST, 0, 0);
    float W[WEIGHTS], dW[WEIGHTS] = {0};
    double wide[WEIGHTS], numeric[WEIGHTS], twin[WEIGHTS] = {0}, found[WEIGHTS];
    for (int i = 0; i < WEIGHTS; i++)
        wide[i] = W[i] = .3f * powf(random_unit(&r), 3);
    double loss = kurtosis_loss(WEIGHTS, W, .6, dW), right = twin_kurtosis(wide, WEIGHTS, .6, twin);
    assert_true(fabs(loss / right - 1) < tolerance);
    for (int i = 0; i < WEIGHTS; i++) {
        double at = wide[i];
        wide[i] = at + step;
        double above = twin_kurtosis(wide, WEIGHTS, 0, NULL);
        wide[i] = at - step;
        numeric[i] = .6 * (above - twin_kurtosis(wide, WEIGHTS, 0, NULL)) / (2 * step);
        wide[i] = at;
        found[i] = dW[i];
    }
    assert_true(apart(twin, numeric) < tolerance);
    assert_true(apart(found, numeric) < tolerance);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_distributions),
        cmocka_unit_test(all_equal_is_nothing),
        cmocka_unit_test(its_gradient_is_that_of_central_differences),
    };
    return cmocka_run_group_tests_name("kurtosis", tests, NULL, NULL);
}
