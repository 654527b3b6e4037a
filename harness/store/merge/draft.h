/* A database that is made in memory and put into its place as a whole. */
#ifndef STORE_MERGE_DRAFT_H
#define STORE_MERGE_DRAFT_H

#include "store/store.h"

/* A new database, which will be `path` once it is written: nothing is there before. For writing, by
 * this process alone; store_close drops what was not written. NULL on error, as where no file can
 * be made. */
struct store *store_draft(const char *path, struct error *e);

/* Make the file, whole, in journal mode DELETE, as published files are; refused when there is one
 * of that name by now. */
int store_draft_write(struct store *s, struct error *e);

#endif
