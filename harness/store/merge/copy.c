/* Copying rows; copy.h is the manual. What identifies a row there and here are its own words: a run
 * its id; an attempt its run, host, process and start; a number its attempt and what was measured.
 */
#include "store/merge/copy.h"

#include "store/merge/columns.h"

#include <string.h>

#define KEEP "DO NOTHING" // a row that is there stays, and has to be the same
#define CHOSEN " WHERE run_id IN (SELECT run_id FROM temp.chosen)"

/* What is done with rows of which one of that key is there. Of a grid, the runs that any file
 * counts to it; of curves, the most that anybody asks for; of a quantizer, what was recorded last.
 * A time that was measured is the same in all it says, or the files contradict. */
static const struct {
    const char *table, *chosen, *conflict;
} plain_tables[] = {
    {"grid_runs", CHOSEN " AND (?1 IS NULL OR grid = ?1)",
     "(grid, run_id) DO UPDATE SET current = max(current, excluded.current)"},
    {"curve_requests", CHOSEN " AND (?1 IS NULL OR grid IN (?1, ''))",
     "(grid, run_id) DO UPDATE SET every = excluded.every, split = excluded.split"
     " WHERE (excluded.every = 0, excluded.every, excluded.split) < (every = 0, every, split)"},
    {"retries", CHOSEN,
     "(run_id, host, pid, started_at) DO UPDATE SET asked_at = min(asked_at, excluded.asked_at)"},
    {"fingerprints", " WHERE scheme IN (SELECT scheme FROM runs" CHOSEN ")",
     "(scheme) DO UPDATE"
     " SET fingerprint = excluded.fingerprint, recorded_at = excluded.recorded_at WHERE"
     " (excluded.recorded_at, excluded.fingerprint) > (recorded_at, fingerprint)"},
    {"latencies", CHOSEN, KEEP},
};

static const char *const of_attempts[] = {"epochs", "epoch_evaluations", "evaluations", "layers",
                                          "histograms"};
enum { OF_ATTEMPTS = sizeof of_attempts / sizeof *of_attempts };

/* A table's columns, and statements that read them there, write them here, and find them here. */
struct pipe {
    struct columns columns;
    sqlite3_stmt *read, *write, *find;
};

struct attempt_pipe {
    struct pipe p;
    sqlite3_stmt *same, *agree, *later;
};

struct copying {
    struct store *to, *from;
    struct attempt_pipe attempts;
    struct pipe of_attempt[OF_ATTEMPTS];
    struct copied *copied;
    int (*met)(void *, int64_t, struct error *);
    void *context;
};

static void pipe_close(struct pipe *p) {
    sqlite3_finalize(p->read);
    sqlite3_finalize(p->write);
    sqlite3_finalize(p->find);
}

/* In this order; the last may be NULL. */
static int pipe_open(struct pipe *p, struct copying *c, const char *table, const char *const sql[3],
                     struct error *e) {
    *p = (struct pipe){0};
    if (columns_read(&p->columns, c->to, table, e) ||
        !(p->read = columns_prepare(&p->columns, c->from, sql[0], e)) ||
        !(p->write = columns_prepare(&p->columns, c->to, sql[1], e)) ||
        (sql[2] && !(p->find = columns_prepare(&p->columns, c->to, sql[2], e))))
        return -1;
    return 0;
}

/* One statement that returns a row or none; as sql_step. */
static int step_once(struct store *s, sqlite3_stmt *q, struct error *e) {
    int got = sql_step(s, q, e);
    if (got != 1)
        sqlite3_reset(q);
    return got;
}

/* ---- tables without numbers of rows ---- */

/* Of a table whose rows never change: that it is there as it is here. */
static int find_same(struct copying *c, struct pipe *p, const char *table, struct error *e) {
    columns_bind(&p->columns, p->find, p->read);
    int got = sql_step(c->to, p->find, e);
    sqlite3_reset(p->find);
    return got > 0 ? 0
           : got   ? -1
                   : fail_at(e, c->from->path, 0,
                             "a row of %s has other values here than in %s: one of the files was "
                               "changed",
                             table, c->to->path);
}

