/* The database as verbs open it. */
#ifndef VERBS_DATABASE_H
#define VERBS_DATABASE_H

#include "store/store.h"
#include "verbs/verb.h"

/* The database of --db, which knows then what this program's quantizers compute (spec/spec.h). NULL
 * on error.
 */
struct store *verb_open_store(const struct options *o, enum store_mode mode, struct error *e);

/* -1 when a run is not finished, or is stale: weights that one version of a quantizer trained are
 * not used by another. `done` is what was to be done with it: "packed". */
int verb_check_done(struct store *s, const char *run_id, const char *done, struct error *e);

#endif
