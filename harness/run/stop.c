/* The signals that ask for an end are blocked and looked for between two steps: no handler ever runs.
 * Kernels that a library makes at run time may use the stack pointer as one more register, and the
 * frame of a handler would be written into their data. stop.h is the manual. */
#include "run/stop.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

static sigset_t awaited;
static int asked;

void stop_catch(void) {
    const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction before;
    sigemptyset(&awaited);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        sigaction(signals[i], NULL, &before);
        if (before.sa_handler != SIG_IGN || signals[i] != SIGHUP)
            sigaddset(&awaited, signals[i]);
    }
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int stop_signal(void) {
    const struct timespec at_once = {0};
    int signal = asked ? -1 : sigtimedwait(&awaited, NULL, &at_once);
    if (signal > 0)
        asked = signal;
    return asked;
}
