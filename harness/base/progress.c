/* Progress lines with the time left; progress.h is the manual. */
#include "base/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

double progress_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_print_time(double seconds, char *buffer, int size) {
    if (seconds < 0 || seconds > 1e8) {
        snprintf(buffer, (size_t)size, "?");
        return;
    }
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(buffer, (size_t)size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(buffer, (size_t)size, "%02ld:%02ld", s / 60, s % 60);
}

struct progress progress_start(const char *label, double done, int quiet) {
    return (struct progress){.label = label,
                             .start = progress_clock(),
                             .first = done,
                             .terminal = isatty(STDERR_FILENO),
                             .quiet = quiet};
}

void progress_show(struct progress *p, double done, const char *text) {
    double now = progress_clock();
    if (p->quiet || now - p->printed < (p->terminal ? 0.5 : 30))
        return;
    p->printed = now;
    double left = done > p->first ? (now - p->start) * (1 - done) / (done - p->first) : -1;
    char time[32];
    progress_print_time(left, time, sizeof time);
    fprintf(stderr, "%s%s: %3.0f %%, %s, %s left%s", p->terminal ? "\r" : "", p->label, 100 * done,
            text, time, p->terminal ? "\033[K" : "\n");
    fflush(stderr);
}

void progress_end(struct progress *p) {
    if (!p->quiet && p->terminal && p->printed > 0)
        fputc('\n', stderr);
}
