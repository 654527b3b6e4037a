/* What `truncquant plan` prints of the runs of a grid. */
#ifndef VERBS_GRID_LISTING_H
#define VERBS_GRID_LISTING_H

#include "plan/schedule/turn.h"

struct listing {
    const struct planning *planning;
    const int *selected; // (grid.n) which runs
    enum order order;
    struct share share;
    struct pending_options which; // what `why` is said of
};

/* One run per line: its id and the keys that are said of it; ids alone, or with the names of logs;
 * every value and where it
 * came from; why it is to be run, or why not, of all that are not done. */
void listing_keys(const struct listing *l);
void listing_ids(const struct listing *l);
void listing_logs(const struct listing *l);
void listing_origins(const struct listing *l);
void listing_why(const struct listing *l);

/* What schedulers go by, in columns that tabs part: id, work, seconds, memory, cores, parent,
 * host, log. `truncquant plan --help` is the manual. */
void listing_schedule(const struct listing *l);

/* On standard error: what the selected runs cost together. */
void listing_note_cost(const struct listing *l);

#endif
