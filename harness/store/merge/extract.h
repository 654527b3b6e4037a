/* A database of one grid, to be given to others. */
#ifndef STORE_MERGE_EXTRACT_H
#define STORE_MERGE_EXTRACT_H

#include "store/store.h"

/* Make `path`, where there is nothing of that name, of the runs that `grid` counts in `s` (`run`,
 * unless NULL: of that one, by its whole id, and of those that take its weights), those whose
 * weights they take, and all that was recorded of them: whole, or not at all (-1). In journal mode
 * DELETE, so that it can be read anywhere.
 *
 * `anonymous`: hosts, paths, command lines, reasons and commits are replaced by pseudonyms, equal
 * where these are equal, and comments of networks left out; ids stay. Those of one database are
 * always the same, and cannot be guessed without it. Such a file is not merged. */
int store_extract(struct store *s, const char *grid, const char *run, const char *path,
                  int anonymous, struct error *e);

#endif
