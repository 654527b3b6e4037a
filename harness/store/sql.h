/* What the store's own files share: statements, transactions, errors of SQLite in plain words, and
 * rows described once as a table of columns, for writing and reading alike. For harness/store only.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "store/store.h"

#include <sqlite3.h>

/* Record what SQLite's last error means and what to do about it; returns -1. */
int sql_fail(struct store *s, struct error *e);

/* This program's views as temporary ones, which stand before those of the file, for this connection
 * (and, in a transaction that is rolled back, until then). Those that are there stay. */
int store_use_own_views(struct store *s, struct error *e);

/* Parts of opening: what is wrong with the file before SQLite sees it; the connection to what
 * SQLite calls `name` (connection.c), and how long it waits for others; and this program's tables
 * and views, inside a transaction. */
int store_check_place(struct store *s, enum store_mode mode, struct error *e);
int store_connect(struct store *s, const char *name, int flags, struct error *e);
int store_busy_milliseconds(int *milliseconds, struct error *e);
int store_bring_up_to_date(struct store *s, struct error *e);

/* The order in which runs were recorded, by what their rows say. */
#define SQL_RECORDED "recorded_at, sequence, run_id"

/* The same of attempts: when they began. */
#define SQL_BEGAN "sequence, started_at, run_id, host, pid"

/* Run statements that return no rows. */
int sql_run(struct store *s, const char *sql, struct error *e);

/* NULL on error; the caller finalizes. */
sqlite3_stmt *sql_prepare(struct store *s, const char *sql, struct error *e);

/* 1: a row; 0: no more rows; -1. */
int sql_step(struct store *s, sqlite3_stmt *statement, struct error *e);

/* The first integer of a query without parameters; 0 or -1. */
int sql_int(struct store *s, const char *sql, int64_t *value, struct error *e);

/* Whether the file's views are those that the statements `own` make, text for text. Fails at what
 * else acts by itself in a file: other views, triggers, virtual tables. */
int sql_compare_views(struct store *s, const char *own, int *current, struct error *e);

/* A text column until the next step; "" for NULL, which a file whose constraints somebody removed
 * has anywhere. */
const char *sql_text(sqlite3_stmt *statement, int column);

/* A text column as an owned copy; NULL for NULL. */
char *sql_take_text(sqlite3_stmt *statement, int column);

/* Begin a writing transaction, waiting for other writers. */
int sql_begin(struct store *s, struct error *e);

/* Commit when `status` is 0, roll back otherwise; returns 0 only when committed. */
int sql_end(struct store *s, int status, struct error *e);

/* Seconds since 1970. */
double sql_now(void);

/* The first column of the only row of `sql`, whose ?1 is a run's id: a text that the caller frees,
 * NULL when there is none. */
int sql_text_of_run(struct store *s, const char *sql, const char *run_id, char **text,
                    struct error *e);

enum sql_type {
    SQL_TEXT,  // const char *
    SQL_CHARS, // char[], written only
    SQL_GIVEN, // the same; "" is NULL
    SQL_ID,    // char[HASH_HEX]
    SQL_INT,   // int
    SQL_LONG,  // long
    SQL_INT64, // int64_t
    SQL_REAL,  // double; NaN is NULL
    SQL_SHARE, // double; negative is NULL
};

/* One member of a struct and the column it is kept in; a list ends with a NULL name. */
struct sql_column {
    const char *name;
    enum sql_type type;
    size_t offset;
};

/* INSERT INTO `table` (`first`, columns ...) VALUES (?1, ?2 ...) `conflict`; `first` may be NULL.
 */
sqlite3_stmt *sql_prepare_insert(struct store *s, const char *table, const char *first,
                                 const struct sql_column *columns, const char *conflict,
                                 struct error *e);

/* Bind the members of `row` from parameter `at` on. */
void sql_bind_row(sqlite3_stmt *statement, int at, const struct sql_column *columns,
                  const void *row);

/* Insert `n` rows of `size` bytes that belong to attempt `attempt`; those that are there stay.
 * Inside a transaction. */
int sql_insert_rows(struct store *s, const char *table, const struct sql_column *columns,
                    int64_t attempt, const void *rows, int n, size_t size, struct error *e);

/* Read the columns into `row`, from result column 0 on; texts are owned copies. */
void sql_read_row(sqlite3_stmt *statement, const struct sql_column *columns, void *row);

#endif
