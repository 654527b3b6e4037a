/* Evaluations kept until they are recorded; cells.h is the manual. A record is a number that says
 * of what, and that. */
#include "evaluate/cells.h"

#include "evaluate/evaluator.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum record { RECORD_ORIGIN = 1, RECORD_LAYERS = 3, RECORD_CELL }; // 2: as versions before wrote it
enum { LAYER_BYTES = 7 * 8 }; // of one of them, at least: six numbers, and how long its name is

static void free_row(struct evaluation_row *row) {
    free((char *)(uintptr_t)row->split);
}

/* ---- the numbers of a row ---- */

static void write_row(struct seal *s, const struct evaluation_row *r) {
    char point[POINT_TEXT];
    point_print(&r->point, point, sizeof point);
    seal_i64(s, r->epoch);
    seal_i64(s, r->images);
    seal_i64(s, r->correct1);
    seal_i64(s, r->correct5);
    seal_f64(s, r->loss_sum);
    seal_f64(s, r->mean_bits);
    seal_text(s, r->split);
    seal_text(s, point);
}

static void read_row(struct opened *o, struct evaluation_row *r) {
    struct error ignored = {0};
    r->epoch = (int)opened_i64(o);
    r->images = opened_i64(o);
    r->correct1 = opened_i64(o);
    r->correct5 = opened_i64(o);
    r->loss_sum = opened_f64(o);
    r->mean_bits = opened_f64(o);
    r->split = opened_text(o);
    char *point = opened_text(o);
    o->bad |= point_parse(&r->point, point, &ignored) != 0;
    free(point);
}

static int is_same(const struct evaluation_row *a, const struct evaluation_row *b) {
    return a->epoch == b->epoch && a->images == b->images && !strcmp(a->split, b->split) &&
           point_same(&a->point, &b->point);
}

static void write_layer(struct seal *s, const struct layer_row *r) {
    seal_i64(s, r->layer);
    seal_i64(s, r->bits);
    seal_f64(s, r->quantization_error);
    seal_f64(s, r->truncation_error);
    seal_f64(s, r->codes_differ);
    seal_f64(s, r->scale);
    seal_text(s, r->name);
}

static void read_layer(struct opened *o, struct layer_row *r) {
    r->layer = (int)opened_i64(o);
    r->bits = (int)opened_i64(o);
    r->quantization_error = opened_f64(o);
    r->truncation_error = opened_f64(o);
    r->codes_differ = opened_f64(o);
    r->scale = opened_f64(o);
    r->name = opened_text(o);
}

/* ---- reading ---- */

static struct evaluation_row *next_row(struct cells *c) {
    if (c->n == c->room) {
        struct evaluation_row *more = need((size_t)c->room * 2 + 32, sizeof *more);
        if (c->n)
            memcpy(more, c->rows, (size_t)c->n * sizeof *more);
        free(c->rows);
        c->rows = more;
        c->room = c->room * 2 + 32;
    }
    return &c->rows[c->n];
}

static void take_row(struct cells *c, struct opened *o) {
    struct evaluation_row *row = next_row(c);
    read_row(o, row);
    o->bad |= row->epoch > c->last;
    if (o->bad)
        free_row(row);
    else
        c->n++;
}

static void take_layers(struct cells *c, struct opened *o) {
    int64_t n = opened_i64(o);
    if (n < 0 || (uint64_t)n > o->left / LAYER_BYTES || c->n_layers >= 0) {
        o->bad = 1;
        return;
    }
    c->layers = need((size_t)n + 1, sizeof *c->layers);
    c->n_layers = (int)n;
    for (int i = 0; i < n; i++)
        read_layer(o, &c->layers[i]);
}

static int take_origin(struct cells *c, struct opened *o) {
    char *origin = opened_text(o);
    c->begun = !strcmp(origin, c->origin);
    free(origin);
    return c->begun ? 0 : -1;
}

