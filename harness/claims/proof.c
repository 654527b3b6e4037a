/* Asking a database what a claim says; proof.h is the manual. */
#include "claims/proof.h"

#include "report/figure.h"
#include "report/query.h"
#include "store/sql.h"

#include <stdlib.h>
#include <string.h>

/* ---- tables of whatever a query returns ---- */

static struct table *table_like(sqlite3_stmt *q) {
    int n = sqlite3_column_count(q);
    const char **titles = need((size_t)n, sizeof *titles);
    char *numeric = need((size_t)n + 1, 1);
    for (int i = 0; i < n; i++) {
        int type = sqlite3_column_type(q, i);
        titles[i] = sqlite3_column_name(q, i);
        numeric[i] = type == SQLITE_INTEGER || type == SQLITE_FLOAT ? 'r' : 'l';
    }
    struct table *t = table_new(n, titles, numeric);
    free(titles);
    free(numeric);
    return t;
}

/* NULL with a message when the query fails; a table without rows where it has none is NULL, too. */
static struct table *table_of(const struct report *r, const char *sql, struct error *e) {
    sqlite3_stmt *q = export_prepare(r, sql, e);
    struct table *t = NULL;
    int got = q ? 1 : -1;
    while (got == 1 && (got = sql_step(r->store, q, e)) == 1) {
        t = t ? t : table_like(q);
        for (int i = 0; i < sqlite3_column_count(q); i++)
            table_add(t, sql_text(q, i));
    }
    sqlite3_finalize(q);
    if (got < 0) {
        table_free(t);
        return NULL;
    }
    return t;
}

/* ---- runs ---- */

static const char of_numbers[] =
    "CREATE TEMP TABLE claim_runs AS SELECT DISTINCT run_id FROM claim";
static const char of_grid[] =
    "CREATE TEMP TABLE claim_runs AS SELECT DISTINCT run_id FROM grid_accuracy "
    "WHERE grid IS :grid AND split = :split";

static const char runs_sql[] =
    "SELECT substr(r.run_id, 1, 12) AS run, r.scheme, r.network, r.dataset AS \"data set\", "
    "r.widths, r.seed,"
    " coalesce((SELECT group_concat(substr(version, 1, 10), ' ') FROM training_versions v"
    "           WHERE v.run_id = r.run_id), 'n/a') AS \"trained by\","
    " coalesce((SELECT group_concat(commit_id, ' ') FROM (SELECT DISTINCT substr(commit_id, 1, 10) "
    "AS commit_id"
    "           FROM grid_accuracy a WHERE a.run_id = r.run_id AND a.grid IS :grid AND split = "
    ":split)),"
    "          'n/a') AS \"evaluated by\","
    " coalesce(substr(c.fingerprint, 1, 12), 'n/a') AS fingerprint,"
    " printf('%.2f', (SELECT sum(coalesce(cpu_seconds, threads * max(0, heartbeat_at - "
    "started_at))) / 3600"
    "                 FROM attempts a WHERE a.run_id = r.run_id)) AS \"core-hours\","
    " CASE WHEN s.run_id IS NULL THEN 'current' ELSE 'stale' END AS state"
    " FROM claim_runs n JOIN runs r ON r.run_id = n.run_id"
    " LEFT JOIN counted_attempts c ON c.run_id = r.run_id"
    " LEFT JOIN stale_runs s ON s.run_id = r.run_id"
    " ORDER BY r.dataset, r.network, r.scheme, r.config_id, r.seed, r.run_id";

static const char cost_sql[] =
    "SELECT sum(coalesce(cpu_seconds, threads * max(0, heartbeat_at - started_at))) / 3600,"
    " (SELECT count(*) FROM claim_runs JOIN stale_runs USING (run_id))"
    " FROM attempts JOIN claim_runs USING (run_id)";

static void take_cost(sqlite3_stmt *q, void *to) {
    struct proof *p = to;
    p->core_hours = sqlite3_column_double(q, 0);
    p->stale = sqlite3_column_int(q, 1);
}

static int find_runs(const struct report *r, const struct claim *c, struct proof *p,
                     struct error *e) {
    if (export_run(r, c->kind == CLAIM_NUMBERS ? of_numbers : of_grid, e))
        return -1;
    p->runs = table_of(r, runs_sql, e);
    if (!p->runs && !e->text[0])
        fail(e, "its rows are of no run");
    return p->runs ? export_each(r, cost_sql, take_cost, p, e) : -1;
}

/* ---- numbers ---- */

/* The first of the two queries as a table, and where the second begins. */
static int keep_rows(const struct report *r, const char *queries, const char **second,
                     struct error *e) {
    sqlite3_stmt *q = NULL;
    char *create = NULL;
    if (sqlite3_prepare_v2(r->store->db, queries, -1, &q, second) != SQLITE_OK || !q) {
        sqlite3_finalize(q);
        return fail(e, "its first query: %s", sqlite3_errmsg(r->store->db));
    }
    sqlite3_finalize(q);
    if (asprintf(&create, "CREATE TEMP TABLE claim AS %.*s", (int)(*second - queries), queries) < 0)
        return fail(e, "out of memory");
    int rc = export_run(r, create, e);
    free(create);
    return rc;
}

