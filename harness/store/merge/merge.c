/* Joining databases; merge.h is the manual. copy.c has the rows, contradictions.c what is looked at
 * once all are there. */
#include "store/merge/merge.h"

#include "store/merge/contradictions.h"
#include "store/merge/copy.h"

#include <sys/stat.h>

static int check_not_anonymous(struct store *s, struct error *e) {
    int64_t anonymous;
    if (sql_int(s, "SELECT max(anonymous) FROM identity", &anonymous, e))
        return -1;
    return anonymous ? fail_at(e, s->path, 0,
                               "is anonymous, so that its attempts cannot be told from those of "
                               "others; take the database that it was made from")
                     : 0;
}

static int check_readable(const char *file, struct error *e) {
    struct store *s = store_open(file, STORE_READ, e);
    int status = s ? check_not_anonymous(s, e) : -1;
    store_close(s);
    return status;
}

int merge_check(const char *path, const char *const *files, int n, struct error *e) {
    struct stat to, from;
    int is_there = !stat(path, &to);
    for (int i = 0; i < n; i++)
        if (is_there && !stat(files[i], &from) && from.st_dev == to.st_dev &&
            from.st_ino == to.st_ino)
            return fail_at(e, files[i], 0,
                           "is the database that the others are merged into; leave it out");
    for (int i = 0; i < n; i++)
        if (check_readable(files[i], e))
            return -1;
    return 0;
}

/* One of the files: what is told about it once all of them are there. */
struct merging {
    struct store *to;
    int number; // 1, 2, ...; 0 is the database that they are merged into
    struct sqlite3_stmt *note;
};

static int note_attempt(void *context, int64_t attempt, struct error *e) {
    struct merging *m = context;
    sqlite3_bind_int64(m->note, 1, attempt);
    sqlite3_bind_int(m->note, 2, m->number);
    int status = sql_step(m->to, m->note, e);
    sqlite3_reset(m->note);
    return status;
}

/* Of one moment, whatever others write to it meanwhile. */
static int copy_all(struct merging *m, struct store *from, struct merged *merged, struct error *e) {
    struct copied copied;
    if (sql_run(from,
                "BEGIN; CREATE TEMP TABLE chosen AS SELECT run_id FROM main.runs;"
                "CREATE UNIQUE INDEX temp.chosen_runs ON chosen (run_id)",
                e) ||
        copy_rows(m->to, from, NULL, note_attempt, m, &copied, e) ||
        contradictions_note_data(m->to, from, m->number, e))
        return -1;
    *merged = (struct merged){copied.runs, copied.attempts, copied.excluded};
    return 0;
}

/* Runs that computed nothing and others are not mixed. */
static int check_kind(struct store *s, struct store *from, struct error *e) {
    int here, there;
    if (store_null_kind(s, &here, e) || store_null_kind(from, &there, e))
        return -1;
    if (here < 0 || there < 0 || here == there)
        return 0;
    return fail_at(e, from->path, 0,
                   there ? "has runs by engine %s, which computes nothing, and what it is merged "
                           "with has results; leave it out"
                         : "has results, and what it is merged with runs by engine %s, which "
                           "computes nothing; leave it out",
                   STORE_NULL_ENGINE);
}

static int merge_file(struct store *s, const char *file, int number, struct merged *merged,
                      struct error *e) {
    struct merging m = {s, number, NULL};
    struct store *from = store_open(file, STORE_READ, e);
    int status = from && !check_not_anonymous(from, e) && !check_kind(s, from, e) ? 0 : -1;
    if (!status && !(m.note = sql_prepare(s, contradictions_note_sql, e)))
        status = -1;
    if (!status)
        status = copy_all(&m, from, merged, e);
    sqlite3_finalize(m.note);
    store_close(from);
    return status;
}

static int merge_all(struct store *s, const char *const *files, int n, int other_data,
                     struct merged *merged, struct error *e) {
    if (check_not_anonymous(s, e) || contradictions_begin(s, e))
        return -1;
    for (int i = 0; i < n; i++)
        if (merge_file(s, files[i], i + 1, &merged[i], e))
            return -1;
    return contradictions_check(s, files, e) ||
                   (!other_data && contradictions_check_data(s, files, e))
               ? -1
               : 0;
}

int store_merge(struct store *s, const char *const *files, int n, int other_data,
                struct merged *merged, struct error *e) {
    if (sql_begin(s, e))
        return -1;
    return sql_end(s, merge_all(s, files, n, other_data, merged, e), e);
}
