/* The folder of a run; folder.h is the manual. */
#include "run/folder.h"

#include "base/file.h"
#include "base/lock.h"
#include "train/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_SIZE = 3900 }; // leaves room for the names of files

static int path_in_runs(char *to, size_t size, const char *folder, const char *name,
                        struct error *e) {
    if (snprintf(to, size, "%s/%s", folder, name) >= (int)size)
        return fail_at(e, folder, 0, "the name is too long; use a shorter --db");
    return 0;
}

static int is_there(const char *path) {
    struct stat st;
    return !stat(path, &st);
}

static int is_computed(const char *run_id, struct error *e) {
    e->is_busy = 1;
    return fail(e, "run %.12s is being computed by another process already; wait for it, or end it",
                run_id);
}

static int take_lock(const char *path, const char *run_id, struct error *e) {
    int fd = file_open_own(path, e);
    if (fd < 0)
        return -1;
    enum lock_result lock = lock_file(fd, path, 0, e);
    if (lock == LOCK_TAKEN)
        return fd;
    if (lock == LOCK_HELD)
        is_computed(run_id, e);
    close(fd);
    return -1;
}

/* ---- the folder of a database ---- */

/* NAME.runs for NAME.db, and for NAME. */
static int runs_of(const struct store *s, char runs[FOLDER_SIZE], struct error *e) {
    char place[PATH_MAX];
    struct stat st;
    int is_link = !lstat(s->path, &st) && S_ISLNK(st.st_mode);
    if (!is_link)
        snprintf(place, sizeof place, "%s", s->path);
    else if (!realpath(s->path, place))
        return fail_system(e, s->path, "is a link that leads nowhere", errno);
    const char *slash = strrchr(place, '/');
    const char *name = slash ? slash + 1 : place;
    size_t n = strlen(place), of_name = strlen(name);
    if (of_name > 3 && !strcmp(name + of_name - 3, ".db"))
        n -= 3;
    if (snprintf(runs, FOLDER_SIZE, "%.*s.runs", (int)n, place) >= FOLDER_SIZE)
        return fail_at(e, s->path, 0, "the name is too long; use a shorter --db");
    return 0;
}

static int check_identity(const struct store *s, const char *path, const char *runs,
                          const char *there, const char *identity, struct error *e) {
    if (identity[0] && !strncmp(there, identity, STORE_IDENTITY - 1))
        return 0;
    return fail_at(e, path, 0,
                   "says that %s is of another database than %s: bring that one back, or move the "
                   "folder away (if it is of this database all the same, remove this file)",
                   runs, s->path);
}

/* Where the file `database` of the folder is, and what should be in it. `*is` 1: it is. One that is
 * not whole is being written, or was when the power went. */
static int look_at_folder(struct store *s, const char *runs, char path[4096],
                          char identity[STORE_IDENTITY], int *is, struct error *e) {
    size_t size;
    *is = 0;
    if (path_in_runs(path, 4096, runs, "database", e) || store_identity(s, identity, e))
        return -1;
    if (!is_there(path))
        return 0;
    char *there = file_read(path, 4096, &size, e);
    int rc = there ? 0 : -1;
    if (there && size >= STORE_IDENTITY - 1) {
        rc = check_identity(s, path, runs, there, identity, e);
        *is = !rc;
    }
    free(there);
    return rc;
}

/* The first that comes writes, all others compare. */
static int tie_folder(const struct store *s, int fd, const char *path, const char *runs,
                      const char *identity, struct error *e) {
    char there[STORE_IDENTITY + 1] = "", line[STORE_IDENTITY + 1];
    const int length = snprintf(line, sizeof line, "%s\n", identity);
    if (lock_file(fd, path, 1, e) != LOCK_TAKEN)
        return -1;
    if (pread(fd, there, sizeof there - 1, 0) >= STORE_IDENTITY - 1)
        return check_identity(s, path, runs, there, identity, e);
    ssize_t written = pwrite(fd, line, (size_t)length, 0);
    if (written >= 0 && written < length)
        return fail_system(e, path, "cannot be written", ENOSPC);
    return written < 0 || fsync(fd) ? fail_system(e, path, "cannot be written", errno) : 0;
}

/* Make the folder this database's, or see that it is. */
static int claim_folder(struct store *s, const char *runs, struct error *e) {
    char path[4096], identity[STORE_IDENTITY];
    int is;
    if (look_at_folder(s, runs, path, identity, &is, e) || (!is && file_make_folder(runs, e)))
        return -1;
    if (is)
        return 0;
    int fd = file_open_own(path, e);
    if (fd < 0)
        return -1;
    int rc = tie_folder(s, fd, path, runs, identity, e);
    close(fd);
    return rc;
}

int run_folder_check(struct store *s, struct error *e) {
    char runs[FOLDER_SIZE], path[4096], identity[STORE_IDENTITY];
    int is;
    return runs_of(s, runs, e) || look_at_folder(s, runs, path, identity, &is, e) ? -1 : 0;
}

/* ---- what earlier versions left ---- */

