/* Progress on stderr: one line redrawn in place on a terminal, a plain line now and then elsewhere
 * (logs), nothing when quiet. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

struct progress {
    const char *label;
    double start;   // seconds, CLOCK_MONOTONIC
    double first;   // share done at `start`, so that a resumed run's time left is right
    double printed; // when the last line was written
    int terminal;   // stderr is a terminal
    int quiet;
};

double progress_clock(void); // seconds, CLOCK_MONOTONIC

/* `done`: the share (0 ... 1) that is already behind, as of a resumed run. */
struct progress progress_start(const char *label, double done, int quiet);

/* Share done, and a short text such as "epoch 2/3, loss 0.41"; draws at most twice a second on a
 * terminal and once in 30 seconds elsewhere. */
void progress_show(struct progress *p, double done, const char *text);

/* End the line on a terminal. */
void progress_end(struct progress *p);

/* "1:02:03" or "02:03"; "?" when seconds is negative. */
void progress_print_time(double seconds, char *buffer, int size);

#endif
