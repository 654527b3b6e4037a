/* How numbers are computed here: what belongs to an attempt and its checkpoint, not to a run's
 * identity. */
#ifndef RUN_NUMERICS_H
#define RUN_NUMERICS_H

#include "engine/engine.h"
#include "store/store.h"

/* Engine, precision, threads as asked for; instruction set and libraries as found; sources and
 * commit as built. The fingerprint is left empty: it is the run's scheme that has one
 * (quant/fingerprint.h). */
void numerics_now(struct numerics *n, const struct engine *engine, enum precision precision,
                  int threads);

/* What training is computed in, once that is known: not always what was asked for. */
void numerics_set_precision(struct numerics *n, enum precision precision);

/* Which program this is: "truncquant 0.9.0 (commit 0123456789ab)", with "+CHANGES" behind a commit
 * whose sources were changed. */
void numerics_program(char *text, size_t size);

/* The commit of the program, and whether it is of changed sources, as attempts record them. */
const char *numerics_commit(int *dirty);

/* CPU seconds and the largest resident set of this process, bytes. */
void usage_now(double *cpu_seconds, int64_t *peak_bytes);

#endif
