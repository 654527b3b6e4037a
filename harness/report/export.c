/* The tables that can be exported: those of accuracies (accuracies.c), and rows as they are. */
#include "report/accuracies.h"

#include "report/print/table.h"
#include "report/query.h"
#include "report/schemes.h"
#include "store/sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const export_names[] = {"accuracy",    "accuracy-calibrated",
                                    "differences", "differences-calibrated",
                                    "drops",       "drops-calibrated",
                                    "reductions",  "reductions-calibrated",
                                    "ablations",   "ablations-calibrated",
                                    "top5",        "top5-calibrated",
                                    "authors",     "authors-calibrated",
                                    "cost",        "runs",
                                    "attempts",    "epochs",
                                    "evaluations", "layers",
                                    "histograms",  "curves",
                                    "latency",     "grids",
                                    NULL};

int export_is_calibratable(const char *what) {
    int calibrated;
    return export_find_wide(what, &calibrated) >= 0 && !calibrated;
}

int export_is_of_split(const char *what) {
    int calibrated;
    return export_find_wide(what, &calibrated) >= 0;
}

/* ---- rows as they are ---- */

#define OF_GRID                                                                                    \
    " WHERE ?1 IS NULL OR run_id IN (SELECT run_id FROM grid_runs WHERE grid = ?1 AND current)"

/* The commits that rows of a grid come from. */
#define COMMITS_OF(table)                                                                          \
    "SELECT group_concat(version, ', ') FROM (SELECT DISTINCT commit_id ||"                        \
    " CASE dirty WHEN 1 THEN '-dirty' ELSE '' END AS version FROM " table OF_GRID " ORDER BY 1)"

/* `sql` NULL: all that a table of attempts, or of what belongs to one, has. */
static const struct row_export {
    const char *name, *sql;
    int last;         // so many columns, the last, are there where some row has something in them
    const char *uses; // whether one has
    const char *commits; // NULL: those of attempts
    const char *query;   // harness/report/queries, in the place of `sql`
    const char *note;    // what its numbers are; NULL: what they are called
} row_exports[] = {
    {.name = "runs",
     .sql = "SELECT run_id, config_id, grid, scheme, network, dataset, data_hash, params, seed, "
            "widths,"
            " epochs, batch, images, act_bits, stored_bits, work, parent, \"group\", recorded_at,"
            " x.excluded FROM runs LEFT JOIN excluded_runs x USING (run_id)" OF_GRID
            " ORDER BY " SQL_RECORDED},
    {.name = "cost",
     .query = "cost",
     .note = "Core-hours of all attempts that ended, and of those at a finished run (per run); MB: "
             "the most memory; images that went through training, at all widths, per second; open: "
             "attempts that have not ended, and told nothing."},
    {.name = "attempts"},
    {.name = "epochs"},
    {.name = "evaluations",
     .last = 2, // layer_bits, mean_bits
     .uses = "SELECT max(layer_bits <> '') FROM evaluations JOIN attempts USING (attempt)" OF_GRID},
    {.name = "layers"},
    {.name = "histograms",
     .sql =
         "SELECT run_id, scheme, network, dataset, seed, layer, stage, key AS bin,"
         " key / 256.0 AS low, value AS weights FROM weight_histograms, json_each(counts)" OF_GRID
         " ORDER BY scheme, network, run_id, layer, stage DESC, key"},
    {.name = "curves",
     .sql = "SELECT * FROM learning_curves" OF_GRID
            " ORDER BY scheme, network, run_id, split, epoch, inference, bits"},
    {.name = "latency",
     .sql =
         "SELECT network, dataset, scheme, seed, substr(run_id, 1, 12) AS run, processor, kernels,"
         " batch, bits, round(top1, 2) AS top1, round(1e3 * median_seconds, 4) AS ms,"
         " round(1e3 * min_seconds, 4) AS min_ms, round(1e3 * p95_seconds, 4) AS p95_ms,"
         " round(speedup, 2) AS speedup, round(1e3 * switch_seconds, 4) AS switch_ms,"
         " bytes_read, session_bytes FROM latency" OF_GRID
         " ORDER BY network, dataset, scheme, seed, run_id, processor, batch, kernels,"
         " measured_at, host, pid, bits",
     .commits = COMMITS_OF("latencies")},
    {.name = "grids",
     .sql = "SELECT grid, count(*) AS runs, sum(run_id IN (SELECT run_id FROM attempts"
            " WHERE outcome = 'complete') AND run_id NOT IN (SELECT run_id FROM excluded_runs))"
            " AS finished FROM grid_runs WHERE current AND (?1 IS NULL OR grid = ?1)"
            " GROUP BY grid ORDER BY grid"},
};

