/* The part of what there is that a figure shows: its schemes, panels and widths, as users choose
 * them. */
#ifndef REPORT_CHOSEN_H
#define REPORT_CHOSEN_H

#include "report/query.h"

/* Lists as requests hold them: ",a,b,". Made from names that commas separate, or from widths
 * (1 ... 8, 32, ranges) that commas or blanks do. NULL for NULL; NULL with a message that names
 * `option` where the text is no such list. Owned by the caller. */
char *chosen_names(const char *option, const char *text, struct error *e);
char *chosen_widths(const char *option, const char *text, struct error *e);

/* True where the request chooses. */
int chosen_some(const struct export_request *request);

/* export_take_snapshot of what the request chooses. EXPORT_NOTHING with a message where a name is
 * of nothing that there is, or where nothing is left. */
int chosen_take_snapshot(const struct report *r, struct error *e);

/* What to say where a figure, or all of them (`what`), have nothing of what was chosen; returns
 * EXPORT_NOTHING. */
int chosen_fail_empty(const struct report *r, const char *what, struct error *e);

#endif
