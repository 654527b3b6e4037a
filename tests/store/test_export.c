/* Exported tables, to the byte; and that configurations that share a name are told apart. */
#include "store/export.h"

#include "store/fixture.h"
#include "store/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The printed table of a split, owned by the caller; NULL with the message in `e`. */
static char *exported_of(struct store *s, const char *what, enum export_format format,
                         const char *grid, const char *split, struct error *e) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct export_request request = {
        .what = what, .format = format, .grid = grid, .split = split, .against = "qat"};
    int status = export_table(s, &request, out, e);
    fclose(out);
    if (!status)
        return text;
    assert_int_equal(size, 0); // nothing half printed
    free(text);
    return NULL;
}

static char *exported(struct store *s, const char *what, enum export_format format,
                      const char *grid, struct error *e) {
    return exported_of(s, what, format, grid, NULL, e);
}

static void assert_exported(struct store *s, const char *what, enum export_format format,
                            const char *grid, const char *expected) {
    struct error e = {0};
    char *text = exported(s, what, format, grid, &e);
    if (!text)
        fail_msg("%s", e.text);
    assert_string_equal(text, expected);
    free(text);
}

/* Two seeds of truncquant on resnet8 and one of fp32 on lenet_5. */
static struct store *three_runs(const char *path) {
    struct store *s = store_fixture_open(path, STORE_WRITE);
    for (int seed = 1; seed <= 2; seed++) {
        struct run_row run = store_fixture_run(seed, 1, seed);
        struct evaluation_row rows[] = {
            store_fixture_evaluation(1, "direct", 0, 600 + 20 * seed),
            store_fixture_evaluation(1, "truncated", 0, 600 + 20 * seed),
            store_fixture_evaluation(32, "direct", 0, 900),
            store_fixture_evaluation(1, "direct", 20, 650)};
        store_fixture_finished(s, &run, rows, 4);
    }
    struct run_row run = store_fixture_run(3, 2, 1);
    struct evaluation_row row = store_fixture_evaluation(32, "direct", 0, 887);
    run.scheme = "fp32";
    run.network = "lenet_5";
    store_fixture_finished(s, &run, &row, 1);
    return s;
}

static void accuracy_as_text(void **state) {
    struct store *s = three_runs(*state);
    assert_exported(
        s, "accuracy", EXPORT_TEXT, NULL,
        "network  scheme      inference     1   2   3   4   5   6   7   8   32\n"
        "lenet_5  fp32        direct      n/a n/a n/a n/a n/a n/a n/a n/a 88.7\n"
        "resnet8  truncquant  direct     63.0 n/a n/a n/a n/a n/a n/a n/a 90.0\n"
        "                                ±1.4                             ±0.0\n"
        "resnet8  truncquant  truncated  63.0 n/a n/a n/a n/a n/a n/a n/a  n/a\n"
        "                                ±1.4\n"
        "\n"
        "Top-1 accuracy on the test split in per cent by bit-width, batch norms as trained.\n"
        "Mean ± sample standard deviation over seeds.\n"
        "Data set fashion-mnist, 1 to 2 seeds, 1000 images. Commit: abc1234.\n");
    assert_exported(s, "accuracy-calibrated", EXPORT_TEXT, NULL,
                    "network  scheme      inference     1   2   3   4   5   6   7   8  32\n"
                    "resnet8  truncquant  direct     65.0 n/a n/a n/a n/a n/a n/a n/a n/a\n"
                    "                                ±0.0\n"
                    "\n"
                    "Top-1 accuracy on the test split in per cent by bit-width, batch norms "
                    "re-estimated (calibrated).\n"
                    "Mean ± sample standard deviation over seeds.\n"
                    "Data set fashion-mnist, 2 seeds, 1000 images. Commit: abc1234.\n");
    store_close(s);
}

static void accuracy_as_csv(void **state) {
    struct store *s = three_runs(*state);
    assert_exported(
        s, "accuracy", EXPORT_CSV, NULL,
        "network,scheme,inference,1,1 sd,2,2 sd,3,3 sd,4,4 sd,5,5 sd,6,6 sd,7,7 sd,8,8 sd,32,32 "
        "sd\n"
        "lenet_5,fp32,direct,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/"
        "a,88.7000,n/a\n"
        "resnet8,truncquant,direct,63.0000,1.4142,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/"
        "a,n/a,n/a,90.0000,0.0000\n"
        "resnet8,truncquant,truncated,63.0000,1.4142,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/"
        "a,n/a,n/a,n/a,n/a\n"
        "# Top-1 accuracy on the test split in per cent by bit-width, batch norms as trained.\n"
        "# Mean ± sample standard deviation over seeds.\n"
        "# Data set fashion-mnist, 1 to 2 seeds, 1000 images. Commit: abc1234.\n");
    store_close(s);
}

