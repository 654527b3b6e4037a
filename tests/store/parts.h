/* A database with everything in it, made up by number, and parts of it, for tests of joining. */
#ifndef TESTS_STORE_PARTS_H
#define TESTS_STORE_PARTS_H

/* `path`: runs of several schemes and seeds with three attempts each, which tie in what can tie. */
void parts_make_whole(const char *path);

/* `path`: part `k` of `n` of the database `whole`. What has a number i with i % n = k is there as
 * it is; of the rest some is not there, some was copied before it had ended, and all is numbered
 * otherwise. What may differ between files (reasons, grids, names) does, by `draw`. */
void parts_make(const char *whole, const char *path, int k, int n, int draw);

/* Every export, figure and status of a database, and the rows that none of them shows, as one
 * text; owned by the caller. Two are equal where nobody can tell the databases apart. */
char *parts_print(const char *path);

#endif
