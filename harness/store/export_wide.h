/* Exports with a column per bit-width: accuracies, and what is derived from them. For export.c. */
#ifndef STORE_EXPORT_WIDE_H
#define STORE_EXPORT_WIDE_H

#include "store/export.h"

/* Once in a transaction that will be rolled back, before any of the following: the accuracies that they read. */
int export_take_snapshot(struct store *s, const struct export_request *request, struct error *e);

/* The split that the tables are of, where `request` leaves it open. */
int export_choose_split(struct store *s, struct export_request *request, struct error *e);

/* `request->split` is chosen. `request->what` is one of the names without "-calibrated", which `calibrated` says. */
int export_accuracies(struct store *s, const struct export_request *request, int calibrated,
                      FILE *out, struct error *e);
int export_differences(struct store *s, const struct export_request *request, int calibrated,
                       FILE *out, struct error *e);
int export_drops(struct store *s, const struct export_request *request, int calibrated, FILE *out,
                 struct error *e);
int export_reductions(struct store *s, const struct export_request *request, int calibrated,
                      FILE *out, struct error *e);

#endif
