/* One error message, filled in by whoever finds the fault and carried up to main, which alone
 * prints it and exits. Functions that can fail take a `struct error *` last and return -1 or NULL.
 *
 * A message is one line: what is wrong; what to do. Where a file is at fault it starts with
 * `FILE:LINE: ` (fail_at). The first message wins, since what follows is a consequence of it; where
 * it is not, as with the lines of a file that a user wrote, a reader says that it goes on
 * (fail_next), and all are shown.
 * Control characters in a name or a value are shown as '?', so that one line it stays. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>
#include <stdio.h>

struct error {
    char text[1024];       // empty: nothing failed
    char others[8 * 1024]; // further faults of the same file, each ended by a line end
    int n_others;
    int is_busy;    // another process is at it: nothing is wrong, and it can be tried again
    int is_outside; // the machine failed, not what was computed: another time it may not
};

/* Record a message (unless one is there) and return -1. */
int fail(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with `FILE:LINE: ` in front; line 0 leaves the line out. Of a name that would leave no
 * room for the message, the end is shown. */
int fail_at(struct error *e, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* fail_at without a line, of what a disk or another part of the machine refused (is_outside). */
int fail_outside(struct error *e, const char *file, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* fail_at of a call of the system that failed with errno `why`: what cannot be done ("cannot be
 * opened"), why, and what to do about that, as "FILE: cannot be opened (Permission denied); fix its
 * permissions". `why` 0, where nobody kept it, leaves the reason out. It is of the machine
 * (is_outside), but where the name is wrong. */
int fail_system(struct error *e, const char *file, const char *what, int why);

/* What to do about an error of the system, by its errno: "free space". */
const char *error_remedy(int why);

/* Put `FILE:LINE: ` in front of a message that was recorded without it; returns -1. */
int fail_prefix(struct error *e, const char *file, int line);

/* For readers of files, between two things that may be wrong independently: put a message aside, so
 * that the next can be recorded. -1 when there are FAULTS_SHOWN, which are enough. */
enum { FAULTS_SHOWN = 10 };
int fail_next(struct error *e);

/* After the last: -1 where there was any fault; `text` is the first. */
int fail_any(struct error *e);

/* calloc that ends the process with a clear message when memory is out: the only place besides main
 * that exits, since no caller could do better. The caller frees. */
void *need(size_t n, size_t size);

/* The same, aligned to 64 bytes (a cache line, and an AVX-512 register), with NEED_SLACK bytes or
 * more of zeros behind: four such registers, for kernels that load or store a whole one where a
 * part is meant. Whatever a primitive of oneDNN is given is allocated here, or is part of what was.
 * Freed with free(). */
enum { NEED_SLACK = 256 };
void *need_aligned(size_t n, size_t size);

/* `rows`, of which n of *room are in use, or, once all are, the same with twice the room; those
 * that are new are zeros. The caller frees what is returned, alone. */
void *need_room(void *rows, int n, int *room, size_t size);

/* strdup under the same promise. */
char *need_string(const char *s);

/* open_memstream under the same promise. The caller closes it, and then frees *text. */
FILE *need_stream(char **text, size_t *size);

#endif
