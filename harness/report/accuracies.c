/* Tables of accuracies, and of what is derived from them: which rows of which query, in which
 * style, and what has to be said below. What is in the views is decided in
 * harness/store/schema/views.sql; only the bootstrap is not SQL. */
#include "report/accuracies.h"

#include "report/bootstrap.h"
#include "report/notes.h"
#include "report/tidy.h"
#include "store/sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int read_reductions(struct report *r, const char *name, struct error *e);

/* Below every table, after its own. */
static report_note *const shared_notes[] = {
    note_other_split, note_missing, note_stale, note_diverged, note_recipe, note_commits, NULL};

static report_note *const accuracy_notes[] = {
    note_accuracy, note_layers, note_deviation, note_borrowed, note_activations, note_best, NULL};
static report_note *const ablation_notes[] = {
    note_ablation, note_layers, note_half, note_borrowed_in_pairs, note_activations_in_pairs, NULL};
static report_note *const author_notes[] = {note_accuracy, note_authors, note_deviation, NULL};
static report_note *const difference_notes[] = {
    note_difference,           note_layers,   note_half,      note_borrowed_in_pairs,
    note_activations_in_pairs, note_left_out, note_differing, NULL};
static report_note *const drop_notes[] = {
    note_drop, note_layers, note_widths, note_n_deviation, note_borrowed, note_activations, NULL};
static report_note *const reduction_notes[] = {note_reduction,
                                               note_layers,
                                               note_widths,
                                               note_bootstrap,
                                               note_borrowed_in_pairs,
                                               note_activations_in_pairs,
                                               note_left_out,
                                               note_differing,
                                               NULL};

#define EVALUATED "WHERE grid IS :grid AND split = :split AND calibrated = :calibrated"
static const char pairs_sql[] =
    "SELECT config_id FROM reference_of WHERE ways = 1 AND reference_id <> config_id UNION "
    "SELECT reference_id FROM reference_of WHERE ways = 1 AND reference_id <> config_id";

