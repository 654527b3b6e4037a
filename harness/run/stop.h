/* Being asked to stop: SIGINT, SIGTERM and SIGHUP wait until a long loop looks for them between two
 * steps. A SIGHUP that is ignored, as under nohup, stays so. */
#ifndef RUN_STOP_H
#define RUN_STOP_H

/* From now on, in this thread and those it starts later. */
void stop_catch(void);

/* A pipe that nobody reads any more is no reason to stop computing: from now on SIGPIPE is ignored.
 */
void stop_not_for_pipes(void);

/* The signal that asked, or 0. */
int stop_signal(void);

/* The same, once it has asked or so many seconds are over. */
int stop_wait(double seconds);

#endif