/* Not 0: of another origin, or not what this program writes. */
static int take_record(void *context, struct opened *o) {
    struct cells *c = context;
    int64_t record = opened_i64(o);
    if (!c->begun)
        return record == RECORD_ORIGIN ? take_origin(c, o) : -1;
    if (record == RECORD_CELL)
        take_row(c, o);
    else if (record == RECORD_LAYERS)
        take_layers(c, o);
    else
        o->bad = 1;
    return o->bad || o->left;
}

/* What cannot be kept will be computed again if need be: no reason to end a run. */
static void give_up(struct cells *c, const struct error *why) {
    fprintf(stderr, "truncquant: note: evaluations are not kept in %s: %s\n", c->path, why->text);
    journal_close(&c->journal);
}

void cells_open(struct cells *c, const char *path, const char *origin, int last) {
    struct error e = {0};
    *c = (struct cells){
        .path = need_string(path), .origin = need_string(origin), .last = last, .n_layers = -1};
    if (journal_open(&c->journal, path, take_record, c, &e))
        give_up(c, &e);
}

void cells_close(struct cells *c) {
    if (!c->path)
        return;
    journal_close(&c->journal);
    for (int i = 0; i < c->n; i++)
        free_row(&c->rows[i]);
    free(c->rows);
    layer_rows_free(c->layers, c->n_layers);
    free(c->path);
    free(c->origin);
    *c = (struct cells){0};
}

/* ---- keeping ---- */

/* -1: nothing is kept any more. */
static int start_record(struct cells *c, struct seal *s, enum record record) {
    struct error e = {0};
    if (c->journal.fd < 0)
        return -1;
    if (journal_start(s, &e)) {
        give_up(c, &e);
        return -1;
    }
    seal_i64(s, record);
    return 0;
}

static void end_record(struct cells *c, struct seal *s) {
    struct error e = {0};
    if (journal_append(&c->journal, s, &e))
        give_up(c, &e);
}

static void begin_journal(struct cells *c) {
    struct seal s;
    if (c->begun || start_record(c, &s, RECORD_ORIGIN))
        return;
    seal_text(&s, c->origin);
    end_record(c, &s);
    c->begun = 1;
}

void cells_keep(struct cells *c, const struct evaluation_row *row) {
    struct seal s;
    struct evaluation_row *own = next_row(c);
    *own = *row;
    own->split = need_string(row->split);
    c->n++;
    begin_journal(c);
    if (start_record(c, &s, RECORD_CELL))
        return;
    write_row(&s, row);
    end_record(c, &s);
}

void cells_keep_layers(struct cells *c, const struct layer_row *rows, int n) {
    struct seal s;
    begin_journal(c);
    if (start_record(c, &s, RECORD_LAYERS))
        return;
    seal_i64(&s, n);
    for (int i = 0; i < n; i++)
        write_layer(&s, &rows[i]);
    end_record(c, &s);
}

/* ---- recalling ---- */

int cells_recall(const struct cells *c, struct evaluation_row *row) {
    for (int i = 0; i < c->n; i++)
        if (is_same(&c->rows[i], row)) {
            row->correct1 = c->rows[i].correct1;
            row->correct5 = c->rows[i].correct5;
            row->loss_sum = c->rows[i].loss_sum;
            row->mean_bits = c->rows[i].mean_bits;
            return 1;
        }
    return 0;
}

int cells_recall_layers(const struct cells *c, struct layer_row **rows) {
    if (c->n_layers < 0)
        return -1;
    *rows = need((size_t)c->n_layers + 1, sizeof **rows);
    for (int i = 0; i < c->n_layers; i++) {
        (*rows)[i] = c->layers[i];
        (*rows)[i].name = need_string(c->layers[i].name);
    }
    return c->n_layers;
}

void cells_remove(struct cells *c) {
    journal_close(&c->journal);
    unlink(c->path);
}
