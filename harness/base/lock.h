/* Locks between processes, on files, by flock: they go with the process, however it ends. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/error.h"

enum lock_result { LOCK_FAILED = -1, LOCK_TAKEN, LOCK_HELD };

/* Lock an open file; `waits`: until it is free, else LOCK_HELD, without a message, where another
 * process has it. LOCK_FAILED, with a message that names the call, the file system and what to do,
 * where there are no locks, as on Lustre that is mounted without them. */
enum lock_result lock_file(int fd, const char *path, int waits, struct error *e);

/* "lustre at /scratch": what kind of file system a path is on, and where that is mounted; "" when
 * it is not known. */
void file_system_of(const char *path, char *text, size_t size);

#endif
