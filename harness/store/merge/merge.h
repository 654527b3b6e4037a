/* Databases joined into one. The result depends neither on the order in which they are named, nor
 * on how often: rows are the same by what they say, and where two differ in what may change, what
 * they say decides, never their number or place. */
#ifndef STORE_MERGE_MERGE_H
#define STORE_MERGE_MERGE_H

#include "store/store.h"

struct merged {
    int64_t runs, attempts; // that were not there
    int64_t excluded;       // runs that counted until now, and which the file excludes
};

/* -1, with a line that says why, where one of the files cannot be merged into `path`: not a
 * database, of a newer version, anonymous, or `path` itself by whatever name. Nothing is written,
 * and older files stay as they are. */
int merge_check(const char *path, const char *const *files, int n, struct error *e);

/* Join `files` into `s`, all of them or, on error, none (-1): one transaction. `merged` [n]: what
 * was new of each.
 *
 * An attempt is the same as another if it is of the same run, host, process and start; the later of
 * its states stays. A run that one of the files excludes is excluded, for all reasons that are
 * given. A grid has the runs that any of the files counts to it. Refused is what contradicts: the
 * same attempt with other numbers; attempts that computed the same run in the same way (engine,
 * precision, threads, instruction set, libraries, program, quantizer) and came to other numbers,
 * unless one file had them both before; and, unless `other_data`, data sets of one name whose
 * content no single file knows all of. */
int store_merge(struct store *s, const char *const *files, int n, int other_data,
                struct merged *merged, struct error *e);

#endif
