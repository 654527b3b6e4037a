/* Is a process of this machine still there? For harness/store only. */
#ifndef STORE_PROCESS_H
#define STORE_PROCESS_H

#include <stdint.h>

/* When the process started, in clock ticks after boot; 0 when that cannot be told. */
int64_t process_start(long pid);

/* False when no process has this number, it has ended without having been waited for, or the number
 * was given to a process that started at another time. */
int process_lives(long pid, int64_t start);

/* This machine's name equals `host`. */
int process_host_is(const char *host);

#endif
