/* The training step and the position in a run; trainer.h is the manual. */
#include "train/trainer.h"

#include "base/progress.h"
#include "engine/load.h"
#include "quant/kurtosis.h"
#include "quant/layer.h"
#include "train/loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int trainer_start(struct trainer *t, const struct spec *spec, const struct dataset *data,
                  struct model *m, const struct engine *engine, struct program *program,
                  struct error *e) {
    uint32_t images = spec_training_images(spec, data);
    if (images < (uint32_t)spec->batch)
        return fail(e,
                    "%s has %u training images, fewer than a batch of %ld; use a smaller batch, or "
                    "more images",
                    data->name, images, spec->batch);
    *t = (struct trainer){.spec = spec,
                          .data = data,
                          .m = m,
                          .engine = engine,
                          .program = program,
                          .optimizer = optimizer_new(m, spec),
                          .steps_per_epoch = images / spec->batch,
                          .team = engine_team(engine)};
    if (spec->align > 0 && m->n_quantized) // B, N and the rounder are all layers' alike
        agreement_make(&t->agreement, &m->quantized[0].layer);
    size_t scores = (size_t)spec->batch * (size_t)m->cfg->classes;
    t->rows = need((size_t)spec->epochs * WIDTHS_MAX, sizeof *t->rows);
    t->weights = need_aligned(model_largest_weights(m), sizeof(float));
    t->d_logits = need(scores, sizeof(float));
    for (int b = 0; b < m->widths.n; b++)
        t->probabilities[b] = need(scores, sizeof(float));
    engine_upload(engine, program, ENGINE_ALL);
    return 0;
}

void trainer_moved(struct trainer *t) {
    feed_stop(t->feed);
    t->feed = NULL;
    engine_upload(t->engine, t->program, ENGINE_ALL);
}

void trainer_free(struct trainer *t) {
    feed_stop(t->feed);
    optimizer_free(&t->optimizer);
    free(t->rows);
    free(t->weights);
    free(t->d_logits);
    for (int b = 0; b < WIDTHS_MAX; b++)
        free(t->probabilities[b]);
}

int trainer_is_done(const struct trainer *t) {
    return t->epoch >= t->spec->epochs;
}

static int64_t steps_taken(const struct trainer *t) {
    return t->epoch * t->steps_per_epoch + t->step;
}

static int64_t all_steps(const struct trainer *t) {
    return t->spec->epochs * t->steps_per_epoch;
}

double trainer_progress(const struct trainer *t) {
    return (double)steps_taken(t) / (double)all_steps(t);
}

/* dL/dŴ of every layer back to its latent weights, added to what other widths left there. */
static void gather_gradients(struct trainer *t, int k) {
    struct model *m = t->m;
    for (int i = 0; i < m->n_nodes; i++) {
        const struct node *n = &m->nodes[i];
        if (n->weights < 0)
            continue;
        struct parameter *w = &m->parameters[n->weights];
        const float *g = t->engine->weight_gradient(t->program, i);
        if (n->quantized < 0) {
            for (size_t j = 0; j < w->n; j++)
                w->grad[j] += g[j];
            continue;
        }
        struct quantized_layer *q = &m->quantized[n->quantized];
        layer_backward(m->quantizer, &q->layer, w->value, quantized_params(m, q), k, g, w->grad,
                       q->params >= 0 ? m->parameters[q->params].grad : NULL);
    }
}

/* Losses on the weights themselves, whatever the width. */
static void regularize(struct trainer *t) {
    struct model *m = t->m;
    double align = t->spec->align / m->n_quantized, kurtosis = t->spec->kurtosis / m->n_quantized;
    for (int i = 0; i < m->n_quantized; i++) {
        struct quantized_layer *q = &m->quantized[i];
        struct parameter *w = &m->parameters[m->nodes[q->node].weights];
        if (m->quantizer->regularize)
            m->quantizer->regularize(&q->layer, w->value, quantized_params(m, q), w->grad,
                                     q->params >= 0 ? m->parameters[q->params].grad : NULL);
        if (align > 0)
            agreement_loss(&t->agreement, &q->layer, w->value, align, w->grad);
        if (kurtosis > 0)
            kurtosis_loss(w->n, w->value, kurtosis, w->grad);
    }
}

/* The first node whose output holds a value that is not finite. */
static int report_not_finite(struct trainer *t, int k, struct error *e) {
    char name[96] = "the loss itself";
    for (int i = 1; i < t->m->n_nodes; i++) {
        const struct node *n = &t->m->nodes[i];
        const float *out = t->engine->peek(t->program, i);
        size_t size = node_values(n) * (size_t)t->spec->batch;
        size_t at = 0;
        while (out && at < size && isfinite(out[at]))
            at++;
        if (out && at < size) {
            model_node_name(t->m, i, name, sizeof name);
            break;
        }
    }
    return fail(
        e,
        "the loss at %d bits is not finite in epoch %lld, step %lld: first seen in the output "
        "of the %s; lower learning_rate, or look at the data",
        k, (long long)t->epoch + 1, (long long)t->step + 1, name);
}

