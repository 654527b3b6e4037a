/* Tables for people and papers, from the views of the database. */
#ifndef REPORT_EXPORT_H
#define REPORT_EXPORT_H

#include "quant/quantizer.h"
#include "store/store.h"

enum export_format {
    EXPORT_TEXT,
    EXPORT_CSV,  // for programs: nothing but rows, of accuracies one per cell (tidy.h)
    EXPORT_WIDE, // CSV in the shape of the other formats, with notes
    EXPORT_TEX,
    EXPORT_MD,
    EXPORT_FORMATS
};
extern const char *const export_format_names[EXPORT_FORMATS];

/* What can be exported, ended by NULL. One row per network, scheme and (where it matters)
 * inference, one column per bit-width, n/a for cells that do not exist:
 *     accuracy     top-1, mean ± standard deviation over seeds
 *     differences  top-1 less that of a reference, over common seeds, ± half of a 95 % interval
 *     drops        points of top-1 that truncation costs, mean ± standard deviation over seeds
 *     reductions   how much smaller a drop is than the reference's, [95 % interval]
 *     ablations    top-1 less that of the configuration from which one key alone differs
 *     top5         as accuracy, of data sets of more than 20 classes
 *     authors      ours beside what TruncQuant's authors report, and the difference
 * all with batch norms as trained; "accuracy-calibrated" and so on: the same with re-estimated
 * ones. "cost": core-hours, memory and images per second. Rows as they are: "runs" (without the
 * long texts `spec` and `cfg`), "attempts", "epochs", "evaluations", "layers"; "histograms" (view
 * weight_histograms, a row per bin); "curves" (view learning_curves); "latency" (of the view of
 * that name, what people compare); "grids": how many runs they have, and how many of these, that
 * count, are finished. */
extern const char *const export_names[];

/* True when `what` has a twin named `what`-calibrated. */
int export_is_calibratable(const char *what);

/* True for those and their twins: of results on one split. */
int export_is_of_split(const char *what);

/* The splits that results can be of, ended by NULL: test, and val (held out of training). */
extern const char *const export_splits[];

struct export_request {
    const struct quantizer *const *quantizers; // all schemes, ended by NULL: how they are shown
    const char *what;
    const char *figure; // of export_figures (report/figure.h)
    enum export_format format;
    const char *grid; // only the runs of this grid; NULL: all
    const char
        *split; // for tables of accuracies; NULL: test where a run was evaluated on it, or val
    // of figures: lists that chosen.h makes, of what they show; NULL: all
    const char *schemes, *panels, *widths;
    const char *against;  // scheme of the reference, for differences and reductions
    FILE *notes;          // where notes are printed, too; NULL: nowhere else
    const char *settings; // what else the reference has: a JSON object of keys and values, null for
                          // a key at its default; NULL: nothing
};

/* Rows whose recipes differ name the keys in a column with settings; notes say what all have in
 * common. The reference of a configuration is that of scheme `against`, on the same network and
 * data set (of val: on the same held-out images), from which the fewest settings differ; where
 * several are equally near there is none. Notes say so, which settings differ besides the
 * quantizer, where batch norms are borrowed, and which rows are of runs that diverged. Every
 * number is of one split; where it is val, a column and the notes say so. CSV has spreads in
 * columns of their own. -1 when it fails, as where the grid is unknown; EXPORT_NOTHING, with a
 * message that says why, when there is nothing to print of accuracies. TeX is a booktabs tabular.
 * Every table says from which commit(s) its rows come, those that trained and those that
 * evaluated, as a comment or a last line. */
enum { EXPORT_NOTHING = 1 };
int export_table(struct store *s, const struct export_request *request, FILE *out, struct error *e);

#endif
