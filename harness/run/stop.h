/* Being asked to stop: SIGINT, SIGTERM, SIGHUP set a flag that long loops look at between steps. */
#ifndef RUN_STOP_H
#define RUN_STOP_H

/* Catch the three signals from now on. */
void stop_catch(void);

/* The signal that asked, or 0. */
int stop_signal(void);

#endif