static void accuracy_as_tex(void **state) {
    struct store *s = three_runs(*state);
    assert_exported(
        s, "accuracy", EXPORT_TEX, NULL,
        "\\begin{tabular}{lllrrrrrrrrr}\n"
        "\\toprule\n"
        "network & scheme & inference & 1 & 2 & 3 & 4 & 5 & 6 & 7 & 8 & 32 \\\\\n"
        "\\midrule\n"
        "lenet\\_5 & fp32 & direct & n/a & n/a & n/a & n/a & n/a & n/a & n/a & n/a & 88.7 \\\\\n"
        "resnet8 & truncquant & direct & 63.0 $\\pm$ 1.4 & n/a & n/a & n/a & n/a & n/a & n/a & n/a "
        "& 90.0 $\\pm$ 0.0 \\\\\n"
        "resnet8 & truncquant & truncated & 63.0 $\\pm$ 1.4 & n/a & n/a & n/a & n/a & n/a & n/a & "
        "n/a & n/a \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "% Top-1 accuracy on the test split in per cent by bit-width, batch norms as trained.\n"
        "% Mean ± sample standard deviation over seeds.\n"
        "% Data set fashion-mnist, 1 to 2 seeds, 1000 images. Commit: abc1234.\n");
    store_close(s);
}

static void accuracy_as_md(void **state) {
    struct store *s = three_runs(*state);
    assert_exported(
        s, "accuracy", EXPORT_MD, NULL,
        "| network | scheme | inference | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 32 |\n"
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| lenet\\_5 | fp32 | direct | n/a | n/a | n/a | n/a | n/a | n/a | n/a | n/a | 88.7 |\n"
        "| resnet8 | truncquant | direct | 63.0 ± 1.4 | n/a | n/a | n/a | n/a | n/a | n/a | n/a | "
        "90.0 ± 0.0 |\n"
        "| resnet8 | truncquant | truncated | 63.0 ± 1.4 | n/a | n/a | n/a | n/a | n/a | n/a | n/a "
        "| n/a |\n"
        "\n"
        "Top-1 accuracy on the test split in per cent by bit-width, batch norms as trained.\n"
        "Mean ± sample standard deviation over seeds.\n"
        "Data set fashion-mnist, 1 to 2 seeds, 1000 images. Commit: abc1234.\n");
    store_close(s);
}

/* The text of one seed: no deviations, a data set column only when there are several. */
static void data_sets_get_a_column(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct evaluation_row row = store_fixture_evaluation(32, "direct", 0, 887);
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_finished(s, &run, &row, 1);
    run = store_fixture_run(2, 2, 1);
    run.dataset = "mnist";
    row.images = 2000, row.correct5 = 2000;
    store_fixture_finished(s, &run, &row, 1);
    store_fixture_sql(s, "UPDATE attempts SET commit_id = 'fff', dirty = 1 WHERE attempt = 2");
    assert_exported(
        s, "accuracy", EXPORT_TEXT, "demo",
        "dataset        network  scheme      inference    1   2   3   4   5   6   7   8   32\n"
        "fashion-mnist  resnet8  truncquant  direct     n/a n/a n/a n/a n/a n/a n/a n/a 88.7\n"
        "mnist          resnet8  truncquant  direct     n/a n/a n/a n/a n/a n/a n/a n/a 44.4\n"
        "\n"
        "Top-1 accuracy on the test split in per cent by bit-width, batch norms as trained.\n"
        "1 seed, 1000 to 2000 images. Commits: abc1234, fff-dirty.\n");
    store_close(s);
}

static char *settings_of(struct store *s, const char *grid) {
    struct error e = {0};
    char *text = exported(s, "accuracy", EXPORT_CSV, grid, &e), *settings = need(1, 512);
    assert_non_null(text);
    char *end = strstr(text, "# ");
    *end = '\0';
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char field[3][64] = {0};
        sscanf(line, "%63[^,],%63[^,],%63[^,]", field[0], field[1], field[2]);
        strcat(strcat(settings, field[2]), ";");
    }
    free(text);
    return settings;
}

static void assert_settings(struct store *s, const char *grid, const char *expected) {
    char *settings = settings_of(s, grid);
    assert_string_equal(settings, expected);
    free(settings);
}

/* Same names, other settings: rows of their own, told apart by what differs, and only by that. */
static void configurations_are_told_apart(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const char *const params[] = {
        "{\"rounder\":\"floor\"}",
        "{\"rounder\":\"floor\",\"epochs\":\"10\"}",
        "{\"rounder\":\"floor\",\"epochs\":\"20\"}",
        "{\"rounder\":\"floor\",\"epochs\":\"20\"}",
    };
    struct error e = {0};
    for (int i = 0; i < 4; i++) {
        struct run_row run = store_fixture_run(i + 1, i + 1, 1);
        struct evaluation_row row = store_fixture_evaluation(32, "direct", 0, 800 + i);
        run.params = params[i];
        run.config_id[0] = (char)('a' + i); // of the last two only the id differs
        store_fixture_finished(s, &run, &row, 1);
        if (i == 1)
            assert_int_equal(store_add_runs(s, &run, 1, "one", &e), 0);
        if (i == 1 || i == 2)
            assert_int_equal(store_add_runs(s, &run, 1, "two", &e), 0);
    }
    assert_settings(s, NULL, "settings;;epochs=10;epochs=20 c0000000;epochs=20 d0000000;");
    assert_settings(s, "one", "inference;direct;"); // alone in its grid
    assert_settings(s, "two", "settings;epochs=10;epochs=20;");
    store_close(s);
}

