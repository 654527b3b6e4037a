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
                     struct plan *plan) {
    *ev = (struct evaluator){.spec = spec,
                             .data = data,
                             .engine = engine,
                             .m = m,
                             .frozen = frozen,
                             .plan = plan,
                             .epoch = (int)spec->epochs};
    size_t batch = (size_t)spec->batch;
    uint32_t evaluated = spec_evaluated_images(spec, data),
             train = spec_training_images(spec, data);
    ev->rows = need((size_t)spec->bits.n * 2, sizeof *ev->rows);
    ev->weights = need_aligned(model_largest_weights(m), sizeof(float));
    ev->probabilities = need(batch * (size_t)m->cfg->classes, sizeof(float));
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
    free(ev->probabilities);
    free(ev->order);
    free(ev->evaluated);
    free(ev->training);
}

static struct pass pass_at(const struct evaluator *ev, enum pass_mode mode, int bank, int k) {
    return (struct pass){.mode = mode, .bank = bank, .act_bits = spec_act_bits(ev->spec, k)};
}

/* Scale and shift of every norm's bank of width k into the spare one. Its statistics come from
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

static int plan(void *context, struct batch_request *r, uint32_t *order) {
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
                                              .plan = plan,
                                              .context = round});
}

static int stops(const struct evaluator *ev) {
    return ev->is_to_stop && ev->is_to_stop(ev->context);
}

/* Plain mean over batches: batch i enters with momentum 1 / (i + 1). Wraps around a small data set.
 * Sets the bank. 1: was stopped. */
static int calibrate(struct evaluator *ev, int k, int *bank, struct error *e) {
    uint32_t n = spec_training_images(ev->spec, ev->data), batch = (uint32_t)ev->spec->batch;
    memcpy(ev->order, ev->training, n * sizeof *ev->order);
    copy_bank(ev->m, model_bank(ev->m, k));
    struct pass pass = pass_at(ev, PASS_CALIBRATE, ev->m->spare, k);
    struct round round = {.ev = ev,
                          .split = SPLIT_TRAIN,
                          .batch = batch,
                          .images = n / batch * batch,
                          .left = ev->spec->calibration};
    struct batch b;
    int rc = 0;
    start_round(&round);
    for (int i = 0; i < ev->spec->calibration && !rc; i++) {
        rc = loader_next(round.loader, &b, e);
        pass.momentum = 1 / (float)(i + 1);
        if (!rc)
            ev->engine->forward(ev->plan, &pass, b.images, (int)b.n);
        rc = rc ? rc : stops(ev);
    }
    loader_stop(round.loader);
    *bank = ev->m->spare;
    return rc;
}

static void count(struct evaluation_row *row, int n, int classes, const float *logits,
                  const uint16_t *labels) {
    row->images += n;
    row->loss_sum += cross_entropy_labels(n, classes, logits, labels);
    for (int i = 0; i < n; i++, logits += classes) {
        row->correct1 += is_in_top(logits, classes, labels[i], 1);
        row->correct5 += is_in_top(logits, classes, labels[i], 5);
    }
}

/* The width that the bank belongs to; 0: to all. */
static int bank_width(const struct evaluator *ev, int k) {
    return ev->spec->norm_bank == BANK_SHARED ? 0 : ev->m->widths.bits[model_bank(ev->m, k)];
}

static struct evaluation_row row_of(const struct evaluator *ev, const struct pass *pass, int k,
                                    int calibration) {
    int exact = exact_covers(&ev->exact, k, pass->act_bits);
    return (struct evaluation_row){.epoch = ev->epoch,
                                   .split = split_name(ev->spec),
                                   .bits = k,
                                   .act_bits = pass->act_bits,
                                   .stored_bits = (int)ev->spec->stored_bits,
                                   .bank = bank_width(ev, k),
                                   .inference = ev->frozen ? "truncated" : "direct",
                                   .calibration_batches = calibration,
                                   .precision = exact ? exact_precision(&ev->exact) : "fp32"};
}

/* The evaluated split through the network as it is set up, the last partial batch included. 1: was
 * stopped. */
static int count_all(struct evaluator *ev, const struct pass *pass, int exact,
                     struct evaluation_row *row, struct error *e) {
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
        const float *logits = exact ? exact_forward(&ev->exact, pass, b.images, (int)b.n)
                                    : ev->engine->forward(ev->plan, pass, b.images, (int)b.n);
        count(row, (int)b.n, ev->m->cfg->classes, logits, b.labels);
        rc = stops(ev) && i < batches - 1; // what is complete is not thrown away
    }
    loader_stop(round.loader);
    return rc;
}

/* Whether it need not be measured: it is recorded, or was measured before and is appended. */
static int is_there(struct evaluator *ev, int k, int calibration) {
    struct pass pass = pass_at(ev, PASS_EVALUATE, 0, k);
    struct evaluation_row row = row_of(ev, &pass, k, calibration);
    row.images = spec_evaluated_images(ev->spec, ev->data);
    if (ev->is_recorded && ev->is_recorded(ev->context, &row))
        return 1;
    if (!ev->recall || !ev->recall(ev->context, &row))
        return 0;
    ev->rows[ev->n++] = row;
    return 1;
}

/* 1: was stopped; nothing is appended. */
static int measure(struct evaluator *ev, int k, int bank, int calibration, struct error *e) {
    struct pass pass = pass_at(ev, PASS_EVALUATE, bank, k);
    struct evaluation_row *row = &ev->rows[ev->n];
    *row = row_of(ev, &pass, k, calibration);
    int rc = count_all(ev, &pass, exact_covers(&ev->exact, k, pass.act_bits), row, e);
    if (rc)
        return rc;
    if (!isfinite(row->loss_sum) && !ev->any_loss)
        return fail(e, "the %s loss at %d bits on the %s split is not finite", row->inference, k,
                    row->split);
    ev->n++;
    if (ev->keep)
        ev->keep(ev->context, row);
    return 0;
}

/* 1: was stopped. */
static int measure_calibrated(struct evaluator *ev, int k, struct error *e) {
    int bank, rc = calibrate(ev, k, &bank, e);
    return rc ? rc : measure(ev, k, bank, (int)ev->spec->calibration, e);
}

int evaluator_width(struct evaluator *ev, int k, struct error *e) {
    int exact = exact_covers(&ev->exact, k, spec_act_bits(ev->spec, k));
    if (exact)
        exact_set_weights(&ev->exact, k); // which decide the precision, and so what is recorded
    int plain = !is_there(ev, k, 0);
    if (plain && !exact)
        load_plan(ev->m, ev->frozen, ev->engine, ev->plan, k, ev->weights);
    int rc = plain ? measure(ev, k, model_bank(ev->m, k), 0, e) : 0;
    if (!rc && evaluation_calibrates(ev->spec, ev->m->scheme, k) &&
        !is_there(ev, k, (int)ev->spec->calibration)) {
        if (exact || !plain)
            load_plan(ev->m, ev->frozen, ev->engine, ev->plan, k, ev->weights);
        rc = measure_calibrated(ev, k, e);
    }
    return rc < 0 ? -1 : 0;
}
