/* Inference over the test split, or over what was held out, and calibration of batch norm;
 * evaluator.h is the manual. */
#include "evaluate/evaluator.h"

#include "data/loader.h"
#include "data/selection.h"
#include "engine/load.h"
#include "train/loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void evaluator_start(struct evaluator *ev, const struct spec *spec, const struct dataset *data,
                     struct model *m, const struct frozen *frozen, const struct engine *engine,
                     struct program *program) {
    *ev = (struct evaluator){.spec = spec,
                             .data = data,
                             .engine = engine,
                             .m = m,
                             .frozen = frozen,
                             .program = program,
                             .counting = engine_team(engine),
                             .calibrating = engine_team(engine),
                             .epoch = (int)spec->epochs};
    uint32_t evaluated = spec_evaluated_images(spec, data),
             train = spec_training_images(spec, data);
    ev->rows = need((size_t)spec->bits.n * 2, sizeof *ev->rows);
    ev->weights = need_aligned(model_largest_weights(m), sizeof(float));
    ev->order = need(evaluated > train ? evaluated : train, sizeof *ev->order);
    ev->evaluated = split_evaluated(spec, data);
    ev->training = split_calibration(spec, data);
}

int evaluator_use_exact(struct evaluator *ev, int threads, enum arithmetic arithmetic,
                        struct error *e) {
    return exact_start(&ev->exact, ev->engine, ev->m, ev->frozen, threads, arithmetic, e);
}

void evaluator_free(struct evaluator *ev) {
    exact_free(&ev->exact);
    free(ev->rows);
    free(ev->weights);
    free(ev->order);
    free(ev->evaluated);
    free(ev->training);
}

/* Scale and shift of every norm's bank of a width into the spare one. Its statistics come from
 * batches, and begin at 0: what an earlier calibration left would not quite vanish in the first
 * update, old + 1 (new - old). */
static void copy_bank(struct model *m, int from) {
    for (int i = 0; i < m->n_norms; i++) {
        struct norm *n = &m->norms[i];
        size_t size = (size_t)n->channels * sizeof(float);
        memcpy(n->scale_of[m->spare], n->scale_of[from], size);
        memcpy(n->shift_of[m->spare], n->shift_of[from], size);
        memset(n->mean[m->spare], 0, size);
        memset(n->variance[m->spare], 0, size);
    }
}

/* Batches of a split in the order of ev->order, over and over. */
struct round {
    const struct evaluator *ev;
    enum split split;
    uint32_t batch;      // images of one, at most
    uint32_t images, at; // go through the first so many, from this place on
    long left;           // batches to come
    struct loader *loader;
};

static int request_round_batch(void *context, struct batch_request *r, uint32_t *order) {
    struct round *round = context;
    uint32_t left = round->images - round->at;
    if (!round->left--)
        return 0;
    r->split = round->split;
    r->n = left < round->batch ? left : round->batch;
    memcpy(order, round->ev->order + round->at, r->n * sizeof *order);
    round->at = (round->at + r->n) % round->images;
    return 1;
}

static void start_round(struct round *round) {
    const struct evaluator *ev = round->ev;
    round->loader =
        loader_start(&(struct loader_options){.data = ev->data,
                                              .batch = round->batch,
                                              .channels = ev->m->cfg->input.c,
                                              .threads = ev->loaders > 0 ? ev->loaders : 1,
                                              .request = request_round_batch,
                                              .context = round});
}

static int stops(const struct evaluator *ev) {
    return ev->is_to_stop && ev->is_to_stop(ev->context);
}

static const float *forward(struct evaluator *ev, struct team *team, const struct pass *pass,
                            const struct batch *b) {
    team_begin(team);
    const float *logits = ev->engine->forward(ev->program, pass, b->images, (int)b->n);
    team_end(team, b->n);
    return logits;
}

/* Plain mean over the point's batches: batch i enters with momentum 1 / (i + 1). Wraps around a
 * small data set. 1: was stopped. */
static int calibrate(struct evaluator *ev, const struct point *point, struct error *e) {
    uint32_t n = spec_training_images(ev->spec, ev->data), batch = (uint32_t)ev->spec->batch;
    memcpy(ev->order, ev->training, n * sizeof *ev->order);
    copy_bank(ev->m, model_bank(ev->m, point->bank));
    engine_upload(ev->engine, ev->program, ENGINE_VALUES | ENGINE_STATISTICS);
    struct pass pass = {.mode = PASS_CALIBRATE, .point = *point};
    struct round round = {.ev = ev,
                          .split = SPLIT_TRAIN,
                          .batch = batch,
                          .images = n / batch * batch,
                          .left = point->calibration};
    struct batch b;
    int rc = 0;
    start_round(&round);
    for (int i = 0; i < point->calibration && !rc; i++) {
        rc = loader_next(round.loader, &b, e);
        pass.momentum = 1 / (float)(i + 1);
        if (!rc)
            forward(ev, &ev->calibrating, &pass, &b);
        rc = rc ? rc : stops(ev);
    }
    loader_stop(round.loader);
    engine_download(ev->engine, ev->program, ENGINE_STATISTICS);
    return rc;
}

