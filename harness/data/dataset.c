/* Opening a data set: the prepared file if it is current, else made under a lock; dataset.h is the
 * manual. */
#include "data/dataset.h"

#include "data/cache.h"
#include "data/image_stream.h"
#include "data/prepared.h"
#include "data/source.h"

#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whoever gets the lock first prepares; the others find it done. */
static int map_or_prepare(struct dataset *d, const struct source *s, const char *path,
                          struct error *e) {
    int lock = cache_lock(s, e);
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

int dataset_open_at(struct dataset *d, const char *name, int image_size, struct error *e) {
    return image_size ? image_stream_open(d, name, image_size, e) : dataset_open(d, name, e);
}

void dataset_close(struct dataset *d) {
    image_stream_close(d->stream);
    if (d->map)
        munmap(d->map, d->map_size);
    *d = (struct dataset){0};
}
