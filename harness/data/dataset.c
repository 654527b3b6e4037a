/* Opening a data set: the prepared file if it is current, else made under a lock; dataset.h is the
 * manual. */
#include "data/dataset.h"

#include "base/file.h"
#include "data/cache.h"
#include "data/prepared.h"
#include "data/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

/* Wait for the lock of that path; -1 with a message. The lock file stays: removing it would let two
 * processes hold locks on two files of one name. */
static int take_lock(const char *name, struct error *e) {
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_at(
            e, name, 0,
            "cannot be opened (%s); fix its permissions or set TRUNCQUANT_CACHE to another "
            "folder",
            strerror(errno));
    while (flock(fd, LOCK_EX)) {
        if (errno == EINTR)
            continue;
        fail_at(e, name, 0,
                "cannot be locked (%s); set TRUNCQUANT_CACHE to a folder on a local disk",
                strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

/* Whoever gets the lock first prepares; the others find it done. */
static int map_or_prepare(struct dataset *d, const struct source *s, const char *path,
                          struct error *e) {
    char folder[PATH_MAX], name[PATH_MAX];
    if (cache_folder(folder, sizeof folder, e) || file_make_folder(folder, e) ||
        cache_lock_path(s, name, sizeof name, e))
        return -1;
    int lock = take_lock(name, e);
    if (lock < 0)
        return -1;
    int rc = prepared_map(d, s, path);
    if (rc) {
        cache_tidy(s);
        if (!prepare(s, path, e) && (rc = prepared_map(d, s, path)))
            fail_at(e, path, 0, "was written but cannot be mapped; is the disk sound?");
    }
    close(lock);
    return rc;
}

int dataset_open(struct dataset *d, const char *name, struct error *e) {
    *d = (struct dataset){0};
    struct known_set set;
    struct source source;
    if (known_set_find(&set, name, e) || source_find(&source, &set, e))
        return -1;
    char path[PATH_MAX];
    int rc = cache_path(&source, path, sizeof path, e);
    if (!rc && prepared_map(d, &source, path))
        rc = map_or_prepare(d, &source, path, e);
    if (!rc)
        cache_touch(path);
    source_free(&source);
    return rc;
}

void dataset_close(struct dataset *d) {
    if (d->map)
        munmap(d->map, d->map_size);
    *d = (struct dataset){0};
}