static int copy_plain_row(struct copying *c, struct pipe *p, int i, struct error *e) {
    columns_bind(&p->columns, p->write, p->read);
    if (step_once(c->to, p->write, e))
        return -1;
    int kept = !sqlite3_changes(c->to->db) && !strcmp(plain_tables[i].conflict, KEEP);
    return kept ? find_same(c, p, plain_tables[i].table, e) : 0;
}

static int copy_plain(struct copying *c, int i, const char *grid, struct error *e) {
    const char *table = plain_tables[i].table;
    char sql[3][512];
    struct pipe p;
    snprintf(sql[0], sizeof *sql, "SELECT {$c|, } FROM %s%s", table, plain_tables[i].chosen);
    snprintf(sql[1], sizeof *sql, "INSERT INTO %s ({$c|, }) VALUES ({$p|, }) ON CONFLICT %s", table,
             plain_tables[i].conflict);
    snprintf(sql[2], sizeof *sql, "SELECT 1 FROM %s WHERE {$c IS $p| AND }", table);
    int status = pipe_open(&p, c, table, (const char *const[3]){sql[0], sql[1], sql[2]}, e);
    if (!status)
        sqlite3_bind_text(p.read, 1, grid, -1, SQLITE_STATIC);
    int got = 0;
    while (!status && (got = sql_step(c->from, p.read, e)) == 1)
        status = copy_plain_row(c, &p, i, e);
    pipe_close(&p);
    return status || got < 0 ? -1 : 0;
}

/* ---- runs ---- */

/* What an id stands for is the same in both; in the rest (names, the text of a network) the row
 * stays that was recorded first. */
static const char *const run_sql[3] = {
    "SELECT {$c|, } FROM runs" CHOSEN " ORDER BY " SQL_RECORDED,
    "INSERT INTO runs ({$c|, }) VALUES ({$p|, }) ON CONFLICT (run_id) DO UPDATE SET"
    " {$c = iif('$c' = '\"excluded\"', runs.$c, excluded.$c)|, }"
    " WHERE (excluded.recorded_at, excluded.sequence,"
    "        {iif('$c' = '\"excluded\"', '', coalesce(excluded.$c, ''))|, })"
    "     < (runs.recorded_at, runs.sequence,"
    "        {iif('$c' = '\"excluded\"', '', coalesce(runs.$c, ''))|, })",
    NULL};

/* ?1 is the id; as the row of the other file has it. */
static const char same_run_sql[] =
    "SELECT (config_id, data_hash, seed) IS (?2, ?3, ?4), excluded IS NULL FROM runs"
    " WHERE run_id = ?1";
static const char other_run_sql[] =
    "SELECT config_id, data_hash, seed, excluded FROM runs WHERE run_id = ?1";

/* Why a run does not count: all reasons that were ever given. Each stands once, in the order of the
 * alphabet. */
static const char exclude_sql[] =
    "UPDATE runs SET excluded = CASE WHEN excluded IS NULL THEN ?2 ELSE"
    " (SELECT group_concat(value, '; ') FROM (SELECT DISTINCT value FROM json_each("
    "   '[' || replace(json_quote(excluded || '; ' || ?2), '; ', '\",\"') || ']') ORDER BY value))"
    " END WHERE run_id = ?1 AND excluded IS NOT ?2";

struct run_pipe {
    struct pipe p;
    sqlite3_stmt *same, *other, *exclude;
};

static int other_run(struct copying *c, const char *run_id, struct error *e) {
    return fail_at(e, c->from->path, 0,
                   "run %.12s is of another configuration or other data than in %s, though ids are "
                   "made of these: one of the files was changed",
                   run_id, c->to->path);
}

