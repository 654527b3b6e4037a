/* Tables of accuracies, differences, drops and reductions: which rows of which view, and what has to
 * be said below. What is in the views is decided in results/schema/views.sql; only the bootstrap is
 * not SQL. */
#include "store/export_wide.h"

#include "store/bootstrap.h"
#include "store/sql.h"
#include "store/wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* C11 promises string literals of 4095 bytes only; the compilers we build with know no such limit.
 */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* The files of results/queries. Columns of all tables: labels, bits, n, images, `borrowed` (how many of what is
 * compared have no batch norms of their own at that width), `activations` (1: theirs have not as many bits as the
 * weights, or in pairs not as many as the reference's), mean, and a deviation or half (NULL: none). */
static const struct {
    const char *name, *text;
} queries[] = {
#include "queries.inc"
};
enum {
    COLUMN_BITS = WIDE_LABELS,
    COLUMN_N,
    COLUMN_IMAGES,
    COLUMN_BORROWED,
    COLUMN_ACTIVATIONS,
    COLUMN_MEAN,
    COLUMN_SPREAD
};

static const char commits_sql[] =
    "SELECT group_concat(commit_id, ', ') FROM (SELECT DISTINCT commit_id FROM grid_accuracy"
    " WHERE grid IS :grid AND split = :split ORDER BY 1)";

static const char count_references_sql[] =
    "SELECT count(reference_id), coalesce(sum(ways > 1), 0), coalesce(sum(ways = 0), 0), (SELECT "
    "group_concat(scheme, ', ') FROM"
    " (SELECT DISTINCT scheme FROM grid_configurations WHERE grid IS :grid AND split = :split)) "
    "FROM reference_of";

/* Without what the scheme is, and what only decides which cells there are. */
static const char differing_sql[] =
    "SELECT group_concat(key, ', ') FROM (SELECT DISTINCT j.value AS key FROM reference_of,"
    " json_each(differing) j WHERE ways = 1 AND reference_id <> config_id AND j.value NOT IN"
    " ('range', 'rounder', 'dequantizer', 'layer_scale', 'granularity',"
    " 'bits', 'calibrate_at', 'split', 'evaluate.images') ORDER BY 1)";

/* ---- queries ---- */

static void bind_text(sqlite3_stmt *q, const char *name, const char *text) {
    int at = sqlite3_bind_parameter_index(q, name);
    if (at)
        sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);
}

static void bind_request(sqlite3_stmt *q, const struct export_request *r, int calibrated) {
    bind_text(q, ":grid", r->grid);
    bind_text(q, ":split", r->split);
    bind_text(q, ":against", r->against);
    bind_text(q, ":settings", r->settings ? r->settings : "{}");
    sqlite3_bind_int(q, sqlite3_bind_parameter_index(q, ":calibrated"), calibrated);
}

static sqlite3_stmt *prepare(struct store *s, const char *sql, const struct export_request *r,
                             int calibrated, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, sql, e);
    if (q)
        bind_request(q, r, calibrated);
    return q;
}

static const char *query(const char *name) {
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        if (!strcmp(queries[i].name, name))
            return queries[i].text;
    return "";
}

/* Statements that return no rows, with the request's parameters. */
static int run_statements(struct store *s, const char *sql, const struct export_request *r,
                          struct error *e) {
    int got = 0;
    while (!got && *sql) {
        sqlite3_stmt *q = NULL; // of a comment: stays NULL
        if (sqlite3_prepare_v2(s->db, sql, -1, &q, &sql) != SQLITE_OK)
            return sql_fail(s, e);
        if (!q)
            continue;
        bind_request(q, r, 0);
        got = sql_step(s, q, e);
        sqlite3_finalize(q);
    }
    return got;
}

static double real_or_nan(sqlite3_stmt *q, int column) {
    return sqlite3_column_type(q, column) == SQLITE_NULL ? NAN : sqlite3_column_double(q, column);
}

/* Bit k: at width k (0: cross) there are cells of which none, one, or both of what is compared borrow batch norms;
 * of `activations`: whose activations have other bits. */
struct borrowing {
    uint64_t bits[3], activations[2];
};

