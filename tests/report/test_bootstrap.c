/* The interval of the bootstrap, to the bit that of a twin which sorts all resamples. */
#include "report/bootstrap.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RESAMPLES = 10000, MOST = 40 };

static int ascending(const void *a, const void *b) {
    double l = *(const double *)a, r = *(const double *)b;
    return (l > r) - (l < r);
}

/* The 251st and the 251st but last of all resamples. */
static void twin(const double *points, const double *reference, int n, double interval[2]) {
    static double sorted[RESAMPLES];
    struct random stream = random_stream(1, RANDOM_BOOTSTRAP, 0, 0);
    for (int i = 0; i < RESAMPLES; i++) {
        double sums[2] = {0};
        for (int draw = 0; draw < n; draw++) {
            uint32_t seed = random_below(&stream, (uint32_t)n);
            sums[0] += points[seed];
            sums[1] += reference[seed];
        }
        sorted[i] = sums[1] > 0 ? 1 - sums[0] / sums[1] : -INFINITY;
    }
    qsort(sorted, RESAMPLES, sizeof *sorted, ascending);
    interval[0] = sorted[250];
    interval[1] = sorted[9749];
}

static void assert_twins(const double *points, const double *reference, int n) {
    double interval[2], expected[2];
    bootstrap_reduction(points, reference, n, interval);
    twin(points, reference, n, expected);
    assert_memory_equal(interval, expected, sizeof expected);
}

/* Few seeds give few values, many times over; many seeds as good as no two alike. */
static void any_number_of_seeds(void **state) {
    (void)state;
    double points[MOST], reference[MOST];
    struct random r = random_stream(1, RANDOM_TEST, 0, 0);
    for (int n = 2; n <= MOST; n += n < 6 ? 1 : 17) {
        for (int i = 0; i < n; i++) {
            points[i] = 8 * random_unit(&r);
            reference[i] = 20 + 10 * random_unit(&r);
        }
        assert_twins(points, reference, n);
    }
}

/* One value alone; and one end, or both, where the reference has nothing to lose. */
static void resamples_that_are_alike(void **state) {
    (void)state;
    const double same[] = {3, 3, 3}, some[] = {10, -4, 12}, none[] = {0, -1, 0};
    double interval[2];
    assert_twins(same, same, 3);
    assert_twins(same, some, 3);
    bootstrap_reduction(same, some, 3, interval);
    assert_true(isinf(interval[0]) && isfinite(interval[1]));
    assert_twins(same, none, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_seeds),
        cmocka_unit_test(resamples_that_are_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
