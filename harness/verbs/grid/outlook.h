/* Where the runs of a grid stand, counted: all together, and by scheme and network; and how long
 * what is left will take. */
#ifndef VERBS_GRID_OUTLOOK_H
#define VERBS_GRID_OUTLOOK_H

#include "plan/schedule/estimate.h"
#include "verbs/verb.h"

struct counts {
    const char *scheme, *network;                         // NULL: of all; the runs' own texts
    int n, states[RUN_STATES], excluded, stale, diverged; // those that do not count: in n, excluded
    double left;                                          // seconds
};

struct view {
    struct run_status *runs; // owned
    int n;
    struct counts all;
    int n_groups;
    struct counts *groups; // by scheme and network, in the order in which they were recorded; owned
    enum basis basis;      // what the time left rests on
};

/* Of a grid; NULL: of all runs. `named`: with the settings of the runs. In either case view_free.
 */
int view_open(struct view *v, const struct options *o, const char *grid, int named,
              struct error *e);
void view_free(struct view *v);

/* Whether runs are pending or at work. */
int view_goes_on(const struct view *v);

/* "02:30", "~02:30" where no run that was measured tells how fast they are, "-" when nothing goes
 * on. */
void view_print_left(const struct view *v, const struct counts *c, char *text, size_t size);

#endif