/* Known schemes in the order of figures, then others by name. */
static void schemes_stand_in_one_order(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const char *const schemes[] = {"adabits", "tanh-floor-low", "truncquant", "mine", "qat"};
    struct error e = {0};
    for (int i = 0; i < 5; i++) {
        struct run_row run = store_fixture_run(i + 1, i + 1, 1);
        struct evaluation_row row = store_fixture_evaluation(32, "direct", 0, 800);
        run.scheme = schemes[i];
        store_fixture_finished(s, &run, &row, 1);
    }
    char *text = exported(s, "accuracy", EXPORT_CSV, NULL, &e), *at = text;
    static const char *const order[] = {",qat,", ",truncquant,", ",adabits,", ",mine,",
                                        ",tanh-floor-low,"};
    for (int i = 0; i < 5; i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
    free(text);
    store_close(s);
}

/* A run's own activations are the cell; others are in the view. */
static void own_activations_are_shown(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row rows[] = {store_fixture_evaluation(4, "direct", 0, 100),
                                    store_fixture_evaluation(4, "direct", 0, 200)};
    rows[0].act_bits = 2;
    run.act_bits = 4;
    store_fixture_finished(s, &run, rows, 2);
    struct error e = {0};
    char *text = exported(s, "accuracy", EXPORT_CSV, NULL, &e);
    assert_non_null(strstr(text, ",20.0000,"));
    assert_null(strstr(text, ",10.0000,"));
    free(text);
    store_close(s);
}

static void nothing_to_export(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct error e = {0};
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    assert_null(exported(s, "accuracy", EXPORT_TEXT, "demo", &e));
    assert_non_null(strstr(e.text, "has no accuracies of finished runs of grid demo yet; "));
    e.text[0] = '\0';
    assert_null(exported(s, "accuracy", EXPORT_TEXT, "omed", &e));
    assert_non_null(strstr(e.text, "no runs of a grid 'omed' are recorded; there are: demo"));
    e.text[0] = '\0';
    assert_null(exported(s, "weights", EXPORT_TEXT, NULL, &e));
    assert_non_null(strstr(e.text, "'weights' cannot be exported; "));
    e.text[0] = '\0';
    store_fixture_add(s, &run); // no transaction was left open
    store_close(s);
}

static void rows_as_they_are(void **state) {
    struct store *s = three_runs(*state);
    struct layer_row layer = {3, "conv, \"3\"", 2, 0.1, -1, 0.75, 1e-20};
    struct epoch_row epoch = {1, 2, 1.0 / 3, 50, 1e-3, 2, 10};
    struct error e = {0};
    assert_int_equal(store_finish(s, 3, NULL, 0, &layer, 1, 1, 1, &e), 0);
    assert_int_equal(store_add_epochs(s, 3, &epoch, 1, &e), 0);
    struct run_row run = store_fixture_run(3, 2, 1);
    char expected[512];
    snprintf(
        expected, sizeof expected,
        "run_id,attempt,layer,bits,name,quantization_error,truncation_error,codes_differ,scale\n"
        "%s,3,3,2,\"conv, \"\"3\"\"\",0.1,,0.75,1e-20\n# 1 rows. Commit: abc1234.\n",
        run.run_id);
    assert_exported(s, "layers", EXPORT_CSV, NULL, expected);
    snprintf(expected, sizeof expected,
             "run_id,attempt,epoch,bits,loss,accuracy,learning_rate,seconds,images\n"
             "%s,3,1,2,0.3333333333333333,50,0.001,2,10\n# 1 rows. Commit: abc1234.\n",
             run.run_id);
    assert_exported(s, "epochs", EXPORT_CSV, "demo", expected);
    store_close(s);
}

/* Three seeds of qat, and two of truncquant in pairs with them: at 2 bits qat loses 41, 42, 43 points
 * to truncation and truncquant 2, 4; against the stored 8 bits 42, 43, 44 and 4, 6. */
static struct store *pairs(const char *path) {
    struct store *s = store_fixture_open(path, STORE_WRITE);
    for (int seed = 1; seed <= 3; seed++) {
        struct run_row run = store_fixture_run(seed, 1, seed);
        struct evaluation_row rows[] = {
            store_fixture_evaluation(2, "direct", 0, 800 + 10 * seed),
            store_fixture_evaluation(2, "truncated", 0, 400),
            store_fixture_evaluation(8, "truncated", 0, 810 + 10 * seed)};
        run.scheme = "qat";
        store_fixture_finished(s, &run, rows, 3);
    }
    for (int seed = 1; seed <= 2; seed++) {
        struct run_row run = store_fixture_run(10 + seed, 2, seed);
        struct evaluation_row rows[] = {
            store_fixture_evaluation(2, "direct", 0, 800),
            store_fixture_evaluation(2, "truncated", 0, 800 - 20 * seed),
            store_fixture_evaluation(8, "truncated", 0, 820),
            store_fixture_evaluation(4, "direct", 0, 700)};
        store_fixture_finished(s, &run, rows, 4);
    }
    return s;
}

/* -1 and -2: mean -1.5, deviation .7071, times 12.706 / sqrt(2) is 6.35. */
static void differences_are_paired(void **state) {
    struct store *s = pairs(*state);
    assert_exported(s, "differences", EXPORT_TEXT, NULL,
                    "network  scheme      inference  n      2     8\n"
                    "resnet8  truncquant  direct     2  -1.50   n/a\n"
                    "                                   ±6.35\n"
                    "resnet8  truncquant  truncated  2  37.00 -0.50\n"
                    "                                  ±12.71 ±6.35\n"
                    "\n"
                    "Top-1 accuracy less that of qat on the test split, in points by bit-width, "
                    "batch norms as trained.\n"
                    "Mean ± half of its 95 % interval (Student's t) over the n seeds that both "
                    "have; none where n is 1.\n"
                    "Data set fashion-mnist, 2 seeds, 1000 images. Commit: abc1234.\n");
    struct error e = {0};
    char *text = exported(s, "differences", EXPORT_CSV, NULL, &e);
    assert_non_null(text);
    assert_non_null(strstr(text, "scheme,inference,n,2,2 lo,2 hi,8,8 lo,8 hi\n"));
    assert_non_null(strstr(text, "direct,2,-1.50000,-7.85310,4.85310,n/a,n/a,n/a\n"));
    free(text);
    text = exported(s, "differences", EXPORT_TEX, NULL, &e);
    assert_non_null(text);
    assert_non_null(strstr(text, "direct & 2 & -1.50 $\\pm$ 6.35 & n/a \\\\\n"));
    free(text);
    assert_null(exported(s, "differences-calibrated", EXPORT_TEXT, NULL, &e));
    assert_non_null(strstr(e.text, "has no calibrated pairs of finished runs yet; "));
    store_close(s);
}

static void drops_are_direct_less_truncated(void **state) {
    struct store *s = pairs(*state);
    assert_exported(
        s, "drops", EXPORT_MD, NULL,
        "| network | scheme | n | 2 | cross |\n"
        "| --- | --- | ---: | ---: | ---: |\n"
        "| resnet8 | qat | 3 | 42.00 ± 1.00 | 43.00 ± 1.00 |\n"
        "| resnet8 | truncquant | 2 | 3.00 ± 1.41 | 5.00 ± 1.41 |\n"
        "\n"
        "What truncation costs in points of top-1 accuracy on the test split, batch norms "
        "as trained.\n"
        "Column k: direct less truncated at k bits; cross: truncated at the stored width "
        "less truncated at k, mean over those k. Widths below the stored one that were "
        "trained.\n"
        "Mean ± sample standard deviation over n seeds.\n"
        "Data set fashion-mnist, 2 to 3 seeds, 1000 images. Commit: abc1234.\n");
    store_close(s);
}

/* 1 - 6/83 and 1 - 10/85; the resamples of two seeds end at those of one seed alone: 1 - 4/42 to
 * 1 - 2/41, and 1 - 6/43 to 1 - 4/42. */
static void reductions_have_intervals(void **state) {
    struct store *s = pairs(*state);
    struct error e = {0};
    char *text = exported(s, "reductions", EXPORT_TEXT, NULL, &e);
    assert_non_null(text);
    assert_ptr_equal(strstr(text, "network  scheme      n            2        cross\n"
                                  "resnet8  truncquant  2         92.8         88.2\n"
                                  "                       [90.5, 95.1] [86.0, 90.5]\n"),
                     text);
    free(text);
    text = exported(s, "reductions", EXPORT_CSV, NULL, &e);
    assert_non_null(strstr(text, "resnet8,truncquant,2,92.7711,90.4762,95.1220,88.2353,86.0465,"
                                 "90.4762\n"));
    free(text);
    // With 41 and -41 points qat's own interval contains 0.
    store_fixture_sql(s, "UPDATE evaluations SET correct1 = 999 WHERE attempt = 2 AND bits = 2 AND "
                         "inference = 'truncated'");
    text = exported(s, "reductions", EXPORT_CSV, NULL, &e);
    assert_non_null(strstr(text, "resnet8,truncquant,2,n/a,n/a,n/a,n/a,n/a,n/a\n"));
    free(text);
    store_close(s);
}

/* One seed: the difference stands, without an interval; a reduction does not. */
static void one_seed_has_no_interval(void **state) {
    struct store *s = pairs(*state);
    struct error e = {0};
    store_fixture_sql(s, "UPDATE runs SET excluded = 'x' WHERE seed <> 2");
    char *text = exported(s, "differences", EXPORT_CSV, NULL, &e);
    assert_non_null(strstr(text, "truncated,1,36.00000,n/a,n/a,-1.00000,n/a,n/a\n"));
    assert_non_null(strstr(text, "# One seed: no interval.\n"));
    free(text);
    text = exported(s, "drops", EXPORT_TEXT, NULL, &e);
    assert_null(strstr(text, "±"));
    free(text);
    text = exported(s, "reductions", EXPORT_TEXT, NULL, &e);
    assert_non_null(strstr(text, "resnet8  truncquant  1 n/a   n/a\n"));
    free(text);
    store_close(s);
}

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
    char *text = exported(s, "differences", EXPORT_CSV, NULL, &e);
    assert_non_null(strstr(text, "minmax,qat epochs=7,direct,1,1.00000,n/a,n/a\n# "));
    assert_null(strstr(text, "fp32"));
    assert_non_null(strstr(text, "# Left out: 2 configurations to which several of qat are equally "
                                 "near; --against 'qat KEY=VALUE' chooses one.\n"));
    free(text);
    struct export_request request = {.what = "differences",
                                     .format = EXPORT_CSV,
                                     .against = "qat",
                                     .settings = "{\"epochs\": 5, \"batch\": null}"};
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(export_table(s, &request, out, &e), 0);
    fclose(out);
    assert_non_null(strstr(text, "fp32,,direct,1,10.00000"));
    assert_non_null(strstr(text, "minmax,,direct,1,21.00000"));
    assert_non_null(strstr(text, "qat,epochs=7,direct,1,20.00000"));
    free(text);
    request.settings = "{\"epochs\": null}";
    out = open_memstream(&text, &size);
    assert_int_equal(export_table(s, &request, out, &e), -1);
    fclose(out);
    free(text);
    assert_non_null(strstr(e.text,
                           "has no finished run of scheme qat with those settings to compare "
                           "with; --against names another (there are: fp32, minmax, ptq, "
                           "qat)"));
    store_close(s);
}

