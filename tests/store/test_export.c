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

/* The printed table, owned by the caller; NULL with the message in `e`. */
static char *exported(struct store *s, const char *what, enum export_format format,
                      const char *grid, struct error *e) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    int status = export_table(s, what, format, grid, out, e);
    fclose(out);
    if (!status)
        return text;
    assert_int_equal(size, 0); // nothing half printed
    free(text);
    return NULL;
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

/* Every kind in every format: as many lines as rows, and the first column is there. */
static void every_export_works(void **state) {
    struct store *s = three_runs(*state);
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
    assert_int_equal(lines, 1 + 9 + 1);
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
        TEST(accuracy_as_text),          TEST(accuracy_as_csv),
        TEST(accuracy_as_tex),           TEST(accuracy_as_md),
        TEST(data_sets_get_a_column),    TEST(configurations_are_told_apart),
        TEST(own_activations_are_shown), TEST(schemes_stand_in_one_order),
        TEST(nothing_to_export),         TEST(rows_as_they_are),
        TEST(every_export_works),        cmocka_unit_test(texts_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
