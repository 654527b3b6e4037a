/* Attempts: each try of a run, from its start to its end other than completion (results.c has
 * that). */
#include "store/attempts.h"

#include "base/text.h"
#include "store/process.h"
#include "store/sql.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* An attempt as it is inserted: what the caller gives, and what only the store knows. */
struct new_attempt {
    struct attempt_row row;
    int64_t process_start;
    double now;
};

#define ROW_COLUMN(type, member)                                                                   \
    { #member, type, offsetof(struct new_attempt, row.member) }
#define NUMERICS_COLUMN(type, member)                                                              \
    { #member, type, offsetof(struct new_attempt, row.numerics.member) }

static const struct sql_column attempt_columns[] = {
    ROW_COLUMN(SQL_TEXT, run_id),
    NUMERICS_COLUMN(SQL_CHARS, engine),
    NUMERICS_COLUMN(SQL_CHARS, precision),
    NUMERICS_COLUMN(SQL_INT, threads),
    NUMERICS_COLUMN(SQL_CHARS, isa),
    NUMERICS_COLUMN(SQL_CHARS, libraries),
    NUMERICS_COLUMN(SQL_GIVEN, sources),
    NUMERICS_COLUMN(SQL_GIVEN, fingerprint),
    {"commit_id", SQL_CHARS, offsetof(struct new_attempt, row.numerics.commit)},
    NUMERICS_COLUMN(SQL_INT, dirty),
    ROW_COLUMN(SQL_TEXT, host),
    ROW_COLUMN(SQL_LONG, pid),
    {"process_start", SQL_INT64, offsetof(struct new_attempt, process_start)},
    ROW_COLUMN(SQL_TEXT, command),
    {"started_at", SQL_REAL, offsetof(struct new_attempt, now)},
    {"heartbeat_at", SQL_REAL, offsetof(struct new_attempt, now)},
    ROW_COLUMN(SQL_REAL, resumed_at),
    ROW_COLUMN(SQL_REAL, progress),
    ROW_COLUMN(SQL_INT, classes),
    ROW_COLUMN(SQL_TEXT, log),
    ROW_COLUMN(SQL_TEXT, job),
    {0},
};

static int insert_attempt(struct store *s, const struct new_attempt *row, struct error *e) {
    sqlite3_stmt *insert = sql_prepare_insert(s, "attempts", NULL, attempt_columns, "", e);
    if (!insert)
        return -1;
    sql_bind_row(insert, 1, attempt_columns, row);
    int status = sql_step(s, insert, e);
    sqlite3_finalize(insert);
    return status;
}

/* Counts on in `column` of attempt ?1, from all that it has to be told apart from by time: those of
 * its run, of the run whose weights that takes, and of those that take its own. */
#define COUNT_ON(column)                                                                           \
    column " = (SELECT 1 + max(max(b.sequence, b.end_sequence))"                                   \
           "  FROM runs r JOIN runs o ON r.run_id IN (o.run_id, o.parent) OR o.run_id = r.parent"  \
           "  JOIN attempts b ON b.run_id = o.run_id WHERE r.run_id = attempts.run_id)"

/* Attempts are all of one kind, so that any of them tells. */
int store_null_kind(struct store *s, int *kind, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, "SELECT engine FROM attempts LIMIT 1", e);
    int got = q ? sql_step(s, q, e) : -1;
    *kind = got == 1 ? !strcmp(sql_text(q, 0), STORE_NULL_ENGINE) : -1;
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

int store_check_engine(struct store *s, const char *engine, struct error *e) {
    int there, asked = !strcmp(engine, STORE_NULL_ENGINE);
    if (store_null_kind(s, &there, e))
        return -1;
    if (there < 0 || there == asked)
        return 0;
    return fail_at(e, s->path, 0,
                   asked ? "has results, and engine %s makes none: they are not mixed; name "
                           "another file with --db"
                         : "has runs by engine %s alone, which computes nothing, and results are "
                           "not mixed with those; name another file with --db",
                   STORE_NULL_ENGINE);
}

/* The database in which it is made; never another's, wherever its row may be copied to. */
static int insert_own_attempt(struct store *s, const struct new_attempt *row, int64_t *attempt,
                              struct error *e) {
    if (insert_attempt(s, row, e))
        return -1;
    *attempt = sqlite3_last_insert_rowid(s->db);
    sqlite3_stmt *q =
        sql_prepare(s,
                    "UPDATE attempts SET origin = (SELECT identity FROM identity), " COUNT_ON(
                        "sequence") " WHERE attempt = ?1",
                    e);
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, *attempt);
    int status = sql_step(s, q, e);
    sqlite3_finalize(q);
    return status;
}

/* Of its run's scheme, so that views know which attempts the newest program would still make. */
static int record_fingerprint(struct store *s, const struct attempt_row *row, const char *scheme,
                              struct error *e) {
    struct scheme_row known = {.scheme = (char *)scheme};
    if (!row->numerics.fingerprint[0])
        return 0;
    strcpy(known.fingerprint, row->numerics.fingerprint);
    return fingerprint_write(s, "main", &known, e);
}

int store_begin_attempt(struct store *s, const struct attempt_row *row, int64_t *attempt,
                        struct error *e) {
    struct run_row run;
    if (store_find_run(s, row->run_id, &run, e))
        return -1;
    struct new_attempt new = {*row, process_start(row->pid), sql_now()};
    int status = sql_begin(s, e);
    if (!status) {
        status = store_check_engine(s, row->numerics.engine, e) ||
                         record_fingerprint(s, row, run.scheme, e) ||
                         insert_own_attempt(s, &new, attempt, e)
                     ? -1
                     : 0;
        status = sql_end(s, status, e);
    }
    store_free_run(&run);
    return status;
}

int attempt_outcome(struct store *s, int64_t attempt, enum outcome *outcome, struct error *e) {
    static const char *const names[] = {"complete", "failed", "interrupted", NULL};
    sqlite3_stmt *q = sql_prepare(s, "SELECT outcome FROM attempts WHERE attempt = ?1", e);
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, attempt);
    int got = sql_step(s, q, e);
    const char *name = got == 1 ? (const char *)sqlite3_column_text(q, 0) : NULL;
    int place = name ? text_find(name, names) : -1;
    *outcome = place < 0 ? OUTCOME_NONE : (enum outcome)(OUTCOME_COMPLETE + place);
    sqlite3_finalize(q);
    if (got)
        return got < 0 ? -1 : 0;
    return fail_at(e, s->path, 0, "has no attempt %lld; was it begun in another database?",
                   (long long)attempt);
}

