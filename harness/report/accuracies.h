/* Exports with a column per bit-width: accuracies, and what is derived from them. For export.c. */
#ifndef REPORT_ACCURACIES_H
#define REPORT_ACCURACIES_H

#include "report/export.h"

/* The place, from 0, of such a table by its name; each has a twin NAME-calibrated. -1: `what` is
 * neither. */
int export_find_wide(const char *what, int *calibrated);

/* Once in a transaction that will be rolled back, before any of the following: the accuracies that
 * they read. */
int export_take_snapshot(struct store *s, const struct export_request *request, struct error *e);

/* The split that the tables are of, where `request` leaves it open. */
int export_choose_split(struct store *s, struct export_request *request, struct error *e);

/* The table `request->what`, which export_find_wide knows; `request->split` is chosen. */
int export_wide(struct store *s, const struct export_request *request, FILE *out, struct error *e);

#endif
