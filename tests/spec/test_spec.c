/* Specs: keys and values, text and back, what matters, what is wrong. */
#include "base/random.h"
#include "spec/drawn_spec.h"
#include "spec/made_spec.h"
#include "spec/schemes.h"
#include "spec/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- keys ---- */

static void every_default_is_canonical_and_found(void **state) {
    (void)state;
    struct spec spec;
    int n = 0;
    spec_defaults(&spec);
    for (const struct spec_key *k = spec_keys; k->name; k++, n++) {
        char text[SPEC_VALUE];
        assert_ptr_equal(spec_key_find(k->flat), k);
        assert_ptr_equal(spec_key_in(k->section, k->name), k);
        assert_non_null(k->help);
        if (!k->preset)
            continue;
        spec_print_value(&spec, k, text, sizeof text);
        assert_string_equal(text, k->preset);
        assert_true(spec_is_default(&spec, k));
    }
    assert_int_equal(n, SPEC_KEYS);
    assert_int_equal(spec.width_weight.n, 0);
}

static void images_stand_in_two_sections(void **state) {
    (void)state;
    struct error e = {0};
    assert_null(spec_key_find("images"));
    assert_ptr_equal(spec_key_find("train.images"), spec_key_in("train", "images"));
    assert_ptr_equal(spec_key_find("evaluate.images"), spec_key_in("evaluate", "images"));
    assert_ptr_equal(spec_key_find("train.epochs"), spec_key_find("epochs"));
    assert_int_equal(spec_key_unknown(NULL, "images", &e), -1);
    assert_non_null(strstr(e.text, "train.images or evaluate.images"));
}

static void unknown_keys_get_a_hint(void **state) {
    (void)state;
    struct error e = {0}, f = {0}, g = {0};
    spec_key_unknown(NULL, "epoch", &e);
    assert_non_null(strstr(e.text, "did you mean epochs?"));
    spec_key_unknown("train", "calibration", &f);
    assert_non_null(strstr(f.text, "belongs in [evaluate]"));
    spec_key_unknown("evaluate", "zzzzzz", &g);
    assert_non_null(strstr(
        g.text,
        "the keys are bits, calibration, calibrate_at, split, images, select, every, every_split"));
}

/* ---- values ---- */

static void values_print_canonically(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"learning_rate", "1e-3", "0.001"},
        {"learning_rate", "0.10", "0.1"},
        {"decay", "-0", "0"},
        {"widths", "32 8\t1", "1 8 32"},
        {"milestones", "0.50  .75", "0.5 0.75"},
        {"train.images", "all", "all"},
        {"evaluate.images", "2000", "2000"},
        {"act_bits", "same", "same"},
        {"act_bits", "32", "32"},
        {"act_bits", "4", "4"},
        {"width_weight", "1.0", "1"},
        {"width_weight", "0.5 1 1", "0.5 1 1"},
        {"shortcut_norm", "shared", "shared"},
        {"seed", "0", "0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct spec spec = make("qat");
        made_set(&spec, cases[i][0], cases[i][1]);
        assert_spec_value(&spec, cases[i][0], cases[i][2]);
    }
}

static void bad_values_are_refused(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"epochs", "ten"},
        {"epochs", "0"},
        {"epochs", "3 # three"},
        {"epochs", ""},
        {"epochs", "1.5"},
        {"seed", "-1"},
        {"train.images", "0"},
        {"train.images", "some"},
        {"batch", "1"},
        {"learning_rate", "0"},
        {"learning_rate", "nan"},
        {"learning_rate", "0x1"},
        {"momentum", "1"},
        {"decay", "-0.1"},
        {"gamma", "2"},
        {"milestones", ""},
        {"milestones", "0.5 x"},
        {"milestones", ".1 .2 .3 .4 .5 .6 .7 .8 .9 .95"},
        {"milestones", "1.5"},
        {"widths", "3 3"},
        {"widths", "9"},
        {"widths", "1,2"},
        {"bits", "0"},
        {"act_bits", "2.5"},
        {"act_bits", "9"},
        {"act_bits", "0"},
        {"act_bits", "float"},
        {"stored_bits", "1"},
        {"stored_bits", "9"},
        {"rounder", "none"},
        {"rounder", "own"},
        {"rounder", "identity"},
        {"range", "own"},
        {"dequantizer", "none"},
        {"schedule", "polynomial"},
        {"power", "101"},
        {"warmup", "0.6"},
        {"from", "network"},
        {"network", "a,b"},
        {"network", "a\"b"},
        {"network", "a\nb"},
        {"scheme", "qatt"},
        {"calibration", "-1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct spec spec = make("qat");
        struct error e = {0};
        if (!spec_set(&spec, test_schemes, spec_key_find(cases[i][0]), cases[i][1], &e))
            fail_msg("%s = '%s' was taken", cases[i][0], cases[i][1]);
        assert_non_null(strstr(e.text, cases[i][0]));
    }
}

