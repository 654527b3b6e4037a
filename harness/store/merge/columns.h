/* Statements about all columns that a table has, made from the schema: what a migration adds is
 * taken along. For harness/store/merge only. */
#ifndef STORE_MERGE_COLUMNS_H
#define STORE_MERGE_COLUMNS_H

#include "store/sql.h"

/* Without numbers of rows (`attempt`, `evaluation`), which are another file's elsewhere. */
enum { COLUMNS_MOST = 64 };
struct columns {
    int n;
    struct column {
        char name[64];
        int parameter; // 2, 3, ... in the order of the table: ?1 is left for an attempt
    } of[COLUMNS_MOST];
};

/* Those of a table of `s`, in its order; 0 or -1. */
int columns_read(struct columns *columns, struct store *s, const char *table, struct error *e);

/* Those whose names are in `names` (ended by NULL), or (`in` 0) those whose are not. */
struct columns columns_choose(const struct columns *from, const char *const *names, int in);

/* A template filled in: in "{TEXT|SEPARATOR}" the text stands once for each column, with its name
 * for $c and its parameter for $p. NULL on error; the caller frees. */
char *columns_text(const struct columns *columns, const char *template, struct error *e);

/* The statement of a template; NULL on error; the caller finalizes. */
sqlite3_stmt *columns_prepare(const struct columns *columns, struct store *s, const char *template,
                              struct error *e);

/* Bind the columns that `row` (of another connection) begins with. */
void columns_bind(const struct columns *columns, sqlite3_stmt *statement, sqlite3_stmt *row);

#endif
