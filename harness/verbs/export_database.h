/* The part of `export` that makes a database of one grid. */
#ifndef VERBS_EXPORT_DATABASE_H
#define VERBS_EXPORT_DATABASE_H

#include "verbs/verb.h"

/* Of the grid (name or file), or of one run of it and those that take its weights (`run`: its id,
 * or NULL), as store/merge/extract.h says; an exit status. */
int export_database(const struct options *o, const char *grid, const char *run, const char *output,
                    int anonymous, struct error *e);

#endif