/* One run on one seed and cell, `correct` of 1000. */
static void finished(struct store *s, struct run_row run, const char *split, int correct) {
    struct evaluation_row row = store_fixture_evaluation(32, "direct", 0, correct);
    row.split = split;
    store_fixture_finished(s, &run, &row, 1);
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
    char *text = exported(s, "differences", EXPORT_CSV, NULL, &e);
    assert_non_null(text);
    assert_non_null(strstr(text, "minmax,direct,1,1.00000,"));
    assert_null(strstr(text, "truncquant,"));
    assert_null(strstr(text, "adabits,"));
    assert_non_null(
        strstr(text, "# Left out: 2 configurations whose network or data set has other contents "
                     "than any of qat has under the same name.\n"));
    free(text);
    store_fixture_sql(s, "UPDATE runs SET excluded = 'x' WHERE scheme = 'minmax'");
    assert_null(exported(s, "differences", EXPORT_CSV, NULL, &e));
    assert_non_null(
        strstr(e.text, "has no pairs: 2 configurations have under the same names as qat another "
                       "network or data set; train qat on these, too"));
    store_close(s);
}

/* fp32 has its width forced: it goes with the qat that is nearest otherwise, and the table says which. */
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
    char *text = exported(s, "differences", EXPORT_CSV, NULL, &e);
    assert_non_null(text);
    assert_non_null(strstr(text, "network,scheme,against,inference,n,32,32 lo,32 hi\n"));
    assert_non_null(strstr(text, "fp32,qat,direct,1,21.00000,"));
    assert_non_null(strstr(text, "ptq,qat,direct,1,22.00000,"));
    assert_non_null(strstr(text, "minmax,qat widths=2 4 8 32,direct,1,13.00000,"));
    assert_null(strstr(text, "adabits,"));
    assert_non_null(strstr(text, "# Left out: 1 configuration to which several of qat "));
    assert_non_null(strstr(text, " differ from their qat in: epochs.\n")); // ptq's
    free(text);
    store_close(s);
}

