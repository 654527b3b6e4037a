/* Exports with a column per bit-width: accuracies, and what is derived from them. For export.c. */
#ifndef REPORT_ACCURACIES_H
#define REPORT_ACCURACIES_H

#include "report/export.h"

/* The place, from 0, of such a table by its name; each has a twin NAME-calibrated. -1: `what` is
 * neither. */
int export_find_wide(const char *what, int *calibrated);

/* The table `request->what`, which export_find_wide knows; `request->split` is chosen. Returns as
 * export_table. */
int export_wide(struct store *s, const struct export_request *request, FILE *out, struct error *e);

#endif
