/* A grid on its way to runs, shared by the files of `truncquant plan`: rows are made from it (plan_rows.c), recorded and
 * compared with what is known (plan.c), and printed with what they cost (plan_print.c). */
#ifndef VERBS_PLANNING_H
#define VERBS_PLANNING_H

#include "cfg/cfg.h"
#include "data/dataset.h"
#include "plan/estimate.h"
#include "plan/grid.h"
#include "plan/work.h"
#include "store/store.h"
#include "verbs/computing.h"

struct wanted {
    int pending, ready, ids, retry_failed, again, dry_run, explain, quiet, name;
    const char *set;      // as in grid_read
    struct computing how; // is checked, so that no run is recorded that could not begin
};

/* A network as one data set's shape and classes make it. */
struct network {
    const char *name; // as in the spec
    const struct dataset *data;
    char *text; // the cfg file's own
    struct cfg cfg;
};

struct planning {
    const struct quantizer *const *table;
    const char *db;
    struct grid grid;
    struct wanted wanted;
    int n_data, n_networks;
    struct dataset *data;        // one per name and image size
    const struct spec **data_of; // (n_data) which asks for it
    struct network *networks;    // one per name and data set
    struct run_row *rows;        // (grid.n)
    struct work *works;          // (grid.n)
    int *selected;               // (grid.n) to be printed
    struct estimate measured;
    char *noted; // places of which it was said that they take few classes; owned
};

/* Open data sets and networks, and make the row of every run; -1 with the grid's FILE:LINE. */
int planning_make_rows(struct planning *p, struct error *e);
void planning_free(struct planning *p);

/* Lines for people, unless they asked for quiet; `where` may be "". */
void planning_note(const struct planning *p, const char *where, const char *notes);

/* The selected runs: in the order of the grid; what is pending with the longest first (behind those whose weights they
 * take), so that no long run is left over at the end while other cores have nothing to do. */
void planning_print(const struct planning *p);

/* What the selected runs cost, a line for people. */
void planning_note_cost(const struct planning *p);

#endif
