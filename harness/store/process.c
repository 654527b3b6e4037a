/* Processes, as Linux shows them in /proc; where it hides them (hidepid), kill(2) still knows. */
#include "store/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* State and start time (fields 3 and 22 of proc(5)'s stat); 0 when they could be read. The
 * command's name before them may hold blanks and parentheses. */
static int read_stat(long pid, char *state, int64_t *start) {
    char name[64], text[1024];
    snprintf(name, sizeof name, "/proc/%ld/stat", pid);
    FILE *f = fopen(name, "re");
    if (!f)
        return -1;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    char *after = strrchr(text, ')');
    long long ticks;
    if (!after || sscanf(after,
                         ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                         "%*s %lld",
                         state, &ticks) != 2)
        return -1;
    *start = ticks;
    return 0;
}

int64_t process_start(long pid) {
    char state;
    int64_t start;
    return read_stat(pid, &state, &start) ? 0 : start;
}

int process_lives(long pid, int64_t start) {
    char state;
    int64_t started;
    if (pid <= 0 || (kill((pid_t)pid, 0) && errno == ESRCH))
        return 0;
    if (read_stat(pid, &state, &started))
        return 1;
    return state != 'Z' && state != 'X' && (!start || start == started);
}

int process_host_is(const char *host) {
    char here[256] = "";
    return !gethostname(here, sizeof here - 1) && !strcmp(here, host);
}
