/* A database that is made in memory and put into its place as a whole: what is killed while it
 * makes one leaves none. */
#include "store/merge/draft.h"

#include "base/file.h"
#include "store/sql.h"

struct store *store_draft(const char *path, struct error *e) {
    struct store *s = need(1, sizeof *s);
    int status;
    if (snprintf(s->path, sizeof s->path, "%s", path) >= (int)sizeof s->path)
        status = fail(e, "%.64s...: the name is too long", path);
    else
        status = store_check_place(s, STORE_WRITE, e);
    if (!status)
        status = store_connect(s, ":memory:", SQLITE_OPEN_READWRITE, e) ||
                 sql_run(s, "PRAGMA foreign_keys = ON", e) || sql_begin(s, e) ||
                 sql_end(s, store_bring_up_to_date(s, e), e);
    if (!status)
        return s;
    store_close(s);
    return NULL;
}

int store_draft_write(struct store *s, struct error *e) {
    sqlite3_int64 size;
    // Without what rows held before they were changed.
    if (sql_run(s, "VACUUM", e))
        return -1;
    unsigned char *bytes = sqlite3_serialize(s->db, "main", &size, 0);
    if (!bytes)
        return fail_at(e, s->path, 0, "does not fit into memory; end other programs");
    int status = file_create(s->path, bytes, (size_t)size, e);
    sqlite3_free(bytes);
    return status;
}
