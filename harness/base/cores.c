/* Cores and quotas; cores.h is the manual. What is read: cpu.max ("QUOTA PERIOD" or "max PERIOD")
 * of version 2, cpu.cfs_quota_us (-1: none) and cpu.cfs_period_us of version 1, in microseconds. A
 * group is also bound by those above it. */
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

static int group_limit(const char *folder, int cores) {
    long long numbers[2]; // quota, period
    if (read_numbers(folder, "cpu.max", numbers, 2) != 2 &&
        (read_numbers(folder, "cpu.cfs_quota_us", &numbers[0], 1) != 1 ||
         read_numbers(folder, "cpu.cfs_period_us", &numbers[1], 1) != 1))
        return cores;
    if (numbers[0] < 0 || numbers[1] <= 0)
        return cores;
    long long whole = numbers[0] / numbers[1];
    return whole >= cores ? cores : whole > 0 ? (int)whole : 1;
}

/* The group and all above it, up to where groups are mounted. A container may see its own group as
 * the root, though the path says where it lies outside: what is not there limits nothing. */
static int limit_of_path(const char *mount, const char *group, int cores) {
    char folder[PATH_MAX];
    size_t root = strlen(mount);
    if (snprintf(folder, sizeof folder, "%s%s", mount, group) >= (int)sizeof folder)
        return cores;
    for (;;) {
        cores = group_limit(folder, cores);
        char *slash = strrchr(folder + root, '/');
        if (!slash)
            return cores;
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
static int limit_of_line(char *line, const char *mount, int cores) {
    char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
    char place[PATH_MAX];
    if (!group)
        return cores;
    *group++ = '\0';
    list++;
    group[strcspn(group, "\n")] = '\0';
    if (!list[0])
        return limit_of_path(mount, group, cores);
    if (!has_controller(list, "cpu"))
        return cores;
    if (snprintf(place, sizeof place, "%s/%s", mount, list) < (int)sizeof place)
        cores = limit_of_path(place, group, cores);
    if (snprintf(place, sizeof place, "%s/cpu", mount) < (int)sizeof place)
        cores = limit_of_path(place, group, cores);
    return cores;
}

int cores_in_groups(int cores, const char *groups, const char *mount) {
    FILE *in = fopen(groups, "re");
    char line[PATH_MAX + 256];
    while (in && fgets(line, sizeof line, in))
        cores = limit_of_line(line, mount, cores);
    if (in)
        fclose(in);
    return cores;
}

int cores_usable(void) {
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) ? get_nprocs() : CPU_COUNT(&set);
    return cores_in_groups(cores, "/proc/self/cgroup", "/sys/fs/cgroup");
}