static void count_batch(struct evaluation_row *row, int n, int classes, const float *logits,
                        const uint16_t *labels) {
    row->images += n;
    row->loss_sum += cross_entropy_labels(n, classes, logits, labels);
    for (int i = 0; i < n; i++, logits += classes) {
        row->correct1 += is_in_top(logits, classes, labels[i], 1);
        row->correct5 += is_in_top(logits, classes, labels[i], 5);
    }
}

static struct evaluation_row row_of(const struct evaluator *ev, const struct point *point) {
    return (struct evaluation_row){
        .epoch = ev->epoch, .split = split_name(ev->spec), .point = *point};
}

/* The evaluated split through the network as it is set up, the last partial batch included. 1: was
 * stopped. */
static int count_all(struct evaluator *ev, struct evaluation_row *row, struct error *e) {
    struct pass pass = {.mode = PASS_EVALUATE, .point = row->point};
    int exact = exact_covers(&ev->exact, &row->point);
    uint32_t n = spec_evaluated_images(ev->spec, ev->data), batch = (uint32_t)ev->spec->batch;
    if (exact && batch > (uint32_t)ev->exact.batch)
        batch = (uint32_t)ev->exact.batch;
    long batches = (long)((n + batch - 1) / batch);
    struct round round = {
        .ev = ev, .split = split_source(ev->spec), .batch = batch, .images = n, .left = batches};
    struct batch b;
    int rc = 0;
    memcpy(ev->order, ev->evaluated, n * sizeof *ev->order);
    start_round(&round);
    for (long i = 0; i < batches && !rc; i++) {
        if ((rc = loader_next(round.loader, &b, e)))
            break;
        const float *logits = exact ? exact_forward(&ev->exact, &row->point, b.images, (int)b.n)
                                    : forward(ev, &ev->counting, &pass, &b);
        count_batch(row, (int)b.n, ev->m->cfg->classes, logits, b.labels);
        rc = stops(ev) && i < batches - 1; // what is complete is not thrown away
    }
    loader_stop(round.loader);
    return rc;
}

/* Whether it need not be measured: it is recorded, or was measured before and is appended. */
static int is_there(struct evaluator *ev, const struct point *point) {
    struct evaluation_row row = row_of(ev, point);
    row.images = spec_evaluated_images(ev->spec, ev->data);
    if (ev->is_recorded && ev->is_recorded(ev->context, &row))
        return 1;
    if (!ev->recall || !ev->recall(ev->context, &row))
        return 0;
    ev->rows[ev->n++] = row;
    return 1;
}

static int fail_loss(const struct evaluation_row *row, struct error *e) {
    char bits[POINT_BITS];
    point_print_bits(&row->point, bits, sizeof bits);
    return fail(e, "the %s loss at %s bits on the %s split is not finite",
                cut_names[row->point.cut], bits, row->split);
}

/* 1: was stopped; nothing is appended. */
static int measure_point(struct evaluator *ev, const struct point *point, struct error *e) {
    struct evaluation_row *row = &ev->rows[ev->n];
    *row = row_of(ev, point);
    int rc = count_all(ev, row, e);
    if (rc)
        return rc;
    if (!isfinite(row->loss_sum) && !ev->any_loss)
        return fail_loss(row, e);
    ev->n++;
    if (ev->keep)
        ev->keep(ev->context, row);
    return 0;
}

/* 1: was stopped. */
static int measure_calibrated(struct evaluator *ev, const struct point *point, struct error *e) {
    int rc = calibrate(ev, point, e);
    exact_upload(&ev->exact, ENGINE_VALUES | ENGINE_STATISTICS);
    return rc ? rc : measure_point(ev, point, e);
}

static void load_point(struct evaluator *ev, const struct point *point) {
    load_program(ev->m, ev->frozen, ev->engine, ev->program, point, ev->weights);
}

int evaluator_calibrate(struct evaluator *ev, int k, struct error *e) {
    struct point point = spec_point(ev->spec, k, ev->frozen ? CUT_WEIGHTS : CUT_NONE);
    point.calibration = (int)ev->spec->calibration;
    load_point(ev, &point);
    return calibrate(ev, &point, e);
}

int evaluator_width(struct evaluator *ev, int k, struct error *e) {
    struct point point = spec_point(ev->spec, k, ev->frozen ? CUT_WEIGHTS : CUT_NONE);
    int exact = exact_covers(&ev->exact, &point);
    if (exact) { // the weights decide the arithmetic, and so what is recorded
        exact_set_weights(&ev->exact, &point);
        point_set_arithmetic(&point, exact_arithmetic(&ev->exact));
    }
    int plain = !is_there(ev, &point);
    if (plain && !exact)
        load_point(ev, &point);
    int rc = plain ? measure_point(ev, &point, e) : 0;
    if (rc || !evaluation_calibrates(ev->spec, ev->m->quantizer, k))
        return rc < 0 ? -1 : 0;
    point.calibration = (int)ev->spec->calibration;
    if (is_there(ev, &point))
        return 0;
    if (exact || !plain)
        load_point(ev, &point);
    return measure_calibrated(ev, &point, e) < 0 ? -1 : 0;
}