static int is_macro(const char *name) {
    return *name &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

/* A measured number as tables print accuracies; what is no real number as it is. 0 has no sign. */
static void print_number(sqlite3_stmt *q, int column, char *to, size_t size) {
    if (sqlite3_column_type(q, column) == SQLITE_FLOAT)
        snprintf(to, size, "%.1f", sqlite3_column_double(q, column));
    else
        snprintf(to, size, "%s", sql_text(q, column));
    if (!strcmp(to, "-0.0"))
        strcpy(to, "0.0");
}

static int add_number(struct table *t, sqlite3_stmt *q, struct error *e) {
    const char *name = sql_text(q, 0);
    char number[256], spread[256] = "";
    if (!is_macro(name))
        return fail(e, "'%.64s' cannot be a macro; name numbers by letters alone", name);
    if (sqlite3_column_type(q, 1) == SQLITE_NULL)
        return fail(e, "the number %.64s is NULL; are rows missing?", name);
    print_number(q, 1, number, sizeof number);
    if (sqlite3_column_count(q) > 2 && sqlite3_column_type(q, 2) != SQLITE_NULL)
        print_number(q, 2, spread, sizeof spread);
    table_add(t, name);
    table_addf(t, *spread ? "%s ± %s" : "%s%s", number, spread);
    return 0;
}

static int read_numbers(const struct report *r, const char *sql, struct table *t, struct error *e) {
    sqlite3_stmt *q = export_prepare(r, sql, e);
    int got = q ? 1 : -1, columns = q ? sqlite3_column_count(q) : 2;
    if (columns < 2 || columns > 3)
        got = fail(e,
                   "its second query has %d columns; select a name, a number and, if it has one, "
                   "its deviation",
                   columns);
    while (got == 1 && (got = sql_step(r->store, q, e)) == 1)
        if (add_number(t, q, e))
            got = -1;
    sqlite3_finalize(q);
    if (!got && t->rows == 1)
        got = fail(e, "its second query gives no number");
    return got;
}

static int find_numbers(const struct report *r, const struct claim *c, struct proof *p,
                        struct error *e) {
    const char *second;
    if (keep_rows(r, c->queries, &second, e))
        return -1;
    p->rows = table_of(r, "SELECT * FROM claim ORDER BY rowid", e);
    if (!p->rows)
        return e->text[0] ? -1
                          : fail(e,
                                 "has no rows in %s; 'truncquant status --db %s' says what is "
                                 "missing",
                                 r->store->path, r->store->path);
    static const char *const titles[] = {"number", "value"};
    p->numbers = table_new(2, titles, "lr");
    return read_numbers(r, second, p->numbers, e);
}

/* ---- pictures and tables ---- */

static int take_figure(const char *name, const char *numbers, const char *caption, void *to,
                       struct error *e) {
    struct proof *p = to;
    (void)name, (void)e;
    p->text = need_string(numbers);
    p->caption = need_string(caption);
    return 0;
}

static int find_picture(struct store *s, const struct export_request *request, struct proof *p,
                        struct error *e) {
    struct figure_taker taker = {.take = take_figure, .to = p};
    if (!figure_exists(request->figure))
        return fail(e, "there is no figure %.64s; 'truncquant export figures' lists them",
                    request->figure);
    return export_figures(s, request, &taker, e) ? -1 : 0;
}

static int find_table(struct store *s, const struct export_request *request, struct proof *p,
                      struct error *e) {
    size_t size;
    FILE *out = need_stream(&p->text, &size);
    int rc = export_table(s, request, out, e);
    fclose(out);
    return rc ? -1 : 0;
}

/* ---- the whole ---- */

/* In the transaction of a report, which export_figures and export_table begin for themselves. */
static int ask(struct store *s, const struct export_request *request, const struct claim *c,
               struct proof *p, struct error *e) {
    struct report r = {.store = s, .request = request, .calibrated = -1};
    if (export_begin(s, request, e))
        return -1;
    int rc = export_take_snapshot(s, request, e) || export_run(&r, export_query("curves"), e) ||
             (c->kind == CLAIM_NUMBERS && find_numbers(&r, c, p, e)) || find_runs(&r, c, p, e);
    return export_end(s, rc ? -1 : 0);
}

int proof_make(struct store *s, const struct quantizer *const *quantizers, const struct claim *c,
               struct proof *p, struct error *e) {
    const struct export_request request = {.quantizers = quantizers,
                                           .what = c->kind == CLAIM_TABLE ? c->what : "accuracy",
                                           .figure = c->kind == CLAIM_FIGURE ? c->what : NULL,
                                           .format = EXPORT_TEX,
                                           .grid = c->grid,
                                           .split = c->split,
                                           .against = "qat"};
    *p = (struct proof){0};
    int rc = c->kind == CLAIM_FIGURE  ? find_picture(s, &request, p, e)
             : c->kind == CLAIM_TABLE ? find_table(s, &request, p, e)
                                      : 0;
    if (!rc)
        rc = ask(s, &request, c, p, e);
    if (rc)
        fail_prefix(e, c->path, 0);
    return rc;
}

void proof_free(struct proof *p) {
    table_free(p->numbers);
    table_free(p->rows);
    table_free(p->runs);
    free(p->text);
    free(p->caption);
}
