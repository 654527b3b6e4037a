/* Exported tables: each kind once to the byte, in one format, and else by its cells; each format to
 * the byte in a table of its own. */
#include "report/print/table.h"
#include "store/export_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void accuracy_as_text(void **state) {
    struct store *s = three_runs(*state);
    assert_exported(
        s, "accuracy", EXPORT_TEXT, NULL,
        "network  scheme      inference     1   32\n"
        "lenet_5  fp32        direct      n/a 88.7\n"
        "resnet8  truncquant  direct     63.0 90.0\n"
        "                                ±1.4 ±0.0\n"
        "resnet8  truncquant  truncated  63.0  n/a\n"
        "                                ±1.4\n"
        "\n"
        "Top-1 accuracy on the test split in per cent by bit-width, batch norms as trained.\n"
        "Mean ± sample standard deviation over seeds.\n"
        "lenet_5, resnet8 on fashion-mnist; 60,000 training images, 200 epochs, Adam, learning "
        "rate "
        "0.001, step schedule, batch 128; test split, 1,000 images; n = 1 to 2 seeds.\n"
        "Commit: abc1234.\n");
    store_close(s);
}

static void accuracy_by_cells(void **state) {
    struct store *s = three_runs(*state);
    assert_cell(s, "accuracy", NULL, "lenet_5,fp32,direct", "32", "88.7000");
    assert_cell(s, "accuracy", NULL, "lenet_5,fp32,direct", "32 sd", "n/a");
    assert_cell(s, "accuracy", NULL, "lenet_5,fp32,direct", "1", "n/a");
    assert_cell(s, "accuracy", NULL, "resnet8,truncquant,direct", "1", "63.0000");
    assert_cell(s, "accuracy", NULL, "resnet8,truncquant,direct", "1 sd", "1.4142");
    assert_cell(s, "accuracy", NULL, "resnet8,truncquant,direct", "32 sd", "0.0000");
    assert_cell(s, "accuracy", NULL, "resnet8,truncquant,truncated", "1", "63.0000");
    assert_cell(s, "accuracy", NULL, "resnet8,truncquant,truncated", "32", "n/a");
    assert_cell(s, "accuracy-calibrated", NULL, "resnet8,truncquant,direct", "1", "65.0000");
    assert_cell(s, "accuracy-calibrated", NULL, "resnet8,truncquant,direct", "1 sd", "0.0000");
    assert_cell(s, "accuracy-calibrated", NULL, "resnet8,truncquant,direct", "32", "n/a");
    assert_says(
        s, "accuracy-calibrated", NULL,
        "Top-1 accuracy on the test split in per cent by bit-width, batch norms "
        "re-estimated (calibrated).\nMean ± sample standard deviation over seeds.\n"
        "Missing: 1 of 3 runs has no results with re-estimated batch norms: 030004b90000 fp32 "
        "lenet_5 fashion-mnist seed 1; 'truncquant evaluate ID --split test --calibration 20' "
        "adds them.\nresnet8 on fashion-mnist; ");
    store_close(s);
}

/* What a format makes of names, deviations and notes; the rest of it texts_are_escaped holds. */
static void accuracy_as_tex_and_md(void **state) {
    struct store *s = three_runs(*state);
    struct error e = {0};
    char *tex = exported(s, "accuracy", EXPORT_TEX, NULL, &e);
    assert_non_null(tex);
    assert_non_null(strstr(
        tex, "{\\emph{lenet\\_5 on fashion-mnist}} \\tabularnewline\nfp32 & direct & n/a & 88.7 "));
    assert_non_null(strstr(tex, "\ntruncquant & direct & 63.0 $\\pm$ 1.4 & 90.0 $\\pm$ 0.0 "));
    assert_non_null(strstr(tex, " & 90.0 $\\pm$ 0.0 \\tabularnewline\n"));
    assert_non_null(strstr(tex, "\n% Commit: abc1234.\n"));
    free(tex);
    assert_says(s, "accuracy", NULL, "\n| lenet\\_5 | fp32 | direct | n/a | ");
    assert_says(s, "accuracy", NULL,
                "\n| resnet8 | truncquant | direct | 63.0 ± 1.4 | 90.0 ± 0.0 |\n");
    assert_says(s, "accuracy", NULL, " | 90.0 ± 0.0 |\n");
    assert_says(s, "accuracy", NULL, "\nCommit: abc1234.\n");
    store_close(s);
}

