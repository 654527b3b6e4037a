/* Tables for people and papers, from the views of the database. */
#ifndef STORE_EXPORT_H
#define STORE_EXPORT_H

#include "store/store.h"

enum export_format { EXPORT_TEXT, EXPORT_CSV, EXPORT_TEX, EXPORT_MD, EXPORT_FORMATS };
extern const char *const export_format_names[EXPORT_FORMATS];

/* What can be exported ("accuracy": the table of accuracies, one row per network, scheme and
 * inference, one column per bit-width, mean ± standard deviation over seeds where there are
 * several, n/a for cells that do not exist, batch norms as trained; "accuracy-calibrated":
 * the same with re-estimated ones; "runs" (without the long texts `spec` and `cfg`), "attempts",
 * "epochs", "evaluations", "layers": rows as they are), ended by NULL. */
extern const char *const export_names[];

/* `grid` limits it to the runs of one grid; NULL: all. Configurations that would share a row are
 * told apart by a column with the settings in which they differ. CSV has the deviations in columns
 * of their own. It fails when there is nothing to print of accuracies, or the grid is unknown. TeX
 * is a booktabs tabular. Every table says from which commit(s) its rows come, as a comment or a
 * last line. */
int export_table(struct store *s, const char *what, enum export_format format, const char *grid,
                 FILE *out, struct error *e);

#endif
