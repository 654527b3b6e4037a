/* Locks on files; lock.h is the manual. */
#include "base/lock.h"

#include <errno.h>
#include <limits.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

static int is_below(const char *path, const char *folder) {
    size_t n = strlen(folder);
    return !strcmp(folder, "/") || (!strncmp(path, folder, n) && (!path[n] || path[n] == '/'));
}

/* The deepest of the mounts that the path lies below; of several at one place, the last. */
void file_system_of(const char *path, char *text, size_t size) {
    char place[PATH_MAX];
    size_t deepest = 0;
    text[0] = '\0';
    FILE *mounts = realpath(path, place) ? setmntent("/proc/self/mounts", "r") : NULL;
    if (!mounts)
        return;
    for (struct mntent *m; (m = getmntent(mounts));)
        if (is_below(place, m->mnt_dir) && strlen(m->mnt_dir) >= deepest) {
            deepest = strlen(m->mnt_dir);
            snprintf(text, size, "%s at %s", m->mnt_type, m->mnt_dir);
        }
    endmntent(mounts);
}

enum lock_result lock_file(int fd, const char *path, int waits, struct error *e) {
    char where[PATH_MAX];
    while (flock(fd, LOCK_EX | (waits ? 0 : LOCK_NB))) {
        if (errno == EINTR)
            continue;
        if (errno == EWOULDBLOCK)
            return LOCK_HELD;
        int why = errno;
        file_system_of(path, where, sizeof where);
        fail_at(e, path, 0,
                "cannot be locked: flock says '%s'%s%s; put it on a file system that has locks "
                "(a local disk, or this one mounted with them, as Lustre by -o flock)",
                strerror(why), where[0] ? " on " : "", where);
        return LOCK_FAILED;
    }
    return LOCK_TAKEN;
}
