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
    int n_known;
    struct run_status *known; // what the database says of all runs, by id; planning_look
    int n_former;
    struct run_row *former; // runs that only an earlier edition of the grid named; likewise
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

/* Ask the database where all runs stand. Before what follows; a planning that did not look knows of
 * none. */
int planning_look(struct planning *p, struct store *s, struct error *e);

/* Note on standard error what is worth it: finished runs that are stale, and those without the
 * learning curve that the grid asks for. */
int planning_note(const struct planning *p, struct store *s, int again, struct error *e);

/* Sets selected[i] (grid.n) for each row. */
void planning_pending(const struct planning *p, const struct pending_options *options,
                      int *selected);

/* What the database says of a run; NULL: it is not recorded. */
const struct run_status *planning_status(const struct planning *p, const char *run_id);

/* Whether the run at a place of p->rows is to be run by these options, now or once its parent is
 * done, or not, and why: that it is new, and by which keys it differs from the nearest run that an
 * earlier edition of the grid had; that its code changed; that it failed before, was interrupted or
 * died, and where; that it does not count, or is at work. */
enum outlook { WILL_RUN, WILL_WAIT, WILL_NOT_RUN, IS_DONE, OUTLOOKS };
extern const char *const outlook_names[OUTLOOKS]; // "runs", "waits", "left out", "done"
enum { WHY = 2048 };
enum outlook planning_why(const struct planning *p, int row, const struct pending_options *options,
                          char why[WHY]);

#endif
