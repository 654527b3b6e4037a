/* The notes below tables of accuracies; notes.h is the manual. */
#include "report/notes.h"

#include "base/text.h"
#include "report/caption.h"
#include "report/missing.h"
#include "store/sql.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Runs that this program would not compute again to the same results: of which schemes, how many
 * have no cells here, since the table takes those of the program's own, and how many have. */
static const char stale_sql[] =
    "SELECT group_concat(DISTINCT scheme), sum(NOT shown), sum(shown) FROM (SELECT r.scheme,"
    " EXISTS (SELECT 1 FROM grid_accuracy a WHERE a.run_id = r.run_id AND a.grid IS :grid"
    "  AND a.split = :split) AS shown"
    " FROM stale_runs JOIN runs r USING (run_id)"
    " WHERE r.run_id NOT IN (SELECT run_id FROM excluded_runs) AND (:grid IS NULL OR r.run_id IN"
    "  (SELECT run_id FROM grid_runs WHERE grid = :grid AND current)) ORDER BY 1)";

/* Without what the scheme is, and what only decides which cells there are; with the values that
 * references have. */
static const char differing_sql[] =
    "SELECT d.key, coalesce(group_concat(d.value, ' or '), 'none') FROM"
    " (SELECT DISTINCT j.value AS key, s.value FROM reference_of"
    "  JOIN json_each(differing) j LEFT JOIN config_settings s ON s.config_id = reference_id AND"
    "  s.key = j.value WHERE ways = 1 AND reference_id <> reference_of.config_id AND j.value NOT IN"
    "  ('range', 'rounder', 'dequantizer', 'layer_scale', 'granularity',"
    "  'bits', 'calibrate_at', 'split', 'evaluate.images') ORDER BY 1, 2) d GROUP BY d.key ORDER "
    "BY 1";

static const char diverged_sql[] =
    "SELECT group_concat(DISTINCT scheme), count(*) FROM (SELECT scheme FROM diverged_runs"
    " JOIN runs r USING (run_id) WHERE EXISTS (SELECT 1 FROM grid_accuracy a"
    "  WHERE a.run_id = r.run_id AND a.grid IS :grid AND a.split = :split) ORDER BY 1)";

/* ---- what the numbers are ---- */

/* Nobody may take the one for the other. */
static const char *on_images(const struct report *r) {
    return export_of_val(r->request)
               ? "held-out images of the training set (val), not the test split"
               : "the test split";
}

static const char *batch_norms(const struct report *r) {
    return r->calibrated ? "re-estimated (calibrated)" : "as trained";
}

int note_accuracy(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    table_note(t, "Top-%d accuracy on %s%s in per cent by bit-width, batch norms %s.",
               r->top5 ? 5 : 1, on_images(r), export_of_val(r->request) ? "," : "", batch_norms(r));
    return 0;
}

int note_difference(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    table_note(t,
               "Top-1 accuracy less that of %.64s on %s, in points by bit-width, batch norms %s.",
               r->request->against, on_images(r), batch_norms(r));
    return 0;
}

int note_ablation(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    table_note(t,
               "Top-1 accuracy less that of the configuration from which one key alone differs, "
               "which has the value that the row is compared with, on %s, in points by bit-width, "
               "batch norms %s.",
               on_images(r), batch_norms(r));
    return 0;
}

/* The conditions of theirs; those of ours the last lines of every table say. */
int note_authors(const struct report *r, struct table *t, struct error *e) {
    (void)r, (void)e;
    table_note(t, "Theirs: TruncQuant's authors (arXiv 2506.11431), ResNet-20 on CIFAR-10, 50,000 "
                  "training images, 200 epochs, Adam, learning rate 0.001, a tenth of it from "
                  "epochs 100, 140 and 180 on, projections quantized, mean ± deviation as they "
                  "report them. Below: the conditions of ours.");
    table_note(t, "They cut codes that were floored at 8 bits, ours were rounded there, as their "
                  "quantizer rounds. At 32 bits nothing is cut: truncated is direct.");
    return 0;
}

int note_drop(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    table_note(t, "What truncation costs in points of top-1 accuracy on %s, batch norms %s.",
               on_images(r), batch_norms(r));
    return 0;
}