/* Under the name that the database was given by, as they did. */
static int earlier_folder(const struct store *s, const char *run_id, char folder[FOLDER_SIZE],
                          struct error *e) {
    char copy[sizeof s->path];
    snprintf(copy, sizeof copy, "%s", s->path);
    if (snprintf(folder, FOLDER_SIZE, "%s/runs/%s", dirname(copy), run_id) >= FOLDER_SIZE)
        return fail_at(e, s->path, 0, "the name is too long; use a shorter --db");
    return 0;
}

/* Without a checkpoint nothing there says whose it is, and it is made anew. */
static int is_of(struct store *s, const char *run_id, const char *earlier, int *is,
                 struct error *e) {
    char checkpoint[4096];
    if (path_in_runs(checkpoint, sizeof checkpoint, earlier, "checkpoint", e))
        return -1;
    *is = is_there(checkpoint);
    if (!*is)
        return 0;
    if (store_trained_before(s, run_id, NULL, is, e) || !*is)
        return *is ? -1 : 0;
    char *numerics = checkpoint_numerics(checkpoint, run_id, NULL, e);
    int rc = numerics ? store_trained_before(s, run_id, numerics, is, e) : -1;
    free(numerics);
    return rc;
}

/* One move, so that it is there or here whatever happens; a process of an earlier version that has
 * the lock keeps it. */
static int move_run_folder(const char *earlier, const char *own, const char *run_id,
                           struct error *e) {
    char lock[4096];
    if (path_in_runs(lock, sizeof lock, earlier, "lock", e))
        return -1;
    int fd = open(lock, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), rc = 0, why;
    enum lock_result held = fd >= 0 ? lock_file(fd, lock, 0, e) : LOCK_TAKEN;
    if (held == LOCK_HELD)
        rc = is_computed(run_id, e);
    else if (held == LOCK_FAILED)
        rc = -1;
    else if ((why = rename(earlier, own) ? errno : 0) && !is_there(own)) // or another was first
        rc = fail_at(e, earlier, 0,
                     "is of an earlier version and cannot be moved to %s (%s); move it there", own,
                     strerror(why));
    if (fd >= 0)
        close(fd);
    return rc;
}

/* Where the run's files are, or will be. */
static int place_of(struct store *s, const char *runs, const char *run_id, int writes,
                    char folder[FOLDER_SIZE], struct error *e) {
    char earlier[FOLDER_SIZE];
    int is = 0;
    if (path_in_runs(folder, FOLDER_SIZE, runs, run_id, e) || earlier_folder(s, run_id, earlier, e))
        return -1;
    if (is_there(folder) || !is_there(earlier))
        return 0;
    if (is_of(s, run_id, earlier, &is, e))
        return -1;
    if (is && writes)
        return move_run_folder(earlier, folder, run_id, e);
    if (is)
        strcpy(folder, earlier);
    return 0;
}

static int find_run_folder(struct run_folder *f, struct store *s, const char *run_id, int writes,
                           char folder[FOLDER_SIZE], struct error *e) {
    char runs[FOLDER_SIZE];
    *f = (struct run_folder){.lock = -1};
    if (runs_of(s, runs, e) || (writes ? claim_folder(s, runs, e) : run_folder_check(s, e)) ||
        place_of(s, runs, run_id, writes, folder, e) ||
        path_in_runs(f->checkpoint, sizeof f->checkpoint, folder, "checkpoint", e) ||
        path_in_runs(f->frozen, sizeof f->frozen, folder, "model.frozen", e) ||
        path_in_runs(f->head, sizeof f->head, folder, "checkpoint.head", e) ||
        path_in_runs(f->evaluated, sizeof f->evaluated, folder, "evaluated", e) ||
        path_in_runs(f->curve, sizeof f->curve, folder, "curve", e) ||
        path_in_runs(f->epoch_frozen, sizeof f->epoch_frozen, folder, "epoch.frozen", e))
        return -1;
    return 0;
}

int run_folder_find(struct run_folder *f, struct store *s, const char *run_id, int writes,
                    struct error *e) {
    char folder[FOLDER_SIZE];
    return find_run_folder(f, s, run_id, writes, folder, e);
}

int run_folder_open(struct run_folder *f, struct store *s, const char *run_id, struct error *e) {
    char folder[FOLDER_SIZE], lock[4096];
    if (find_run_folder(f, s, run_id, 1, folder, e) || file_make_folder(folder, e) ||
        path_in_runs(lock, sizeof lock, folder, "lock", e))
        return -1;
    f->lock = take_lock(lock, run_id, e);
    if (f->lock < 0)
        return -1;
    file_remove_orphans(f->checkpoint);
    file_remove_orphans(f->frozen);
    file_remove_orphans(f->epoch_frozen);
    return 0;
}

int run_folder_is_locked(const struct run_folder *f) {
    char lock[sizeof f->checkpoint];
    struct error ignored = {0};
    snprintf(lock, sizeof lock, "%.*slock", (int)(strrchr(f->checkpoint, '/') + 1 - f->checkpoint),
             f->checkpoint);
    int fd = open(lock, O_RDONLY | O_CLOEXEC);
    int held = fd >= 0 && lock_file(fd, lock, 0, &ignored) == LOCK_HELD;
    if (fd >= 0)
        close(fd);
    return held;
}

void run_folder_close(struct run_folder *f) {
    if (f->lock >= 0)
        close(f->lock);
    f->lock = -1;
}
