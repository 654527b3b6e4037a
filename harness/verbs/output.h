/* What a file named by --output must not replace. */
#ifndef VERBS_OUTPUT_H
#define VERBS_OUTPUT_H

#include "base/error.h"

/* -1 when replacing `output` would lose what cannot be made again at once: the database `db` or the
 * grid file `grid` (may be NULL), whatever links lead there; any other database; what belongs to
 * one by its name (-wal, -shm, -journal), even if it is not there, since SQLite would take it for
 * its own; a run's checkpoint, frozen model or lock. To be asked before anything is computed. */
int output_check(const char *output, const char *db, const char *grid, struct error *e);

#endif
