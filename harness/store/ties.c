/* What ties a database to the files that its runs left: store.h is the manual, run/folder.h has the
 * files. */
#include "store/sql.h"

#include <stdio.h>

int store_record_weights(struct store *s, int64_t attempt, const char hash[HASH_HEX],
                         struct error *e) {
    sqlite3_stmt *q = sql_prepare(
        s, "UPDATE attempts SET weights_hash = ?2 WHERE attempt = ?1 AND outcome IS NULL", e);
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, attempt);
    sqlite3_bind_text(q, 2, hash, -1, SQLITE_STATIC);
    int status = sql_step(s, q, e);
    sqlite3_finalize(q);
    return status;
}

/* The first text of a query whose only parameter is `id` (NULL: it has none), or "" where there is
 * none. */
static int get_text(struct store *s, const char *sql, const char *id, char *text, size_t size,
                    struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, sql, e);
    if (!q)
        return -1;
    if (id)
        sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    const unsigned char *found = got == 1 ? sqlite3_column_text(q, 0) : NULL;
    snprintf(text, size, "%s", found ? (const char *)found : "");
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

int store_counted_weights(struct store *s, const char *run_id, char hash[HASH_HEX],
                          struct error *e) {
    return get_text(s, "SELECT weights_hash FROM counted_attempts WHERE run_id = ?1", run_id, hash,
                    HASH_HEX, e);
}

int store_identity(struct store *s, char identity[STORE_IDENTITY], struct error *e) {
    identity[0] = '\0';
    return s->is_copy
               ? 0
               : get_text(s, "SELECT identity FROM identity", NULL, identity, STORE_IDENTITY, e);
}

/* Attempts that began after the run was complete evaluated it and left no checkpoint. The words are
 * those of the checkpoints of that time. */
int store_trained_before(struct store *s, const char *run_id, const char *numerics, int *can,
                         struct error *e) {
    sqlite3_stmt *q = sql_prepare(
        s,
        "SELECT EXISTS (SELECT 1 FROM attempts a, identity"
        " WHERE a.run_id = ?1 AND a.attempt <= attempts_before"
        " AND a.started_at <= coalesce((SELECT min(ended_at) FROM attempts"
        "                               WHERE run_id = ?1 AND outcome = 'complete'), a.started_at)"
        " AND coalesce(?2, '') IN ('', printf('%s, %s, %d thread(s), %s, %s, ', engine, precision,"
        "                                     threads, isa, libraries)"
        "  || CASE WHEN sources IS NULL"
        "     THEN 'commit ' || commit_id || CASE dirty WHEN 1 THEN ' with changes' ELSE '' END"
        "     ELSE 'sources ' || substr(sources, 1, 12)"
        "          || coalesce(', quantizer ' || substr(fingerprint, 1, 12), '') END))",
        e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, run_id, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, numerics, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    *can = got == 1 && sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return got == 1 ? 0 : -1;
}