/* Of val, pairs saw the same held-out images: another number of them are others, also where as many were evaluated.
 * On the test split all see the same, and what was held out of training is a setting like others. */
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
        char *text = exported(s, i ? "reductions" : "differences", EXPORT_CSV, NULL, &e);
        assert_non_null(text);
        assert_non_null(strstr(text, i ? "minmax,qat val=2000,1,n/a," : // one seed
                                         "minmax,qat val=2000,direct,1,1.00000,"));
        assert_null(strstr(text, "truncquant,"));
        assert_non_null(strstr(
            text, "# Left out: 1 configuration whose network or data set has other contents than "
                  "any of qat "
                  "has under the same name, or whose held-out images (val = N) are others.\n"));
        free(text);
    }
    store_fixture_sql(s, "UPDATE runs SET excluded = 'x' WHERE scheme = 'minmax'");
    assert_null(exported(s, "differences", EXPORT_CSV, NULL, &e));
    assert_non_null(strstr(
        e.text, "has no pairs: 1 configuration has under the same names as qat another network "
                "or data set, or other held-out images (val = N); train qat on these, too"));
    store_fixture_sql(s, "UPDATE runs SET excluded = NULL; UPDATE evaluations SET split = 'test'");
    char *text = exported(s, "differences", EXPORT_CSV, NULL, &e);
    assert_non_null(strstr(text, "minmax,qat batch=9 epochs=9 val=1000,direct,1,-2.00000,"));
    assert_non_null(strstr(text, "truncquant,qat val=2000,direct,1,2.00000,"));
    assert_non_null(strstr(
        text,
        "# Besides the quantizer, there are configurations that differ from their qat in: val.\n"));
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
         "epochs.\n"},
        {"UPDATE runs SET params = '{\"val\": 1, \"epochs\": 3}' WHERE scheme = 'qat'",
         " in: epochs, step_rate, val.\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        store_fixture_sql(s, cases[i].change);
        for (int reductions = 0; reductions < 2; reductions++) {
            char *text =
                exported(s, reductions ? "reductions" : "differences", EXPORT_CSV, NULL, &e);
            if (!text)
                fail_msg("%s", e.text);
            assert_non_null(strstr(text, cases[i].told ? cases[i].told : ""));
            assert_int_equal(strstr(text, "Besides") != NULL, cases[i].told != NULL);
            free(text);
        }
    }
    store_close(s);
}

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
            assert_null(exported_of(s, "accuracy", EXPORT_CSV, "demo", "test", &e));
            assert_non_null(strstr(
                e.text, "has no accuracies on test: the finished runs of grid demo were evaluated "
                        "on val alone; --split val exports those, 'truncquant evaluate ID --split "
                        "test' adds to them"));
            e.text[0] = '\0';
            assert_null(exported_of(s, "differences", EXPORT_CSV, NULL, "test", &e));
            assert_non_null(strstr(e.text, "on test: the finished runs were evaluated on val"));
            e.text[0] = '\0';
            assert_null(exported(s, "accuracy-calibrated", EXPORT_CSV, NULL, &e));
            assert_non_null(strstr(e.text, "has no calibrated accuracies on val of finished runs"));
            e.text[0] = '\0';
            assert_null(exported(s, "differences", EXPORT_CSV, NULL, &e)); // is its own reference
            assert_non_null(strstr(e.text, "has no pairs on val of finished runs"));
            e.text[0] = '\0';
        }
    }
    assert_settings(s, NULL, "inference;direct;direct;"); // no column of settings
    char *text = exported(s, "differences", EXPORT_CSV, NULL, &e);
    assert_non_null(text);
    assert_non_null(strstr(text, "minmax,direct,1,1.00000,"));
    assert_non_null(
        strstr(text, "# Left out: 1 of 3 runs, evaluated on val alone (--split val).\n"));
    free(text);
    text = exported_of(s, "accuracy", EXPORT_CSV, "demo", "val", &e);
    assert_non_null(strstr(text, "split,network,scheme,inference,1,")); // nothing to tell apart
    assert_non_null(strstr(text, ",50.0000,n/a\n# "));
    assert_non_null(
        strstr(text, "# Left out: 2 of 3 runs, evaluated on test alone (--split test).\n"));
    free(text);
    store_fixture_sql(s, "UPDATE evaluations SET split = 'val' WHERE correct1 = 520");
    store_fixture_sql(s, "UPDATE runs SET excluded = 'x' WHERE params <> '{}'");
    assert_null(exported_of(s, "differences", EXPORT_CSV, NULL, "val", &e)); // qat is on test alone
    assert_non_null(strstr(e.text, "has no finished run of scheme qat on val to compare with; "
                                   "--against names another (there are: minmax)"));
    store_close(s);
}

