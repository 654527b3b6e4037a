/* Pseudonyms for what tells who computed. For harness/store/merge only. */
#ifndef STORE_MERGE_ANONYMOUS_H
#define STORE_MERGE_ANONYMOUS_H

#include "store/sql.h"

/* Replace them in all rows of `s`, and mark it as anonymous. `secret` decides which text has which
 * pseudonym; "": another at each call. Inside a transaction. */
int anonymous_make(struct store *s, const char *secret, struct error *e);

#endif