/* Before the row is written; `there`: 1 when it is in both. */
static int compare_run(struct copying *c, struct run_pipe *r, const char *run_id, int *there,
                       struct error *e) {
    sqlite3_bind_text(r->other, 1, run_id, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(r->same, 1, run_id, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(r->exclude, 1, run_id, -1, SQLITE_TRANSIENT);
    if (sql_step(c->from, r->other, e) != 1)
        return -1;
    for (int i = 0; i < 3; i++)
        sqlite3_bind_value(r->same, 2 + i, sqlite3_column_value(r->other, i));
    sqlite3_bind_value(r->exclude, 2, sqlite3_column_value(r->other, 3));
    int excludes = sqlite3_column_type(r->other, 3) != SQLITE_NULL;
    sqlite3_reset(r->other);
    int got = sql_step(c->to, r->same, e), same = got == 1 && sqlite3_column_int(r->same, 0);
    *there = got == 1 ? 1 + excludes : 0;
    c->copied->runs += !got;
    c->copied->excluded += got == 1 && excludes && sqlite3_column_int(r->same, 1);
    sqlite3_reset(r->same);
    return got < 0 ? -1 : got && !same ? other_run(c, run_id, e) : 0;
}

static int copy_run(struct copying *c, struct run_pipe *r, struct error *e) {
    char run_id[HASH_HEX];
    int there;
    snprintf(run_id, sizeof run_id, "%s", sql_text(r->p.read, 0));
    if (compare_run(c, r, run_id, &there, e))
        return -1;
    columns_bind(&r->p.columns, r->p.write, r->p.read);
    if (step_once(c->to, r->p.write, e))
        return -1;
    return there == 2 ? step_once(c->to, r->exclude, e) : 0;
}

static int copy_runs(struct copying *c, struct error *e) {
    struct run_pipe r = {0};
    int got = 0, status = pipe_open(&r.p, c, "runs", run_sql, e);
    if (!status && (!(r.same = sql_prepare(c->to, same_run_sql, e)) ||
                    !(r.other = sql_prepare(c->from, other_run_sql, e)) ||
                    !(r.exclude = sql_prepare(c->to, exclude_sql, e))))
        status = -1;
    while (!status && (got = sql_step(c->from, r.p.read, e)) == 1)
        status = copy_run(c, &r, e);
    pipe_close(&r.p);
    sqlite3_finalize(r.same);
    sqlite3_finalize(r.other);
    sqlite3_finalize(r.exclude);
    return status || got < 0 ? -1 : 0;
}

/* ---- attempts, and what belongs to them ---- */

/* What changes until an attempt has ended. */
static const char *const states[] = {"heartbeat_at", "progress",     "ended_at",    "outcome",
                                     "reason",       "cause",        "cpu_seconds", "peak_bytes",
                                     "weights_hash", "end_sequence", NULL};

static int parameter_of(const struct columns *columns, const char *name) {
    for (int i = 0; i < columns->n; i++)
        if (!strcmp(columns->of[i].name, name))
            return columns->of[i].parameter;
    return 0;
}

/* Where it is there: its number, and whether all but its state is the same. */
static sqlite3_stmt *prepare_same(struct copying *c, const struct columns *all, struct error *e) {
    struct columns fixed = columns_choose(all, states, 0);
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT attempt, {$c IS $p| AND } FROM attempts"
             " WHERE run_id = ?%d AND host = ?%d AND pid = ?%d AND started_at = ?%d",
             parameter_of(all, "run_id"), parameter_of(all, "host"), parameter_of(all, "pid"),
             parameter_of(all, "started_at"));
    return columns_prepare(&fixed, c->to, sql, e);
}

/* Whether the two states of attempt ?1 can be of one attempt at two moments. */
static sqlite3_stmt *prepare_agree(struct copying *c, const struct columns *all, struct error *e) {
    struct columns state = columns_choose(all, states, 1);
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT outcome IS NULL OR ?%d IS NULL OR ({$c IS $p| AND }) FROM attempts"
             " WHERE attempt = ?1",
             parameter_of(all, "outcome"));
    return columns_prepare(&state, c->to, sql, e);
}

