/* Whole-file reading and crash-safe replacing; file.h is the manual. */
#include "base/file.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int file_exists(const char *path) {
    return access(path, R_OK) == 0;
}

/* All of the bytes, in or (`out`) out, however many calls it takes. */
static int transfer_all(int fd, char *bytes, size_t size, int out) {
    for (size_t at = 0; at < size;) {
        ssize_t n = out ? write(fd, bytes + at, size - at) : read(fd, bytes + at, size - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (!n)
            errno = out ? ENOSPC : 0; // a file that ends too early is no error of the system
        if (n <= 0)
            return -1;
        at += (size_t)n;
    }
    return 0;
}

char *file_read(const char *path, size_t limit, size_t *size, struct error *e) {
    // O_NONBLOCK: a pipe of that name is refused below instead of waited for.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        fail_system(e, path, "cannot be opened", errno);
        return NULL;
    }
    struct stat st;
    char *bytes = NULL;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        fail_at(e, path, 0, "is not a regular file; name a file");
    else if ((size_t)st.st_size > limit)
        fail_at(e, path, 0, "has %lld bytes, more than the %zu allowed; is it the right file?",
                (long long)st.st_size, limit);
    else {
        *size = (size_t)st.st_size;
        bytes = need(*size + 1, 1);
        if (transfer_all(fd, bytes, *size, 0)) {
            fail_system(e, path, "cannot be read to its end", errno);
            free(bytes);
            bytes = NULL;
        }
    }
    close(fd);
    return bytes;
}

/* Without this the rename itself may be lost in a power cut. */
static int sync_folder_of(const char *path) {
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int why = fsync(fd) ? errno : 0;
    close(fd);
    errno = why;
    return why && why != EINVAL ? -1 : 0; // EINVAL: a file system that syncs no folders
}

int file_check_link(const char *path, struct error *e) {
    struct stat st;
    if (lstat(path, &st) || !S_ISLNK(st.st_mode) || !st.st_uid || st.st_uid == geteuid())
        return 0;
    return fail_at(e, path, 0, "is a link that another user made; remove it, or name another file");
}

int file_open_own(const char *path, struct error *e) {
    struct stat st;
    // O_NONBLOCK: a pipe of that name is refused instead of waited for.
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0666);
    if (fd < 0)
        return fail_system(e, path, "cannot be opened", errno);
    if (!fstat(fd, &st) && S_ISREG(st.st_mode))
        return fd;
    close(fd);
    return fail_at(e, path, 0, "is not a regular file; remove it");
}

/* The file that a rename has to replace: `path`, or what a link points to. */
static int find_target(const char *path, char target[PATH_MAX], struct error *e) {
    struct stat st;
    if (file_check_link(path, e))
        return -1;
    if (!stat(path, &st) && !S_ISREG(st.st_mode))
        return fail_at(e, path, 0,
                       "cannot be written, as it is not a regular file; name another file");
    if (lstat(path, &st) || !S_ISLNK(st.st_mode)) {
        if (snprintf(target, PATH_MAX, "%s", path) >= PATH_MAX)
            return fail_at(e, path, 0, "the name is too long; use a shorter one");
        return 0;
    }
    if (!realpath(path, target))
        return fail_at(e, path, 0, "is a link that leads nowhere (%s); remove it", strerror(errno));
    return 0;
}

/* A new file beside `target`, open for reading and writing, or -1 with errno. Others may be able to
 * write to the folder: the name cannot be foretold, and what has it already is not opened. */
static int open_temporary(const char *target, char **name) {
    enum { TRIES = 16 };
    char text[PATH_MAX + 32];
    int fd = -1;
    for (int i = 0; i < TRIES && fd < 0 && (!i || errno == EEXIST); i++) {
        uint32_t drawn;
        if (getrandom(&drawn, sizeof drawn, 0) != sizeof drawn)
            return -1;
        snprintf(text, sizeof text, "%s.%08" PRIx32 ".tmp", target, drawn);
        fd = open(text, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    }
    if (fd >= 0)
        *name = need_string(text);
    return fd;
}

/* Returns 0, or what went wrong as an errno. */
static int write_file(int fd, const void *bytes, size_t size) {
    int why = fd < 0 || transfer_all(fd, (char *)bytes, size, 1) || fsync(fd) ? errno : 0;
    if (fd >= 0 && close(fd) && !why)
        why = errno;
    return why;
}

/* Of a file that the program itself writes: that its folder went away is the machine's doing. */
static int fail_write(struct error *e, const char *path, const char *what, int why) {
    e->is_outside |= !e->text[0];
    return fail_system(e, path, what, why);
}

/* After writing, which ended with errno `why`: rename, or remove what was written (`temporary` is
 * NULL where there is nothing). */
static int finish_replacing(const char *path, const char *temporary, const char *target, int why,
                            struct error *e) {
    if (!why && rename(temporary, target))
        why = errno;
    if (why) {
        if (temporary)
            unlink(temporary);
        return fail_write(e, path, "cannot be written", why);
    }
    return sync_folder_of(target) ? fail_write(e, path, "its folder cannot be synced", errno) : 0;
}

int file_replace(const char *path, const void *bytes, size_t size, struct error *e) {
    char target[PATH_MAX];
    if (find_target(path, target, e))
        return -1;
    char *temporary = NULL;
    int why = write_file(open_temporary(target, &temporary), bytes, size);
    int rc = finish_replacing(path, temporary, target, why, e);
    free(temporary);
    return rc;
}

int file_create(const char *path, const void *bytes, size_t size, struct error *e) {
    char *temporary = NULL;
    int why = write_file(open_temporary(path, &temporary), bytes, size);
    // Neither takes the place of what is there; no file system lacks both.
    if (!why && link(temporary, path) &&
        renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE))
        why = errno;
    if (temporary)
        unlink(temporary);
    free(temporary);
    if (why)
        return fail_write(e, path, "cannot be made", why);
    return sync_folder_of(path) ? fail_write(e, path, "its folder cannot be synced", errno) : 0;
}