/* The width that width b learns from, or -1 for the labels. */
static int teacher(const struct trainer *t, int b) {
    int highest = t->m->widths.n - 1;
    if (b == highest || t->spec->distill == DISTILL_LABELS)
        return -1;
    return t->spec->distill == DISTILL_HIGHEST ? highest : b + 1;
}

static void count_scores(struct trainer *t, int b, const float *logits, double loss) {
    int n = (int)t->spec->batch, classes = t->m->cfg->classes;
    struct tally *tally = &t->tally[b];
    tally->loss += loss;
    tally->images += n;
    for (int i = 0; i < n; i++)
        tally->correct += is_in_top(logits + (size_t)i * (size_t)classes, classes, t->labels[i], 1);
}

/* Forward and backward of one width on the batch that is loaded. */
static int train_width(struct trainer *t, int b, struct error *e) {
    int k = t->m->widths.bits[b], n = (int)t->spec->batch, classes = t->m->cfg->classes;
    struct pass pass = {.mode = PASS_TRAIN,
                        .point = spec_point(t->spec, k, CUT_NONE),
                        .momentum = 0.1f,
                        .seed = (uint64_t)t->spec->seed,
                        .epoch = (uint64_t)t->epoch,
                        .step = (uint64_t)t->step};
    load_program(t->m, NULL, t->engine, t->program, &pass.point, t->weights);
    const float *logits = t->engine->forward(t->program, &pass, t->images, n);
    double loss = cross_entropy_labels(n, classes, logits, t->labels);
    if (!isfinite(loss))
        return report_not_finite(t, k, e);
    count_scores(t, b, logits, loss);
    softmax(n, classes, logits, t->probabilities[b]);
    float weight = t->spec->width_weight.n ? (float)t->spec->width_weight.value[b] : 1;
    int from = teacher(t, b);
    if (from < 0)
        labels_gradient(n, classes, t->probabilities[b], t->labels, weight, t->d_logits);
    else
        soft_gradient(n, classes, t->probabilities[b], t->probabilities[from], weight, t->d_logits);
    t->engine->backward(t->program, t->d_logits);
    gather_gradients(t, k);
    return 0;
}

static int load_batch(struct trainer *t, struct error *e) {
    struct batch batch;
    if (!t->feed)
        t->feed = feed_start(t->spec, t->data, t->epoch, t->step, t->m->cfg->input.c,
                             t->loaders > 0 ? t->loaders : 1);
    if (feed_next(t->feed, &batch, e))
        return -1;
    t->images = batch.images;
    t->labels = batch.labels;
    return 0;
}

void trainer_read_back(const struct trainer *t) {
    engine_download(t->engine, t->program, ENGINE_STATISTICS);
}

static void finish_epoch(struct trainer *t) {
    double rate = schedule_rate(t->spec, steps_taken(t) - 1, all_steps(t));
    for (int b = 0; b < t->m->widths.n; b++) {
        const struct tally *s = &t->tally[b];
        t->rows[t->n_rows++] = (struct epoch_row){
            .epoch = (int)t->epoch + 1,
            .bits = t->m->widths.bits[b],
            .loss = s->loss / (double)s->images,
            .accuracy = 100 * (double)s->correct / (double)s->images,
            .learning_rate = rate,
            .seconds = t->seconds,
            .images = s->images,
        };
    }
    memset(t->tally, 0, sizeof t->tally);
    t->seconds = 0;
    t->step = 0;
    t->epoch++;
    trainer_read_back(t);
}

/* All gradients of one batch. Meanwhile no weight changes. */
static int compute_gradients(struct trainer *t, struct error *e) {
    struct model *m = t->m;
    int rc = 0;
    for (int i = 0; i < m->n_parameters; i++)
        memset(m->parameters[i].grad, 0, m->parameters[i].n * sizeof(float));
    engine_upload(t->engine, t->program, ENGINE_GRADIENTS);
    for (int i = 0; i < m->n_quantized; i++) {
        struct quantized_layer *q = &m->quantized[i];
        layer_weights_stay(&q->layer, m->parameters[m->nodes[q->node].weights].value);
    }
    for (int b = m->widths.n - 1; b >= 0 && !rc; b--)
        rc = train_width(t, b, e);
    engine_download(t->engine, t->program, ENGINE_GRADIENTS);
    if (!rc)
        regularize(t);
    for (int i = 0; i < m->n_quantized; i++)
        layer_weights_change(&m->quantized[i].layer);
    return rc;
}

int trainer_step(struct trainer *t, struct error *e) {
    double start = progress_clock();
    if (load_batch(t, e))
        return -1;
    team_begin(&t->team);
    int rc = compute_gradients(t, e);
    if (!rc)
        optimizer_step(&t->optimizer, t->m, schedule_rate(t->spec, steps_taken(t), all_steps(t)));
    team_end(&t->team, 1);
    if (rc)
        return -1;
    engine_upload(t->engine, t->program, ENGINE_VALUES);
    t->seconds += progress_clock() - start;
    if (++t->step == t->steps_per_epoch)
        finish_epoch(t);
    return 0;
}
