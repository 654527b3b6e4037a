/* How this process's floats are rounded: to nearest, ties to even, with denormal numbers; x87 in
 * full precision, no exception trapped. A library can change that when it is loaded (Darknet does,
 * as does anything linked with -ffast-math by GCC before 13, and a profiler or shim in
 * LD_PRELOAD), and threads begin with what their creator has. */
#ifndef BASE_ROUNDING_H
#define BASE_ROUNDING_H

/* Set it for the calling thread and those that it will start. Done before main, after the
 * constructors of libraries; to be done after every dlopen. */
void rounding_reset(void);

#endif
