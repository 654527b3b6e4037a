/* Opening a data set: the prepared file if it is current, else made under a lock; dataset.h is the
 * manual. */
#include "data/dataset.h"

#include "data/cache.h"
#include "data/images/stream.h"
#include "data/prepared.h"
#include "data/source.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* Mapped, and, where that is asked for, hashed. -1 without a message: has to be made. */
static int map_prepared(struct dataset *d, const struct source *s, const char *path, int hashed) {
    if (prepared_map(d, s, path))
        return -1;
    if (!hashed || prepared_is_intact(d))
        return 0;
    dataset_close(d);
    errno = 0;
    return -1;
}

/* After that: the file may be as it should be, and this process not. */
static int lacks_means(void) {
    return errno == ENOMEM || errno == EMFILE || errno == ENFILE;
}

/* Whoever gets the lock first prepares; the others find it done. Who has mapped the file that is
 * replaced keeps it. */
static int map_or_prepare(struct dataset *d, const struct source *s, const char *path, int hashed,
                          struct error *e) {
    int lock = cache_lock(s, e);
    if (lock < 0)
        return -1;
    int rc = map_prepared(d, s, path, hashed);
    if (rc && lacks_means()) {
        fail_system(e, path, "cannot be mapped", errno);
    } else if (rc) {
        if (!prepared_map(d, s, path)) {
            fprintf(stderr,
                    "truncquant: note: %s: is not what was prepared, as when a bit flips on a "
                    "disk; it is made anew\n",
                    path);
            dataset_close(d);
        }
        cache_tidy(s);
        if (!prepare(s, path, e) && (rc = map_prepared(d, s, path, hashed)))
            fail_system(e, path, "was written but cannot be mapped", errno);
    }
    close(lock);
    return rc;
}

static int open_prepared(struct dataset *d, const char *name, int hashed, struct error *e) {
    *d = (struct dataset){0};
    struct known_set set;
    struct source source;
    if (known_set_find(&set, name, e) || source_find(&source, &set, e))
        return -1;
    char path[PATH_MAX];
    int rc = cache_path(&source, path, sizeof path, e);
    if (!rc && map_prepared(d, &source, path, hashed))
        rc = map_or_prepare(d, &source, path, hashed, e);
    if (!rc)
        cache_touch(path);
    source_free(&source);
    return rc;
}

int dataset_open(struct dataset *d, const char *name, struct error *e) {
    return open_prepared(d, name, 0, e);
}

int dataset_open_at(struct dataset *d, const char *name, int image_size, struct error *e) {
    return image_size ? image_stream_open(d, name, image_size, e) : open_prepared(d, name, 0, e);
}

int dataset_open_checked(struct dataset *d, const char *name, int image_size, struct error *e) {
    return image_size ? image_stream_open(d, name, image_size, e) : open_prepared(d, name, 1, e);
}

int dataset_check(const struct dataset *d, const char *name, struct error *e) {
    return d->stream ? image_stream_check(d, name, e) : 0;
}

void dataset_close(struct dataset *d) {
    image_stream_close(d->stream);
    if (d->map)
        munmap(d->map, d->map_size);
    *d = (struct dataset){0};
}