/* What tells configurations apart is of the split: one is by `epochs` among those on test, and by `batch` among
 * those on val. */
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
    const char *first = strstr(text, "| val | resnet8 | truncquant |  | direct |");
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
    store_fixture_sql(s, "INSERT INTO evaluations SELECT NULL, attempt, epoch, 'val', bits, "
                         "act_bits, stored_bits, bank, inference, 0, precision, 500, correct1 / 2 "
                         "- 5 * (inference = 'truncated'), 500, loss_sum FROM evaluations "
                         "WHERE attempt <> 3 AND (bits <> 8 OR attempt <> 5)");
    store_fixture_sql(s, "UPDATE attempts SET commit_id = 'fff' WHERE attempt = 3");
    char *text = exported(s, "drops", EXPORT_CSV, NULL, &e);
    assert_ptr_equal(strstr(text, "network,scheme,n,2,2 sd,cross,cross sd\n"
                                  "resnet8,qat,3,42.00000,1.00000,43.00000,1.00000\n"
                                  "resnet8,truncquant,2,3.00000,1.41421,5.00000,1.41421\n"
                                  "# What truncation costs in points of top-1 accuracy on the test "
                                  "split, batch norms as trained.\n"),
                     text);
    assert_null(strstr(text, "Left out"));
    assert_non_null(strstr(text, "Commits: abc1234, fff."));
    free(text);
    text = exported_of(s, "drops", EXPORT_CSV, NULL, "val", &e);
    assert_ptr_equal(strstr(text, "split,network,scheme,n,2,2 sd,cross,cross sd\n"
                                  "val,resnet8,qat,2,42.50000,0.70711,42.50000,0.70711\n"
                                  "val,resnet8,truncquant,2,4.00000,1.41421,n/a,n/a\n"
                                  "# What truncation costs in points of top-1 accuracy on held-out "
                                  "images of the training set (val), not the test split, batch "
                                  "norms as trained.\n"),
                     text);
    assert_non_null(strstr(text, "# Left out: 1 of 5 runs, evaluated on test alone"));
    assert_non_null(strstr(text, "500 images. Commit: abc1234."));
    free(text);
    store_close(s);
}

