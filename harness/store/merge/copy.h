/* The rows of one database in another, each resolved by what it says: the result depends neither on
 * the order in which databases are copied, nor on how often. For harness/store/merge only. */
#ifndef STORE_MERGE_COPY_H
#define STORE_MERGE_COPY_H

#include "store/sql.h"

/* Of what was copied. */
struct copied {
    int64_t runs, attempts; // that were not there
    int64_t excluded;       // runs that were there, and counted until now
};

/* Copy from `from` the runs that its table temp.chosen (run_id) names, with all that belongs to
 * them: of `grid` alone what belongs to grids, where it is given. Each attempt that is met is
 * passed to `met` (may be NULL), by its number in `to`. -1 when something contradicts: a run, an
 * attempt or a number of one that says something else there. Inside a transaction of each. */
int copy_rows(struct store *to, struct store *from, const char *grid,
              int (*met)(void *context, int64_t attempt, struct error *e), void *context,
              struct copied *copied, struct error *e);

#endif
