/* Made-up databases and their parts; parts.h is the manual. */
#include "store/parts.h"

#include "base/file.h"
#include "registry.h"
#include "report/figure.h"
#include "store/export_fixture.h"
#include "store/opening.h"
#include "store/sql.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* drawn(i): a number from 0 to 996. */
static void drawn(sqlite3_context *context, int n, sqlite3_value **values) {
    (void)n;
    uint64_t i = (uint64_t)sqlite3_value_int64(values[0]);
    sqlite3_result_int64(context, (int64_t)((i * 7919 + 104729) * 31 % 1000003 % 997));
}

/* What a file beside this one says, after `first`. */
static void run_file(const char *path, const char *first, const char *file) {
    struct error e = {0};
    size_t size;
    sqlite3 *db = NULL;
    char *sql = file_read(file, 1 << 20, &size, &e);
    if (!sql)
        fail_msg("%s", e.text);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_create_function(db, "drawn", 1, SQLITE_UTF8, NULL, drawn, NULL, NULL);
    if (sqlite3_exec(db, first, NULL, NULL, NULL) || sqlite3_exec(db, sql, NULL, NULL, NULL))
        fail_msg("%s: %s", file, sqlite3_errmsg(db));
    sqlite3_close(db);
    free(sql);
}

void parts_make_whole(const char *path) {
    store_close(store_fixture_open(path, STORE_WRITE));
    run_file(path, "PRAGMA journal_mode = DELETE", "tests/store/whole.sql");
}

void parts_make(const char *whole, const char *path, int k, int n, int draw) {
    char sql[8192];
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", path);
    unlink(path);
    opening_sql(whole, sql);
    snprintf(sql, sizeof sql, "BEGIN; CREATE TEMP TABLE p AS SELECT %d AS k, %d AS n, %d AS draw",
             k, n, draw);
    run_file(path, sql, "tests/store/part.sql");
}

/* ---- what can be seen ---- */

static void print_table(struct store *s, const char *what, const char *grid, FILE *out) {
    struct error e = {0};
    int rows = !grid && !strcmp(what, "accuracy"); // for programs, too
    for (int i = 0; i <= rows; i++) {
        char *text = exported(s, what, i ? EXPORT_CSV : EXPORT_WIDE, grid, &e);
        fprintf(out, "== %s %s\n%s\n", what, grid ? grid : "", text ? text : "nothing");
        free(text);
    }
}

static int print_figure(const char *name, const char *numbers, const char *caption, void *to,
                        struct error *e) {
    (void)e;
    fprintf(to, "== %s\n%s\n%s\n", name, numbers, caption);
    return 0;
}

static void print_states(struct store *s, FILE *out) {
    struct error e = {0};
    struct run_status *rows;
    int n;
    if (store_statuses(s, NULL, &rows, &n, &e))
        fail_msg("%s", e.text);
    for (int i = 0; i < n; i++)
        fprintf(out, "%s %s %g %s %d\n", rows[i].run_id, run_state_names[rows[i].state],
                rows[i].progress, rows[i].reason ? rows[i].reason : "-", rows[i].excluded);
    store_free_statuses(rows, n);
}

static void print_rows(struct store *s, const char *rows, FILE *out) {
    char sql[512];
    sqlite3_stmt *q = NULL;
    snprintf(sql, sizeof sql, "SELECT %s ORDER BY 1", rows);
    assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &q, NULL), SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW)
        fprintf(out, "%s\n", (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
}

char *parts_print(const char *path) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct store *s = store_fixture_open(path, STORE_READ);
    struct export_request request = {.quantizers = quantizer_registry, .against = "qat"};
    struct figure_taker taker = {.take = print_figure, .to = out};
    struct error e = {0};
    for (int i = 0; export_names[i]; i++) {
        print_table(s, export_names[i], NULL, out);
        print_table(s, export_names[i], "b", out);
    }
    if (export_figures(s, &request, &taker, &e) < 0)
        fail_msg("%s", e.text);
    print_states(s, out);
    print_rows(s, "hex(cfg) || hex(spec) || grid || recorded_at || sequence AS x FROM runs", out);
    print_rows(s, "grid || run_id || current AS x FROM grid_runs", out);
    print_rows(s, "grid || run_id || every || split AS x FROM curve_requests", out);
    print_rows(s, "scheme || fingerprint || recorded_at AS x FROM fingerprints", out);
    store_close(s);
    fclose(out);
    return text;
}