static struct wide_cell read_cell(sqlite3_stmt *q, struct borrowing *b) {
    int bits = sqlite3_column_int(q, COLUMN_BITS);
    if (bits >= 0 && bits <= FLOAT_BITS) {
        b->bits[sqlite3_column_int(q, COLUMN_BORROWED)] |= UINT64_C(1) << bits;
        b->activations[sqlite3_column_int(q, COLUMN_ACTIVATIONS)] |= UINT64_C(1) << bits;
    }
    struct wide_cell cell = {.bits = bits,
                             .n = sqlite3_column_int64(q, COLUMN_N),
                             .images = sqlite3_column_int64(q, COLUMN_IMAGES),
                             .mean = real_or_nan(q, COLUMN_MEAN),
                             .spread = {real_or_nan(q, COLUMN_SPREAD), NAN}};
    for (int l = 0; l < WIDE_LABELS; l++)
        cell.labels[l] = (const char *)sqlite3_column_text(q, l);
    return cell;
}

static int read_cells(struct store *s, struct wide *w, const char *name,
                      const struct export_request *r, int calibrated, struct borrowing *b,
                      struct error *e) {
    sqlite3_stmt *q = prepare(s, query(name), r, calibrated, e);
    if (!q)
        return -1;
    int got;
    while ((got = sql_step(s, q, e)) == 1) {
        struct wide_cell cell = read_cell(q, b);
        wide_add(w, &cell);
    }
    sqlite3_finalize(q);
    return got;
}

int export_take_snapshot(struct store *s, const struct export_request *r, struct error *e) {
    return store_use_own_views(s, e) || run_statements(s, query("snapshot"), r, e) ? -1 : 0;
}

/* ---- the split ---- */

const char *const export_splits[] = {"test", "val", NULL};

static int of_val(const struct export_request *r) {
    return !strcmp(r->split, "val");
}

static const char *other_split(const struct export_request *r) {
    return of_val(r) ? "test" : "val";
}

/* For what is said below: nobody may take the one for the other. */
static const char *on_images(const struct export_request *r) {
    return of_val(r) ? "held-out images of the training set (val), not the test split"
                     : "the test split";
}

/* Runs that have results: all, and those with some on each of the splits. */
struct split_counts {
    int64_t runs, here, other;
};

static int count_splits(struct store *s, const struct export_request *r, struct split_counts *out,
                        struct error *e) {
    sqlite3_stmt *q = prepare(s, query("splits"), r, 0, e);
    int got = q ? sql_step(s, q, e) : -1;
    int val = r->split && of_val(r);
    *out = (struct split_counts){0};
    if (got == 1)
        *out = (struct split_counts){sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1 + val),
                                     sqlite3_column_int64(q, 2 - val)};
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

int export_choose_split(struct store *s, struct export_request *r, struct error *e) {
    struct split_counts counts;
    if (r->split)
        return 0;
    if (count_splits(s, r, &counts, e))
        return -1;
    r->split = !counts.here && counts.other ? "val" : "test";
    return 0;
}

static int note_other_split(struct store *s, struct table *t, const struct export_request *r,
                            struct error *e) {
    struct split_counts counts;
    if (count_splits(s, r, &counts, e))
        return -1;
    if (counts.here < counts.runs)
        table_note(t, "Left out: %lld of %lld runs, evaluated on %s alone (--split %s).",
                   (long long)(counts.runs - counts.here), (long long)counts.runs, other_split(r),
                   other_split(r));
    return 0;
}

/* ---- what is said below ---- */

static void note_batch_norms(struct table *t, int calibrated, const char *what) {
    table_note(t, "%s, batch norms %s.", what,
               calibrated ? "re-estimated (calibrated)" : "as trained");
}

/* Widths that were not trained have nothing of their own to be re-estimated but the statistics. */
static void note_borrowed(struct table *t, const struct borrowing *b, int calibrated) {
    if (b->bits[1] || b->bits[2])
        table_note(t,
                   "A width k that was not trained borrows the batch norms%s of the smallest "
                   "trained width above k or, where none is above, of the largest.",
                   calibrated ? "' scale and shift" : "");
}

static void print_columns(uint64_t bits, char *text, size_t size) {
    *text = '\0';
    for (int k = 1; k <= FLOAT_BITS; k++)
        if (bits >> k & 1)
            snprintf(text + strlen(text), size - strlen(text), "%s%d", *text ? ", " : "", k);
    if (bits & 1)
        snprintf(text + strlen(text), size - strlen(text), "%scross", *text ? ", " : "");
}

/* What one side was trained for and the other was not is no difference of the quantizers alone. */
static void note_borrowed_in_pairs(struct table *t, const struct borrowing *b,
                                   const struct export_request *r, int calibrated) {
    char columns[64];
    note_borrowed(t, b, calibrated);
    print_columns(b->bits[1], columns, sizeof columns);
    if (*columns)
        table_note(t,
                   "Column %s: there are rows of which only one of the row and its %.64s borrows; "
                   "batch norms are part of what is compared.",
                   columns, r->against);
}

