/* Files: read whole, and replaced whole so that a crash leaves the old or the new one, never half.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"

#include <stdint.h>
#include <stdio.h>

/* The content of a regular file, with a NUL behind it that is not counted; the caller frees.
 * NULL when it cannot be opened or read, or is larger than `limit` bytes. */
char *file_read(const char *path, size_t limit, size_t *size, struct error *e);

/* Replace `path` by `size` bytes: temporary file beside it, fsync, rename, fsync of the folder.
 * Refuses what is no regular file (a device would be replaced too); a link stays, and what it
 * points to is replaced, but one of another user is refused (file_check_link). The temporary file
 * is new and its name cannot be foretold: who else can write to the folder cannot plant a link
 * there. */
int file_replace(const char *path, const void *bytes, size_t size, struct error *e);

/* Make `path` of these bytes, likewise; refused where there is something of that name, even if that
 * came while they were written. */
int file_create(const char *path, const void *bytes, size_t size, struct error *e);

/* The same as file_replace for what is too large to be built in memory: a temporary file of `size`
 * zeros beside `path`, with its disk space reserved, mapped for writing at `bytes`. Ends in
 * file_draft_commit or file_draft_drop. */
struct file_draft {
    char *bytes;
    size_t size;
    char *path, *temporary; // owned
};
int file_draft_start(struct file_draft *d, const char *path, size_t size, struct error *e);
int file_draft_commit(struct file_draft *d, struct error *e);
void file_draft_drop(struct file_draft *d);

/* Remove the temporary files of processes that were killed while they replaced `path`. Only for who
 * holds a lock that keeps others from replacing it just now. */
void file_remove_orphans(const char *path);

/* -1 where `path` is a symbolic link of another user than this and root: who else can write to the
 * folder could have any file changed through it. */
int file_check_link(const char *path, struct error *e);

/* Open a file that is the program's own for reading and writing, made where there is none: never
 * through a symbolic link. Returns its descriptor, or -1. */
int file_open_own(const char *path, struct error *e);

/* mkdir -p. */
int file_make_folder(const char *path, struct error *e);

/* True when `path` can be opened for reading. */
int file_exists(const char *path);

/* The value of the first "name : value" line of a file, as those of /proc are; "" when there is
 * none. */
void file_value(const char *path, const char *name, char *value, size_t size);

#endif
