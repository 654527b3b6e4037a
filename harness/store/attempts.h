/* What the files that add to an attempt or end it share. For harness/store only; inside a
 * transaction. */
#ifndef STORE_ATTEMPTS_H
#define STORE_ATTEMPTS_H

#include "store/store.h"

enum outcome { OUTCOME_NONE, OUTCOME_COMPLETE, OUTCOME_FAILED, OUTCOME_INTERRUPTED };

/* How an attempt ended; -1 when there is no such attempt. */
int attempt_outcome(struct store *s, int64_t attempt, enum outcome *outcome, struct error *e);

/* Begin the transaction in which rows are added to an attempt; -1, with none begun, when there is
 * no such attempt. */
int attempt_begin_rows(struct store *s, int64_t attempt, struct error *e);

/* Record that the attempt cannot be written to any more; returns -1. */
int attempt_has_ended(struct store *s, int64_t attempt, struct error *e);

/* Record which curves `grid` (NULL: a specification alone) asks for of these runs. */
int curves_request(struct store *s, const struct run_row *rows, int n, const char *grid,
                   struct error *e);

struct attempt_end {
    const char *outcome, *reason, *cause; // the last two may be NULL
    double cpu_seconds;
    int64_t peak_bytes;
};
int attempt_write_end(struct store *s, int64_t attempt, const struct attempt_end *end,
                      struct error *e);

/* Put one fingerprint into the table of schema "main" or "temp". */
int fingerprint_write(struct store *s, const char *schema, const struct scheme_row *row,
                      struct error *e);

#endif
