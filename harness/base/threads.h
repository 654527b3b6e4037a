/* How this process's threads wait for one another. */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

/* Threads that wait for work spin for some 200 microseconds, which is longer than nearly all waits within a step, then
 * sleep. By default they spin for longer, and two runs on the same cores then wait for each other; sleeping at once
 * costs a twentieth of a run's speed. OpenBLAS gets one thread: it would start one for each core at once, which under a
 * limit on memory never ends.
 *
 * Libraries read this from the environment when they are loaded, so the program is executed again, with the
 * same arguments: call this first. Returns, and has done nothing, where the environment says how to wait; when the
 * program cannot be executed again, it is slower, no more. */
void threads_wait_briefly(char **argv);

#endif
