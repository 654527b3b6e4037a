/* A run from a specification alone, without a grid: read, checked and recorded as `plan` would. */
#ifndef PLAN_SINGLE_H
#define PLAN_SINGLE_H

#include "base/hash.h"
#include "quant/quantizer.h"
#include "store/store.h"

/* The specification in `path` ("-": standard input; the lines of spec_write), recorded in the
 * store; its id into run_id. A run that is there already stays as it is. Unless `quiet`, it is said
 * when it takes the first images and those are of few classes. */
int single_record(const char *path, const struct quantizer *const *table, struct store *store,
                  int quiet, char run_id[HASH_HEX], struct error *e);

#endif