static void messages_say_what_is_known(void **state) {
    (void)state;
    struct spec spec = make("qat");
    struct error e = {0}, f = {0};
    spec_set(&spec, test_schemes, spec_key_find("scheme"), "truncqant", &e);
    assert_string_equal(e.text,
                        "unknown scheme 'truncqant'; did you mean truncquant? known are fp32, "
                        "qat, minmax, truncquant, learned, ptq, dedicated");
    spec_set(&spec, test_schemes, spec_key_find("rounder"), "up", &f);
    assert_string_equal(f.text, "rounder takes one of nearest, floor, not 'up'");
}

static void the_scheme_sets_axes_and_width(void **state) {
    (void)state;
    struct spec spec = make("minmax");
    assert_spec_value(&spec, "range", "minmax");
    assert_spec_value(&spec, "rounder", "nearest");
    assert_spec_value(&spec, "widths", "1 2 4 8 32");
    spec = make("fp32");
    assert_spec_value(&spec, "range", "none");
    assert_spec_value(&spec, "widths", "32");
}

/* ---- what matters ---- */

static void keys_without_effect_go_back_to_default(void **state) {
    (void)state;
    struct spec spec = make("qat", "momentum", "0.5", "schedule", "cosine", "milestones", "0.1",
                            "gamma", "0.5", "calibration", "0", "calibrate_at", "widths");
    assert_spec_value(&spec, "momentum", "0.9");
    assert_spec_value(&spec, "milestones", "0.5 0.75 0.9");
    assert_spec_value(&spec, "gamma", "0.1");
    assert_spec_value(&spec, "calibrate_at", "all");
    spec = make("qat", "optimizer", "sgd", "momentum", "0.5", "milestones", "0.1", "gamma", "0.5",
                "calibrate_at", "widths");
    assert_spec_value(&spec, "momentum", "0.5");
    assert_spec_value(&spec, "milestones", "0.1");
    assert_spec_value(&spec, "gamma", "0.5");
    assert_spec_value(&spec, "calibrate_at", "widths");
}

static void one_width_has_no_teacher_and_one_bank(void **state) {
    (void)state;
    struct spec spec = make("qat", "widths", "4", "distill", "labels", "shortcut_norm", "shared");
    assert_spec_value(&spec, "distill", "recursive");
    assert_spec_value(&spec, "shortcut_norm", "per-width");
    spec = make("qat", "widths", "2 4", "distill", "labels", "shortcut_norm", "shared");
    assert_spec_value(&spec, "distill", "labels");
    assert_spec_value(&spec, "shortcut_norm", "shared");
}

static void losses_and_banks_without_effect(void **state) {
    (void)state;
    struct spec spec = make("truncquant", "align", "2", "kurtosis", "3");
    assert_spec_value(&spec, "align", "0");
    assert_spec_value(&spec, "kurtosis", "3");
    spec = make("minmax", "align", "2");
    assert_spec_value(&spec, "align", "2");
    spec = make("qat", "norm_bank", "shared", "shortcut_norm", "shared");
    assert_spec_value(&spec, "shortcut_norm", "per-width");
    assert_spec_value(&spec, "norm_bank", "shared");
}