static const struct kind {
    const char *name;       // as exported
    const char *query;      // NULL: that of this name
    int top5;               // as in struct report
    const char *missing[2]; // what there is nothing of: as trained, calibrated
    const char *value;      // what a cell is, for programs
    const char *pairs;      // the query that finds what rows are compared with; NULL: nothing
    const char *shown;      // the configurations in its rows
    struct wide_style style;
    int (*read)(struct report *r, const char *name, struct error *e);
    report_note *const *notes;
} kinds[] = {
    {.name = "accuracy",
     .missing = {"accuracies", "calibrated accuracies"},
     .value = "top1",
     .shown = "SELECT DISTINCT config_id FROM grid_accuracy " EVALUATED,
     .style =
         {.spread = SPREAD_DEVIATION, .digits = 1, .every_width = 1, .best = 1, .inference = 1},
     .read = export_read_cells,
     .notes = accuracy_notes},
    {.name = "differences",
     .missing = {"pairs", "calibrated pairs"},
     .value = "difference",
     .pairs = "references",
     .shown = pairs_sql,
     .style = {.spread = SPREAD_HALF, .digits = 2, .inference = 1, .counts = 1},
     .read = export_read_cells,
     .notes = difference_notes},
    {.name = "drops",
     .missing = {"truncated results", "calibrated truncated results"},
     .value = "drop",
     .shown = "SELECT DISTINCT config_id FROM grid_drop_summary " EVALUATED,
     .style = {.spread = SPREAD_DEVIATION, .digits = 2, .counts = 1, .extra = "cross"},
     .read = export_read_cells,
     .notes = drop_notes},
    {.name = "reductions",
     .missing = {"pairs of drops", "calibrated pairs of drops"},
     .value = "reduction",
     .pairs = "references",
     .shown = pairs_sql,
     .style = {.spread = SPREAD_INTERVAL, .digits = 1, .counts = 1, .extra = "cross"},
     .read = read_reductions,
     .notes = reduction_notes},
    {.name = "ablations",
     .query = "differences",
     .missing = {"configurations that differ in one key", "calibrated ones that differ in one key"},
     .value = "difference",
     .pairs = "ablations",
     .shown = pairs_sql,
     .style = {.spread = SPREAD_HALF, .digits = 2, .inference = 1, .counts = 1},
     .read = export_read_cells,
     .notes = ablation_notes},
    {.name = "top5",
     .query = "accuracy",
     .top5 = 1,
     .missing = {"accuracies on more than 20 classes", "calibrated ones on more than 20 classes"},
     .value = "top1",
     .shown = "SELECT DISTINCT config_id FROM grid_accuracy " EVALUATED
              " AND config_id IN (SELECT r.config_id FROM run_classes k JOIN runs r"
              "                   ON r.run_id = k.run_id WHERE k.classes > 20)",
     .style =
         {.spread = SPREAD_DEVIATION, .digits = 1, .every_width = 1, .best = 1, .inference = 1},
     .read = export_read_cells,
     .notes = accuracy_notes},
    {.name = "authors",
     .missing = {"accuracies of qat or truncquant on resnet20 and CIFAR-10",
                 "calibrated ones of qat or truncquant on resnet20 and CIFAR-10"},
     .value = "top1",
     .shown = "SELECT DISTINCT config_id FROM grid_accuracy " EVALUATED
              " AND network = 'resnet20' AND scheme IN ('qat', 'truncquant')"
              " AND dataset IN ('cifar10', 'cifar-10', 'cifar10-jpeg')",
     .style = {.spread = SPREAD_DEVIATION, .digits = 1, .inference = 1, .of = "whose"},
     .read = export_read_cells,
     .notes = author_notes},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

int export_find_wide(const char *what, int *calibrated) {
    for (int i = 0; i < KINDS; i++) {
        size_t n = strlen(kinds[i].name);
        if (strncmp(what, kinds[i].name, n) != 0)
            continue;
        *calibrated = !strcmp(what + n, "-calibrated");
        if (*calibrated || !what[n])
            return i;
    }
    return -1;
}

/* ---- reductions ---- */

/* The rows of one cell, seed by seed: the first is `q`'s, and on return `q` is at the next cell's.
 * Returns as sql_step. */
static int add_reduction(struct report *r, sqlite3_stmt *q, struct error *e) {
    struct wide_cell cell = export_read_cell(r, q);
    struct tidy_row row;
    char *labels[WIDE_LABELS]; // SQLite's own are gone with the next step
    int n = (int)cell.n, got = 1;
    if (r->tidy && tidy_read(r, q, &row, e))
        return -1;
    double *points = need((size_t)n, 2 * sizeof *points), *reference = points + n;
    for (int l = 0; l < WIDE_LABELS; l++)
        cell.labels[l] = labels[l] = need_string(cell.labels[l]);
    for (int i = 0; i < n && got == 1; i++) {
        points[i] = sqlite3_column_double(q, COLUMN_SPREAD);
        reference[i] = sqlite3_column_double(q, COLUMN_SPREAD + 1);
        got = sql_step(r->store, q, e);
    }
    cell.spread[0] = NAN;
    if (!isnan(cell.mean)) {
        bootstrap_reduction(points, reference, n, cell.spread);
        for (int end = 0; end < 2; end++)
            cell.spread[end] *= 100;
        cell.mean *= 100;
    }
    wide_add(&r->wide, &cell);
    if (r->tidy)
        tidy_put(r, &row, &cell);
    for (int l = 0; l < WIDE_LABELS; l++)
        free(labels[l]);
    free(points);
    return got;
}

static int read_reductions(struct report *r, const char *name, struct error *e) {
    sqlite3_stmt *q = export_prepare(r, export_query(name), e);
    if (!q)
        return -1;
    int got = sql_step(r->store, q, e);
    while (got == 1)
        got = add_reduction(r, q, e);
    sqlite3_finalize(q);
    return got;
}

/* ---- any table ---- */

static int read_table(struct report *r, const struct kind *kind, struct error *e) {
    int found = kind->pairs ? export_find_references(r, kind->pairs, e) : 0;
    if (found)
        return found;
    if (kind->read(r, kind->query ? kind->query : kind->name, e))
        return -1;
    if (r->wide.n)
        return export_show(r, kind->shown, e);
    return (kind->pairs ? export_fail_pairs : export_fail_empty)(r, kind->missing[r->calibrated],
                                                                 e);
}

static int add_notes(const struct report *r, report_note *const *notes, struct table *t,
                     struct error *e) {
    int status = 0;
    for (; !status && *notes; notes++)
        status = (*notes)(r, t, e);
    return status;
}

static int print_table(struct report *r, const struct kind *kind, FILE *out, struct error *e) {
    struct table *t = r->tidy ? r->tidy : wide_table(&r->wide, r->request->format);
    int status = add_notes(r, kind->notes, t, e);
    if (!status)
        status = add_notes(r, shared_notes, t, e);
    if (!status)
        table_print(t, r->request->format, out);
    if (!status && r->request->notes)
        table_print_notes(t, r->request->notes);
    if (t != r->tidy)
        table_free(t);
    return status;
}

int export_wide(struct store *s, const struct export_request *asked, FILE *out, struct error *e) {
    struct export_request own = *asked;
    const struct export_request *request = &own;
    struct report r = {.store = s, .request = request};
    const struct kind *kind = &kinds[export_find_wide(request->what, &r.calibrated)];
    if (kind->pairs && strcmp(kind->pairs, "references") != 0)
        own.against = "reference"; // of each configuration another
    r.top5 = kind->top5;
    wide_start(&r.wide, &kind->style);
    r.wide.style.split = export_of_val(request) ? request->split : NULL;
    int status = 0;
    if (request->format == EXPORT_CSV)
        status = tidy_start(&r, kind->value, kind->pairs || kind->style.of, e);
    if (!status)
        status = read_table(&r, kind, e);
    if (!status)
        status = print_table(&r, kind, out, e);
    table_free(r.tidy);
    wide_free(&r.wide);
    return status;
}
