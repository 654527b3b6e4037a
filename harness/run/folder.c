/* The folder of a run; folder.h is the manual. */
#include "run/folder.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int join(char *to, size_t size, const char *folder, const char *name, struct error *e) {
    if (snprintf(to, size, "%s/%s", folder, name) >= (int)size)
        return fail_at(e, folder, 0, "the name is too long; use a shorter --db");
    return 0;
}

static int take_lock(const char *path, const char *run_id, struct error *e) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_at(e, path, 0, "cannot be opened (%s); fix its permissions", strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        fail(e, "run %.12s is being computed by another process already; wait for it, or end it",
             run_id);
        close(fd);
        return -1;
    }
    return fd;
}

enum { FOLDER_SIZE = 3500 };

static int folder_of(char folder[FOLDER_SIZE], const char *db, const char *run_id,
                     struct error *e) {
    char copy[3000];
    if (snprintf(copy, sizeof copy, "%s", db) >= (int)sizeof copy)
        return fail_at(e, db, 0, "the name is too long; use a shorter --db");
    snprintf(folder, FOLDER_SIZE, "%s/runs/%s", dirname(copy), run_id);
    return 0;
}

int run_folder_checkpoint(char *path, size_t size, const char *db, const char *run_id,
                          struct error *e) {
    char folder[FOLDER_SIZE];
    return folder_of(folder, db, run_id, e) || join(path, size, folder, "checkpoint", e) ? -1 : 0;
}

int run_folder_open(struct run_folder *f, const char *db, const char *run_id, struct error *e) {
    char folder[FOLDER_SIZE], lock[4096];
    *f = (struct run_folder){.lock = -1};
    if (folder_of(folder, db, run_id, e) || file_make_folder(folder, e) ||
        join(lock, sizeof lock, folder, "lock", e) ||
        join(f->checkpoint, sizeof f->checkpoint, folder, "checkpoint", e) ||
        join(f->frozen, sizeof f->frozen, folder, "model.frozen", e) ||
        join(f->evaluated, sizeof f->evaluated, folder, "evaluated", e))
        return -1;
    f->lock = take_lock(lock, run_id, e);
    if (f->lock < 0)
        return -1;
    file_remove_orphans(f->checkpoint);
    file_remove_orphans(f->frozen);
    return 0;
}

void run_folder_close(struct run_folder *f) {
    if (f->lock >= 0)
        close(f->lock);
    f->lock = -1;
}
