/* Names and tidiness of the folder of prepared files; cache.h is the manual. */
#include "data/cache.h"

#include "base/file.h"
#include "base/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Of the fingerprint, in the file's name; all of it stands in the header. */
enum { FINGERPRINT_DIGITS = 16 };

static const char suffix[] = ".prepared";

/* Absolute, as the XDG base directory specification wants; a relative one is to be ignored. */
static const char *absolute_variable(const char *name) {
    const char *value = getenv(name);
    return value && value[0] == '/' ? value : NULL;
}

int cache_folder(char *folder, size_t size, struct error *e) {
    const char *own = getenv("TRUNCQUANT_CACHE"), *xdg = absolute_variable("XDG_CACHE_HOME"),
               *home = absolute_variable("HOME");
    int n;
    if (own && own[0])
        n = snprintf(folder, size, "%s", own);
    else if (xdg)
        n = snprintf(folder, size, "%s/truncquant", xdg);
    else if (home)
        n = snprintf(folder, size, "%s/.cache/truncquant", home);
    else
        return fail(e,
                    "no place for prepared data sets: neither TRUNCQUANT_CACHE, XDG_CACHE_HOME nor "
                    "HOME names a folder; set TRUNCQUANT_CACHE to one");
    if (n >= (int)size)
        return fail(e,
                    "the name of the cache folder is too long; set TRUNCQUANT_CACHE to a shorter "
                    "one");
    return 0;
}

static int path_in_folder(char *path, size_t size, struct error *e, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int path_in_folder(char *path, size_t size, struct error *e, const char *format, ...) {
    char folder[PATH_MAX], name[DATASET_NAME + 64];
    if (cache_folder(folder, sizeof folder, e))
        return -1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    if (snprintf(path, size, "%s/%s", folder, name) >= (int)size)
        return fail_at(e, folder, 0, "the name is too long; set TRUNCQUANT_CACHE to a shorter one");
    return 0;
}

int cache_path(const struct source *s, char *path, size_t size, struct error *e) {
    return path_in_folder(path, size, e, "%s-%.*s%s", s->set.name, FINGERPRINT_DIGITS,
                          s->fingerprint, suffix);
}

int cache_lock_path(const struct source *s, char *path, size_t size, struct error *e) {
    return path_in_folder(path, size, e, "%s%s.lock", s->set.name, suffix);
}

/* Wait for the lock of that path; -1 with a message. The lock file stays: removing it would let two
 * processes hold locks on two files of one name. */
static int take_lock(const char *name, struct error *e) {
    int fd = file_open_own(name, e);
    if (fd < 0)
        return -1;
    if (lock_file(fd, name, 1, e) == LOCK_TAKEN)
        return fd;
    close(fd);
    return -1;
}

int cache_lock(const struct source *s, struct error *e) {
    char folder[PATH_MAX], name[PATH_MAX];
    if (cache_folder(folder, sizeof folder, e) || file_make_folder(folder, e) ||
        cache_lock_path(s, name, sizeof name, e))
        return -1;
    return take_lock(name, e);
}

void cache_touch(const char *path) {
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    if (utimensat(AT_FDCWD, path, times, 0))
        return; // another's file, or a read-only folder: it is as old as it was
}

enum kind { KIND_OTHER, KIND_FILE, KIND_WASTE };

/* What an entry of the folder is to a data set: a prepared file; one that no program will use (a
 * draft, or a file without a fingerprint, as the first version wrote them); or nothing of its own.
 * Names of sets may start with another's ("emnist-letters"), so digits are counted. */
static enum kind kind_of(const char *entry, const char *name) {
    size_t n = strlen(name), end = sizeof suffix - 1;
    if (strncmp(entry, name, n) != 0)
        return KIND_OTHER;
    const char *at = entry + n;
    int named = *at == '-' && strspn(at + 1, "0123456789abcdef") == FINGERPRINT_DIGITS;
    at += named ? 1 + FINGERPRINT_DIGITS : 0;
    if (strncmp(at, suffix, end) != 0)
        return KIND_OTHER;
    at += end;
    size_t left = strlen(at);
    if (*at == '\0')
        return named ? KIND_FILE : KIND_WASTE;
    return *at == '.' && left > 4 && !strcmp(at + left - 4, ".tmp") ? KIND_WASTE : KIND_OTHER;
}

struct used {
    struct timespec when;
    char name[NAME_MAX + 1];
};

static int is_later(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* Put a file among the `n` latest; returns the name of the one that has to go, or NULL. */
static const char *keep_latest(struct used *kept, int *n, struct used *file) {
    for (int i = 0; i < *n; i++)
        if (is_later(&file->when, &kept[i].when)) {
            struct used moved = kept[i];
            kept[i] = *file;
            *file = moved;
        }
    if (*n == CACHE_KEPT - 1)
        return file->name;
    kept[(*n)++] = *file;
    return NULL;
}

void cache_tidy(const struct source *s) {
    char folder[PATH_MAX];
    struct error ignored = {0};
    DIR *entries = cache_folder(folder, sizeof folder, &ignored) ? NULL : opendir(folder);
    if (!entries)
        return;
    struct used kept[CACHE_KEPT - 1], file;
    int n = 0;
    for (struct dirent *entry; (entry = readdir(entries));) {
        enum kind kind = kind_of(entry->d_name, s->set.name);
        const char *goes = kind == KIND_WASTE ? entry->d_name : NULL;
        struct stat st;
        if (kind == KIND_FILE &&
            !fstatat(dirfd(entries), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)) {
            file.when = st.st_atim;
            snprintf(file.name, sizeof file.name, "%s", entry->d_name);
            goes = keep_latest(kept, &n, &file);
        }
        if (goes)
            unlinkat(dirfd(entries), goes, 0);
    }
    closedir(entries);
}

long long cache_bytes(const char *folder, int *files) {
    long long bytes = 0;
    *files = 0;
    DIR *entries = opendir(folder);
    if (!entries)
        return 0;
    for (struct dirent *entry; (entry = readdir(entries));) {
        size_t n = strlen(entry->d_name), end = sizeof suffix - 1;
        struct stat st;
        if (n <= end || strcmp(entry->d_name + n - end, suffix) != 0 ||
            fstatat(dirfd(entries), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
            continue;
        bytes += (long long)st.st_blocks * 512;
        (*files)++;
    }
    closedir(entries);
    return bytes;
}