/* In every format a column and a line say that it is val; nothing has to be asked for where that is all. */
static void val_is_named_in_every_format(void **state) {
    struct store *s = pairs(*state);
    static const char *const titles[EXPORT_FORMATS] = {"split  network  scheme      ",
                                                       "split,network,", "split & network & ",
                                                       "| split | network | "};
    static const char *const rows[EXPORT_FORMATS] = {
        "\nval    resnet8  truncquant  ", "\nval,resnet8,truncquant,",
        "\nval & resnet8 & truncquant & ", "\n| val | resnet8 | truncquant | "};
    store_fixture_sql(s, "UPDATE evaluations SET split = 'val'");
    store_fixture_sql(s,
                      "INSERT INTO evaluations SELECT NULL, attempt, epoch, split, bits, act_bits, "
                      "stored_bits, bank, inference, 20, precision, images, correct1, correct5, "
                      "loss_sum FROM evaluations");
    for (int i = 0; export_is_of_split(export_names[i]); i++)
        for (int f = 0; f < EXPORT_FORMATS; f++) {
            struct error e = {0};
            char *text = exported(s, export_names[i], (enum export_format)f, NULL, &e);
            if (!text)
                fail_msg("%s %s: %s", export_names[i], export_format_names[f], e.text);
            assert_non_null(strstr(text, titles[f]));
            assert_non_null(strstr(text, rows[f]));
            assert_non_null(strstr(
                text, " on held-out images of the training set (val), not the test split, "));
            assert_null(strstr(text, "on the test split"));
            free(text);
        }
    store_close(s);
}