int note_reduction(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    table_note(
        t, "By how many per cent truncation costs less than it costs %.64s on %s, batch norms %s.",
        r->request->against, on_images(r), batch_norms(r));
    return 0;
}

/* ---- columns and spreads ---- */

/* The widths over which drops are taken, and what the last column is. */
int note_widths(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    table_note(
        t,
        "Column k: direct less truncated at k bits; cross: truncated at the stored width less "
        "truncated at k, mean over those k. Widths below the stored one%s.",
        r->calibrated ? "" : " that were trained");
    return 0;
}

int note_layers(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    if (r->wide.used[WIDE_WIDTHS])
        table_note(t,
                   "Column %s: quantized layers have bits of their own, which the row names in "
                   "the order of the network (layers).",
                   wide_by_layer);
    return 0;
}

int note_best(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    int bold = r->request->format == EXPORT_TEX || r->request->format == EXPORT_MD;
    if (bold && memchr(t->marks, TABLE_BEST, (size_t)t->cell))
        table_note(t, "Bold: the best of a network and data set at a width, direct or truncated, "
                      "and what lies within its 95 %% interval (Student's t).");
    return 0;
}

int note_deviation(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    if (r->wide.spreads)
        table_note(t, "Mean ± sample standard deviation over seeds.");
    return 0;
}

int note_n_deviation(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    if (r->wide.spreads)
        table_note(t, "Mean ± sample standard deviation over n seeds.");
    return 0;
}

int note_half(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    table_note(t, r->wide.spreads
                      ? "Mean ± half of its 95 %% interval (Student's t) over the n seeds "
                        "that both have; none where n is 1."
                      : "One seed: no interval.");
    return 0;
}

int note_bootstrap(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    table_note(t,
               "[95 %% interval] by bootstrap over the n seeds that both have; n/a where %.64s's "
               "own interval contains 0, or n is 1.",
               r->request->against);
    return 0;
}

/* ---- batch norms and activations ---- */

/* Widths that were not trained have nothing of their own to be re-estimated but the statistics. */
int note_borrowed(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    if (r->borrowing.bits[1] || r->borrowing.bits[2])
        table_note(t,
                   "A width k that was not trained borrows the batch norms%s of the smallest "
                   "trained width above k or, where none is above, of the largest.",
                   r->calibrated ? "' scale and shift" : "");
    return 0;
}

static void print_columns(uint64_t bits, char *text, size_t size) {
    *text = '\0';
    for (int k = 1; k <= FLOAT_BITS; k++)
        if (bits >> k & 1)
            snprintf(text + strlen(text), size - strlen(text), "%s%d", *text ? ", " : "", k);
    if (bits >> BITS_BY_LAYER & 1)
        text_list_add(text, size, ", ", wide_by_layer);
    if (bits >> BITS_EXTRA & 1)
        text_list_add(text, size, ", ", "cross");
}

/* What one side was trained for and the other was not is no difference of the quantizers alone. */
int note_borrowed_in_pairs(const struct report *r, struct table *t, struct error *e) {
    char columns[64];
    print_columns(r->borrowing.bits[1], columns, sizeof columns);
    if (note_borrowed(r, t, e))
        return -1;
    if (*columns)
        table_note(t,
                   "Column %s: there are rows of which only one of the row and its %.64s borrows; "
                   "batch norms are part of what is compared.",
                   columns, r->request->against);
    return 0;
}

int note_activations(const struct report *r, struct table *t, struct error *e) {
    (void)e;
    if (r->borrowing.activations[1])
        table_note(t, "Activations have as many bits as the weights, but in rows whose settings "
                      "say otherwise (float activations: not quantized).");
    return 0;
}

int note_activations_in_pairs(const struct report *r, struct table *t, struct error *e) {
    char columns[64];
    (void)e;
    print_columns(r->borrowing.activations[1], columns, sizeof columns);
    if (*columns)
        table_note(t,
                   "Column %s: there are rows whose activations have other bits than those of "
                   "their %.64s (settings; float activations: not quantized); activations are part "
                   "of what is compared.",
                   columns, r->request->against);
    return 0;
}

/* ---- references ---- */