/* The later state stays: that of the end, or of the last sign of life. */
static sqlite3_stmt *prepare_later(struct copying *c, const struct columns *all, struct error *e) {
    struct columns state = columns_choose(all, states, 1);
    char sql[512];
    snprintf(sql, sizeof sql,
             "UPDATE attempts SET {$c = $p|, } WHERE attempt = ?1 AND"
             " (?%d IS NOT NULL, ?%d, ?%d, coalesce(?%d, ''))"
             " > (outcome IS NOT NULL, heartbeat_at, progress, coalesce(weights_hash, ''))",
             parameter_of(all, "outcome"), parameter_of(all, "heartbeat_at"),
             parameter_of(all, "progress"), parameter_of(all, "weights_hash"));
    return columns_prepare(&state, c->to, sql, e);
}

static const char *const attempt_sql[3] = {"SELECT {$c|, }, attempt FROM attempts" CHOSEN
                                           " ORDER BY " SQL_BEGAN,
                                           "INSERT INTO attempts ({$c|, }) VALUES ({$p|, })", NULL};

static int attempts_open(struct copying *c, struct error *e) {
    struct attempt_pipe *a = &c->attempts;
    if (pipe_open(&a->p, c, "attempts", attempt_sql, e) ||
        !(a->same = prepare_same(c, &a->p.columns, e)) ||
        !(a->agree = prepare_agree(c, &a->p.columns, e)) ||
        !(a->later = prepare_later(c, &a->p.columns, e)))
        return -1;
    for (int i = 0; i < OF_ATTEMPTS; i++) {
        char sql[3][256];
        snprintf(sql[0], sizeof *sql, "SELECT {$c|, } FROM %s WHERE attempt = ?1 ORDER BY {$c|, }",
                 of_attempts[i]);
        snprintf(sql[1], sizeof *sql,
                 "INSERT INTO %s (attempt, {$c|, }) VALUES (?1, {$p|, }) ON CONFLICT DO NOTHING",
                 of_attempts[i]);
        snprintf(sql[2], sizeof *sql, "SELECT 1 FROM %s WHERE attempt = ?1 AND {$c IS $p| AND }",
                 of_attempts[i]);
        if (pipe_open(&c->of_attempt[i], c, of_attempts[i],
                      (const char *const[3]){sql[0], sql[1], sql[2]}, e))
            return -1;
    }
    return 0;
}

static void attempts_close(struct copying *c) {
    pipe_close(&c->attempts.p);
    sqlite3_finalize(c->attempts.same);
    sqlite3_finalize(c->attempts.agree);
    sqlite3_finalize(c->attempts.later);
    for (int i = 0; i < OF_ATTEMPTS; i++)
        pipe_close(&c->of_attempt[i]);
}

/* Of the attempt that is being read. */
static int other_attempt(struct copying *c, const char *what, struct error *e) {
    const struct pipe *p = &c->attempts.p;
    return fail_at(
        e, c->from->path, 0,
        "the attempt of run %.12s that process %lld of %.64s began has other %s here than "
        "in %s: one of the files was changed",
        sql_text(p->read, parameter_of(&p->columns, "run_id") - 2),
        (long long)sqlite3_column_int64(p->read, parameter_of(&p->columns, "pid") - 2),
        sql_text(p->read, parameter_of(&p->columns, "host") - 2), what, c->to->path);
}