static void fp32_keeps_nothing_of_the_quantizer(void **state) {
    (void)state;
    struct spec plain = make("fp32");
    struct spec spec =
        make("fp32", "rounder", "floor", "layer_scale", "pow2", "granularity", "channel",
             "stored_bits", "4", "widths", "1 2 32", "width_weight", "0.5 1 1", "act_bits", "32",
             "projections", "quantized", "bits", "1 2 32", "distill", "labels", "norm_bank",
             "shared", "align", "1", "kurtosis", "1");
    assert_memory_equal(&spec, &plain, sizeof spec);
    spec = make("fp32", "act_bits", "4", "projections", "quantized");
    assert_spec_value(&spec, "act_bits", "4");
    assert_spec_value(&spec, "projections", "quantized");
}

static void ptq_has_no_training_of_its_own(void **state) {
    (void)state;
    struct spec plain = make("ptq"), parent, expected = make("fp32", "epochs", "7", "seed", "3");
    assert_spec_value(&plain, "act_bits", "32");
    assert_spec_value(&plain, "widths", "32");
    struct spec spec = make("ptq", "widths", "1 2", "width_weight", "2 1", "align", "1", "kurtosis",
                            "1", "distill", "labels", "shortcut_norm", "shared");
    assert_memory_equal(&spec, &plain, sizeof spec);
    // The parent has what trains, and nothing of what quantizes or of which widths are evaluated.
    spec = make("ptq", "epochs", "7", "seed", "3", "act_bits", "4", "granularity", "channel",
                "stored_bits", "6", "projections", "quantized", "rounder", "floor", "bits", "2 4");
    assert_true(spec_parent(&spec, test_schemes, &parent));
    assert_memory_equal(&parent, &expected, sizeof parent);
    assert_false(spec_parent(&parent, test_schemes, &spec));
}

static void dedicated_is_about_its_width_alone(void **state) {
    (void)state;
    struct spec plain = make("dedicated", "widths", "4"), configuration;
    assert_spec_value(&plain, "bits", "4");
    struct spec spec =
        make("dedicated", "widths", "4", "bits", "1 2 8", "stored_bits", "4", "distill", "labels",
             "width_weight", "2", "calibrate_at", "widths", "align", "1");
    assert_memory_equal(&spec, &plain, sizeof spec);
    assert_true(spec_configuration(&spec, test_schemes, &configuration));
    assert_spec_value(&configuration, "widths", "1 2 4 8 32");
    spec = make("qat", "widths", "4");
    assert_false(spec_configuration(&spec, test_schemes, &configuration));
    assert_memory_equal(&spec, &configuration, sizeof spec);
}

static void weights_of_one_are_the_default(void **state) {
    (void)state;
    struct spec spec = make("qat", "widths", "1 2 4", "width_weight", "1 1 1");
    assert_int_equal(spec.width_weight.n, 0);
    spec = make("qat", "widths", "1 2 4", "width_weight", "1 1 0.5");
    assert_int_equal(spec.width_weight.n, 3);
}

static void bits_that_do_not_exist_make_no_difference(void **state) {
    (void)state;
    struct spec spec = make("learned", "widths", "2 4", "bits", "2 3 4 5 6 7 8 32");
    assert_true(spec_is_default(&spec, spec_key_find("bits")));
    spec = make("learned", "widths", "2 4", "bits", "1 2");
    assert_spec_value(&spec, "bits", "2");
}

/* ---- validation ---- */

static void assert_fault(const struct spec *spec, const char *key, const char *part) {
    struct error e = {0};
    const struct spec_key *fault = spec_fault(spec, test_schemes, &e);
    if (!fault)
        fail_msg("no fault, but %s was expected", key);
    assert_string_equal(fault->flat, key);
    if (!strstr(e.text, part))
        fail_msg("'%s' does not say '%s'", e.text, part);
    assert_int_equal(spec_validate(spec, test_schemes, &e), -1);
}