int note_left_out(const struct report *r, struct table *t, struct error *e) {
    const struct left_out *out = &r->left_out;
    const char *against = r->request->against;
    (void)e;
    if (out->ways)
        table_note(t,
                   "Left out: %lld configuration%s to which several of %.64s are equally near; "
                   "--against '%.64s KEY=VALUE' chooses one.",
                   (long long)out->ways, out->ways == 1 ? "" : "s", against, against);
    if (out->namesakes)
        table_note(
            t,
            "Left out: %lld configuration%s whose network or data set has other contents than "
            "any of %.64s has under the same name%s.",
            (long long)out->namesakes, out->namesakes == 1 ? "" : "s", against,
            export_of_val(r->request) ? ", or whose held-out images (val = N) are others" : "");
    return 0;
}

struct differing {
    const char *against;
    char keys[512];
};

static void say_differing(sqlite3_stmt *row, void *to) {
    struct differing *d = to;
    char key[160];
    snprintf(key, sizeof key, "%s (%.64s: %s)", sql_text(row, 0), d->against, sql_text(row, 1));
    text_list_add(d->keys, sizeof d->keys, ", ", key);
}

/* The nearest reference need not be near: that of a grid which crosses no keys has whatever its own
 * are. */
int note_differing(const struct report *r, struct table *t, struct error *e) {
    struct differing d = {.against = r->request->against};
    int status = export_each(r, differing_sql, say_differing, &d, e);
    if (!status && d.keys[0])
        table_note(
            t,
            "Besides the quantizer, there are configurations that differ from their %.64s in: %s.",
            d.against, d.keys);
    return status;
}

/* ---- where from ---- */

int note_other_split(const struct report *r, struct table *t, struct error *e) {
    const char *other = export_other_split(r->request);
    struct split_counts counts;
    if (export_count_splits(r, &counts, e))
        return -1;
    if (counts.here < counts.runs)
        table_note(t, "Left out: %lld of %lld runs, evaluated on %s alone (--split %s).",
                   (long long)(counts.runs - counts.here), (long long)counts.runs, other, other);
    return 0;
}

int note_missing(const struct report *r, struct table *t, struct error *e) {
    char *missing = missing_runs(r, e);
    if (missing && *missing)
        table_note(t, "Missing: %s.", missing);
    int status = missing ? 0 : -1;
    free(missing);
    return status;
}

static void say_stale(sqlite3_stmt *q, void *to) {
    struct table *t = to;
    const char *schemes = sql_text(q, 0);
    long long out = sqlite3_column_int64(q, 1), shown = sqlite3_column_int64(q, 2);
    if (shown)
        table_note(
            t,
            "Stale: %lld run%s of %s, computed by another version of the quantizer than this "
            "program's, or from weights of one that was ('run --again' computes them anew).",
            shown, shown == 1 ? "" : "s", schemes);
    if (out)
        table_note(
            t,
            "Left out: %lld stale run%s of %s, computed by another version of the quantizer, "
            "or from weights of one that was ('run --again' computes them anew).",
            out, out == 1 ? "" : "s", schemes);
}

int note_stale(const struct report *r, struct table *t, struct error *e) {
    return export_each(r, stale_sql, say_stale, t, e);
}

static void say_diverged(sqlite3_stmt *q, void *to) {
    struct table *t = to;
    long long n = sqlite3_column_int64(q, 1);
    if (n)
        table_note(t,
                   "Diverged: %lld run%s of %s, whose training loss ended above twice that of "
                   "guessing (in rows that say so): their numbers say nothing of the quantizer.",
                   n, n == 1 ? "" : "s", sql_text(q, 0));
}

int note_diverged(const struct report *r, struct table *t, struct error *e) {
    return export_each(r, diverged_sql, say_diverged, t, e);
}

int note_recipe(const struct report *r, struct table *t, struct error *e) {
    char *recipe = caption_recipe(r, e);
    if (recipe)
        table_note(t, "%s.", recipe);
    free(recipe);
    return recipe ? 0 : -1;
}

int note_commits(const struct report *r, struct table *t, struct error *e) {
    char *commits = caption_commits(r, 0, e);
    if (commits)
        table_note(t, "%c%s.", toupper(commits[0]), commits + 1);
    free(commits);
    return commits ? 0 : -1;
}
