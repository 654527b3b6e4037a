/* Exports of databases for tests; export_fixture.h is the manual. */
#include "store/export_fixture.h"
#include "registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char *exported_of(struct store *s, const char *what, enum export_format format, const char *grid,
                  const char *split, struct error *e) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct export_request request = {.quantizers = quantizer_registry,
                                     .what = what,
                                     .format = format,
                                     .grid = grid,
                                     .split = split,
                                     .against = "qat"};
    int status = export_table(s, &request, out, e);
    fclose(out);
    if (!status)
        return text;
    assert_int_equal(size, 0); // nothing half printed
    free(text);
    return NULL;
}

char *exported(struct store *s, const char *what, enum export_format format, const char *grid,
               struct error *e) {
    return exported_of(s, what, format, grid, NULL, e);
}

void assert_exported(struct store *s, const char *what, enum export_format format, const char *grid,
                     const char *expected) {
    struct error e = {0};
    char *text = exported(s, what, format, grid, &e);
    if (!text)
        fail_msg("%s", e.text);
    assert_string_equal(text, expected);
    free(text);
}

void assert_starts(struct store *s, const char *what, enum export_format format, const char *grid,
                   const char *expected) {
    struct error e = {0};
    char *text = exported(s, what, format, grid, &e);
    if (!text)
        fail_msg("%s", e.text);
    if (strncmp(text, expected, strlen(expected)) != 0)
        assert_string_equal(text, expected);
    free(text);
}

void assert_says(struct store *s, const char *what, const char *grid, const char *expected) {
    struct error e = {0};
    char *text = exported(s, what, EXPORT_MD, grid, &e);
    if (!text)
        fail_msg("%s", e.text);
    if (!strstr(text, expected))
        fail_msg("'%s' is not in: %s", expected, text);
    free(text);
}

/* The line that begins with so many cells; NULL: none does. */
static const char *find_row(const char *text, const char *cells) {
    size_t n = strlen(cells);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        if (!strncmp(line, cells, n) && line[n] == ',')
            return line;
    return NULL;
}

/* The place of a title among the cells of a line; -1: it is none of them. */
static int find_column(const char *line, const char *title) {
    int place = 0;
    for (size_t n;; line += n + 1, place++) {
        n = strcspn(line, ",\n");
        if (n == strlen(title) && !strncmp(line, title, n))
            return place;
        if (line[n] != ',')
            return -1;
    }
}

void assert_cell(struct store *s, const char *what, const char *grid, const char *row,
                 const char *column, const char *expected) {
    struct error e = {0};
    char *text = exported(s, what, EXPORT_WIDE, grid, &e);
    if (!text)
        fail_msg("%s", e.text);
    const char *cell = find_row(text, row);
    int place = find_column(text, column);
    if (!cell || place < 0)
        fail_msg("%s has no row %s or no column %s: %s", what, row, column, text);
    for (; place > 0; place--)
        cell += strcspn(cell, ",\n") + 1;
    size_t n = strcspn(cell, ",\n");
    if (n != strlen(expected) || strncmp(cell, expected, n) != 0)
        fail_msg("%s, %s, column %s: %.*s instead of %s", what, row, column, (int)n, cell,
                 expected);
    free(text);
}

struct store *three_runs(const char *path) {
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

struct store *pairs(const char *path) {
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

void finished(struct store *s, struct run_row run, const char *split, int correct) {
    struct evaluation_row row = store_fixture_evaluation(32, "direct", 0, correct);
    row.split = split;
    store_fixture_finished(s, &run, &row, 1);
}

static char *settings_of(struct store *s, const char *grid) {
    struct error e = {0};
    char *text = exported(s, "accuracy", EXPORT_WIDE, grid, &e), *settings = need(1, 512);
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

void assert_settings(struct store *s, const char *grid, const char *expected) {
    char *settings = settings_of(s, grid);
    assert_string_equal(settings, expected);
    free(settings);
}
