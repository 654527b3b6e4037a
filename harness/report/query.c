/* Queries of exports with a column per bit-width; query.h is the manual. What is in the views is
 * decided in harness/store/schema/views.sql. */
#include "report/query.h"

#include "report/missing.h"
#include "report/schemes.h"
#include "report/tidy.h"
#include "store/sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* C11 promises string literals of 4095 bytes only; the compilers we build with know no such limit.
 */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* The files of harness/report/queries. Columns of all tables: labels, bits, n, images, `borrowed`
 * (how many of what is compared have no batch norms of their own at that width), `activations` (1:
 * theirs have not as many bits as the weights, or in pairs not as many as the reference's), mean,
 * and a deviation or half (NULL: none). */
static const struct {
    const char *name, *text;
} queries[] = {
#include "queries.inc"
};

static const char count_references_sql[] =
    "SELECT count(reference_id), coalesce(sum(ways > 1), 0), coalesce(sum(ways = 0), 0), (SELECT "
    "group_concat(scheme, ', ') FROM"
    " (SELECT DISTINCT scheme FROM grid_configurations WHERE grid IS :grid AND split = :split)) "
    "FROM reference_of";

const char *export_query(const char *name) {
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        if (!strcmp(queries[i].name, name))
            return queries[i].text;
    return "";
}

static void bind_text(sqlite3_stmt *q, const char *name, const char *text) {
    int at = sqlite3_bind_parameter_index(q, name);
    if (at)
        sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);
}

static void bind_request(sqlite3_stmt *q, const struct report *r) {
    const struct export_request *request = r->request;
    bind_text(q, ":grid", request->grid);
    bind_text(q, ":split", request->split);
    bind_text(q, ":schemes", request->schemes);
    bind_text(q, ":panels", request->panels);
    bind_text(q, ":widths", request->widths);
    bind_text(q, ":against", request->against);
    bind_text(q, ":settings", request->settings ? request->settings : "{}");
    sqlite3_bind_int(q, sqlite3_bind_parameter_index(q, ":calibrated"), r->calibrated);
    sqlite3_bind_int(q, sqlite3_bind_parameter_index(q, ":tidy"), r->tidy != NULL);
    sqlite3_bind_int(q, sqlite3_bind_parameter_index(q, ":top5"), r->top5);
}

sqlite3_stmt *export_prepare(const struct report *r, const char *sql, struct error *e) {
    sqlite3_stmt *q = sql_prepare(r->store, sql, e);
    if (q)
        bind_request(q, r);
    return q;
}

int export_each(const struct report *r, const char *sql, void (*say)(sqlite3_stmt *row, void *to),
                void *to, struct error *e) {
    sqlite3_stmt *q = export_prepare(r, sql, e);
    int got = q ? 1 : -1;
    while (got == 1 && (got = sql_step(r->store, q, e)) == 1)
        say(q, to);
    sqlite3_finalize(q);
    return got;
}

int export_run(const struct report *r, const char *sql, struct error *e) {
    int got = 0;
    while (!got && *sql) {
        sqlite3_stmt *q = NULL; // of a comment: stays NULL
        if (sqlite3_prepare_v2(r->store->db, sql, -1, &q, &sql) != SQLITE_OK)
            return sql_fail(r->store, e);
        if (!q)
            continue;
        bind_request(q, r);
        got = sql_step(r->store, q, e);
        sqlite3_finalize(q);
    }
    return got;
}

int export_begin(struct store *s, const struct export_request *request, struct error *e) {
    if (sql_run(s, "BEGIN", e))
        return -1;
    return store_check_grid(s, request->grid, e) ? export_end(s, -1) : 0;
}

