/* What a database is told of the program that opens it. */
#ifndef PLAN_DECLARE_H
#define PLAN_DECLARE_H

#include "quant/quantizer.h"
#include "store/store.h"

/* Tell the store what this program's quantizers have for fingerprints (store_set_fingerprints), so
 * that it knows which runs are stale, and which cells tables take. For every verb that asks about
 * runs. */
int fingerprints_declare(struct store *s, const struct quantizer *const *table, struct error *e);

#endif
