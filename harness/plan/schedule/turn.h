/* Which run comes first, and how many fit beside each other: what schedulers ask before they start
 * runs. */
#ifndef PLAN_SCHEDULE_TURN_H
#define PLAN_SCHEDULE_TURN_H

#include "plan/planning.h"
#include "plan/schedule/estimate.h"

/* That of the grid, or the longest first, so that no long run is left over at the end while other
 * cores have nothing to do: a run with those that take its weights counts as one. In either, no run
 * comes before the one whose weights it takes; with the longest first, those that take weights come
 * last. */
enum order { ORDER_GRID, ORDER_LONGEST, ORDERS };
extern const char *const order_names[ORDERS + 1]; // "grid", "longest-first"; ended by NULL

/* Places of p->rows, all of them (grid.n), in that order. The caller frees. */
int *turn_order(const struct planning *p, enum order order);

/* What each run is given. `cores` 0: it computes nothing, and takes little memory. */
struct share {
    int cores;
    const struct estimate *measured;
};

/* Bytes that the run at a place of p->rows takes at its most. */
double turn_memory(const struct planning *p, int row, const struct share *share);

/* How many of the selected runs, whichever, this process may have at a time: as many as have cores
 * and memory here. At least 1; where they take no cores, as many as there are cores. */
int turn_fitting(const struct planning *p, const int *selected, const struct share *share);

/* -1 when there is no room for `jobs` of the selected runs at a time, with how many there is for. A
 * single one is not refused: what it takes is an estimate. */
int turn_check(const struct planning *p, const int *selected, const struct share *share, int jobs,
               struct error *e);

#endif