static void faults_between_keys_are_named(void **state) {
    (void)state;
    struct spec s = make("minmax", "layer_scale", "pow2");
    assert_fault(&s, "layer_scale", "range tanh only");
    s = make("qat", "granularity", "channel");
    assert_fault(&s, "granularity", "range minmax only");
    s = make("ptq", "range", "tanh");
    assert_fault(&s, "range", "would bend them");
    s = make("ptq", "act_bits", "same", "calibration", "0");
    assert_fault(&s, "calibration", "use some, or act_bits 32");
    s = make("dedicated");
    assert_fault(&s, "widths", "trains one width, not 5");
    s = make("minmax", "norm_bank", "shared");
    assert_fault(&s, "norm_bank", "range tanh only");
    s = make("learned", "widths", "2 4", "norm_bank", "shared");
    assert_fault(&s, "norm_bank", "use per-width");
    s = make("learned", "widths", "2 4", "align", "1");
    assert_fault(&s, "align", "rounder nearest or floor");
    s = make("learned");
    assert_fault(&s, "widths", "begin at 1, but the smallest of learned is 2");
    s = make("learned", "widths", "2 4", "rounder", "floor");
    assert_fault(&s, "rounder", "defines its own rounder");
    s = make("qat", "width_weight", "1 2");
    assert_fault(&s, "width_weight", "2 numbers for 5 widths");
    s = make("qat", "width_weight", "0 0 0 0 0");
    assert_fault(&s, "width_weight", "nothing would train");
    s = make("qat", "init", "a\\b.weights");
    assert_fault(&s, "init", "without backslashes");
    s = make("qat", "milestones", "0.5 0.5");
    assert_fault(&s, "milestones", "ascending");
    s = make("qat", "milestones", "0.5 1");
    assert_fault(&s, "milestones", "ascending");
    s = make("qat", "milestones", "0 0.5");
    assert_fault(&s, "milestones", "ascending");
    s = make("fp32", "bits", "1 2");
    assert_fault(&s, "bits", "none of the evaluated bits exists");
    s = make("dedicated", "widths", "2");
    made_set(&s, "bits", "4");
    assert_fault(&s, "bits", "has results at the width it trained alone, 2; evaluate that");
    s = make("qat", "train.images", "100");
    assert_fault(&s, "train.images", "do not fill one batch of 128");
}

static void what_makes_sense_is_valid(void **state) {
    (void)state;
    struct error e = {0};
    struct spec s[] = {
        make("fp32"),
        make("qat", "layer_scale", "pow2", "stored_bits", "4"),
        make("minmax", "granularity", "channel", "act_bits", "32"),
        make("minmax", "range", "tanh", "layer_scale", "pow2"),
        make("learned", "widths", "2 8"),
        make("qat", "norm_bank", "shared", "align", "1", "kurtosis", "0.5"),
        make("minmax", "range", "tanh", "norm_bank", "shared", "align", "0.5"),
        make("learned", "widths", "2 4", "kurtosis", "1"),
        make("ptq", "calibration", "0"),
        make("ptq", "act_bits", "8", "granularity", "channel", "rounder", "floor"),
        make("dedicated", "widths", "32"),
        make("qat", "rounder", "floor", "dequantizer", "midpoint"),
        make("qat", "train.images", "128", "width_weight", "0 1 1 1 1"),
    };
    for (size_t i = 0; i < sizeof s / sizeof *s; i++)
        if (spec_validate(&s[i], test_schemes, &e))
            fail_msg("%zu: %s", i, e.text);
}

/* ---- text ---- */

static void text_says_what_differs_only(void **state) {
    (void)state;
    struct spec spec =
        make("qat", "rounder", "floor", "epochs", "3", "train.images", "512", "momentum", "0.5");
    char *text = made_text(&spec);
    assert_string_equal(text, "scheme = qat\nnetwork = lenet\ndataset = fashion-mnist\nseed = 1\n"
                              "rounder = floor\nepochs = 3\ntrain.images = 512\n");
    free(text);
    spec = make("fp32");
    text = made_text(&spec);
    assert_string_equal(text,
                        "scheme = fp32\nnetwork = lenet\ndataset = fashion-mnist\nseed = 1\n");
    free(text);
}