/* Databases that were joined in another order number their rows otherwise: attempts are numbered
 * here by what they say of when they began, and by what they are. */
static const char numbers_sql[] =
    "CREATE TEMP TABLE numbers (number INTEGER PRIMARY KEY, run_id TEXT, attempt INTEGER);"
    "INSERT INTO numbers SELECT row_number() OVER (ORDER BY " SQL_BEGAN "),"
    " run_id, attempt FROM attempts;"
    "CREATE UNIQUE INDEX temp.numbers_by_attempt ON numbers (attempt)";

/* What makes the query of a table: ?1 is its name. Rows are in the order of their columns. */
static const char query_sql[] =
    "SELECT 'SELECT ' || iif(?1 = 'attempts', '', 'n.run_id, ') || 'n.number AS attempt, '"
    " || group_concat('t.\"' || name || '\"', ', ') || ' FROM \"' || ?1 || '\" t"
    " JOIN numbers n ON n.attempt = t.attempt WHERE ?1 IS NULL OR n.run_id IN"
    " (SELECT run_id FROM grid_runs WHERE grid = ?1 AND current)"
    " ORDER BY n.number, ' || group_concat('t.\"' || name || '\"', ', ')"
    " FROM pragma_table_info(?1) WHERE name NOT IN ('attempt', 'evaluation')";

/* Owned by the caller; NULL on error. */
static char *query_of_table(struct store *s, const char *table, struct error *e) {
    char *sql = NULL;
    sqlite3_stmt *q = sql_run(s, numbers_sql, e) ? NULL : sql_prepare(s, query_sql, e);
    if (!q)
        return NULL;
    sqlite3_bind_text(q, 1, table, -1, SQLITE_STATIC);
    if (sql_step(s, q, e) == 1)
        sql = sql_take_text(q, 0);
    sqlite3_finalize(q);
    return sql;
}

static sqlite3_stmt *prepare_of_grid(struct store *s, const char *sql, const char *grid,
                                     struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, sql, e);
    if (q)
        sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    return q;
}

