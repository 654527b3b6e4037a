/* Databases for tests: a folder of their own, and runs made up by number. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "store/store.h"

#include <sys/types.h>

/* cmocka setup and teardown: *state is the path of a database in a new folder that anyone may
 * enter. */
int store_fixture_setup(void **state);
int store_fixture_teardown(void **state);

/* The text of a hash, all of one digit. */
#define STORE_FIXTURE_8(text) text text text text text text text text
#define STORE_FIXTURE_HASH(digit) STORE_FIXTURE_8(STORE_FIXTURE_8(digit))

/* Open or stop the test with the message. */
struct store *store_fixture_open(const char *path, enum store_mode mode);

/* Run number `i` with 64-digit ids made from `i` and `config`; texts are static or of the caller.
 */
struct run_row store_fixture_run(int i, int config, long seed);

/* Record that run under grid "demo". */
void store_fixture_add(struct store *s, const struct run_row *run);

/* A new attempt of this process on this host. */
int64_t store_fixture_begin(struct store *s, const char *run_id, double resumed_at);

struct evaluation_row store_fixture_evaluation(int bits, const char *inference, int calibration,
                                               int64_t correct1);

/* A run with one attempt that finished with these evaluations. Returns the attempt. */
int64_t store_fixture_finished(struct store *s, const struct run_row *run,
                               const struct evaluation_row *rows, int n);

/* The first column of a query, as a number or text (static storage). */
double store_fixture_number(struct store *s, const char *sql);
const char *store_fixture_text(struct store *s, const char *sql);

/* Run SQL or stop the test. */
void store_fixture_sql(struct store *s, const char *sql);

#endif
