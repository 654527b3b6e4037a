/* From a grid file to the rows that are recorded: every combination with its network, its data set,
 * its cfg's recipe and what it costs. Nothing is computed, and Darknet is not loaded. */
#ifndef PLAN_PLANNING_H
#define PLAN_PLANNING_H

#include "plan/grid.h"
#include "plan/work.h"
#include "store/store.h"

struct network; // a network as one data set's shape and classes make it

struct planning {
    const struct quantizer *const *table;
    const char *path; // of the grid file, as given
    int quiet;        // no notes on standard error
    struct grid grid; // owned, as all that follows
    int n_data, n_networks;
    struct dataset *data;        // one per name and image size
    const struct spec **data_of; // (n_data) which asks for it
    struct network *networks;    // one per name and data set
    struct run_row *rows;        // (grid.n)
    struct work *works;          // (grid.n)
    char *noted;                 // places of which it was said that they take few classes
};

/* Of the grid file at `path`, with `set` as in grid_read; what is worth a note goes to standard
 * error. -1 with FILE:LINE. In either case planning_free. */
int planning_make(struct planning *p, const struct quantizer *const *table, const char *path,
                  const char *set, int quiet, struct error *e);
void planning_free(struct planning *p);

/* What of a planning is to be run now, by what the database says of its runs. */
struct pending_options {
    int retry_failed; // failed runs, too
    int again;        // stale ones, too
    int ready;        // none that waits for another run's weights
};

/* Sets selected[i] (grid.n) for each row. Finished runs that are stale are noted unless they are
 * asked for. `options` NULL: selects nothing, and notes. */
int planning_pending(const struct planning *p, struct store *s,
                     const struct pending_options *options, int *selected, struct error *e);

#endif
