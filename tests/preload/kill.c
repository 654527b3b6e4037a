/* To be preloaded: the process ends by SIGKILL before its call to the file system of number $KILL_AT, counted from its
 * first write to a file called $KILL_NAME (`evaluated`; that write is number 1) on; or before its write to that file of
 * number $KILL_WRITE. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* The C library's own; a function pointer has no other way out of dlsym in ISO C. */
static void find(const char *name, void *function) {
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

#define NEXT(type, name, parameters, arguments)                                                    \
    static type(*real) parameters;                                                                 \
    if (!real)                                                                                     \
        find(#name, &real);                                                                        \
    return real arguments

static int calls, writes;

static void end_at(const char *variable, int number) {
    const char *at = getenv(variable);
    if (at && number == atoi(at))
        raise(SIGKILL);
}

static void count(void) {
    if (writes)
        end_at("KILL_AT", ++calls);
}

static void count_write(int fd) {
    char link[64], path[4096] = "";
    const char *name = getenv("KILL_NAME");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    const char *last = n > 0 ? strrchr(path, '/') : NULL;
    if (last && !strcmp(last + 1, name ? name : "evaluated"))
        end_at("KILL_WRITE", ++writes);
    count();
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;                                  \
        va_end(list);                                                                              \
        if (flags & (O_CREAT | O_WRONLY | O_RDWR))                                                 \
            count();                                                                               \
        NEXT(int, name, (const char *, int, ...), (path, flags, mode));                            \
    }
OPEN(open)
OPEN(open64)

#define WRITE(name, parameters, arguments)                                                         \
    ssize_t name parameters {                                                                      \
        count_write(fd);                                                                           \
        NEXT(ssize_t, name, parameters, arguments);                                                \
    }
WRITE(write, (int fd, const void *bytes, size_t n), (fd, bytes, n))
WRITE(pwrite, (int fd, const void *bytes, size_t n, off_t at), (fd, bytes, n, at))
WRITE(pwrite64, (int fd, const void *bytes, size_t n, off64_t at), (fd, bytes, n, at))

#define CALL(name, parameters, arguments)                                                          \
    int name parameters {                                                                          \
        count();                                                                                   \
        NEXT(int, name, parameters, arguments);                                                    \
    }
CALL(ftruncate, (int fd, off_t n), (fd, n))
CALL(ftruncate64, (int fd, off64_t n), (fd, n))
CALL(fsync, (int fd), (fd))
CALL(fdatasync, (int fd), (fd))
CALL(rename, (const char *from, const char *to), (from, to))
CALL(unlink, (const char *path), (path))
