/* A table is of one split, and says so. */
#include "store/export_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What was evaluated on held-out images alone neither names rows apart nor is a reference. */
static void held_out_results_stay_apart(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct error e = {0};
    for (int i = 0; i < 3; i++) {
        struct run_row run = store_fixture_run(i + 1, i + 1, 1);
        run.scheme = i < 2 ? "qat" : "minmax";
        run.params = i ? "{}" : "{\"val\":2000}";
        finished(s, run, i ? "test" : "val", 500 + 10 * i);
        if (!i) {
            assert_null(exported_of(s, "accuracy", EXPORT_WIDE, "demo", "test", &e));
            assert_non_null(strstr(
                e.text, "has no accuracies on test: the finished runs of grid demo were evaluated "
                        "on val alone; --split val exports those, 'truncquant evaluate ID --split "
                        "test' adds to them"));
            e.text[0] = '\0';
            assert_null(exported_of(s, "differences", EXPORT_WIDE, NULL, "test", &e));
            assert_non_null(strstr(e.text, "on test: the finished runs were evaluated on val"));
            e.text[0] = '\0';
            assert_null(exported(s, "accuracy-calibrated", EXPORT_WIDE, NULL, &e));
            assert_non_null(strstr(e.text, "has no calibrated accuracies on val of finished runs"));
            e.text[0] = '\0';
            assert_null(exported(s, "differences", EXPORT_WIDE, NULL, &e)); // is its own reference
            assert_non_null(strstr(e.text, "has no pairs on val of finished runs"));
            e.text[0] = '\0';
        }
    }
    assert_settings(s, NULL, "inference;direct;direct;"); // no column of settings
    char *text = exported(s, "differences", EXPORT_WIDE, NULL, &e);
    assert_non_null(text);
    assert_non_null(strstr(text, "minmax,direct,1,1.00000,"));
    assert_non_null(
        strstr(text, "# Left out: 1 of 3 runs, evaluated on val alone (--split val).\n"));
    free(text);
    text = exported_of(s, "accuracy", EXPORT_WIDE, "demo", "val", &e);
    assert_non_null(strstr(text, "split,network,scheme,inference,1,")); // nothing to tell apart
    assert_non_null(strstr(text, ",50.0000,n/a\n# "));
    assert_non_null(
        strstr(text, "# Left out: 2 of 3 runs, evaluated on test alone (--split test).\n"));
    free(text);
    store_fixture_sql(s, "UPDATE evaluations SET split = 'val' WHERE correct1 = 520");
    store_fixture_sql(s, "UPDATE runs SET excluded = 'x' WHERE params <> '{}'");
    assert_null(
        exported_of(s, "differences", EXPORT_WIDE, NULL, "val", &e)); // qat is on test alone
    assert_non_null(strstr(e.text, "has no finished run of scheme qat on val to compare with; "
                                   "--against names another (there are: minmax)"));
    store_close(s);
}

/* What tells configurations apart is of the split: one is by `epochs` among those on test, and by
 * `batch` among those on val. */
static void settings_are_of_the_split(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const char *const params[] = {"{\"epochs\":5,\"batch\":64}",
                                         "{\"epochs\":7,\"batch\":64}", "{\"epochs\":5}"};
    static const char *const splits[][2] = {{"test", "val"}, {"test"}, {"val"}};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 2 && splits[i][j]; j++) {
            struct run_row run = store_fixture_run(i + 1, i + 1, 1);
            run.params = params[i];
            finished(s, run, splits[i][j], 800 + 10 * i + j);
        }
    assert_settings(s, NULL, "settings;epochs=5;epochs=7;");
    struct error e = {0};
    char *text = exported_of(s, "accuracy", EXPORT_MD, NULL, "val", &e);
    assert_ptr_equal(strstr(text, "| split | network | scheme | settings | inference |"), text);
    const char *first = strstr(text, "| val | resnet8 | truncquant | batch=128 | direct |");
    const char *second = strstr(text, "| val | resnet8 | truncquant | batch=64 | direct |");
    assert_true(first && second > first && strchr(first, '\n') + 1 == second);
    assert_non_null(strstr(second, " 80.1 |\n\nTop-1 "));
    free(text);
    store_close(s);
}