/* Said where a width is shown that the model of several was not trained at, and only there. */
static void borrowed_batch_norms_are_told(void **state) {
    struct store *s = three_runs(*state);
    static const struct {
        const char *change, *calibrated, *as_trained; // what is said; NULL: nothing
    } cases[] = {
        {"UPDATE runs SET widths = '1 2'", NULL,
         "borrows the batch norms of the smallest trained width above k"},
        {"UPDATE runs SET widths = '2 32'",
         "A width k that was not trained borrows the batch norms' scale and shift of the smallest "
         "trained width above k or, where none is above, of the largest.",
         "A width k that was not trained borrows the batch norms of the smallest trained width "
         "above k or, where none is above, of the largest."},
        {"UPDATE runs SET params = '{\"norm_bank\": \"shared\"}'", NULL, NULL},
        {"UPDATE runs SET params = '{}', \"group\" = run_id", NULL, NULL},
        {"UPDATE runs SET \"group\" = NULL, widths = '32'", NULL, NULL},
        {"UPDATE runs SET widths = '1 32'", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        store_fixture_sql(s, cases[i].change);
        for (int calibrated = 0; calibrated < 2; calibrated++) {
            const char *said = calibrated ? cases[i].calibrated : cases[i].as_trained;
            struct error e = {0};
            char *text =
                exported(s, calibrated ? "accuracy-calibrated" : "accuracy", EXPORT_MD, NULL, &e);
            assert_non_null(strstr(text, said ? said : ""));
            assert_int_equal(strstr(text, "borrows") != NULL, said != NULL);
            free(text);
        }
    }
    store_close(s);
}

/* `columns`: where one borrows without the other; "": nowhere, though some borrow; NULL: none borrow. */
static void assert_borrowed(struct store *s, const char *what, const char *columns) {
    struct error e = {0};
    char expected[64] = "";
    char *text = exported(s, what, EXPORT_MD, NULL, &e);
    if (!text)
        fail_msg("%s: %s", what, e.text);
    const char *rule = strstr(what, "-calibrated")
                           ? "\nA width k that was not trained borrows the batch norms' scale and"
                           : "\nA width k that was not trained borrows the batch norms of";
    if (columns && *columns)
        snprintf(expected, sizeof expected, "\nColumn %s: there are rows of which only one",
                 columns);
    if (!strstr(text, columns ? rule : "") || !strstr(text, expected) ||
        (strstr(text, "borrows") != NULL) != (columns != NULL) ||
        (strstr(text, "only one") != NULL) != (*expected != '\0'))
        fail_msg("%s, not as told by '%s': %s", what, columns ? columns : "nobody borrows", text);
    free(text);
}

/* Said of differences, drops and reductions, where a cell of the table borrows or what it is compared with does. */
static void borrowing_is_told_of_what_is_derived(void **state) {
    struct store *s = pairs(*state);
    store_fixture_sql(s,
                      "INSERT INTO evaluations SELECT NULL, attempt, epoch, split, bits, act_bits, "
                      "stored_bits, bank, inference, 20, precision, images, correct1, correct5, "
                      "loss_sum FROM evaluations");
    static const char *const tables[] = {
        "differences",      "differences-calibrated", "drops",
        "drops-calibrated", "reductions-calibrated",  "reductions"};
    static const struct {
        const char *change, *columns[6];
        int tables; // that there are
    } cases[] = {
        {"SELECT 1", {NULL}, 6},
        {"UPDATE runs SET widths = '1 2 8 32'", {NULL}, 6}, // at 4 bits there is no pair
        {"UPDATE runs SET widths = '2 4 32'", {"", "", "", "", "", ""}, 6},
        {"UPDATE runs SET widths = '2 8 32' WHERE scheme = 'qat'",
         {"8", "8", "", "", "cross", "cross"},
         6},
        {"UPDATE runs SET widths = CASE scheme WHEN 'qat' THEN '4 32' ELSE '2 4 8 32' END",
         {"2, 8", "2, 8", NULL, "", "2, cross"},
         5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        store_fixture_sql(s, cases[i].change);
        for (int t = 0; t < cases[i].tables; t++)
            assert_borrowed(s, tables[t], cases[i].columns[t]);
    }
    store_close(s);
}

/* Every kind in every format: as many lines as rows, and the first column is there. */
static void every_export_works(void **state) {
    struct store *s = pairs(*state);
    store_fixture_sql(s,
                      "INSERT INTO evaluations SELECT NULL, attempt, epoch, split, bits, act_bits, "
                      "stored_bits, bank, inference, 20, precision, images, correct1, correct5, "
                      "loss_sum FROM evaluations");
    for (int i = 0; export_names[i]; i++)
        for (int f = 0; f < EXPORT_FORMATS; f++) {
            struct error e = {0};
            char *text = exported(s, export_names[i], (enum export_format)f, NULL, &e);
            if (!text)
                fail_msg("%s %s: %s", export_names[i], export_format_names[f], e.text);
            assert_non_null(strstr(text, "Commit: abc1234."));
            free(text);
        }
    struct error e = {0};
    char *text = exported(s, "evaluations", EXPORT_CSV, NULL, &e);
    int lines = 0;
    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 1 + 34 + 1);
    free(text);
    store_close(s);
}

static void assert_table(const struct table *t, enum export_format format, const char *expected) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    table_print(t, format, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void texts_are_escaped(void **state) {
    (void)state;
    const char *const titles[] = {"a_b", "n"};
    struct table *t = table_new(2, titles, "lr");
    table_add(t, "#50% {x}$&^~\\<|>\nÄ");
    table_add(t, NULL);
    table_note(t, "two\nlines");
    assert_table(t, EXPORT_TEX,
                 "\\begin{tabular}{lr}\n\\toprule\na\\_b & n \\\\\n\\midrule\n"
                 "\\#50\\% \\{x\\}\\$\\&\\textasciicircum{}\\textasciitilde{}"
                 "\\textbackslash{}$<$$|$$>$ Ä &  \\\\\n\\bottomrule\n\\end{tabular}\n"
                 "% two\n% lines\n");
    assert_table(t, EXPORT_CSV, "a_b,n\n\"#50% {x}$&^~\\<|>\nÄ\",\n# two\n# lines\n");
    assert_table(t, EXPORT_MD,
                 "| a\\_b | n |\n| --- | ---: |\n| #50% {x}$&^~\\\\\\<\\|> Ä |  |\n\n"
                 "two\nlines\n");
    assert_table(t, EXPORT_TEXT, "a_b                 n\n#50% {x}$&^~\\<|> Ä\n\ntwo\nlines\n");
    table_free(t);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(accuracy_as_text),
        TEST(accuracy_as_csv),
        TEST(accuracy_as_tex),
        TEST(accuracy_as_md),
        TEST(data_sets_get_a_column),
        TEST(configurations_are_told_apart),
        TEST(own_activations_are_shown),
        TEST(schemes_stand_in_one_order),
        TEST(nothing_to_export),
        TEST(rows_as_they_are),
        TEST(differences_are_paired),
        TEST(drops_are_direct_less_truncated),
        TEST(reductions_have_intervals),
        TEST(one_seed_has_no_interval),
        TEST(the_reference_is_the_nearest),
        TEST(the_reference_has_the_same_contents),
        TEST(forced_widths_do_not_count),
        TEST(pairs_have_the_same_images),
        TEST(what_else_differs_is_told),
        TEST(held_out_results_stay_apart),
        TEST(settings_are_of_the_split),
        TEST(no_table_mixes_splits),
        TEST(val_is_named_in_every_format),
        TEST(borrowed_batch_norms_are_told),
        TEST(borrowing_is_told_of_what_is_derived),
        TEST(every_export_works),
        cmocka_unit_test(texts_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
