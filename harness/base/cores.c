/* Cores, memory and quotas; cores.h is the manual. What is read: cpu.max ("QUOTA PERIOD" or "max
 * PERIOD") of version 2, cpu.cfs_quota_us (-1: none) and cpu.cfs_period_us of version 1, in
 * microseconds; memory.max (or "max") and memory.limit_in_bytes. A group is also bound by those
 * above it. */
#include "base/cores.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

/* The first `n` numbers of a file; how many there were. */
static int read_numbers(const char *folder, const char *name, long long *numbers, int n) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return 0;
    FILE *in = fopen(path, "re");
    int read = 0;
    while (in && read < n && fscanf(in, "%lld", &numbers[read]) == 1)
        read++;
    if (in)
        fclose(in);
    return read;
}

/* What a group leaves of so many cores or bytes. */
typedef long long group_limit(const char *folder, long long amount);

static long long limit_cores(const char *folder, long long cores) {
    long long numbers[2]; // quota, period
    if (read_numbers(folder, "cpu.max", numbers, 2) != 2 &&
        (read_numbers(folder, "cpu.cfs_quota_us", &numbers[0], 1) != 1 ||
         read_numbers(folder, "cpu.cfs_period_us", &numbers[1], 1) != 1))
        return cores;
    if (numbers[0] < 0 || numbers[1] <= 0)
        return cores;
    long long whole = numbers[0] / numbers[1];
    return whole >= cores ? cores : whole > 0 ? whole : 1;
}

static long long limit_memory(const char *folder, long long bytes) {
    long long number;
    if (read_numbers(folder, "memory.max", &number, 1) != 1 &&
        read_numbers(folder, "memory.limit_in_bytes", &number, 1) != 1)
        return bytes;
    return number > 0 && number < bytes ? number : bytes;
}

/* A quota: what a controller of groups is called, and how its limit is read. */
struct quota {
    const char *controller;
    group_limit *limit;
};
static const struct quota cpu = {"cpu", limit_cores}, memory = {"memory", limit_memory};

/* The group and all above it, up to where groups are mounted. A container may see its own group as
 * the root, though the path says where it lies outside: what is not there limits nothing. */
static long long limit_of_path(const struct quota *q, const char *mount, const char *group,
                               long long amount) {
    char folder[PATH_MAX];
    size_t root = strlen(mount);
    if (snprintf(folder, sizeof folder, "%s%s", mount, group) >= (int)sizeof folder)
        return amount;
    for (;;) {
        amount = q->limit(folder, amount);
        char *slash = strrchr(folder + root, '/');
        if (!slash)
            return amount;
        *slash = '\0';
    }
}

static int has_controller(const char *list, const char *name) {
    size_t n = strlen(name);
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == n && !strncmp(at, name, n))
            return 1;
    return 0;
}

/* "0::PATH" of version 2, "NUMBER:CONTROLLERS:PATH" of version 1, whose groups lie in a folder
 * called like the controllers. */
static long long limit_of_line(const struct quota *q, char *line, const char *mount,
                               long long amount) {
    char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
    char place[PATH_MAX];
    if (!group)
        return amount;
    *group++ = '\0';
    list++;
    group[strcspn(group, "\n")] = '\0';
    if (!list[0])
        return limit_of_path(q, mount, group, amount);
    if (!has_controller(list, q->controller))
        return amount;
    if (snprintf(place, sizeof place, "%s/%s", mount, list) < (int)sizeof place)
        amount = limit_of_path(q, place, group, amount);
    if (snprintf(place, sizeof place, "%s/%s", mount, q->controller) < (int)sizeof place)
        amount = limit_of_path(q, place, group, amount);
    return amount;
}

static long long limit_in_groups(const struct quota *q, long long amount, const char *groups,
                                 const char *mount) {
    FILE *in = fopen(groups, "re");
    char line[PATH_MAX + 256];
    while (in && fgets(line, sizeof line, in))
        amount = limit_of_line(q, line, mount, amount);
    if (in)
        fclose(in);
    return amount;
}

int cores_in_groups(int cores, const char *groups, const char *mount) {
    return (int)limit_in_groups(&cpu, cores, groups, mount);
}

long long memory_in_groups(long long bytes, const char *groups, const char *mount) {
    return limit_in_groups(&memory, bytes, groups, mount);
}

int cores_usable(void) {
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) ? get_nprocs() : CPU_COUNT(&set);
    return cores_in_groups(cores, "/proc/self/cgroup", "/sys/fs/cgroup");
}

long long memory_usable(void) {
    struct sysinfo machine;
    long long bytes =
        sysinfo(&machine) ? LLONG_MAX : (long long)machine.totalram * machine.mem_unit;
    return memory_in_groups(bytes, "/proc/self/cgroup", "/sys/fs/cgroup");
}
