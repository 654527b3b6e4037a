/* Checkpoints; checkpoint.h is the manual. */
#include "train/checkpoint.h"

#include "base/sealed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char magic[8] = "TQCKPT01", head_magic[8] = "TQHEAD01";
static const char remedy[] = "restore it from a copy, or remove it to train the run from its start";

static const char quantizer_word[] = ", quantizer ";

void numerics_text(const struct numerics *n, char *text, size_t size) {
    snprintf(text, size, "%s, %s, %d thread(s), %s, %s, sources %.12s%s%.*s", n->engine,
             n->precision, n->threads, n->isa, n->libraries, n->sources,
             n->fingerprint[0] ? quantizer_word : "", QUANTIZER_DIGITS, n->fingerprint);
}

static void write_position(struct seal *s, const struct trainer *t) {
    seal_i64(s, t->epoch);
    seal_i64(s, t->step);
    seal_f64(s, t->seconds);
    seal_bytes(s, t->tally, sizeof t->tally);
    seal_i64(s, t->n_rows);
    seal_bytes(s, t->rows, (size_t)t->n_rows * sizeof *t->rows);
    seal_i64(s, t->optimizer.t);
}

static void write_model(struct seal *s, const struct trainer *t) {
    const struct optimizer *o = &t->optimizer;
    seal_i64(s, t->m->n_parameters);
    for (int i = 0; i < t->m->n_parameters; i++) {
        const struct parameter *p = &t->m->parameters[i];
        seal_i64(s, (int64_t)p->n);
        seal_bytes(s, p->value, p->n * sizeof(float));
        seal_bytes(s, o->m[i], p->n * sizeof(float));
        if (o->v)
            seal_bytes(s, o->v[i], p->n * sizeof(float));
    }
    for (int i = 0; i < t->m->n_norms; i++)
        for (int b = 0; b < t->m->widths.n; b++) {
            const struct norm *n = &t->m->norms[i];
            seal_bytes(s, n->mean[b], (size_t)n->channels * sizeof(float));
            seal_bytes(s, n->variance[b], (size_t)n->channels * sizeof(float));
        }
}

int checkpoint_write(const char *path, const char *run_id, const struct numerics *numerics,
                     const struct trainer *t, char hash[HASH_HEX], struct error *e) {
    struct seal s;
    char text[NUMERICS_TEXT];
    if (seal_start(&s, magic, e))
        return -1;
    numerics_text(numerics, text, sizeof text);
    trainer_read_back(t);
    seal_text(&s, run_id);
    seal_text(&s, text);
    write_position(&s, t);
    write_model(&s, t);
    return seal_write(&s, path, hash, e);
}

/* Only what differs: both texts without the parts that they begin with alike. */
static size_t common_parts(const char *a, const char *b) {
    size_t common = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == ' ' && i && a[i - 1] == ',')
            common = i + 1;
    return common;
}

static int check_run(const char *id, const char *path, const char *run_id, struct error *e) {
    if (!strcmp(id, run_id))
        return 0;
    return fail_at(e, path, 0,
                   "belongs to run %.12s, not %.12s; put the right one back, or remove it", id,
                   run_id);
}

/* Whose checkpoint it is, and computed how. */
static int check_head(struct opened *o, const char *path, const char *run_id,
                      const struct numerics *numerics, int any_numerics, struct error *e) {
    char now[NUMERICS_TEXT];
    numerics_text(numerics, now, sizeof now);
    char *id = opened_text(o), *then = opened_text(o);
    if (!check_run(id, path, run_id, e) && strcmp(then, now) && !any_numerics)
        fail_at(e, path, 0,
                "was computed with %s; now it is %s, so the bits would differ: go on as before, or "
                "allow it with --other-numerics",
                then + common_parts(then, now), now + common_parts(then, now));
    free(id);
    free(then);
    return e->text[0] ? -1 : 0;
}

/* A position that training comes to, with the rows and steps that belong to it. */
static int position_fits(const struct trainer *t, int64_t rows) {
    int64_t epochs = t->spec->epochs, steps = t->steps_per_epoch;
    return t->epoch >= 0 && t->epoch <= epochs && t->step >= 0 && t->step < steps &&
           (t->epoch < epochs || t->step == 0) && rows == t->epoch * t->m->widths.n;
}

static void read_position(struct opened *o, struct trainer *t) {
    t->epoch = opened_i64(o);
    t->step = opened_i64(o);
    t->seconds = opened_f64(o);
    opened_bytes(o, t->tally, sizeof t->tally);
    int64_t rows = opened_i64(o);
    if (!position_fits(t, rows)) {
        o->bad = 1;
        t->epoch = t->step = rows = 0;
    }
    t->n_rows = (int)rows;
    opened_bytes(o, t->rows, (size_t)rows * sizeof *t->rows);
    t->optimizer.t = opened_i64(o);
    o->bad |= t->optimizer.t != t->epoch * t->steps_per_epoch + t->step;
}

