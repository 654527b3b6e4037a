/* Preloaded into the program by tests (tests/cli/runs.bash says how), so that they stop, kill or
 * disturb a run at an instant that they name and wait for nothing. No part of the program.
 *
 * AT_FILE, AT_COMMAND: whenever a file whose name ends in AT_FILE has been renamed into its place,
 *     the shell runs AT_COMMAND, which finds the program as $PPID, the file as $FILE, and in $N how
 *     often that has been.
 * KILL_BEFORE: SIGKILL before this call of all that change a file: 1 is the first.
 * KILL_FILE: those calls are counted from the first write to a file of this name on, which is 1.
 * KILL_WRITE: SIGKILL before this write to that file.
 * FAIL_CALL: this call of all that change a file fails, as on a full disk.
 * COUNT_CALLS: a file that is told at the end how many calls there were. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static const char *file, *command, *kill_file;
static long kill_before, kill_write, fail_call, writes, calls;

static long number(const char *variable) {
    const char *text = getenv(variable);
    return text ? atol(text) : 0;
}

__attribute__((constructor)) static void begin(void) {
    kill_before = number("KILL_BEFORE");
    kill_write = number("KILL_WRITE");
    fail_call = number("FAIL_CALL");
    kill_file = getenv("KILL_FILE");
    file = getenv("AT_FILE");
    command = getenv("AT_COMMAND");
}

/* The C library's own; a function pointer has no other way out of dlsym in ISO C. */
static void find(const char *name, void *function) {
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

/* -1, and errno, for the call that is to fail. */
static int count(void) {
    if (kill_file && !writes)
        return 0;
    long call = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (call == kill_before)
        kill(getpid(), SIGKILL);
    errno = call == fail_call ? ENOSPC : errno;
    return call == fail_call ? -1 : 0;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("COUNT_CALLS");
    FILE *f = path ? fopen(path, "w") : NULL;
    if (!f)
        return;
    fprintf(f, "%ld\n", calls);
    fclose(f);
}

/* Of the file that KILL_FILE names. */
static void count_write(int fd) {
    char link[64], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (!kill_file || readlink(link, path, sizeof path - 1) <= 0)
        return;
    const char *last = strrchr(path, '/');
    if (last && !strcmp(last + 1, kill_file) && ++writes == kill_write)
        kill(getpid(), SIGKILL);
}

static void witness(const char *target) {
    static int n;
    char text[16];
    size_t length = strlen(target), end = file ? strlen(file) : 0;
    if (!command || length < end || strcmp(target + length - end, file) != 0)
        return;
    snprintf(text, sizeof text, "%d", ++n);
    setenv("N", text, 1);
    setenv("FILE", target, 1);
    unsetenv("LD_PRELOAD"); // the shell and what it starts are not watched
    if (system(command))    // what came of it shows in what the program does
        fprintf(stderr, "the command at %s failed\n", target);
}

#define WATCHED(before, type, name, parameters, arguments)                                         \
    type name parameters {                                                                         \
        static type(*real) parameters;                                                             \
        if (!real)                                                                                 \
            find(#name, &real);                                                                    \
        before;                                                                                    \
        return count() ? -1 : real arguments;                                                      \
    }
#define WRITE(name, parameters, arguments)                                                         \
    WATCHED(count_write(fd), ssize_t, name, parameters, arguments)
#define CALL(name, parameters, arguments) WATCHED((void)0, int, name, parameters, arguments)

WRITE(write, (int fd, const void *bytes, size_t n), (fd, bytes, n))
WRITE(pwrite, (int fd, const void *bytes, size_t n, off_t at), (fd, bytes, n, at))
WRITE(pwrite64, (int fd, const void *bytes, size_t n, off64_t at), (fd, bytes, n, at))
CALL(ftruncate, (int fd, off_t size), (fd, size))
CALL(ftruncate64, (int fd, off64_t size), (fd, size))
CALL(fsync, (int fd), (fd))
CALL(fdatasync, (int fd), (fd))
CALL(unlink, (const char *path), (path))

int rename(const char *from, const char *to) {
    static int (*real)(const char *, const char *);
    if (!real)
        find("rename", &real);
    int status = count() ? -1 : real(from, to);
    if (!status)
        witness(to);
    return status;
}
