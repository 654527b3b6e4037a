/* Strict numbers: what is one comes back unchanged, what is not is refused whatever stands in it.
 * Names: found where they stand first, whole. */
#include "base/random.h"
#include "base/text.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const no_number[] = {"",      " ",    "abc", "1 ",    " 1",  "1x",   "--1",
                                        "1-",    "0x10", "1,5", "nan",   "inf", "-inf", "infinity",
                                        "0x1p3", "1e",   "e5",  "1.5.2", ".",   "-",    "+",
                                        "1 2",   "1\n",  "\t1", "one",   "1e+", "1f",   "1_000"};

static void integers_come_back(void **state) {
    (void)state;
    struct random r = random_stream(1, RANDOM_TEST, 0, 10);
    for (int i = 0; i < 20000; i++) {
        long x = (long)(random_next(&r) >> random_below(&r, 64)), value = 0;
        if (i % 2)
            x = -x;
        char text[64];
        snprintf(text, sizeof text, "%ld", x);
        assert_int_equal(text_int(text, LONG_MIN, LONG_MAX, &value), 0);
        assert_true(value == x);
        strcat(text, i % 3 ? " " : "x");
        assert_int_equal(text_int(text, LONG_MIN, LONG_MAX, &value), -1);
    }
}

static void integers_keep_their_range(void **state) {
    (void)state;
    long value = 77;
    assert_int_equal(text_int("3", 3, 5, &value), 0);
    assert_int_equal(value, 3);
    assert_int_equal(text_int("5", 3, 5, &value), 0);
    assert_int_equal(value, 5);
    assert_int_equal(text_int("2", 3, 5, &value), -1);
    assert_int_equal(text_int("6", 3, 5, &value), -1);
    assert_int_equal(text_int("-3", -5, -3, &value), 0);
    assert_int_equal(value, -3);
    assert_int_equal(text_int("9223372036854775808", LONG_MIN, LONG_MAX, &value), -1);
    assert_int_equal(text_int("-9223372036854775809", LONG_MIN, LONG_MAX, &value), -1);
    assert_int_equal(text_int("99999999999999999999999999", LONG_MIN, LONG_MAX, &value), -1);
    assert_int_equal(value, -3); // a refused text leaves it alone
}

static void words_are_no_numbers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof no_number / sizeof no_number[0]; i++) {
        long n = 77;
        double x = 77;
        if (!text_int(no_number[i], LONG_MIN, LONG_MAX, &n) || !text_real(no_number[i], &x))
            fail_msg("'%s' was taken for a number", no_number[i]);
        assert_int_equal(n, 77);
        assert_true(x == 77);
    }
    long n;
    assert_int_equal(text_int("1.0", 0, 9, &n), -1);
    assert_int_equal(text_int("1e3", 0, 9999, &n), -1);
}

static double any_double(struct random *r) {
    for (;;) {
        uint64_t bits = random_next(r);
        double x;
        memcpy(&x, &bits, sizeof x);
        if (isfinite(x))
            return x;
    }
}

static void reals_come_back(void **state) {
    (void)state;
    struct random r = random_stream(2, RANDOM_TEST, 0, 11);
    for (int i = 0; i < 20000; i++) {
        double x = i % 2 ? any_double(&r) : (double)random_below(&r, 100000) / 1000, value;
        char text[64];
        text_print_real(x, text, sizeof text);
        assert_int_equal(text_real(text, &value), 0);
        assert_true(value == x);
        strcat(text, "x");
        assert_int_equal(text_real(text, &value), -1);
    }
}