/* A data set column only where there are several. */
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
    assert_cell(s, "accuracy", "demo", "fashion-mnist,resnet8,truncquant,direct", "32", "88.7000");
    assert_cell(s, "accuracy", "demo", "mnist,resnet8,truncquant,direct", "32", "44.3500");
    assert_cell(s, "accuracy", "demo", "mnist,resnet8,truncquant,direct", "8", "n/a");
    assert_says(s, "accuracy", "demo",
                "\nresnet8 on fashion-mnist, mnist; 60,000 training images, ");
    assert_says(s, "accuracy", "demo",
                "; test split, 1,000 to 2,000 images; n = 1 seed.\nCommits: abc1234, fff-dirty.\n");
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
    char *text = exported(s, "accuracy", EXPORT_WIDE, NULL, &e), *at = text;
    static const char *const order[] = {",qat,", ",truncquant,", ",adabits,", ",mine,",
                                        ",tanh-floor-low,"};
    for (int i = 0; i < 5; i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
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

/* Of 256 bins, two weights in the first and one in the last. */
static const char *counts_of_three(void) {
    static char text[600] = "[2";
    for (int b = 1; b < 256; b++)
        strcat(text, b < 255 ? ",0" : ",1]");
    return text;
}

static void rows_as_they_are(void **state) {
    struct store *s = three_runs(*state);
    struct layer_row layer = {3, "conv, \"3\"", 2, 0.1, -1, 0.75, 1e-20};
    struct histogram_row histogram = {3, "start", 3, counts_of_three()};
    struct epoch_row epoch = {1, 2, 1.0 / 3, 50, 1e-3, 2, 10};
    struct error e = {0};
    assert_int_equal(
        store_finish(s, 3, &(struct run_results){0, 0, &layer, 1, &histogram, 1}, 1, 1, &e), 0);
    assert_int_equal(store_add_epochs(s, 3, &epoch, 1, &e), 0);
    struct run_row run = store_fixture_run(3, 2, 1);
    char expected[512];
    snprintf(
        expected, sizeof expected,
        "run_id,attempt,layer,bits,name,quantization_error,truncation_error,codes_differ,scale\n"
        "%s,3,3,2,\"conv, \"\"3\"\"\",0.1,,0.75,1e-20\n# 1 rows. Commit: abc1234.\n",
        run.run_id);
    assert_exported(s, "layers", EXPORT_WIDE, NULL, expected);
    char *bins = exported(s, "histograms", EXPORT_WIDE, "demo", &e);
    snprintf(expected, sizeof expected,
             "run_id,scheme,network,dataset,seed,layer,stage,bin,low,weights\n"
             "%s,fp32,lenet_5,fashion-mnist,1,3,start,0,0,2\n"
             "%s,fp32,lenet_5,fashion-mnist,1,3,start,1,0.00390625,0\n",
             run.run_id, run.run_id);
    assert_memory_equal(bins, expected, strlen(expected));
    assert_non_null(strstr(bins, ",start,255,0.99609375,1\n# 256 rows. Commit: abc1234.\n"));
    free(bins);
    snprintf(expected, sizeof expected,
             "run_id,attempt,epoch,bits,loss,accuracy,learning_rate,seconds,images\n"
             "%s,3,1,2,0.3333333333333333,50,0.001,2,10\n# 1 rows. Commit: abc1234.\n",
             run.run_id);
    assert_exported(s, "epochs", EXPORT_WIDE, "demo", expected);
    store_close(s);
}

/* -1 and -2: mean -1.5, deviation .7071, times 12.706 / sqrt(2) is 6.35. */
static void differences_are_paired(void **state) {
    struct store *s = pairs(*state);
    assert_starts(s, "differences", EXPORT_TEXT, NULL,
                  "network  scheme      inference  n      2     8\n"
                  "resnet8  truncquant  direct     2  −1.50   n/a\n"
                  "                                   ±6.35\n"
                  "resnet8  truncquant  truncated  2  37.00 −0.50\n"
                  "                                  ±12.71 ±6.35\n"
                  "\n"
                  "Top-1 accuracy less that of qat on the test split, in points by bit-width, "
                  "batch norms as trained.\n"
                  "Mean ± half of its 95 % interval (Student's t) over the n seeds that both "
                  "have; none where n is 1.\n");
    assert_says(s, "differences", NULL,
                "; test split, 1,000 images; n = 2 seeds.\nCommit: abc1234.\n");
    static const char *const cells[][2] = {{"2", "-1.50000"},
                                           {"2 lo", "-7.85310"},
                                           {"2 hi", "4.85310"},
                                           {"8", "n/a"},
                                           {"8 lo", "n/a"}};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_cell(s, "differences", NULL, "resnet8,truncquant,direct,2", cells[i][0],
                    cells[i][1]);
    struct error e = {0};
    char *text = exported(s, "differences", EXPORT_TEX, NULL, &e);
    assert_non_null(text);
    assert_non_null(strstr(text, "direct & 2 & $-$1.50 $\\pm$ 6.35 & n/a \\tabularnewline\n"));
    free(text);
    assert_null(exported(s, "differences-calibrated", EXPORT_TEXT, NULL, &e));
    assert_non_null(strstr(e.text, "has no calibrated pairs of finished runs yet; "));
    store_close(s);
}

static void drops_are_direct_less_truncated(void **state) {
    struct store *s = pairs(*state);
    assert_starts(
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
        "Mean ± sample standard deviation over n seeds.\n");
    assert_says(s, "drops", NULL,
                "; test split, 1,000 images; n = 2 to 3 seeds.\nCommit: abc1234.\n");
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
    text = exported(s, "reductions", EXPORT_WIDE, NULL, &e);
    assert_non_null(strstr(text, "resnet8,truncquant,2,92.7711,90.4762,95.1220,88.2353,86.0465,"
                                 "90.4762\n"));
    free(text);
    // With 41 and -41 points qat's own interval contains 0.
    store_fixture_sql(s, "UPDATE evaluations SET correct1 = 999 WHERE attempt = 2 AND bits = 2 AND "
                         "inference = 'truncated'");
    text = exported(s, "reductions", EXPORT_WIDE, NULL, &e);
    assert_non_null(strstr(text, "resnet8,truncquant,2,n/a,n/a,n/a,n/a,n/a,n/a\n"));
    free(text);
    store_close(s);
}

/* One seed: the difference stands, without an interval; a reduction does not. */
static void one_seed_has_no_interval(void **state) {
    struct store *s = pairs(*state);
    struct error e = {0};
    store_fixture_sql(s, "UPDATE runs SET excluded = 'x' WHERE seed <> 2");
    char *text = exported(s, "differences", EXPORT_WIDE, NULL, &e);
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

/* Every kind in every format: as many lines as rows, and the first column is there. */
static void every_export_works(void **state) {
    struct store *s = pairs(*state);
    store_fixture_sql(s,
                      "INSERT INTO evaluations SELECT NULL, attempt, epoch, split, bits, act_bits, "
                      "stored_bits, bank, inference, 20, precision, images, correct1, correct5, "
                      "loss_sum, layer_bits, mean_bits FROM evaluations;"
                      "INSERT INTO latencies SELECT run_id, 'h', 1, 5, 8, 8, 'cpu', 'avx2', 'gcc', "
                      "'abc1234', 0, 1, 1, 200, 1, 2, 3, 1, 9, 8, 7, 0 FROM runs");
    for (int i = 0; export_names[i]; i++)
        for (int f = 0; f < EXPORT_FORMATS; f++) {
            struct error e = {0};
            char *text = exported(s, export_names[i], (enum export_format)f, NULL, &e);
            if (!text && strstr(e.text, "of finished runs yet; "))
                continue; // of nothing that there is here: ablations, top5, authors
            if (!text)
                fail_msg("%s %s: %s", export_names[i], export_format_names[f], e.text);
            assert_int_equal(strstr(text, "Commit: abc1234.") != NULL, f != EXPORT_CSV);
            free(text);
        }
    struct error e = {0};
    char *text = exported(s, "evaluations", EXPORT_WIDE, NULL, &e);
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

/* A terminal would obey what a database says. */
static void controls_are_shown(void **state) {
    (void)state;
    const char *const titles[] = {"a"};
    struct table *t = table_new(1, titles, "l");
    table_addf(t, "%s", "x\x1b[2J");
    table_note(t, "%s", "y\x1b]0;z\a");
    assert_table(t, EXPORT_TEXT, "a\nx?[2J\n\ny?]0;z?\n");
    assert_table(t, EXPORT_WIDE, "a\nx?[2J\n# y?]0;z?\n");
    table_free(t);
}

static void texts_are_escaped(void **state) {
    (void)state;
    const char *const titles[] = {"a_b", "n"};
    struct table *t = table_new(2, titles, "lr");
    table_add(t, "#50% {x}$&^~\\<|>\nÄ");
    table_add(t, NULL);
    table_note(t, "two\nlines");
    assert_table(t, EXPORT_TEX,
                 "{\\fontsize{8}{10}\\selectfont\\setlength{\\tabcolsep}{3pt}%\n"
                 "\\begin{tabular}{@{}lr@{}}\n\\toprule\na\\_b & n \\tabularnewline\n\\midrule\n"
                 "\\#50\\% \\{x\\}\\$\\&\\textasciicircum{}\\textasciitilde{}"
                 "\\textbackslash{}$<$$|$$>$ Ä &  \\tabularnewline\n\\bottomrule\n\\end{tabular}}\n"
                 "% two\n% lines\n");
    assert_table(t, EXPORT_WIDE, "a_b,n\n\"#50% {x}$&^~\\<|>\nÄ\",\n# two\n# lines\n");
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
        TEST(accuracy_by_cells),
        TEST(accuracy_as_tex_and_md),
        TEST(data_sets_get_a_column),
        TEST(schemes_stand_in_one_order),
        TEST(nothing_to_export),
        TEST(rows_as_they_are),
        TEST(differences_are_paired),
        TEST(drops_are_direct_less_truncated),
        TEST(reductions_have_intervals),
        TEST(one_seed_has_no_interval),
        TEST(every_export_works),
        cmocka_unit_test(controls_are_shown),
        cmocka_unit_test(texts_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
