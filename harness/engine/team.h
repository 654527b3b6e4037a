/* How many threads take part in work that is divided for a fixed number of them.
 *
 * Where another program has one of the cores, threads that wait for one another are slower than
 * fewer of them: whoever shares its core holds up all. So work is divided for `threads`, which
 * decides its bits, and computed by as many as are fastest at the moment: all, half of them, ...
 * or one, who then computes the parts of several. What is fastest is measured, in turns of the
 * work itself: now and then one is computed by more or fewer threads, often while that may gain
 * something, rarely where all cores are the program's own. */
#ifndef BASE_TEAM_H
#define BASE_TEAM_H

enum { TEAM_SIZES = 11 }; // 1024 threads, halved down to one

struct team {
    int threads;                 // that the work is divided for
    int sizes;                   // how many sizes there are
    int home, at;                // which is the fastest known, which is at work
    double cost[TEAM_SIZES];     // seconds for a unit of work, lately; 0: not known
    double start, work, seconds; // of this turn
    int turns, wait;             // at home since the last trial; until the next
};

/* A team of all the threads, which is told from the start how the time is counted: the first turn
 * warms up. */
struct team team_of(int threads);

/* How many take part now: 1 ... threads. */
int team_size(const struct team *t);

/* Around a piece of work of so many units, which cost about the same each: until its end OpenMP has
 * as many threads as take part, afterwards those that the work is divided for. */
void team_begin(struct team *t);
void team_end(struct team *t, double units);

/* What team_end does with the time. */
void team_count(struct team *t, double units, double seconds);

#endif