/* Reserve and map; returns 0 or an errno. Without the reservation a full disk would be a signal at
 * some later write to memory. */
static int map_draft(struct file_draft *d) {
    int fd = open_temporary(d->path, &d->temporary);
    if (fd < 0)
        return errno;
    int why = posix_fallocate(fd, 0, (off_t)d->size);
    void *bytes = MAP_FAILED;
    if (!why) {
        bytes = mmap(NULL, d->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        why = bytes == MAP_FAILED ? errno : 0;
    }
    d->bytes = why ? NULL : bytes;
    if (close(fd) && !why)
        why = errno;
    return why;
}

int file_draft_start(struct file_draft *d, const char *path, size_t size, struct error *e) {
    char target[PATH_MAX];
    *d = (struct file_draft){.size = size};
    if (find_target(path, target, e))
        return -1;
    d->path = need_string(target);
    int why = map_draft(d);
    if (!why)
        return 0;
    finish_replacing(path, d->temporary, target, why, e);
    file_draft_drop(d);
    return -1;
}

int file_draft_commit(struct file_draft *d, struct error *e) {
    int why = msync(d->bytes, d->size, MS_SYNC) ? errno : 0;
    int rc = finish_replacing(d->path, d->temporary, d->path, why, e);
    file_draft_drop(d);
    return rc;
}

void file_draft_drop(struct file_draft *d) {
    if (d->bytes)
        munmap(d->bytes, d->size);
    if (d->temporary)
        unlink(d->temporary); // gone already when it was committed
    free(d->temporary);
    free(d->path);
    *d = (struct file_draft){0};
}

static int is_orphan(const char *name, const char *file) {
    size_t n = strlen(file), length = strlen(name);
    return !strncmp(name, file, n) && name[n] == '.' && length > n + 4 &&
           !strcmp(name + length - 4, ".tmp");
}

void file_remove_orphans(const char *path) {
    char folder[PATH_MAX], name[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    snprintf(name, sizeof name, "%s", path);
    DIR *entries = opendir(dirname(folder));
    if (!entries)
        return;
    const char *file = basename(name);
    for (struct dirent *entry; (entry = readdir(entries));)
        if (is_orphan(entry->d_name, file))
            unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
}

static int make_one(const char *path, struct error *e) {
    struct stat st;
    if (!mkdir(path, 0777))
        return 0;
    int why = errno;
    if (why == EEXIST && !stat(path, &st))
        why = S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
    return why ? fail_system(e, path, "the folder cannot be made", why) : 0;
}

int file_make_folder(const char *path, struct error *e) {
    char copy[4096];
    if (!path[0])
        return fail(e, "the name of a folder is empty; name one");
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return fail_at(e, path, 0, "the name is too long; use a shorter one");
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char kept = *p;
        *p = '\0';
        if (make_one(copy, e))
            return -1;
        *p = kept;
        if (!kept)
            return 0;
    }
}

void file_value(const char *path, const char *name, char *value, size_t size) {
    char *line = NULL;
    size_t room = 0;
    FILE *in = fopen(path, "re");
    value[0] = '\0';
    while (in && !value[0] && getline(&line, &room, in) > 0) {
        char *colon = strchr(line, ':');
        if (colon && !strncmp(line, name, strlen(name)) &&
            strspn(line + strlen(name), " \t") == (size_t)(colon - line) - strlen(name))
            snprintf(value, size, "%s", text_trim(colon + 1));
    }
    free(line);
    if (in)
        fclose(in);
}