int attempt_begin_rows(struct store *s, int64_t attempt, struct error *e) {
    enum outcome outcome;
    if (sql_begin(s, e))
        return -1;
    return attempt_outcome(s, attempt, &outcome, e) ? sql_end(s, -1, e) : 0;
}

int attempt_has_ended(struct store *s, int64_t attempt, struct error *e) {
    return fail_at(e, s->path, 0, "attempt %lld has ended already; begin another",
                   (long long)attempt);
}

static int write_heartbeat(struct store *s, int64_t attempt, double progress, struct error *e) {
    enum outcome outcome;
    if (attempt_outcome(s, attempt, &outcome, e))
        return -1;
    if (outcome != OUTCOME_NONE)
        return attempt_has_ended(s, attempt, e);
    sqlite3_stmt *q =
        sql_prepare(s,
                    "UPDATE attempts SET heartbeat_at = ?2, progress = min(max(?3, 0.0), 1.0) "
                    "WHERE attempt = ?1",
                    e);
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, attempt);
    sqlite3_bind_double(q, 2, sql_now());
    sqlite3_bind_double(q, 3, progress);
    int status = sql_step(s, q, e);
    sqlite3_finalize(q);
    return status;
}

int store_heartbeat(struct store *s, int64_t attempt, double progress, struct error *e) {
    if (sql_begin(s, e))
        return -1;
    return sql_end(s, write_heartbeat(s, attempt, progress, e), e);
}

int attempt_write_end(struct store *s, int64_t attempt, const struct attempt_end *end,
                      struct error *e) {
    sqlite3_stmt *q = sql_prepare(
        s,
        "UPDATE attempts SET " COUNT_ON(
            "end_sequence") ", ended_at = max(?2, started_at), outcome = ?3, reason = ?4, cause = "
                            "?7, "
                            "cpu_seconds = ?5, peak_bytes = ?6, "
                            "heartbeat_at = CASE ?3 WHEN 'complete' THEN max(?2, started_at) ELSE "
                            "heartbeat_at END, "
                            "progress = CASE ?3 WHEN 'complete' THEN 1.0 ELSE progress END WHERE "
                            "attempt = ?1",
        e);
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, attempt);
    sqlite3_bind_double(q, 2, sql_now());
    sqlite3_bind_text(q, 3, end->outcome, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 4, end->reason, -1, SQLITE_STATIC);
    sqlite3_bind_double(q, 5, end->cpu_seconds);
    sqlite3_bind_int64(q, 6, end->peak_bytes);
    sqlite3_bind_text(q, 7, end->cause, -1, SQLITE_STATIC);
    int status = sql_step(s, q, e);
    sqlite3_finalize(q);
    return status;
}