static void random_specs_survive_writing_and_reading(void **state) {
    (void)state;
    struct random r = random_stream(1, RANDOM_TEST, 0, 0);
    int valid = 0;
    for (int i = 0; i < 20000; i++) {
        struct error e = {0};
        struct spec spec = drawn_spec(&r), again;
        if (!spec.network[0] || !spec.dataset[0] || spec_validate(&spec, test_schemes, &e))
            continue;
        valid++;
        char *text = made_text(&spec);
        struct error f = {0};
        if (spec_read(&again, test_schemes, text, "spec", &f))
            fail_msg("%s\n%s", f.text, text);
        for (const struct spec_key *k = spec_keys; k->name; k++) {
            char value[SPEC_VALUE];
            spec_print_value(&spec, k, value, sizeof value);
            assert_spec_value(&again, k->flat, value);
        }
        struct spec twice = spec;
        spec_normalize(&twice, test_schemes);
        assert_memory_equal(&twice, &spec, sizeof spec);
        free(text);
    }
    assert_true(valid > 100);
}

static void read_errors_name_the_line(void **state) {
    (void)state;
    static const char start[] = "# a spec\nscheme = qat\nnetwork = lenet\n\ndataset = mnist\n";
    static const char *const cases[][2] = {
        {"epochs = x\n", "f:6: epochs takes a whole number"},
        {"epoch = 3\n", "f:6: unknown key 'epoch'; did you mean epochs?"},
        {"epochs = 3\nepochs = 4\n", "f:7: epochs stands twice, first on line 6"},
        {"epochs\n", "f:6: 'epochs' is not of the form key = value"},
        {"images = 5\n", "f:6: 'images' stands in two sections"},
        {"milestones = 0.9 0.5\n", "f:6: milestones are"},
        {"width_weight = 1 2\n", "f:6: width_weight has 2"},
        {"seed =\n", "f:6: seed has no value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        struct spec spec;
        struct error e = {0};
        snprintf(text, sizeof text, "%s%s", start, cases[i][0]);
        assert_int_equal(spec_read(&spec, test_schemes, text, "f", &e), -1);
        if (strncmp(e.text, cases[i][1], strlen(cases[i][1])))
            fail_msg("'%s' instead of '%s'", e.text, cases[i][1]);
    }
    struct spec spec;
    struct error e = {0}, none = {0};
    assert_int_equal(spec_read(&spec, test_schemes, "scheme = qat\nnetwork = a\n", "f", &e), -1);
    assert_string_equal(e.text, "f: has no 'dataset'; add the line 'dataset = ...'");
    assert_int_equal(spec_read(&spec, test_schemes, start, "f", &none), 0);
    assert_int_equal(spec.seed, 1);
}

static void the_scheme_may_stand_last(void **state) {
    (void)state;
    struct spec spec;
    struct error e = {0};
    static const char text[] = "rounder = floor\nnetwork = a\ndataset = b\nscheme = minmax";
    assert_int_equal(spec_read(&spec, test_schemes, text, "f", &e), 0);
    assert_spec_value(&spec, "rounder", "floor");
    assert_spec_value(&spec, "range", "minmax");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_canonical_and_found),
        cmocka_unit_test(images_stand_in_two_sections),
        cmocka_unit_test(unknown_keys_get_a_hint),
        cmocka_unit_test(values_print_canonically),
        cmocka_unit_test(bad_values_are_refused),
        cmocka_unit_test(messages_say_what_is_known),
        cmocka_unit_test(the_scheme_sets_axes_and_width),
        cmocka_unit_test(keys_without_effect_go_back_to_default),
        cmocka_unit_test(one_width_has_no_teacher_and_one_bank),
        cmocka_unit_test(losses_and_banks_without_effect),
        cmocka_unit_test(fp32_keeps_nothing_of_the_quantizer),
        cmocka_unit_test(ptq_has_no_training_of_its_own),
        cmocka_unit_test(dedicated_is_about_its_width_alone),
        cmocka_unit_test(weights_of_one_are_the_default),
        cmocka_unit_test(bits_that_do_not_exist_make_no_difference),
        cmocka_unit_test(faults_between_keys_are_named),
        cmocka_unit_test(what_makes_sense_is_valid),
        cmocka_unit_test(text_says_what_differs_only),
        cmocka_unit_test(random_specs_survive_writing_and_reading),
        cmocka_unit_test(read_errors_name_the_line),
        cmocka_unit_test(the_scheme_may_stand_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
