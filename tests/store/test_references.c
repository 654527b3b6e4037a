/* What differences and reductions compare with, and what is said where that is not near. */
#include "registry.h"
#include "store/export_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of several configurations of the reference's scheme the nearest counts; settings choose. */
static void the_reference_is_the_nearest(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const struct {
        const char *scheme, *params;
        int correct;
    } runs[] = {
        {"qat", "{\"epochs\":5}", 500},
        {"qat", "{\"epochs\":7}", 700},
        {"minmax", "{\"epochs\":7}", 710}, // nearest: 7 epochs
        {"fp32", "{\"epochs\":6}", 600},   // both are as near
        {"ptq", "{}", 900},                // likewise
    };
    for (int i = 0; i < 5; i++) {
        struct run_row run = store_fixture_run(i + 1, i + 1, 1);
        struct evaluation_row row = store_fixture_evaluation(32, "direct", 0, runs[i].correct);
        run.scheme = runs[i].scheme;
        run.params = runs[i].params;
        store_fixture_finished(s, &run, &row, 1);
    }
    struct error e = {0};
    char *text = exported(s, "differences", EXPORT_WIDE, NULL, &e);
    assert_non_null(strstr(text, "minmax,epochs=7,qat epochs=7,direct,1,1.00000,n/a,n/a\n# "));
    assert_null(strstr(text, "fp32"));
    assert_non_null(strstr(text, "# Left out: 2 configurations to which several of qat are equally "
                                 "near; --against 'qat KEY=VALUE' chooses one.\n"));
    free(text);
    struct export_request request = {.quantizers = quantizer_registry,
                                     .what = "differences",
                                     .format = EXPORT_WIDE,
                                     .against = "qat",
                                     .settings = "{\"epochs\": 5, \"batch\": null}"};
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(export_table(s, &request, out, &e), 0);
    fclose(out);
    assert_non_null(strstr(text, "fp32,epochs=6,direct,1,10.00000"));
    assert_non_null(strstr(text, "minmax,epochs=7,direct,1,21.00000"));
    assert_non_null(strstr(text, "qat,epochs=7,direct,1,20.00000"));
    free(text);
    request.settings = "{\"epochs\": null}";
    out = open_memstream(&text, &size);
    assert_int_equal(export_table(s, &request, out, &e), EXPORT_NOTHING);
    fclose(out);
    free(text);
    assert_non_null(strstr(e.text,
                           "has no finished run of scheme qat with those settings to compare "
                           "with; --against names another (there are: fp32, minmax, ptq, "
                           "qat)"));
    store_close(s);
}

/* The reference has the network and data set of the same contents; comments and blanks are none. */
static void the_reference_has_the_same_contents(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const char cfg[] = "[net]\n# a \\n b\n[softmax]\n",
                      same[] = "[net]\n\n [softmax]\r\n;\n";
    static const struct {
        const char *scheme, *cfg, *data;
    } runs[] = {
        {"qat", cfg, "d"},
        {"minmax", same, "d"},
        {"truncquant", "[net]\n[convolutional]\n[softmax]\n", "d"},
        {"adabits", cfg, "other"},
    };
    for (int i = 0; i < 4; i++) {
        struct run_row run = store_fixture_run(i + 1, i + 1, 1);
        run.scheme = runs[i].scheme, run.cfg = runs[i].cfg, run.data_hash = runs[i].data;
        finished(s, run, "test", 500 + 10 * i);
    }
    struct error e = {0};
    char *text = exported(s, "differences", EXPORT_WIDE, NULL, &e);
    assert_non_null(text);
    assert_non_null(strstr(text, "minmax,direct,1,1.00000,"));
    assert_null(strstr(text, "truncquant,"));
    assert_null(strstr(text, "adabits,"));
    assert_non_null(
        strstr(text, "# Left out: 2 configurations whose network or data set has other contents "
                     "than any of qat has under the same name.\n"));
    free(text);
    store_fixture_sql(s, "UPDATE runs SET excluded = 'x' WHERE scheme = 'minmax'");
    assert_null(exported(s, "differences", EXPORT_WIDE, NULL, &e));
    assert_non_null(
        strstr(e.text, "has no pairs: 2 configurations have under the same names as qat another "
                       "network or data set; train qat on these, too"));
    store_close(s);
}

/* fp32 has its width forced: it goes with the qat that is nearest otherwise, and the table says
 * which. */
static void forced_widths_do_not_count(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const struct {
        const char *scheme, *params;
        int correct;
    } runs[] = {
        {"qat", "{}", 500},
        {"qat", "{\"widths\":\"2 4 8 32\"}", 600},
        {"fp32", "{\"widths\":\"32\"}", 710},
        {"ptq", "{\"widths\":\"32\",\"epochs\":2}", 720},
        {"minmax", "{\"widths\":\"2 4 8 32\"}", 730},
        {"adabits", "{\"widths\":\"32\"}", 740}, // not forced: as far from both
    };
    for (int i = 0; i < 6; i++) {
        struct run_row run = store_fixture_run(i + 1, i + 1, 1);
        run.scheme = runs[i].scheme, run.params = runs[i].params;
        finished(s, run, "test", runs[i].correct);
    }
    struct error e = {0};
    char *text = exported(s, "differences", EXPORT_WIDE, NULL, &e);
    assert_non_null(text);
    assert_non_null(strstr(text, "network,scheme,settings,against,inference,n,32,32 lo,32 hi\n"));
    assert_non_null(strstr(text, "fp32,,qat widths=1 2 4 8 32,direct,1,21.00000,"));
    assert_non_null(strstr(text, "ptq,epochs=2,qat widths=1 2 4 8 32,direct,1,22.00000,"));
    assert_non_null(strstr(text, "minmax,widths=2 4 8 32,qat widths=2 4 8 32,direct,1,13.00000,"));
    assert_null(strstr(text, "adabits,"));
    assert_non_null(strstr(text, "# Left out: 1 configuration to which several of qat "));
    assert_non_null(strstr(text, " differ from their qat in: epochs (qat: 200).\n")); // ptq's
    free(text);
    store_close(s);
}

