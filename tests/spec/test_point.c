/* Operating points: their text is read back to the same point and no other, and what contradicts
 * itself is refused. */
#include "spec/point.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void texts_are_read_back(void **state) {
    (void)state;
    static const char *const texts[] = {
        "4 direct of 8 bank 4 in int8",
        "32 direct of 8 bank 32 calibrated 20 in fp32",
        "1/32 direct of 2 in fp32-exact",
        "32/8 direct of 8 in fp32",
        "2 truncated of 4 bank 2 in rounded",
        "8 4 4 2 truncated of 8 calibrated 20 in fp32",
        "8 4 4 2/8 truncated of 8 calibrated 20 in mixed",
        "2/4 truncated-activations of 8 bank 4 in int8",
        "32 8 1 direct of 8 in fp32",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct point p, again;
        struct error e = {0};
        char text[POINT_TEXT];
        if (point_parse(&p, texts[i], &e))
            fail_msg("%s: %s", texts[i], e.text);
        point_print(&p, text, sizeof text);
        assert_string_equal(text, texts[i]);
        assert_int_equal(point_parse(&again, text, &e), 0);
        assert_true(point_same(&p, &again));
        for (size_t j = 0; j < i; j++) {
            assert_int_equal(point_parse(&again, texts[j], &e), 0);
            assert_false(point_same(&p, &again));
        }
    }
}

static void parts_are_where_they_belong(void **state) {
    (void)state;
    struct point p;
    struct error e = {0};
    char bits[POINT_BITS];
    assert_int_equal(point_parse(&p, "8 4 2/6 truncated of 8 bank 2 calibrated 5 in int8", &e), 0);
    assert_int_equal(p.bits, 0);
    assert_int_equal(p.n_layers, 3);
    assert_int_equal(p.act_bits, 6);
    assert_int_equal(p.bank, 2);
    assert_int_equal(p.calibration, 5);
    assert_int_equal(p.cut, CUT_WEIGHTS);
    assert_int_equal(p.stored_bits, 8);
    assert_string_equal(p.arithmetic, "int8");
    for (int i = 0; i < 3; i++)
        assert_int_equal(point_layer_bits(&p, i), 8 >> i);
    point_print_bits(&p, bits, sizeof bits);
    assert_string_equal(bits, "8 4 2");
    assert_int_equal(point_parse(&p, "3 direct of 8 in fp32", &e), 0);
    assert_int_equal(p.n_layers, 0);
    assert_int_equal(p.act_bits, 3);
    assert_int_equal(point_layer_bits(&p, 17), 3);
}

static void codes_are_told_from_floats(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int is_codes;
    } points[] = {{"8 direct of 8 in fp32", 1},      {"32 direct of 8 in fp32", 0},
                  {"8/32 direct of 8 in fp32", 0},   {"32/8 direct of 8 in fp32", 0},
                  {"8 2 direct of 8 in fp32", 1},    {"8 32 direct of 8 in fp32", 0},
                  {"8 2/32 direct of 8 in fp32", 0}, {"8 2/4 direct of 8 in fp32", 1}};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        struct point p;
        struct error e = {0};
        assert_int_equal(point_parse(&p, points[i].text, &e), 0);
        assert_int_equal(point_is_codes(&p), points[i].is_codes);
    }
}

static void other_texts_are_refused(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"", "is no operating point"},
        {"direct of 8 in fp32", "is no operating point"},
        {"4", "is no operating point"},
        {"4 sideways of 8 in fp32", "is no operating point"},
        {"4 direct of 8 in", "no name"},
        {"4 direct of 8 in fp32 ", "is written"},
        {"4 direct of 8 in fp32 fast", "is no operating point"},
        {"4 direct of 8 in arithmetic-of-another-kind", "is no operating point"},
        {" 4 direct of 8 in fp32", "is no operating point"},
        {"04 direct of 8 in fp32", "is written"},
        {"4  2 direct of 8 in fp32", "is no operating point"},
        {"4/ direct of 8 in fp32", "is no operating point"},
        {"4/4 direct of 8 in fp32", "is written"},
        {"4 direct bank 4 of 8 in fp32", "is no operating point"},
        {"4 direct of 8 bank 0 in fp32", "is written"},
        {"4/2 4 direct of 8 in fp32", "is no operating point"},
        {"9 direct of 8 in fp32", "not 9"},
        {"4/9 direct of 8 in fp32", "not 9"},
        {"4 9 direct of 8 in fp32", "not 9"},
        {"4 direct of 8 bank 9 in fp32", "of 9 bits"},
        {"4 direct of 9 in fp32", "not 9"},
        {"4 4 4 direct of 8 in fp32", "say that width once"},
        {"4 truncated of 3 in fp32", "cannot be cut to 4"},
        {"2 4 truncated of 3 in fp32", "cannot be cut to 4"},
        {"32 truncated of 8 in fp32", "cannot be cut to 32"},
        {"4/32 truncated-activations of 8 in fp32", "float activations"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct point p;
        struct error e = {0};
        if (!point_parse(&p, texts[i][0], &e) || !strstr(e.text, texts[i][1]))
            fail_msg("'%s': '%s' and not '%s'", texts[i][0], e.text, texts[i][1]);
    }
}

/* As many layers as there is room for are read back, and one more is refused. */
static void there_is_room_for_many_layers(void **state) {
    (void)state;
    struct point p;
    struct error e = {0};
    char text[POINT_TEXT], more[POINT_TEXT + 8];
    struct point most = {.n_layers = POINT_LAYERS, .stored_bits = 8, .arithmetic = "fp32"};
    memset(most.layer_bits, FLOAT_BITS, POINT_LAYERS);
    most.layer_bits[7] = 8;
    point_print(&most, text, sizeof text);
    assert_int_equal(point_parse(&p, text, &e), 0);
    assert_true(point_same(&p, &most));
    snprintf(more, sizeof more, "4 %s", text);
    assert_int_equal(point_parse(&p, more, &e), -1);
}

static void specs_say_their_points(void **state) {
    (void)state;
    struct spec spec;
    spec_defaults(&spec);
    spec.widths = (struct widths){3, {2, 4, 32}};
    struct point p = spec_point(&spec, 3, CUT_WEIGHTS);
    char text[POINT_TEXT];
    point_print(&p, text, sizeof text);
    assert_string_equal(text, "3 truncated of 8 bank 4 in fp32");
    spec.act_bits = 5;
    spec.norm_bank = BANK_SHARED;
    p = spec_point(&spec, 32, CUT_NONE);
    point_print(&p, text, sizeof text);
    assert_string_equal(text, "32/5 direct of 8 in fp32");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_back),
        cmocka_unit_test(parts_are_where_they_belong),
        cmocka_unit_test(codes_are_told_from_floats),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(there_is_room_for_many_layers),
        cmocka_unit_test(specs_say_their_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