static void read_model(struct opened *o, struct trainer *t) {
    struct optimizer *opt = &t->optimizer;
    o->bad |= opened_i64(o) != t->m->n_parameters;
    for (int i = 0; !o->bad && i < t->m->n_parameters; i++) {
        struct parameter *p = &t->m->parameters[i];
        o->bad |= opened_i64(o) != (int64_t)p->n;
        opened_bytes(o, p->value, p->n * sizeof(float));
        opened_bytes(o, opt->m[i], p->n * sizeof(float));
        if (opt->v)
            opened_bytes(o, opt->v[i], p->n * sizeof(float));
    }
    for (int i = 0; i < t->m->n_norms; i++)
        for (int b = 0; b < t->m->widths.n; b++) {
            struct norm *n = &t->m->norms[i];
            opened_bytes(o, n->mean[b], (size_t)n->channels * sizeof(float));
            opened_bytes(o, n->variance[b], (size_t)n->channels * sizeof(float));
        }
}

int checkpoint_read(const char *path, const char *run_id, const struct numerics *numerics,
                    int any_numerics, struct trainer *t, char hash[HASH_HEX], struct error *e) {
    struct opened o;
    if (opened_start(&o, path, magic, "checkpoint", remedy, e))
        return -1;
    if (hash)
        opened_hash(&o, hash);
    if (!check_head(&o, path, run_id, numerics, any_numerics, e)) {
        read_position(&o, t);
        read_model(&o, t);
        trainer_moved(t);
        if (o.bad || o.left)
            fail_at(e, path, 0, "does not fit the run's network; %s", remedy);
    }
    opened_free(&o);
    return e->text[0] ? -1 : 0;
}

/* ---- heads ---- */

static int is_head(const char *path) {
    char start[sizeof head_magic];
    struct stat st;
    if (stat(path, &st) || !S_ISREG(st.st_mode)) // a pipe would be waited for
        return 0;
    FILE *in = fopen(path, "rbe");
    int is = in && fread(start, sizeof start, 1, in) == 1 &&
             !memcmp(start, head_magic, sizeof head_magic);
    if (in)
        fclose(in);
    return is;
}

/* A checkpoint, or a head, which begins alike. */
static int open_either(struct opened *o, const char *path, int *head, struct error *e) {
    *head = is_head(path);
    return opened_start(o, path, *head ? head_magic : magic, "checkpoint", remedy, e);
}

int checkpoint_write_head(const char *path, const char *head, const char *run_id,
                          const char frozen[HASH_HEX], struct error *e) {
    struct seal s;
    char hash[HASH_HEX];
    char *numerics = checkpoint_numerics(path, run_id, hash, e);
    int rc = numerics ? seal_start(&s, head_magic, e) : -1;
    if (!rc) {
        seal_text(&s, run_id);
        seal_text(&s, numerics);
        seal_text(&s, hash);
        seal_text(&s, frozen);
        rc = seal_write(&s, head, NULL, e);
    }
    free(numerics);
    return rc;
}

/* Behind whose it is and how it was computed. */
static void read_hash(struct opened *o, char hash[HASH_HEX]) {
    char *text = opened_text(o);
    snprintf(hash, HASH_HEX, "%s", text);
    free(text);
}

int checkpoint_read_head(const char *head, const char *run_id, char frozen[HASH_HEX],
                         struct error *e) {
    struct opened o;
    if (opened_start(&o, head, head_magic, "head of a checkpoint", "bring a copy of it back", e))
        return -1;
    char *id = opened_text(&o), *numerics = opened_text(&o);
    int rc = check_run(id, head, run_id, e);
    read_hash(&o, frozen); // the checkpoint's
    read_hash(&o, frozen);
    free(id);
    free(numerics);
    opened_free(&o);
    return rc;
}

int checkpoint_differs(const char *path, const char *run_id, const struct numerics *numerics,
                       struct error *e) {
    struct opened o;
    struct error ignored = {0};
    int head;
    if (open_either(&o, path, &head, &ignored))
        return 0;
    struct opened again = o;
    int own = !check_head(&o, path, run_id, numerics, 1, &ignored);
    int differs = own && check_head(&again, path, run_id, numerics, 0, e);
    opened_free(&o);
    return differs;
}

char *checkpoint_numerics(const char *path, const char *run_id, char hash[HASH_HEX],
                          struct error *e) {
    struct opened o;
    int head;
    if (open_either(&o, path, &head, e))
        return NULL;
    if (hash)
        opened_hash(&o, hash);
    char *id = opened_text(&o), *numerics = opened_text(&o);
    if (hash && head)
        read_hash(&o, hash);
    if (check_run(id, path, run_id, e)) {
        free(numerics);
        numerics = NULL;
    }
    free(id);
    opened_free(&o);
    return numerics;
}

void checkpoint_quantizer(const char *path, const char *run_id, char digits[QUANTIZER_DIGITS + 1]) {
    struct error ignored = {0};
    char *numerics = checkpoint_numerics(path, run_id, NULL, &ignored);
    const char *word = numerics ? strstr(numerics, quantizer_word) : NULL;
    snprintf(digits, QUANTIZER_DIGITS + 1, "%s", word ? word + strlen(quantizer_word) : "");
    free(numerics);
}
