/* What libraries read from the environment when they are loaded: how threads wait, and what would
 * change the results of a run though nothing that is recorded with it would tell. */
#ifndef BASE_ENVIRONMENT_H
#define BASE_ENVIRONMENT_H

#include "base/error.h"

/* Execute the program again, with the same arguments, where the environment is not as it has to
 * be; call it first. Returns 0 when it is.
 *
 * Threads that wait for work spin for some 200 microseconds, which is longer than nearly all waits
 * within a step, then sleep. By default they spin for longer, and two runs on the same cores then
 * wait for each other; sleeping at once costs a twentieth of a run's speed. Where the environment
 * says how to wait, that stands.
 *
 * OpenBLAS starts with one thread: it would start one for each core at once, which under a limit
 * on memory never ends, and those would keep a rounding that a library has set (base/rounding.h).
 * Variables that would give a run other numbers than its own threads or arithmetic are taken out.
 *
 * When the program cannot be executed again, it is slower, no more; but -1 with a message where a
 * variable is set that changes results. */
int environment_settle(char **argv, struct error *e);

/* To be called before libraries begin, with what main gets: OpenBLAS starts threads as soon as it
 * is loaded, and ends the process where there may be none (ulimit -u, -v). The program is executed
 * once more, with OPENBLAS_NUM_THREADS=1. */
void environment_begin(int argc, char **argv, char **variables);

#endif