static void note_activations(struct table *t, const struct borrowing *b) {
    if (b->activations[1])
        table_note(t, "Activations have as many bits as the weights, but in rows whose settings "
                      "say otherwise (float activations: not quantized).");
}

static void note_activations_in_pairs(struct table *t, const struct borrowing *b,
                                      const struct export_request *r) {
    char columns[64];
    print_columns(b->activations[1], columns, sizeof columns);
    if (*columns)
        table_note(t,
                   "Column %s: there are rows whose activations have other bits than those of "
                   "their %.64s (settings; float activations: not quantized); activations are part "
                   "of what is compared.",
                   columns, r->against);
}

static int note_commits(struct store *s, struct table *t, const struct wide *w,
                        const struct export_request *r, struct error *e) {
    char seeds[64], images[64];
    sqlite3_stmt *q = prepare(s, commits_sql, r, 0, e);
    if (!q)
        return -1;
    int got = sql_step(s, q, e);
    const char *commits = got == 1 ? (const char *)sqlite3_column_text(q, 0) : NULL;
    wide_print_range(w->seeds, "seed", seeds, sizeof seeds);
    wide_print_range(w->images, "image", images, sizeof images);
    if (got == 1)
        table_note(t, "%s%.64s%s%s, %s. Commit%s: %s.", w->datasets ? "" : "Data set ",
                   w->datasets ? "" : w->rows[0].labels[LABEL_DATASET], w->datasets ? "" : ", ",
                   seeds, images, commits && strchr(commits, ',') ? "s" : "",
                   commits ? commits : "none");
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

/* A grid that was evaluated on the other split alone has runs, but none for this table. */
static int fail_empty(struct store *s, const struct export_request *r, const char *what,
                      struct error *e) {
    struct split_counts counts;
    if (count_splits(s, r, &counts, e))
        return -1;
    if (counts.other && !counts.here)
        return fail_at(e, s->path, 0,
                       "has no %s on %s: the finished runs%s%s were evaluated on %s alone; "
                       "--split %s exports those, 'truncquant evaluate ID --split %s' adds to them",
                       what, r->split, r->grid ? " of grid " : "", r->grid ? r->grid : "",
                       other_split(r), other_split(r), r->split);
    return fail_at(
        e, s->path, 0,
        "has no %s%s of finished runs%s%s yet; 'truncquant status' says how far they are", what,
        of_val(r) ? " on val" : "", r->grid ? " of grid " : "", r->grid ? r->grid : "");
}

/* ---- references ---- */

/* How many configurations have several equally near, and how many only namesakes (references.sql). */
struct left_out {
    int64_t ways, namesakes;
};

/* Fails when there is no reference at all. */
static int count_references(struct store *s, const struct export_request *r, struct left_out *out,
                            struct error *e) {
    if (run_statements(s, query("references"), r, e))
        return -1;
    sqlite3_stmt *q = prepare(s, count_references_sql, r, 0, e);
    if (!q)
        return -1;
    int got = sql_step(s, q, e);
    if (got == 1 && !sqlite3_column_int64(q, 0)) {
        const char *known = (const char *)sqlite3_column_text(q, 3);
        got = known ? fail_at(e, s->path, 0,
                              "has no finished run of scheme %.64s%s%s%s%s to compare with; "
                              "--against names another (there are: %s)",
                              r->against, r->settings ? " with those settings" : "",
                              r->grid ? " in grid " : "", r->grid ? r->grid : "",
                              of_val(r) ? " on val" : "", known)
                    : fail_empty(s, r, "accuracies", e);
    } else if (got == 1) {
        out->ways = sqlite3_column_int64(q, 1);
        out->namesakes = sqlite3_column_int64(q, 2);
    }
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

static int fail_pairs(struct store *s, const struct export_request *r, const struct left_out *out,
                      const char *what, struct error *e) {
    if (!out->namesakes)
        return fail_empty(s, r, what, e);
    return fail_at(
        e, s->path, 0,
        "has no %s: %lld configuration%s under the same names as %.64s another network or "
        "data set%s; train %.64s on these, too",
        what, (long long)out->namesakes, out->namesakes == 1 ? " has" : "s have", r->against,
        of_val(r) ? ", or other held-out images (val = N)" : "", r->against);
}

/* The nearest reference need not be near: that of a grid which crosses no keys has whatever its own are. */
static int note_differing(struct store *s, struct table *t, const struct export_request *r,
                          struct error *e) {
    sqlite3_stmt *q = prepare(s, differing_sql, r, 0, e);
    int got = q ? sql_step(s, q, e) : -1;
    const char *keys = got == 1 ? (const char *)sqlite3_column_text(q, 0) : NULL;
    if (keys)
        table_note(
            t,
            "Besides the quantizer, there are configurations that differ from their %.64s in: %s.",
            r->against, keys);
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

static void note_left_out(struct table *t, const struct export_request *r,
                          const struct left_out *out) {
    if (out->ways)
        table_note(t,
                   "Left out: %lld configuration%s to which several of %.64s are equally near; "
                   "--against '%.64s KEY=VALUE' chooses one.",
                   (long long)out->ways, out->ways == 1 ? "" : "s", r->against, r->against);
    if (out->namesakes)
        table_note(
            t,
            "Left out: %lld configuration%s whose network or data set has other contents than "
            "any of %.64s has under the same name%s.",
            (long long)out->namesakes, out->namesakes == 1 ? "" : "s", r->against,
            of_val(r) ? ", or whose held-out images (val = N) are others" : "");
}

/* ---- the tables ---- */

static void start(struct wide *w, const struct wide_style *style, const struct export_request *r) {
    wide_start(w, style);
    w->style.split = of_val(r) ? r->split : NULL;
}

static int print(struct store *s, struct table *t, const struct wide *w,
                 const struct export_request *r, FILE *out, struct error *e) {
    int status = note_other_split(s, t, r, e) || note_commits(s, t, w, r, e) ? -1 : 0;
    if (!status)
        table_print(t, r->format, out);
    table_free(t);
    return status;
}

static int print_compared(struct store *s, struct table *t, const struct wide *w,
                          const struct export_request *r, FILE *out, struct error *e) {
    if (!note_differing(s, t, r, e))
        return print(s, t, w, r, out, e);
    table_free(t);
    return -1;
}

int export_accuracies(struct store *s, const struct export_request *r, int calibrated, FILE *out,
                      struct error *e) {
    static const struct wide_style style = {
        .spread = SPREAD_DEVIATION, .digits = 1, .every_width = 1, .inference = 1};
    struct borrowing borrowing = {0};
    struct wide w;
    start(&w, &style, r);
    int status = read_cells(s, &w, "accuracy", r, calibrated, &borrowing, e);
    if (!status && !w.n)
        status = fail_empty(s, r, calibrated ? "calibrated accuracies" : "accuracies", e);
    if (!status) {
        char what[160];
        struct table *t = wide_table(&w, r->format);
        snprintf(what, sizeof what, "Top-1 accuracy on %s%s in per cent by bit-width", on_images(r),
                 of_val(r) ? "," : "");
        note_batch_norms(t, calibrated, what);
        if (w.spreads)
            table_note(t, "Mean ± sample standard deviation over seeds.");
        note_borrowed(t, &borrowing, calibrated);
        note_activations(t, &borrowing);
        status = print(s, t, &w, r, out, e);
    }
    wide_free(&w);
    return status;
}

int export_differences(struct store *s, const struct export_request *r, int calibrated, FILE *out,
                       struct error *e) {
    static const struct wide_style style = {
        .spread = SPREAD_HALF, .digits = 2, .inference = 1, .counts = 1};
    struct borrowing borrowing = {0};
    struct wide w;
    struct left_out left_out = {0};
    start(&w, &style, r);
    int status = count_references(s, r, &left_out, e);
    if (!status)
        status = read_cells(s, &w, "differences", r, calibrated, &borrowing, e);
    if (!status && !w.n)
        status = fail_pairs(s, r, &left_out, calibrated ? "calibrated pairs" : "pairs", e);
    if (!status) {
        char what[200];
        struct table *t = wide_table(&w, r->format);
        snprintf(what, sizeof what,
                 "Top-1 accuracy less that of %.64s on %s, in points by bit-width", r->against,
                 on_images(r));
        note_batch_norms(t, calibrated, what);
        table_note(t, w.spreads
                          ? "Mean ± half of its 95 %% interval (Student's t) over the n seeds "
                            "that both have; none where n is 1."
                          : "One seed: no interval.");
        note_borrowed_in_pairs(t, &borrowing, r, calibrated);
        note_activations_in_pairs(t, &borrowing, r);
        note_left_out(t, r, &left_out);
        status = print_compared(s, t, &w, r, out, e);
    }
    wide_free(&w);
    return status;
}

/* The widths over which drops are taken, and what the last column is. */
static void note_widths(struct table *t, int calibrated) {
    table_note(
        t,
        "Column k: direct less truncated at k bits; cross: truncated at the stored width less "
        "truncated at k, mean over those k. Widths below the stored one%s.",
        calibrated ? "" : " that were trained");
}

int export_drops(struct store *s, const struct export_request *r, int calibrated, FILE *out,
                 struct error *e) {
    static const struct wide_style style = {
        .spread = SPREAD_DEVIATION, .digits = 2, .counts = 1, .extra = "cross"};
    struct borrowing borrowing = {0};
    struct wide w;
    start(&w, &style, r);
    int status = read_cells(s, &w, "drops", r, calibrated, &borrowing, e);
    if (!status && !w.n)
        status =
            fail_empty(s, r, calibrated ? "calibrated truncated results" : "truncated results", e);
    if (!status) {
        char what[160];
        struct table *t = wide_table(&w, r->format);
        snprintf(what, sizeof what, "What truncation costs in points of top-1 accuracy on %s",
                 on_images(r));
        note_batch_norms(t, calibrated, what);
        note_widths(t, calibrated);
        if (w.spreads)
            table_note(t, "Mean ± sample standard deviation over n seeds.");
        note_borrowed(t, &borrowing, calibrated);
        note_activations(t, &borrowing);
        status = print(s, t, &w, r, out, e);
    }
    wide_free(&w);
    return status;
}

/* The rows of one cell, seed by seed: the first is `q`'s, and on return `q` is at the next cell's.
 * Returns as sql_step. */
static int add_reduction(struct store *s, struct wide *w, sqlite3_stmt *q, struct borrowing *b,
                         struct error *e) {
    struct wide_cell cell = read_cell(q, b);
    char *labels[WIDE_LABELS]; // SQLite's own are gone with the next step
    int n = (int)cell.n, got = 1;
    double *points = need((size_t)n, 2 * sizeof *points), *reference = points + n;
    for (int l = 0; l < WIDE_LABELS; l++)
        cell.labels[l] = labels[l] = need_string(cell.labels[l]);
    for (int i = 0; i < n && got == 1; i++) {
        points[i] = sqlite3_column_double(q, COLUMN_SPREAD);
        reference[i] = sqlite3_column_double(q, COLUMN_SPREAD + 1);
        got = sql_step(s, q, e);
    }
    cell.spread[0] = NAN;
    if (!isnan(cell.mean)) {
        bootstrap_reduction(points, reference, n, cell.spread);
        for (int end = 0; end < 2; end++)
            cell.spread[end] *= 100;
        cell.mean *= 100;
    }
    wide_add(w, &cell);
    for (int l = 0; l < WIDE_LABELS; l++)
        free(labels[l]);
    free(points);
    return got;
}

static int read_reductions(struct store *s, struct wide *w, const struct export_request *r,
                           int calibrated, struct borrowing *b, struct error *e) {
    sqlite3_stmt *q = prepare(s, query("reductions"), r, calibrated, e);
    if (!q)
        return -1;
    int got = sql_step(s, q, e);
    while (got == 1)
        got = add_reduction(s, w, q, b, e);
    sqlite3_finalize(q);
    return got;
}

int export_reductions(struct store *s, const struct export_request *r, int calibrated, FILE *out,
                      struct error *e) {
    static const struct wide_style style = {
        .spread = SPREAD_INTERVAL, .digits = 1, .counts = 1, .extra = "cross"};
    struct borrowing borrowing = {0};
    struct wide w;
    struct left_out left_out = {0};
    start(&w, &style, r);
    int status = count_references(s, r, &left_out, e);
    if (!status)
        status = read_reductions(s, &w, r, calibrated, &borrowing, e);
    if (!status && !w.n)
        status = fail_pairs(s, r, &left_out,
                            calibrated ? "calibrated pairs of drops" : "pairs of drops", e);
    if (!status) {
        char what[200];
        struct table *t = wide_table(&w, r->format);
        snprintf(what, sizeof what,
                 "By how many per cent truncation costs less than it costs %.64s on %s", r->against,
                 on_images(r));
        note_batch_norms(t, calibrated, what);
        note_widths(t, calibrated);
        table_note(
            t,
            "[95 %% interval] by bootstrap over the n seeds that both have; n/a where %.64s's "
            "own interval contains 0, or n is 1.",
            r->against);
        note_borrowed_in_pairs(t, &borrowing, r, calibrated);
        note_activations_in_pairs(t, &borrowing, r);
        note_left_out(t, r, &left_out);
        status = print_compared(s, t, &w, r, out, e);
    }
    wide_free(&w);
    return status;
}
