/* Buffers with pages around them that may not be touched, for the primitives of oneDNN in every
 * test program.
 *
 * With the environment variable TRUNCQUANT_GUARD, what a primitive is given is copied for each
 * execution, and what it wrote is copied back. It is executed twice: on copies that end at such a
 * page, but for a gap, and on copies that begin at one; with different bytes around them, so that
 * one is seen that writes there or whose results depend on what is there. Beyond the gap any access
 * is seen. The gap is as long as the variable says in bytes (`slack`: NEED_SLACK, base/error.h),
 * and up to 63 longer, since a copy is aligned as its original is.
 *
 * A buffer must be a block of need_aligned or lie in one. Only where it ends with its block, or is
 * scratch memory, may bytes behind it be written, as many as the variable says; otherwise they are
 * another's.
 *
 * What is found is written to stderr when the program ends, which fails if anything should not be:
 * a line for each implementation, buffer and way. */
#ifndef TESTS_ONEDNN_GUARD_H
#define TESTS_ONEDNN_GUARD_H

#include <stddef.h>

enum { GUARDED_MOST = 8 };

struct guarded {
    const char *name;
    void *data;
    size_t size;
    size_t may_write; // bytes behind its end
    int is_foreign;   // not in memory of need_aligned: a fault by itself
    int is_scratch;   // what it holds afterwards is nobody's result

    // Found, in bytes from its end on, or from its first byte back.
    size_t written; // as far as it was
    size_t touched; // where it was first read or written beyond the gap, + 1
    size_t before;  // as far as it was first touched, or was written
    int depends;    // results, on what lies around buffers
};

/* Let `work` compute on copies of n <= GUARDED_MOST buffers, twice, and fill in what was found. */
void guard_run(struct guarded *all, int n, size_t gap, void (*work)(void *const *data, void *with),
               void *with);

/* Whether anything was found that should not be. */
int guard_found(const struct guarded *b);

/* Whether TRUNCQUANT_GUARD is set; how many primitives were executed since, and how many faults
 * were found. */
int guard_is_on(void);
int guard_executions(void);
int guard_faults(void);

/* What was found until now was meant to be. */
void guard_forget(void);

#endif
