/* The first runs that end of a call of a grid are its trial: when all of the first five failed for
 * one reason, so would the others, and none begins any more. Who starts the runs gives them a file
 * that they share (`run --trial FILE`), an empty or a new one for each call; it may be on one
 * machine or on several that share it. A run without such a file is on no trial. */
#ifndef RUN_TRIAL_H
#define RUN_TRIAL_H

#include "base/error.h"

enum { TRIAL_RUNS = 5 };

enum trial_end {
    TRIAL_DONE,
    TRIAL_FAILED,
    TRIAL_LEFT // stopped by a signal, or there was nothing to do: counts for nothing
};

/* Before a run begins. 0: it may. 1: it may not, and the message says why the first failed. -1:
 * the file cannot be used, and the run may begin all the same. */
int trial_begin(const char *path, const char *run_id, struct error *e);

/* After it; `reason` of one that failed. That it cannot be written is no matter. */
void trial_end(const char *path, const char *run_id, enum trial_end end, const char *reason);

/* As trial_begin, of no run. */
int trial_check(const char *path, struct error *e);

#endif