/* The canonical text of a value enters a run's identity: it must stay as it is. */
static void reals_print_shortest(void **state) {
    (void)state;
    static const struct {
        double x;
        const char *text;
    } known[] = {{0, "0"},         {1, "1"},
                 {0.1, "0.1"},     {1e-5, "1e-05"},
                 {0.001, "0.001"}, {-0.5, "-0.5"},
                 {1e22, "1e+22"},  {1 / 3.0, "0.3333333333333333"},
                 {128, "128"},     {60000, "60000"},
                 {1e15, "1e+15"},  {-10, "-10"},
                 {-0.0, "-0"},     {0.1 + 0.2, "0.30000000000000004"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char text[64];
        text_print_real(known[i].x, text, sizeof text);
        assert_string_equal(text, known[i].text);
    }
}

static void reals_are_finite_decimals(void **state) {
    (void)state;
    double x = 0;
    assert_int_equal(text_real("1e999", &x), -1);
    assert_int_equal(text_real("-1e999", &x), -1);
    assert_int_equal(text_real("1e-3", &x), 0);
    assert_true(x == 1e-3);
    assert_int_equal(text_real("-2.5E2", &x), 0);
    assert_true(x == -250);
    assert_int_equal(text_real("7", &x), 0);
    assert_true(x == 7);
}

static void expect_widths(const char *text, const char *canonical) {
    struct widths w;
    char back[64];
    assert_int_equal(text_widths(text, &w), 0);
    text_print_widths(&w, back, sizeof back);
    assert_string_equal(back, canonical);
    for (int i = 0; i < w.n; i++)
        assert_int_equal(widths_find(&w, w.bits[i]), i);
}

static void widths_are_sets(void **state) {
    (void)state;
    expect_widths("1 2 4 8 32", "1 2 4 8 32");
    expect_widths("32 8 4 2 1", "1 2 4 8 32");
    expect_widths("  4\t2 ", "2 4");
    expect_widths("32", "32");
    expect_widths("8 7 6 5 4 3 2 1 32", "1 2 3 4 5 6 7 8 32");
    expect_widths("32 1..4 8", "1 2 3 4 8 32");
    expect_widths("5..5", "5");
    static const char *const bad[] = {"",     "  ",    "0",    "9",      "16",
                                      "31",   "33",    "1 1",  "2 4 2",  "1,2",
                                      "-1 2", "two",   "1 x",  "2.0",    "1 2 3 4 5 6 7 8 32 1",
                                      "1..9", "8..32", "4..1", "1..4 3", "1 .. 4",
                                      "..4",  "1..",   "0..2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct widths w;
        if (!text_widths(bad[i], &w))
            fail_msg("'%s' was taken for bit-widths", bad[i]);
    }
}

static void ranges_are_two_numbers_in_order(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",     "5",    "5..4", "1..5..6", "1...5",
        "..5",  "1..",  "..",   "1 ..5",   "1.. 5",
        "a..5", "1..b", "0..5", "1..11",   "0000000000000000000000000000001..5"};
    long first, last;
    assert_int_equal(text_range("1..10", 1, 10, &first, &last), 0);
    assert_true(first == 1 && last == 10);
    assert_int_equal(text_range("-3..-3", -5, 5, &first, &last), 0);
    assert_true(first == -3 && last == -3);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!text_range(bad[i], 1, 10, &first, &last))
            fail_msg("'%s' was taken for a range", bad[i]);
}

/* What does not fit is refused, never cut. */
static void long_widths_are_not_cut(void **state) {
    (void)state;
    char text[400];
    memset(text, ' ', sizeof text);
    text[0] = '1';
    strcpy(text + sizeof text - 2, "2");
    struct widths w;
    assert_true(text_widths(text, &w) == -1 || w.n == 2);
}

static void absent_widths_are_not_found(void **state) {
    (void)state;
    struct widths w;
    assert_int_equal(text_widths("2 8", &w), 0);
    assert_int_equal(widths_find(&w, 4), -1);
    assert_int_equal(widths_find(&w, 32), -1);
    char small[4];
    text_print_widths(&w, small, sizeof small);
    assert_string_equal(small, "2 8");
    text_print_widths(&w, small, 2);
    assert_string_equal(small, "2");
}

static void controls_are_masked(void **state) {
    (void)state;
    char text[] = "a\x1b]0;t\a\x7f\r\n\xc2\x9b\x31m \xc3\xa9\xc2\xb1";
    text_mask_controls(text, "\n");
    assert_string_equal(text, "a?]0;t???\n??1m \xc3\xa9\xc2\xb1");
    text_mask_controls(text, "");
    assert_string_equal(text, "a?]0;t??????1m \xc3\xa9\xc2\xb1");
}

static void trim_takes_both_ends(void **state) {
    (void)state;
    char a[] = " \t a b \n", b[] = "", c[] = "   ", d[] = "x";
    assert_string_equal(text_trim(a), "a b");
    assert_string_equal(text_trim(b), "");
    assert_string_equal(text_trim(c), "");
    assert_string_equal(text_trim(d), "x");
}

static void names_are_found_where_they_stand(void **state) {
    (void)state;
    static const char *const names[] = {"fp32", "bf16", "bf16-backward", "bf16", NULL};
    static const char *const none[] = {NULL};
    assert_int_equal(text_find("fp32", names), 0);
    assert_int_equal(text_find("bf16", names), 1);
    assert_int_equal(text_find("bf16-backward", names), 2);
    assert_int_equal(text_find("bf16-", names), -1);
    assert_int_equal(text_find("BF16", names), -1);
    assert_int_equal(text_find("", names), -1);
    assert_int_equal(text_find("fp32", none), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_come_back),
        cmocka_unit_test(integers_keep_their_range),
        cmocka_unit_test(words_are_no_numbers),
        cmocka_unit_test(reals_come_back),
        cmocka_unit_test(reals_print_shortest),
        cmocka_unit_test(reals_are_finite_decimals),
        cmocka_unit_test(ranges_are_two_numbers_in_order),
        cmocka_unit_test(widths_are_sets),
        cmocka_unit_test(absent_widths_are_not_found),
        cmocka_unit_test(long_widths_are_not_cut),
        cmocka_unit_test(controls_are_masked),
        cmocka_unit_test(trim_takes_both_ends),
        cmocka_unit_test(names_are_found_where_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