/* The same attempt at two moments. */
static int join_states(struct copying *c, int64_t attempt, struct error *e) {
    struct attempt_pipe *a = &c->attempts;
    columns_bind(&a->p.columns, a->agree, a->p.read);
    columns_bind(&a->p.columns, a->later, a->p.read);
    sqlite3_bind_int64(a->agree, 1, attempt);
    sqlite3_bind_int64(a->later, 1, attempt);
    int got = sql_step(c->to, a->agree, e), agree = got == 1 && sqlite3_column_int(a->agree, 0);
    sqlite3_reset(a->agree);
    if (got != 1)
        return -1;
    return agree ? step_once(c->to, a->later, e) : other_attempt(c, "ends", e);
}

static int join_attempt(struct copying *c, int64_t *attempt, struct error *e) {
    struct attempt_pipe *a = &c->attempts;
    columns_bind(&a->p.columns, a->same, a->p.read);
    int got = sql_step(c->to, a->same, e), same = got == 1 && sqlite3_column_int(a->same, 1);
    *attempt = got == 1 ? sqlite3_column_int64(a->same, 0) : 0;
    sqlite3_reset(a->same);
    if (got < 0)
        return -1;
    if (got)
        return same ? join_states(c, *attempt, e) : other_attempt(c, "words", e);
    columns_bind(&a->p.columns, a->p.write, a->p.read);
    if (step_once(c->to, a->p.write, e))
        return -1;
    *attempt = sqlite3_last_insert_rowid(c->to->db);
    c->copied->attempts++;
    return 0;
}

/* A row that is there has to be the same in all it says. */
static int copy_one_of_attempt(struct copying *c, int i, int64_t attempt, struct error *e) {
    struct pipe *p = &c->of_attempt[i];
    columns_bind(&p->columns, p->write, p->read);
    sqlite3_bind_int64(p->write, 1, attempt);
    if (step_once(c->to, p->write, e))
        return -1;
    if (sqlite3_changes(c->to->db))
        return 0;
    columns_bind(&p->columns, p->find, p->read);
    sqlite3_bind_int64(p->find, 1, attempt);
    int got = sql_step(c->to, p->find, e);
    sqlite3_reset(p->find);
    return got > 0 ? 0 : got ? -1 : other_attempt(c, of_attempts[i], e);
}

static int copy_of_attempt(struct copying *c, int i, int64_t there, int64_t attempt,
                           struct error *e) {
    struct pipe *p = &c->of_attempt[i];
    sqlite3_bind_int64(p->read, 1, there);
    int got, status = 0;
    while (!status && (got = sql_step(c->from, p->read, e)) == 1)
        status = copy_one_of_attempt(c, i, attempt, e);
    sqlite3_reset(p->read);
    return status || got < 0 ? -1 : 0;
}

static int copy_attempt(struct copying *c, struct error *e) {
    struct pipe *p = &c->attempts.p;
    int64_t attempt;
    int status = join_attempt(c, &attempt, e);
    if (!status && c->met)
        status = c->met(c->context, attempt, e);
    for (int i = 0; i < OF_ATTEMPTS && !status; i++)
        status = copy_of_attempt(c, i, sqlite3_column_int64(p->read, p->columns.n), attempt, e);
    return status;
}

static int copy_attempts(struct copying *c, struct error *e) {
    int got = 0, status = attempts_open(c, e);
    while (!status && (got = sql_step(c->from, c->attempts.p.read, e)) == 1)
        status = copy_attempt(c, e);
    attempts_close(c);
    return status || got < 0 ? -1 : 0;
}

int copy_rows(struct store *to, struct store *from, const char *grid,
              int (*met)(void *context, int64_t attempt, struct error *e), void *context,
              struct copied *copied, struct error *e) {
    struct copying c = {.to = to, .from = from, .copied = copied, .met = met, .context = context};
    *copied = (struct copied){0};
    int status = copy_runs(&c, e) || copy_attempts(&c, e) ? -1 : 0;
    for (size_t i = 0; i < sizeof plain_tables / sizeof *plain_tables && !status; i++)
        status = copy_plain(&c, (int)i, grid, e);
    return status;
}
