/* What of joined databases contradicts, looked for once all rows are there, so that the order in
 * which they came makes no difference. For harness/store/merge only. */
#ifndef STORE_MERGE_CONTRADICTIONS_H
#define STORE_MERGE_CONTRADICTIONS_H

#include "store/sql.h"

/* Tables of this connection for what follows; what the database has by now is of file 0. Inside the
 * transaction, and gone with it or with the connection. */
int contradictions_begin(struct store *s, struct error *e);

/* Note that attempt ?1 is in file ?2. */
extern const char contradictions_note_sql[];

/* Note the data sets of `from`, which is file `number`. */
int contradictions_note_data(struct store *s, struct store *from, int number, struct error *e);

/* -1 when two attempts computed the same run in the same way and came to other numbers, and no file
 * has them both. `files` are 1, 2, ... */
int contradictions_check(struct store *s, const char *const *files, struct error *e);

/* -1 when data sets of one name have several contents, and no file knows them all. */
int contradictions_check_data(struct store *s, const char *const *files, struct error *e);

#endif