int store_end_attempt(struct store *s, int64_t attempt, const char *outcome, enum cause cause,
                      const char *reason, double cpu_seconds, int64_t peak_bytes, struct error *e) {
    int failed = !strcmp(outcome, "failed");
    if (!failed && strcmp(outcome, "interrupted"))
        return fail(e, "an attempt ends 'failed' or 'interrupted', not '%s'", outcome);
    enum outcome wanted = failed ? OUTCOME_FAILED : OUTCOME_INTERRUPTED, there;
    struct attempt_end end = {outcome, reason, cause_names[cause], cpu_seconds, peak_bytes};
    if (sql_begin(s, e))
        return -1;
    int status = attempt_outcome(s, attempt, &there, e);
    if (!status && there == OUTCOME_NONE)
        status = attempt_write_end(s, attempt, &end, e);
    else if (!status && there != wanted)
        status = attempt_has_ended(s, attempt, e);
    return sql_end(s, status, e);
}

int store_retry(struct store *s, const char *const *run_ids, int n, struct error *e) {
    if (sql_begin(s, e))
        return -1;
    sqlite3_stmt *q =
        sql_prepare(s,
                    "INSERT INTO retries (run_id, host, pid, started_at, asked_at)"
                    " SELECT run_id, host, pid, started_at, ?2 FROM attempts"
                    " WHERE run_id = ?1 AND outcome IS NOT 'complete' ON CONFLICT DO NOTHING",
                    e);
    int status = q ? 0 : -1;
    for (int i = 0; i < n && !status; i++) {
        sqlite3_bind_text(q, 1, run_ids[i], -1, SQLITE_STATIC);
        sqlite3_bind_double(q, 2, sql_now());
        status = sql_step(s, q, e);
        sqlite3_reset(q);
    }
    sqlite3_finalize(q);
    return sql_end(s, status, e);
}

#define STATUS_COLUMN(type, member)                                                                \
    { #member, type, offsetof(struct attempt_status, member) }
static const struct sql_column status_columns[] = {
    STATUS_COLUMN(SQL_REAL, started_at),
    STATUS_COLUMN(SQL_TEXT, host),
    STATUS_COLUMN(SQL_TEXT, engine),
    STATUS_COLUMN(SQL_TEXT, outcome),
    STATUS_COLUMN(SQL_TEXT, cause),
    STATUS_COLUMN(SQL_TEXT, reason),
    STATUS_COLUMN(SQL_TEXT, log),
    STATUS_COLUMN(SQL_TEXT, job),
    STATUS_COLUMN(SQL_LONG, pid),
    STATUS_COLUMN(SQL_REAL, progress),
    {0},
};

int store_list_attempts(struct store *s, const char *run_id, struct attempt_status **rows, int *n,
                        struct error *e) {
    int got, room = 0;
    *rows = NULL;
    *n = 0;
    sqlite3_stmt *q = sql_prepare(s,
                                  "SELECT started_at, host, engine, outcome, cause, reason, log,"
                                  " job, pid, progress FROM attempts WHERE run_id = ?1"
                                  " ORDER BY " SQL_BEGAN,
                                  e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, run_id, -1, SQLITE_STATIC);
    while ((got = sql_step(s, q, e)) == 1) {
        *rows = need_room(*rows, *n, &room, sizeof **rows);
        sql_read_row(q, status_columns, &(*rows)[(*n)++]);
    }
    sqlite3_finalize(q);
    return got;
}

void store_free_attempts(struct attempt_status *rows, int n) {
    for (int i = 0; i < n; i++)
        for (const struct sql_column *c = status_columns; c->name; c++)
            if (c->type == SQL_TEXT)
                free(*(char **)((char *)&rows[i] + c->offset));
    free(rows);
}

int store_count_attempts(struct store *s, const char *run_id, int64_t *n, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, "SELECT count(*) FROM attempts WHERE run_id = ?1", e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, run_id, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    *n = got == 1 ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_finalize(q);
    return got == 1 ? 0 : -1;
}