/* Of val, pairs saw the same held-out images: another number of them are others, also where as many
 * were evaluated. On the test split all see the same, and what was held out of training is a
 * setting like others. */
static void pairs_have_the_same_images(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const struct {
        const char *scheme, *params;
        int correct;
    } runs[] = {
        {"qat", "{\"val\":2000}", 500},
        {"minmax", "{\"val\":2000,\"epochs\":9,\"batch\":9}", 510},
        {"truncquant", "{\"val\":4000}", 520},
        {"qat", "{\"val\":1000,\"epochs\":9,\"batch\":9}", 530}, // nearer to minmax
    };
    for (int i = 0; i < 4; i++) {
        struct run_row run = store_fixture_run(i + 1, i + 1, 1);
        struct evaluation_row cells[] = {
            store_fixture_evaluation(2, "direct", 0, runs[i].correct),
            store_fixture_evaluation(2, "truncated", 0, runs[i].correct - 100)};
        run.scheme = runs[i].scheme, run.params = runs[i].params;
        cells[0].split = cells[1].split = "val";
        store_fixture_finished(s, &run, cells, 2);
    }
    struct error e = {0};
    for (int i = 0; i < 2; i++) {
        char *text = exported(s, i ? "reductions" : "differences", EXPORT_WIDE, NULL, &e);
        assert_non_null(text);
        assert_non_null(strstr(
            text, i ? "minmax,epochs=9 val=2000 batch=9,qat epochs=200 val=2000 batch=128,1,n/a,"
                    : // one seed
                      "minmax,epochs=9 val=2000 batch=9,qat epochs=200 val=2000 "
                      "batch=128,direct,1,1.00000,"));
        assert_null(strstr(text, "truncquant,"));
        assert_non_null(strstr(
            text, "# Left out: 1 configuration whose network or data set has other contents than "
                  "any of qat "
                  "has under the same name, or whose held-out images (val = N) are others.\n"));
        free(text);
    }
    store_fixture_sql(s, "UPDATE runs SET excluded = 'x' WHERE scheme = 'minmax'");
    assert_null(exported(s, "differences", EXPORT_WIDE, NULL, &e));
    assert_non_null(strstr(
        e.text, "has no pairs: 1 configuration has under the same names as qat another network "
                "or data set, or other held-out images (val = N); train qat on these, too"));
    store_fixture_sql(s, "UPDATE runs SET excluded = NULL; UPDATE evaluations SET split = 'test'");
    char *text = exported(s, "differences", EXPORT_WIDE, NULL, &e);
    assert_non_null(strstr(text, ",qat epochs=9 val=1000 batch=9,direct,1,-2.00000,"));
    assert_non_null(strstr(text, "truncquant,epochs=200 val=4000 batch=128,qat epochs=200 val=2000 "
                                 "batch=128,direct,1,2.00000,"));
    assert_non_null(strstr(text, "# Besides the quantizer, there are configurations that differ "
                                 "from their qat in: val (qat: 1000 or 2000).\n"));
    free(text);
    store_close(s);
}

/* A table says which keys differ besides the quantizer, of those that change what is compared. */
static void what_else_differs_is_told(void **state) {
    struct store *s = pairs(*state);
    struct error e = {0};
    static const struct {
        const char *change, *told;
    } cases[] = {
        {"UPDATE runs SET params = '{\"range\": \"tanh\", \"rounder\": \"' || scheme || '\"}'",
         NULL},
        {"UPDATE runs SET params = '{\"bits\": \"1\", \"split\": \"val\"}' WHERE scheme = 'qat'",
         NULL},
        {"UPDATE runs SET params = '{\"step_rate\": 0.1, \"epochs\": ' || length(scheme) || '}'",
         "# Besides the quantizer, there are configurations that differ from their qat in: "
         "epochs (qat: 3).\n"},
        {"UPDATE runs SET params = '{\"val\": 1, \"epochs\": 3}' WHERE scheme = 'qat'",
         " in: epochs (qat: 3), step_rate (qat: none), val (qat: 1).\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        store_fixture_sql(s, cases[i].change);
        for (int reductions = 0; reductions < 2; reductions++) {
            char *text =
                exported(s, reductions ? "reductions" : "differences", EXPORT_WIDE, NULL, &e);
            if (!text)
                fail_msg("%s", e.text);
            assert_non_null(strstr(text, cases[i].told ? cases[i].told : ""));
            assert_int_equal(strstr(text, "Besides") != NULL, cases[i].told != NULL);
            free(text);
        }
    }
    store_close(s);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_reference_is_the_nearest), TEST(the_reference_has_the_same_contents),
        TEST(forced_widths_do_not_count),   TEST(pairs_have_the_same_images),
        TEST(what_else_differs_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
