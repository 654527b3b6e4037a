/* How many cores and how much memory this process may really use: the cores that it is allowed to
 * run on, and no more than the quota of its control groups lets it keep busy; the memory of the
 * machine, and no more than the limit of those groups. OMP_NUM_THREADS and the like say how many
 * threads one program is to have, which is another thing. */
#ifndef BASE_CORES_H
#define BASE_CORES_H

/* At least 1. */
int cores_usable(void);

/* Of so many cores, what the quotas of the groups named in `groups` (as /proc/self/cgroup) and of
 * those above them leave, rounded down to whole cores, at least 1. `mount` is where the groups lie
 * (as /sys/fs/cgroup), of version 2 or 1. What cannot be read is no limit. */
int cores_in_groups(int cores, const char *groups, const char *mount);

/* Bytes, whoever uses them now; and the same of so many bytes. */
long long memory_usable(void);
long long memory_in_groups(long long bytes, const char *groups, const char *mount);

#endif
