/* The environment of libraries; environment.h is the manual. */
#include "base/environment.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* OpenMP would give fewer threads than a run has, or others within those: oneDNN's inner products
 * have other bits then. oneDNN would multiply in bf16 what is to be float32, or take other kernels
 * under the same instruction set. */
static const char *const changes_results[] = {
    "OMP_DYNAMIC",        "OMP_THREAD_LIMIT",         "OMP_MAX_ACTIVE_LEVELS",
    "OMP_NESTED",         "DNNL_DEFAULT_FPMATH_MODE", "ONEDNN_DEFAULT_FPMATH_MODE",
    "DNNL_CPU_ISA_HINTS", "ONEDNN_CPU_ISA_HINTS"};
enum { CHANGES = sizeof changes_results / sizeof changes_results[0] };

static const char *first_that_changes(void) {
    for (int i = 0; i < CHANGES; i++)
        if (getenv(changes_results[i]))
            return changes_results[i];
    return NULL;
}

static int is_settled(void) {
    const char *blas = getenv("OPENBLAS_NUM_THREADS");
    return (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) && blas && !strcmp(blas, "1") &&
           !first_that_changes();
}

/* Its own name, by which ps and killall then know it; "" where nobody knows it. */
static void find_self(char self[PATH_MAX]) {
    ssize_t n = readlink("/proc/self/exe", self, PATH_MAX - 1);
    self[n > 0 ? n : 0] = '\0';
}

void environment_begin(int argc, char **argv, char **variables) {
    static char one_thread[] = "OPENBLAS_NUM_THREADS=1";
    size_t of_name = strcspn(one_thread, "=") + 1, n = 0, kept = 0;
    char self[PATH_MAX];
    (void)argc;
    while (variables[n])
        if (!strcmp(variables[n++], one_thread))
            return;
    char *with_it[n + 2];
    for (size_t i = 0; i < n; i++)
        if (strncmp(variables[i], one_thread, of_name) != 0)
            with_it[kept++] = variables[i];
    with_it[kept++] = one_thread;
    with_it[kept] = NULL;
    find_self(self);
    execve(self, argv, with_it); // where that fails, the library has its threads
}

static void set_variables(void) {
    if (!getenv("OMP_WAIT_POLICY"))
        setenv("GOMP_SPINCOUNT", "10000", 0);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    for (int i = 0; i < CHANGES; i++)
        unsetenv(changes_results[i]);
}

/* Once: a library that sets a variable when it is loaded would have it go on for ever. A process
 * keeps its number. */
static int is_second_time(void) {
    static const char marker[] = "TRUNCQUANT_STARTED";
    char pid[32];
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    const char *before = getenv(marker);
    if (before && !strcmp(before, pid))
        return 1;
    setenv(marker, pid, 1);
    return 0;
}

int environment_settle(char **argv, struct error *e) {
    if (is_settled())
        return 0;
    const char *why = "a library sets it when it is loaded", *name = first_that_changes();
    if (!is_second_time()) {
        char self[PATH_MAX];
        find_self(self);
        set_variables();
        execv(self, argv);
        why = strerror(errno);
    }
    return name ? fail(e,
                       "%s is set, which changes results, and cannot be taken back (%s); unset it",
                       name, why)
                : 0;
}
