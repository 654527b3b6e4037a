/* Preloaded into scripts and all that they start: a disk that is full at an instant that a test
 * names. No part of the program.
 *
 * Every call by which a process makes or changes a file takes the next number, over all processes:
 * from FULL_FROM to FULL_TO these calls fail as on a full disk. FULL_CALLS is the file in which the
 * count stands, 8 bytes; without it nothing is watched. Pipes and devices are never full. What the
 * C library writes by itself (stdio) is not seen. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static uint64_t *calls;
static uint64_t from, to;

static uint64_t number(const char *variable) {
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : 0;
}

/* The C library's own; a function pointer has no other way out of dlsym in ISO C. */
static void find(const char *name, void *function) {
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

__attribute__((constructor)) static void begin(void) {
    static int (*real_open)(const char *, int, ...);
    const char *path = getenv("FULL_CALLS");
    find("open", &real_open);
    int fd = path ? real_open(path, O_RDWR | O_CLOEXEC) : -1;
    void *counter = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    calls = counter == MAP_FAILED ? NULL : counter;
    from = number("FULL_FROM");
    to = number("FULL_TO");
    if (fd >= 0)
        close(fd);
}

static int is_full(void) {
    uint64_t call = calls ? __atomic_add_fetch(calls, 1, __ATOMIC_SEQ_CST) : 0;
    if (!calls || call < from || call > to)
        return 0;
    errno = ENOSPC;
    return 1;
}

static int is_file(int fd) {
    struct stat st;
    return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

static int is_new(int at, const char *path) {
    struct stat st;
    return fstatat(at, path, &st, 0) != 0;
}

#define CALL(type, name, parameters, arguments, watched)                                           \
    type name parameters {                                                                         \
        static type(*real) parameters;                                                             \
        if (!real)                                                                                 \
            find(#name, &real);                                                                    \
        return (watched) && is_full() ? -1 : real arguments;                                       \
    }

CALL(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), is_file(fd))
CALL(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at), is_file(fd))
CALL(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at), is_file(fd))
CALL(ssize_t, copy_file_range,
     (int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags),
     (in, in_at, out, out_at, n, flags), is_file(out))
CALL(int, ftruncate, (int fd, off_t size), (fd, size), is_file(fd))
CALL(int, ftruncate64, (int fd, off64_t size), (fd, size), is_file(fd))
CALL(int, fsync, (int fd), (fd), is_file(fd))
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), is_new(AT_FDCWD, path))
CALL(int, rename, (const char *a, const char *b), (a, b), 1)
CALL(int, renameat, (int in, const char *a, int at, const char *b), (in, a, at, b), 1)
CALL(int, renameat2, (int in, const char *a, int at, const char *b, unsigned flags),
     (in, a, at, b, flags), 1)
CALL(int, link, (const char *a, const char *b), (a, b), 1)
CALL(int, linkat, (int in, const char *a, int at, const char *b, int flags), (in, a, at, b, flags),
     1)

/* It returns the error instead of setting errno. */
int posix_fallocate(int fd, off_t at, off_t size) {
    static int (*real)(int, off_t, off_t);
    if (!real)
        find("posix_fallocate", &real);
    return is_file(fd) && is_full() ? ENOSPC : real(fd, at, size);
}

#define OPEN(name, parameters, arguments, at)                                                      \
    int name parameters {                                                                          \
        static int(*real) parameters;                                                              \
        if (!real)                                                                                 \
            find(#name, &real);                                                                    \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                    \
        va_end(rest);                                                                              \
        return (flags & O_CREAT) && is_new(at, path) && is_full() ? -1 : real arguments;           \
    }

OPEN(open, (const char *path, int flags, ...), (path, flags, mode), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode), AT_FDCWD)
OPEN(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode), at)
OPEN(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode), at)
