/* Where runs stand. The view run_status says what the database knows; whether a process still
 * exists only its own machine can tell, and it is asked here. */
#include "store/process.h"
#include "store/sql.h"

#include <stdlib.h>
#include <string.h>

const char *const run_state_names[RUN_STATES] = {
    [RUN_PENDING] = "pending", [RUN_RUNNING] = "running", [RUN_DONE] = "done",
    [RUN_FAILED] = "failed",   [RUN_DEAD] = "dead",
};

const char *const cause_names[CAUSES] = {
    [CAUSE_UNKNOWN] = NULL,
    [CAUSE_OWN] = "own",
    [CAUSE_OUTSIDE] = "outside",
};

/* One grid's runs, or all when ?1 is NULL. */
#define OF_GRID                                                                                    \
    "(?1 IS NULL OR run_id IN (SELECT run_id FROM grid_runs WHERE grid = ?1 AND current))"

#define STATUS_COLUMNS                                                                             \
    "run_id, scheme, network, seed, state, progress, reason, work, excluded IS NOT NULL, "         \
    "host, pid, process_start, stale, heartbeat_at, cause, ends, ended_at IS NULL, "

/* Whether the last attempt's process lives, if it is of this host; -1 if it is not. */
static int process_of(sqlite3_stmt *q) {
    const char *host = (const char *)sqlite3_column_text(q, 9);
    if (!host || !process_host_is(host))
        return -1;
    return process_lives((long)sqlite3_column_int64(q, 10), sqlite3_column_int64(q, 11));
}

/* A process that is gone cannot send the next heartbeat; one that is there may be slow to: a step
 * of a large network can take longer than the silence that is taken for death elsewhere. Where its
 * start is not known, the process may be another one of that number. */
static void look_for_process(struct run_status *r, sqlite3_stmt *q) {
    char text[96] = "no sign of life for 120 s";
    if (sqlite3_column_double(q, 13) > sql_now())
        snprintf(text, sizeof text, "its last sign of life is yet to come: a clock was set back");
    int is_silent = sqlite3_column_int(q, 16) && (r->state == RUN_DEAD || r->state == RUN_FAILED);
    if (is_silent && sqlite3_column_int64(q, 11) && process_of(q) == 1) {
        r->state = RUN_RUNNING;
        return;
    }
    if (r->state == RUN_RUNNING && !process_of(q)) {
        r->state = r->ends <= RUN_RETRIES ? RUN_DEAD : RUN_FAILED;
        snprintf(text, sizeof text, "its process (%ld) is gone", r->pid);
        is_silent = 1;
    }
    if (!is_silent)
        return;
    free(r->reason);
    r->reason = need_string(text);
    r->cause = CAUSE_OUTSIDE;
}

/* That it is not tried again by itself is said with how often it was. */
static void say_how_often(struct run_status *r) {
    char text[1200];
    if (r->state != RUN_FAILED || r->cause != CAUSE_OUTSIDE)
        return;
    snprintf(text, sizeof text, "%s (ended from outside %d times)", r->reason ? r->reason : "",
             r->ends);
    free(r->reason);
    r->reason = need_string(text);
}

static enum cause read_cause(sqlite3_stmt *q, int column) {
    for (int i = CAUSE_OWN; i < CAUSES; i++)
        if (!strcmp(sql_text(q, column), cause_names[i]))
            return (enum cause)i;
    return CAUSE_UNKNOWN;
}

static struct run_status read_status(sqlite3_stmt *q) {
    struct run_status r = {
        .scheme = need_string(sql_text(q, 1)),
        .network = need_string(sql_text(q, 2)),
        .seed = (long)sqlite3_column_int64(q, 3),
        .state = RUN_PENDING,
        .progress = sqlite3_column_double(q, 5),
        .reason = sql_take_text(q, 6),
        .work = sqlite3_column_double(q, 7),
        .excluded = sqlite3_column_int(q, 8),
        .stale = sql_take_text(q, 12),
        .diverged = sql_take_text(q, 17),
        .host = sql_take_text(q, 9),
        .pid = (long)sqlite3_column_int64(q, 10),
        .cause = read_cause(q, 14),
        .ends = sqlite3_column_int(q, 15),
    };
    snprintf(r.run_id, sizeof r.run_id, "%s", sql_text(q, 0));
    const char *state = sql_text(q, 4);
    for (int i = 0; i < RUN_STATES; i++)
        if (!strcmp(run_state_names[i], state))
            r.state = (enum run_state)i;
    look_for_process(&r, q);
    say_how_often(&r);
    return r;
}

