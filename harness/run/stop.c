/* No handler interrupts a computation: the signals are blocked in the threads that compute, and
 * looked for between two steps. Kernels that a library makes at run time may use the stack pointer
 * as one more register, and the frame of a handler would be written into their data. Threads that a
 * library started before (OpenBLAS's idle pool) still take a signal; there the handler sets the
 * flag. stop.h is the manual. */
#include "run/stop.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static sigset_t awaited;
static volatile sig_atomic_t asked;

static void note_signal(int signal) {
    asked = signal;
}

void stop_catch(void) {
    const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART}, before;
    sigemptyset(&action.sa_mask);
    sigemptyset(&awaited);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        sigaction(signals[i], NULL, &before);
        if (signals[i] != SIGHUP || before.sa_handler != SIG_IGN)
            sigaddset(&awaited, signals[i]);
    }
    pthread_sigmask(SIG_BLOCK, &awaited, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigismember(&awaited, signals[i]))
            sigaction(signals[i], &action, NULL);
}

void stop_not_for_pipes(void) {
    signal(SIGPIPE, SIG_IGN);
}

int stop_signal(void) {
    return stop_wait(0);
}

int stop_wait(double seconds) {
    const time_t whole = (time_t)seconds;
    const struct timespec most = {whole, (long)(1e9 * (seconds - (double)whole))};
    int signal = asked ? 0 : sigtimedwait(&awaited, NULL, &most);
    if (signal > 0)
        asked = signal;
    return asked;
}
