/* Removing checkpoints; clean.h is the manual. */
#include "run/clean.h"

#include "base/file.h"
#include "base/sealed.h"
#include "model/frozen.h"
#include "run/folder.h"
#include "spec/spec.h"
#include "train/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const clean_kept_names[CLEAN_KEPT] = {
    [KEPT_NOT] = "removed",
    [KEPT_NONE] = "no checkpoint, or none any more",
    [KEPT_UNFINISHED] = "not finished",
    [KEPT_BUSY] = "being computed",
    [KEPT_TAKEN] = "other schemes take its weights",
    [KEPT_UNCUT] = "no truncated results",
    [KEPT_OTHER_WEIGHTS] = "its checkpoint is not known to be of the attempt that counts",
    [KEPT_NO_FROZEN] = "no sound frozen model",
};

struct cleaning {
    struct store *store;
    const struct quantizer *const *table;
    struct run_row row;
    struct run_folder folder;
    struct error *e;
};

/* ---- what speaks against it ---- */

static int is_taken(const struct cleaning *c, const struct spec *spec) {
    for (const struct quantizer *const *q = c->table; *q; q++)
        if ((*q)->parent && !strcmp((*q)->parent, spec->scheme))
            return 1;
    return 0;
}

static int is_cut(const struct cleaning *c, const struct spec *spec) {
    const struct quantizer *q = quantizer_find(c->table, spec->scheme);
    for (int k = 1; q && k <= 8; k++)
        if (evaluation_exists(spec, q, k, 1))
            return 1;
    return 0;
}

/* What the run is says so. One whose scheme is not of this program cannot be evaluated by it. */
static enum clean_kept kept_by_spec(const struct cleaning *c) {
    struct spec spec;
    struct error ignored = {0};
    if (spec_read(&spec, c->table, c->row.spec, "specification of the run", &ignored))
        return KEPT_UNCUT;
    return is_taken(c, &spec) ? KEPT_TAKEN : is_cut(c, &spec) ? KEPT_NOT : KEPT_UNCUT;
}

/* The file is read whole: its checksum, and whose it is. */
static int has_frozen(const struct cleaning *c) {
    struct frozen f;
    struct error ignored = {0};
    char run_id[HASH_HEX], config_id[HASH_HEX];
    if (frozen_read(&f, c->folder.frozen, c->table, &ignored))
        return 0;
    spec_ids(&f.spec, c->table, f.cfg.normal, c->row.data_hash, run_id, config_id);
    frozen_free(&f);
    return !strcmp(run_id, c->row.run_id);
}

/* -1, or whether the checkpoint is that of the numbers that are recorded. */
static int is_counted(const struct cleaning *c) {
    char counted[HASH_HEX], there[HASH_HEX];
    struct error ignored = {0};
    if (store_counted_weights(c->store, c->row.run_id, counted, c->e))
        return -1;
    char *numerics = checkpoint_numerics(c->folder.checkpoint, c->row.run_id, there, &ignored);
    int is = numerics && !strcmp(counted, there);
    free(numerics);
    return is;
}

static int find_reason(const struct cleaning *c, enum clean_kept *kept) {
    enum run_state state;
    if (store_run_state(c->store, c->row.run_id, &state, c->e))
        return -1;
    if (state != RUN_DONE) {
        *kept = state == RUN_RUNNING ? KEPT_BUSY : KEPT_UNFINISHED;
        return 0;
    }
    *kept = file_exists(c->folder.checkpoint) ? kept_by_spec(c) : KEPT_NONE;
    if (*kept != KEPT_NOT)
        return 0;
    int counted = is_counted(c);
    if (counted == 1 && !has_frozen(c))
        *kept = KEPT_NO_FROZEN;
    else if (!counted)
        *kept = KEPT_OTHER_WEIGHTS;
    return counted < 0 ? -1 : 0;
}

/* ---- removing ---- */

static int remove_checkpoint(const struct cleaning *c) {
    char frozen[HASH_HEX];
    sealed_name(c->folder.frozen, frozen);
    if (checkpoint_write_head(c->folder.checkpoint, c->folder.head, c->row.run_id, frozen, c->e))
        return -1;
    if (unlink(c->folder.checkpoint))
        return fail_at(c->e, c->folder.checkpoint, 0, "cannot be removed (%s); fix its permissions",
                       strerror(errno));
    return 0;
}

/* With the lock. Another process that has it is at the run, whatever the database says. */
static int clean_locked(struct cleaning *c, enum clean_kept *kept) {
    int rc = run_folder_open(&c->folder, c->store, c->row.run_id, c->e);
    if (rc && c->e->is_busy) {
        *c->e = (struct error){0};
        *kept = KEPT_BUSY;
        return 0;
    }
    rc = rc || find_reason(c, kept) || (*kept == KEPT_NOT && remove_checkpoint(c)) ? -1 : 0;
    run_folder_close(&c->folder);
    return rc;
}

static int64_t size_of(const char *path) {
    struct stat st;
    return stat(path, &st) ? 0 : (int64_t)st.st_size;
}

/* First without a lock, which makes the folder: most runs are not touched. */
static int clean(struct cleaning *c, int dry, enum clean_kept *kept, int64_t *bytes) {
    if (run_folder_find(&c->folder, c->store, c->row.run_id, 0, c->e) || find_reason(c, kept))
        return -1;
    *bytes = size_of(c->folder.checkpoint);
    if (*kept == KEPT_NOT && dry && run_folder_is_locked(&c->folder))
        *kept = KEPT_BUSY;
    return *kept != KEPT_NOT || dry ? 0 : clean_locked(c, kept);
}

int run_clean(struct store *s, const struct quantizer *const *table, const char *run_id, int dry,
              enum clean_kept *kept, int64_t *bytes, struct error *e) {
    struct cleaning c = {.store = s, .table = table, .e = e};
    *kept = KEPT_NONE;
    *bytes = 0;
    if (store_find_run(s, run_id, &c.row, e))
        return -1;
    int rc = clean(&c, dry, kept, bytes);
    store_free_run(&c.row);
    return rc;
}