/* Both splits of one run: each in a table of its own. */
static void no_table_mixes_splits(void **state) {
    struct store *s = pairs(*state);
    struct error e = {0};
    store_fixture_sql(
        s, "INSERT INTO evaluations SELECT NULL, attempt, epoch, 'val', bits, "
           "act_bits, stored_bits, bank, inference, 0, precision, 500, correct1 / 2 "
           "- 5 * (inference = 'truncated'), 500, loss_sum, layer_bits, mean_bits FROM evaluations "
           "WHERE attempt <> 3 AND (bits <> 8 OR attempt <> 5)");
    store_fixture_sql(s, "UPDATE attempts SET commit_id = 'fff' WHERE attempt = 3");
    char *text = exported(s, "drops", EXPORT_WIDE, NULL, &e);
    assert_ptr_equal(strstr(text, "network,scheme,n,2,2 sd,cross,cross sd\n"
                                  "resnet8,qat,3,42.00000,1.00000,43.00000,1.00000\n"
                                  "resnet8,truncquant,2,3.00000,1.41421,5.00000,1.41421\n"
                                  "# What truncation costs in points of top-1 accuracy on the test "
                                  "split, batch norms as trained.\n"),
                     text);
    assert_null(strstr(text, "Left out"));
    assert_non_null(strstr(text, "Commits: abc1234, fff."));
    free(text);
    text = exported_of(s, "drops", EXPORT_WIDE, NULL, "val", &e);
    assert_ptr_equal(strstr(text, "split,network,scheme,n,2,2 sd,cross,cross sd\n"
                                  "val,resnet8,qat,2,42.50000,0.70711,42.50000,0.70711\n"
                                  "val,resnet8,truncquant,2,4.00000,1.41421,n/a,n/a\n"
                                  "# What truncation costs in points of top-1 accuracy on held-out "
                                  "images of the training set (val), not the test split, batch "
                                  "norms as trained.\n"),
                     text);
    assert_non_null(strstr(text, "# Left out: 1 of 5 runs, evaluated on test alone"));
    assert_non_null(strstr(
        text, "; 500 held-out images (val), not the test split; n = 2 seeds.\n# Commit: abc1234."));
    free(text);
    store_close(s);
}

/* In every format a column and a line say that it is val; nothing has to be asked for where that is
 * all. */
static void val_is_named_in_every_format(void **state) {
    struct store *s = pairs(*state);
    static const struct {
        const char *title, *row;
    } expected[EXPORT_FORMATS] = {
        [EXPORT_TEXT] = {"split  network  scheme      ", "\nval    resnet8  truncquant  "},
        [EXPORT_CSV] =
            {"grid,scheme,network,dataset,seed,n,bits,act_bits,inference,calibrated,split,",
             ",val,"},
        [EXPORT_WIDE] = {"split,network,", "\nval,resnet8,truncquant,"},
        [EXPORT_TEX] = {"split & scheme & ", "\nval & truncquant & "},
        [EXPORT_MD] = {"| split | network | ", "\n| val | resnet8 | truncquant | "}};
    store_fixture_sql(s, "UPDATE evaluations SET split = 'val'");
    store_fixture_sql(s,
                      "INSERT INTO evaluations SELECT NULL, attempt, epoch, split, bits, act_bits, "
                      "stored_bits, bank, inference, 20, precision, images, correct1, correct5, "
                      "loss_sum, layer_bits, mean_bits FROM evaluations");
    for (int i = 0; export_is_of_split(export_names[i]); i++)
        for (int f = 0; f < EXPORT_FORMATS; f++) {
            struct error e = {0};
            char *text = exported(s, export_names[i], (enum export_format)f, NULL, &e);
            if (!text && strstr(e.text, "of finished runs yet; "))
                continue; // ablations, top5, authors: there are none here
            if (!text)
                fail_msg("%s %s: %s", export_names[i], export_format_names[f], e.text);
            assert_non_null(strstr(text, expected[f].title));
            assert_non_null(strstr(text, expected[f].row));
            assert_true(
                f == EXPORT_CSV ||
                strstr(text,
                       " on held-out images of the training set (val), not the test split, "));
            assert_null(strstr(text, "on the test split"));
            free(text);
        }
    store_close(s);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(held_out_results_stay_apart),
        TEST(settings_are_of_the_split),
        TEST(no_table_mixes_splits),
        TEST(val_is_named_in_every_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
