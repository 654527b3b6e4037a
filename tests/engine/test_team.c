/* How many threads take part, by simulated times: machines that are quiet, busy, or change; and
 * OpenMP's number of threads around a piece of work. */
#include "engine/team.h"

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const double piece = 0.06; // seconds of one on all threads of a quiet machine: a turn

/* Seconds of a piece by so many of `threads`, whose parts are computed one after another where
 * they are fewer. */
static double quiet(int threads, int size) {
    return piece * ((threads + size - 1) / size);
}

/* Another program has one of the cores: whoever uses all of them waits. */
static double busy(int threads, int size) {
    return quiet(threads, size) * (size == threads ? 2.6 : 1);
}

/* As they were measured: with much noise, and faster now and then. */
static double noisy(int threads, int size) {
    static const double noise[] = {1.3, 0.9, 1.6, 1, 1.2, 1.5, 0.85};
    static int at;
    return size == threads ? quiet(threads, 1) * noise[at++ % 7] : quiet(threads, size);
}

typedef double machine(int threads, int size);

/* The time of so many pieces. */
static double work(struct team *t, int pieces, machine *seconds) {
    double sum = 0;
    for (int i = 0; i < pieces; i++) {
        double s = seconds(t->threads, team_size(t));
        team_count(t, 1, s);
        sum += s;
    }
    return sum;
}

static void all_take_part_on_a_quiet_machine(void **state) {
    (void)state;
    for (int threads = 1; threads <= 16; threads++) {
        struct team t = team_of(threads);
        assert_int_equal(team_size(&t), threads);
        double warm = work(&t, 3, quiet), later = work(&t, 2000, quiet);
        assert_true(warm <= 4.01 * piece);
        assert_true(later <= 1.005 * 2000 * piece);
    }
}

static void fewer_take_part_on_a_busy_one(void **state) {
    (void)state;
    for (int threads = 2; threads <= 16; threads++) {
        struct team t = team_of(threads);
        work(&t, 4, busy);
        double fewer = quiet(threads, (threads + 1) / 2);
        double later = work(&t, 2000, busy);
        if (!(later <= 1.02 * 2000 * fewer))
            fail_msg("%d threads: %g times as long", threads, later / 2000 / fewer);
    }
}

static void noise_costs_little(void **state) {
    (void)state;
    struct team t = team_of(2);
    double one = 2000 * quiet(2, 1), two = work(&t, 2000, noisy);
    if (!(two <= 1.03 * one))
        fail_msg("%g times as long as one thread", two / one);
}

static void all_come_back(void **state) {
    (void)state;
    struct team t = team_of(4);
    for (int i = 0; i < 3; i++) {
        work(&t, 100, busy);
        work(&t, 150, quiet);
        assert_int_equal(t.home, 0);
        double s = work(&t, 100, quiet);
        assert_true(s <= 1.05 * 100 * piece);
        work(&t, 8, busy); // what is lost is seen at once, however rarely one looks
        assert_true(t.home > 0);
    }
}

/* Short pieces are looked at together. */
static void turns_are_long(void **state) {
    (void)state;
    struct team t = team_of(2);
    for (int i = 0; i < 3 * 50; i++) {
        assert_int_equal(team_size(&t), i < 2 * 50 ? 2 : 1);
        team_count(&t, 16, 0.00101);
    }
}

static void openmp_has_as_many(void **state) {
    (void)state;
    struct team t = team_of(4);
    omp_set_num_threads(4);
    for (t.at = 0; t.at < t.sizes; t.at++) {
        team_begin(&t);
        assert_int_equal(omp_get_max_threads(), team_size(&t));
        team_end(&t, 1);
        assert_int_equal(omp_get_max_threads(), 4);
    }
    assert_int_equal(t.sizes, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_take_part_on_a_quiet_machine),
        cmocka_unit_test(fewer_take_part_on_a_busy_one),
        cmocka_unit_test(noise_costs_little),
        cmocka_unit_test(all_come_back),
        cmocka_unit_test(turns_are_long),
        cmocka_unit_test(openmp_has_as_many),
    };
    return cmocka_run_group_tests_name("team", tests, NULL, NULL);
}
