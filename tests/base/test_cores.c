/* How many cores a process may use, from control groups of both versions as they lie in files. */
#include "base/cores.h"
#include "base/folder.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void write_text(const char *name, const char *text) {
    char path[FOLDER_PATH];
    snprintf(path, sizeof path, "%s", folder_file(test_folder, name));
    for (char *slash = path + strlen(test_folder) + 1; (slash = strchr(slash, '/'));
         *slash++ = '/') {
        *slash = '\0';
        mkdir(path, 0777);
    }
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int cores(int allowed, const char *groups) {
    char list[FOLDER_PATH], mount[FOLDER_PATH];
    write_text("groups", groups);
    snprintf(list, sizeof list, "%s", folder_file(test_folder, "groups"));
    snprintf(mount, sizeof mount, "%s", folder_file(test_folder, "mount"));
    return cores_in_groups(allowed, list, mount);
}

static void version_2(void **state) {
    (void)state;
    assert_int_equal(cores(8, "0::/a/b\n"), 8);
    write_text("mount/a/b/cpu.max", "max 100000\n");
    assert_int_equal(cores(8, "0::/a/b\n"), 8);
    write_text("mount/a/b/cpu.max", "350000 100000\n");
    assert_int_equal(cores(8, "0::/a/b\n"), 3);
    assert_int_equal(cores(2, "0::/a/b\n"), 2);
    write_text("mount/a/cpu.max", "200000 100000\n"); // the group above binds, too
    assert_int_equal(cores(8, "0::/a/b\n"), 2);
    write_text("mount/a/b/cpu.max", "5000 100000\n");
    assert_int_equal(cores(8, "0::/a/b\n"), 1);
    write_text("mount/cpu.max", "100000 100000\n"); // of a container, whose path is that outside
    assert_int_equal(cores(8, "0::/not/seen/from/here\n"), 1);
}

static void version_1(void **state) {
    (void)state;
    write_text("mount/cpu,cpuacct/job/cpu.cfs_period_us", "50000\n");
    write_text("mount/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
    assert_int_equal(cores(8, "3:cpuset:/job\n2:cpu,cpuacct:/job\n0::/\n"), 8);
    write_text("mount/cpu,cpuacct/job/cpu.cfs_quota_us", "200000\n");
    assert_int_equal(cores(8, "3:cpuset:/job\n2:cpu,cpuacct:/job\n0::/\n"), 4);
    assert_int_equal(cores(8, "3:cpuset:/job\n2:cpuacct:/job\n"), 8);
    write_text("mount/cpu/job/cpu.cfs_period_us", "100000\n");
    write_text("mount/cpu/job/cpu.cfs_quota_us", "300000\n");
    assert_int_equal(cores(8, "1:cpu:/job\n"), 3);
}

static long long memory(const char *groups) {
    char list[FOLDER_PATH], mount[FOLDER_PATH];
    write_text("groups", groups);
    snprintf(list, sizeof list, "%s", folder_file(test_folder, "groups"));
    snprintf(mount, sizeof mount, "%s", folder_file(test_folder, "mount"));
    return memory_in_groups(8LL << 30, list, mount);
}

/* The least of a group and those above it, in either version; "max" and v1's 2^63 are none. */
static void memory_of_groups(void **state) {
    (void)state;
    assert_int_equal(memory("0::/a/b\n"), 8LL << 30);
    write_text("mount/a/b/memory.max", "max\n");
    assert_int_equal(memory("0::/a/b\n"), 8LL << 30);
    write_text("mount/a/memory.max", "3221225472\n");
    assert_int_equal(memory("0::/a/b\n"), 3LL << 30);
    write_text("mount/a/b/memory.max", "1073741824\n");
    assert_int_equal(memory("0::/a/b\n"), 1LL << 30);
    write_text("mount/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(memory("4:memory:/job\n"), 8LL << 30);
    write_text("mount/memory/job/memory.limit_in_bytes", "2147483648\n");
    assert_int_equal(memory("4:memory:/job\n"), 2LL << 30);
    assert_int_equal(memory("4:cpu:/job\n"), 8LL << 30);
    assert_true(memory_usable() > 1 << 20);
}

static void what_is_no_such_file_limits_nothing(void **state) {
    (void)state;
    write_text("mount/x/cpu.max", "three cores\n");
    assert_int_equal(cores(8, "0::/x\n"), 8);
    write_text("mount/x/cpu.max", "100000 0\n");
    assert_int_equal(cores(8, "0::/x\n"), 8);
    assert_int_equal(cores(8, "rubbish\n:\n::\n"), 8);
    assert_int_equal(cores_in_groups(5, "/nowhere", "/nowhere"), 5);
}

/* Not what OpenMP was told. */
static void of_this_process(void **state) {
    (void)state;
    cpu_set_t all, one;
    setenv("OMP_NUM_THREADS", "1", 1);
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    int before = cores_usable();
    assert_in_range(before, 1, CPU_COUNT(&all));
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(cores_usable(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    assert_int_equal(cores_usable(), before);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, test_folder_start, test_folder_end)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(version_2),
        IN_FOLDER(version_1),
        IN_FOLDER(memory_of_groups),
        IN_FOLDER(what_is_no_such_file_limits_nothing),
        cmocka_unit_test(of_this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