static int note_commits(struct store *s, struct table *t, const char *what, const char *sql,
                        const char *grid, struct error *e) {
    sqlite3_stmt *q = prepare_of_grid(s, sql, grid, e);
    if (!q)
        return -1;
    int got = sql_step(s, q, e);
    const char *commits = got == 1 ? (const char *)sqlite3_column_text(q, 0) : NULL;
    int several = commits && strchr(commits, ',') != NULL;
    if (got == 1)
        table_note(t, "%s Commit%s: %s.", what, several ? "s" : "", commits ? commits : "none");
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

/* Numbers so that they read back as they were; SQLite's own text has 15 digits. */
static void add_value(struct table *t, sqlite3_stmt *q, int column) {
    char text[64];
    if (sqlite3_column_type(q, column) != SQLITE_FLOAT) {
        table_add(t, (const char *)sqlite3_column_text(q, column));
        return;
    }
    double value = sqlite3_column_double(q, column);
    if (fabs(value) < 1e15 && value == floor(value))
        snprintf(text, sizeof text, "%.0f", value); // not 5e+01
    else
        text_print_real(value, text, sizeof text);
    table_add(t, text);
}

/* STRICT tables: the declared type is the type. What is computed has none; then the first row
 * says. */
static int is_number(sqlite3_stmt *q, int column) {
    const char *type = sqlite3_column_decltype(q, column);
    int of_row = sqlite3_data_count(q) ? sqlite3_column_type(q, column) : SQLITE_NULL;
    return type ? strcmp(type, "TEXT") != 0 : of_row == SQLITE_INTEGER || of_row == SQLITE_FLOAT;
}

static struct table *table_of_query(sqlite3_stmt *q, int n) {
    const char **titles = need((size_t)n, sizeof *titles);
    char *numeric = need((size_t)n + 1, 1);
    for (int c = 0; c < n; c++) {
        titles[c] = sqlite3_column_name(q, c);
        numeric[c] = is_number(q, c) ? 'r' : 'l';
    }
    struct table *t = table_new(n, titles, numeric);
    free(titles);
    free(numeric);
    return t;
}

/* How many columns of the export are left out; -1: error. */
static int count_unused(struct store *s, const struct row_export *x, const char *grid,
                        struct error *e) {
    sqlite3_stmt *q = x->uses ? prepare_of_grid(s, x->uses, grid, e) : NULL;
    if (!q)
        return x->uses ? -1 : 0;
    int got = sql_step(s, q, e), unused = got == 1 && !sqlite3_column_int(q, 0) ? x->last : 0;
    sqlite3_finalize(q);
    return got < 0 ? -1 : unused;
}

static int export_rows(struct store *s, const struct row_export *x, const struct export_request *r,
                       FILE *out, struct error *e) {
    const char *grid = r->grid;
    int unused = count_unused(s, x, grid, e);
    const char *sql = x->query ? export_query(x->query) : x->sql;
    if (x->query && scheme_declare(s, r->quantizers, e))
        return -1;
    sqlite3_stmt *q = unused < 0 ? NULL : prepare_of_grid(s, sql, grid, e);
    if (!q)
        return -1;
    int got = sql_step(s, q, e);
    struct table *t = table_of_query(q, sqlite3_column_count(q) - unused);
    for (; got == 1; got = sql_step(s, q, e))
        for (int c = 0; c < t->columns; c++)
            add_value(t, q, c);
    sqlite3_finalize(q);
    char what[64];
    snprintf(what, sizeof what, "%d rows.", t->rows - 1);
    if (x->note)
        table_note(t, "%s", x->note);
    if (!got)
        got = note_commits(s, t, what, x->commits ? x->commits : COMMITS_OF("attempts"), grid, e);
    if (!got)
        table_print(t, r->format, out);
    if (!got && r->notes)
        table_print_notes(t, r->notes);
    table_free(t);
    return got;
}

static int export_row_table(struct store *s, const struct row_export *table,
                            const struct export_request *r, FILE *out, struct error *e) {
    struct row_export all = *table;
    char *sql = query_of_table(s, table->name, e);
    all.sql = sql;
    int status = sql ? export_rows(s, &all, r, out, e) : -1;
    free(sql);
    return status;
}

static const struct row_export *find_rows(const char *what) {
    for (size_t i = 0; i < sizeof row_exports / sizeof *row_exports; i++)
        if (!strcmp(what, row_exports[i].name))
            return &row_exports[i];
    return NULL;
}

static int export_now(struct store *s, const struct export_request *r, FILE *out, struct error *e) {
    if (export_is_of_split(r->what)) {
        struct export_request of_split = *r;
        if (export_take_snapshot(s, r, e) || export_choose_split(s, &of_split, e))
            return -1;
        return export_wide(s, &of_split, out, e);
    }
    const struct row_export *x = find_rows(r->what);
    if (x && (x->sql || x->query)) // of views, which find the grid alone
        return store_look_at_grid(s, r->grid, e) ? -1 : export_rows(s, x, r, out, e);
    if (x)
        return export_row_table(s, x, r, out, e);
    return fail(e, "'%s' cannot be exported; 'truncquant export --help' lists what can", r->what);
}

int export_table(struct store *s, const struct export_request *request, FILE *out,
                 struct error *e) {
    return export_begin(s, request, e) ? -1 : export_end(s, export_now(s, request, out, e));
}