int export_end(struct store *s, int status) {
    sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

int export_take_accuracies(const struct report *r, struct error *e) {
    const struct export_request *request = r->request;
    if (scheme_declare(r->store, request->quantizers, e) ||
        store_look_at_grid(r->store, request->grid, e))
        return -1;
    return export_run(r, export_query("snapshot"), e);
}

int export_take_snapshot(struct store *s, const struct export_request *request, struct error *e) {
    struct report r = {.store = s, .request = request};
    return export_take_accuracies(&r, e) ? -1 : export_run(&r, export_query("configurations"), e);
}

int export_show(const struct report *r, const char *sql, struct error *e) {
    char *create = NULL;
    if (asprintf(&create, "CREATE TEMP TABLE shown AS %s", sql) < 0)
        return fail(e, "out of memory; limit the table with --grid");
    int status = export_run(r, create, e);
    free(create);
    return status;
}

/* ---- cells ---- */

static double real_or_nan(sqlite3_stmt *q, int column) {
    return sqlite3_column_type(q, column) == SQLITE_NULL ? NAN : sqlite3_column_double(q, column);
}

struct wide_cell export_read_cell(struct report *r, sqlite3_stmt *q) {
    int bits = sqlite3_column_int(q, COLUMN_BITS);
    if (bits >= 0 && bits <= BITS_BY_LAYER) {
        struct borrowing *b = &r->borrowing;
        b->bits[sqlite3_column_int(q, COLUMN_BORROWED)] |= UINT64_C(1) << bits;
        b->activations[sqlite3_column_int(q, COLUMN_ACTIVATIONS)] |= UINT64_C(1) << bits;
    }
    struct wide_cell cell = {.bits = bits,
                             .n = sqlite3_column_int64(q, COLUMN_N),
                             .images = sqlite3_column_int64(q, COLUMN_IMAGES),
                             .mean = real_or_nan(q, COLUMN_MEAN),
                             .spread = {real_or_nan(q, COLUMN_SPREAD), NAN},
                             .half = NAN};
    for (int c = COLUMN_SPREAD + 1; c < sqlite3_column_count(q); c++)
        if (!strcmp(sqlite3_column_name(q, c), "half"))
            cell.half = real_or_nan(q, c);
    for (int l = 0; l < WIDE_LABELS; l++)
        cell.labels[l] = sql_text(q, l);
    return cell;
}

int export_read_cells(struct report *r, const char *name, struct error *e) {
    sqlite3_stmt *q = export_prepare(r, export_query(name), e);
    if (!q)
        return -1;
    int got;
    while ((got = sql_step(r->store, q, e)) == 1) {
        struct wide_cell cell = export_read_cell(r, q);
        struct tidy_row row;
        wide_add(&r->wide, &cell);
        if (r->tidy && tidy_read(r, q, &row, e))
            break;
        if (r->tidy)
            tidy_put(r, &row, &cell);
    }
    sqlite3_finalize(q);
    return got ? -1 : 0;
}

/* ---- the split ---- */

const char *const export_splits[] = {"test", "val", NULL};

int export_of_val(const struct export_request *request) {
    return !strcmp(request->split, "val");
}

const char *export_other_split(const struct export_request *request) {
    return export_of_val(request) ? "test" : "val";
}

int export_count_splits(const struct report *r, struct split_counts *out, struct error *e) {
    sqlite3_stmt *q = export_prepare(r, export_query("splits"), e);
    int got = q ? sql_step(r->store, q, e) : -1;
    int val = r->request->split && export_of_val(r->request);
    *out = (struct split_counts){0};
    if (got == 1)
        *out = (struct split_counts){sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1 + val),
                                     sqlite3_column_int64(q, 2 - val)};
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

int export_choose_split(struct store *s, struct export_request *request, struct error *e) {
    struct report r = {.store = s, .request = request};
    struct split_counts counts;
    if (request->split)
        return 0;
    if (export_count_splits(&r, &counts, e))
        return -1;
    request->split = !counts.here && counts.other ? "val" : "test";
    return 0;
}

/* Says which runs are missing, and what makes them. */
static int fail_missing(const struct report *r, const char *what, struct error *e) {
    const struct export_request *q = r->request;
    char *missing = missing_runs(r, e);
    if (!missing)
        return -1;
    fail_at(e, r->store->path, 0, "has no %s%s of finished runs%s%s yet; %s", what,
            export_of_val(q) ? " on val" : "", q->grid ? " of grid " : "", q->grid ? q->grid : "",
            *missing ? missing : "'truncquant status' says how far they are");
    free(missing);
    return EXPORT_NOTHING;
}

/* A grid that was evaluated on the other split alone has runs, but none for this table. */
int export_fail_empty(const struct report *r, const char *what, struct error *e) {
    const struct export_request *q = r->request;
    const char *of = q->grid ? " of grid " : "", *grid = q->grid ? q->grid : "";
    struct split_counts counts;
    if (export_count_splits(r, &counts, e))
        return -1;
    if (counts.other && !counts.here)
        fail_at(e, r->store->path, 0,
                "has no %s on %s: the finished runs%s%s were evaluated on %s alone; "
                "--split %s exports those, 'truncquant evaluate ID --split %s' adds to them",
                what, q->split, of, grid, export_other_split(q), export_other_split(q), q->split);
    else
        return fail_missing(r, what, e);
    return EXPORT_NOTHING;
}

/* ---- references ---- */

static int fail_reference(const struct report *r, const char *known, struct error *e) {
    const struct export_request *q = r->request;
    if (!known)
        return export_fail_empty(r, "accuracies", e);
    fail_at(e, r->store->path, 0,
            "has no finished run of scheme %.64s%s%s%s%s to compare with; "
            "--against names another (there are: %s)",
            q->against, q->settings ? " with those settings" : "", q->grid ? " in grid " : "",
            q->grid ? q->grid : "", export_of_val(q) ? " on val" : "", known);
    return EXPORT_NOTHING;
}

int export_find_references(struct report *r, const char *query, struct error *e) {
    if (export_run(r, export_query(query), e))
        return -1;
    sqlite3_stmt *q = export_prepare(r, count_references_sql, e);
    if (!q)
        return -1;
    int got = sql_step(r->store, q, e), status = got < 0 ? -1 : 0;
    int named = !strcmp(query, "references"); // else each finds its own: a table of none is empty
    if (got == 1 && !sqlite3_column_int64(q, 0) && named)
        status = fail_reference(r, (const char *)sqlite3_column_text(q, 3), e);
    else if (got == 1)
        r->left_out = (struct left_out){sqlite3_column_int64(q, 1), sqlite3_column_int64(q, 2)};
    sqlite3_finalize(q);
    return status;
}

int export_fail_pairs(const struct report *r, const char *what, struct error *e) {
    const char *against = r->request->against;
    long long n = r->left_out.namesakes;
    if (!n)
        return export_fail_empty(r, what, e);
    fail_at(e, r->store->path, 0,
            "has no %s: %lld configuration%s under the same names as %.64s another network or "
            "data set%s; train %.64s on these, too",
            what, n, n == 1 ? " has" : "s have", against,
            export_of_val(r->request) ? ", or other held-out images (val = N)" : "", against);
    return EXPORT_NOTHING;
}