/* What is said of the run by `from`; as sql_step. */
static int read_one(struct store *s, const char *from, const char *run_id,
                    struct run_status *status, struct error *e) {
    char sql[2048];
    snprintf(sql, sizeof sql, "SELECT " STATUS_COLUMNS "NULL FROM %s WHERE run_id = ?1", from);
    sqlite3_stmt *q = sql_prepare(s, sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, run_id, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    *status = got == 1 ? read_status(q) : (struct run_status){0};
    sqlite3_finalize(q);
    return got;
}

/* Of a run that no attempt finished, which needs no look at other runs but those whose weights it
 * takes: run_status comes to the same. */
static const char unfinished[] =
    "(SELECT *, NULL AS stale, (WITH RECURSIVE up(id) AS (SELECT ?1 UNION SELECT u.parent"
    "   FROM up JOIN runs u ON u.run_id = id WHERE u.parent IS NOT NULL)"
    "  SELECT u.excluded FROM up JOIN runs u ON u.run_id = id WHERE u.excluded IS NOT NULL LIMIT 1)"
    "  AS excluded"
    " FROM (SELECT run_id, scheme, network, seed, work FROM runs) JOIN last_attempts USING (run_id)"
    " WHERE NOT complete)";

int store_run_status(struct store *s, const char *run_id, struct run_status *status,
                     struct error *e) {
    int got = read_one(s, unfinished, run_id, status, e);
    if (!got)
        got = read_one(s, "run_status", run_id, status, e);
    if (got == 1)
        return 0;
    return got < 0 ? -1
                   : fail_at(e, s->path, 0,
                             "has no run %s; 'truncquant plan GRID' lists those of a grid", run_id);
}

int store_run_state(struct store *s, const char *run_id, enum run_state *state, struct error *e) {
    struct run_status status;
    int rc = store_run_status(s, run_id, &status, e);
    *state = status.state;
    store_free_status(&status);
    return rc;
}

static int read_statuses(struct store *s, const char *grid, struct run_status **rows, int *n,
                         struct error *e) {
    sqlite3_stmt *q =
        sql_prepare(s,
                    "SELECT " STATUS_COLUMNS "d.why FROM run_status "
                    "JOIN (SELECT run_id AS id, recorded_at, sequence FROM runs WHERE " OF_GRID
                    ") ON id = run_id "
                    "LEFT JOIN (SELECT run_id AS of, why FROM diverged_runs) d ON of = id ORDER "
                    "BY " SQL_RECORDED,
                    e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    int got, room = 0;
    while ((got = sql_step(s, q, e)) == 1) {
        *rows = need_room(*rows, *n, &room, sizeof **rows);
        (*rows)[(*n)++] = read_status(q);
    }
    sqlite3_finalize(q);
    return got;
}

int store_statuses(struct store *s, const char *grid, struct run_status **rows, int *n,
                   struct error *e) {
    *rows = NULL;
    *n = 0;
    if (sql_run(s, "SAVEPOINT statuses", e))
        return -1;
    int status = store_look_at_grid(s, grid, e) || read_statuses(s, grid, rows, n, e);
    sqlite3_exec(s->db, "ROLLBACK TO statuses; RELEASE statuses", NULL, NULL, NULL);
    if (!status)
        return 0;
    store_free_statuses(*rows, *n);
    *rows = NULL;
    return -1;
}

int store_run_diverged(struct store *s, const char *run_id, char **why, struct error *e) {
    *why = NULL;
    if (sql_run(s, "SAVEPOINT diverged", e))
        return -1;
    int status =
        store_look_at_run(s, run_id, e) ||
        sql_text_of_run(s, "SELECT why FROM diverged_runs WHERE run_id = ?1", run_id, why, e);
    sqlite3_exec(s->db, "ROLLBACK TO diverged; RELEASE diverged", NULL, NULL, NULL);
    return status ? -1 : 0;
}

static int read_accuracy(struct store *s, const char *run_id, int bits, int calibrated,
                         double *top1, int64_t *images, struct error *e) {
    sqlite3_stmt *q = sql_prepare(
        s,
        "SELECT top1, images FROM accuracy WHERE run_id = ?1 AND bits = ?2 AND calibrated = ?3 "
        "AND split = 'test' AND inference = 'truncated'",
        e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, run_id, -1, SQLITE_STATIC);
    sqlite3_bind_int(q, 2, bits);
    sqlite3_bind_int(q, 3, calibrated);
    int got = sql_step(s, q, e);
    if (got == 1) {
        *top1 = sqlite3_column_double(q, 0);
        *images = sqlite3_column_int64(q, 1);
    }
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

int store_run_accuracy(struct store *s, const char *run_id, int bits, int calibrated, double *top1,
                       int64_t *images, struct error *e) {
    *images = 0;
    if (sql_run(s, "SAVEPOINT accuracy", e))
        return -1;
    int status = store_look_at_run(s, run_id, e) ||
                 read_accuracy(s, run_id, bits, calibrated, top1, images, e);
    sqlite3_exec(s->db, "ROLLBACK TO accuracy; RELEASE accuracy", NULL, NULL, NULL);
    return status ? -1 : 0;
}

void store_free_status(struct run_status *r) {
    char *texts[] = {r->scheme, r->network, r->reason, r->stale, r->diverged, r->settings, r->host};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    *r = (struct run_status){0};
}

void store_free_statuses(struct run_status *rows, int n) {
    for (int i = 0; i < n; i++)
        store_free_status(&rows[i]);
    free(rows);
}

/* ?1 and, from parent to child, the runs whose mark is none or the same. */
#define WITH_DEPENDENTS                                                                            \
    "WITH RECURSIVE those(id, why) AS ("                                                           \
    " SELECT run_id, excluded FROM runs WHERE run_id = ?1"                                         \
    " UNION SELECT r.run_id, r.excluded FROM runs r JOIN those ON r.parent = id"                   \
    "  AND (r.excluded IS NULL OR r.excluded = why)) "

/* Refuses to count a run again whose weights come from one that does not. */
static int check_parent_counts(struct store *s, const char *run_id, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s,
                                  "SELECT x.run_id, x.excluded FROM runs r JOIN excluded_runs x"
                                  " ON x.run_id = r.parent WHERE r.run_id = ?1",
                                  e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, run_id, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    if (got == 1)
        got = fail(e,
                   "run %.12s takes the weights of run %.12s, which is excluded (%.200s); "
                   "'truncquant exclude %.12s --undo' first",
                   run_id, sql_text(q, 0), sql_text(q, 1), sql_text(q, 0));
    sqlite3_finalize(q);
    return got;
}

static int exclude_one(struct store *s, const char *run_id, const char *reason, int *others,
                       struct error *e) {
    *others = 0;
    if (!reason && check_parent_counts(s, run_id, e))
        return -1;
    sqlite3_stmt *q =
        sql_prepare(s,
                    WITH_DEPENDENTS "UPDATE runs SET excluded = ?2 WHERE run_id IN (SELECT id FROM "
                                    "those) AND excluded IS NOT ?2 RETURNING run_id <> ?1",
                    e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, run_id, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, reason, -1, SQLITE_STATIC);
    int got;
    while ((got = sql_step(s, q, e)) == 1)
        *others += sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return got;
}

int store_exclude(struct store *s, const char *const *run_ids, int n, const char *reason,
                  int *others, struct error *e) {
    if (sql_begin(s, e))
        return -1;
    int status = 0;
    for (int i = 0; i < n && !status; i++)
        status = exclude_one(s, run_ids[i], reason, &others[i], e);
    return sql_end(s, status, e);
}
