/* What a process that computes finds in its environment, whatever its caller left there. The test
 * executes itself. */
#include "base/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const gone[] = {
    "OMP_DYNAMIC",        "OMP_THREAD_LIMIT",         "OMP_MAX_ACTIVE_LEVELS",
    "OMP_NESTED",         "DNNL_DEFAULT_FPMATH_MODE", "ONEDNN_DEFAULT_FPMATH_MODE",
    "DNNL_CPU_ISA_HINTS", "ONEDNN_CPU_ISA_HINTS"};
enum { GONE = sizeof gone / sizeof gone[0] };

enum { SETTLED = 0, UNSETTLED = 3, REFUSED = 4 };

static int is(const char *name, const char *value) {
    const char *text = getenv(name);
    return value ? text && !strcmp(text, value) : !text;
}

/* What the program that is executed does: SELF child [again VARIABLE]. */
static int settle(int argc, char **argv) {
    struct error e = {0};
    if (argc > 3) // as a library would, whenever it is loaded
        setenv(argv[3], "1", 1);
    if (environment_settle(argv, &e))
        return strstr(e.text, " is set, which changes results") ? REFUSED : UNSETTLED;
    for (int i = 0; i < GONE; i++)
        if (getenv(gone[i]))
            return UNSETTLED;
    return is("OPENBLAS_NUM_THREADS", "1") && is("KEPT", "as it was") ? SETTLED : UNSETTLED;
}

/* The exit status of the program after `prepare`. */
static int status_after(void (*prepare)(const char *), const char *name, const char *again) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        char self[] = "/proc/self/exe", role[] = "child", mark[] = "again", variable[64];
        char *const argv[] = {self, role, again ? mark : NULL, variable, NULL};
        snprintf(variable, sizeof variable, "%s", again ? again : "");
        setenv("KEPT", "as it was", 1);
        prepare(name);
        execv(self, argv);
        _exit(UNSETTLED);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void nothing_else(const char *name) {
    (void)name;
}

static void one_variable(const char *name) {
    setenv(name, "1", 1);
}

static void all(const char *name) {
    (void)name;
    for (int i = 0; i < GONE; i++)
        setenv(gone[i], "1", 1);
    setenv("OPENBLAS_NUM_THREADS", "7", 1);
    setenv("OMP_WAIT_POLICY", "passive", 1);
}

static void variables_are_taken_out(void **state) {
    (void)state;
    assert_int_equal(status_after(nothing_else, NULL, NULL), SETTLED);
    assert_int_equal(status_after(all, NULL, NULL), SETTLED);
    for (int i = 0; i < GONE; i++)
        assert_int_equal(status_after(one_variable, gone[i], NULL), SETTLED);
}

static void what_comes_back_is_refused(void **state) {
    (void)state;
    for (int i = 0; i < GONE; i++)
        assert_int_equal(status_after(nothing_else, NULL, gone[i]), REFUSED);
}

int main(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], "child"))
        return settle(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_taken_out),
        cmocka_unit_test(what_comes_back_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
