/* Building a scene and drawing what is in it. */
#include "twin/scene.h"

#include "base/error.h"
#include "base/values.h"
#include "model/start.h"
#include "quant/truncquant.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRIES = 20000 };

static float between(struct random *r, float lo, float hi) {
    return lo + (hi - lo) * random_unit(r);
}

static void build(struct scene *s) {
    struct error e = {0};
    struct shape shape = {SCENE_CHANNELS, SCENE_SIDE, SCENE_SIDE};
    if (cfg_parse(&s->cfg, s->plan.cfg, strlen(s->plan.cfg), s->plan.name, shape, SCENE_CLASSES,
                  &e))
        fail_msg("%s", e.text);
    spec_defaults(&s->spec);
    s->spec.axes = s->plan.axes;
    s->spec.widths = s->plan.widths;
    s->spec.stored_bits = s->plan.stored_bits ? s->plan.stored_bits : 8;
    s->spec.projections = s->plan.projections;
    s->spec.shortcut_norm = s->plan.shortcut_norm;
    s->spec.norm_bank = s->plan.norm_bank;
    s->spec.seed = 1;
    s->model = model_build(&s->cfg, &s->spec,
                           s->plan.quantizer ? s->plan.quantizer : &quantizer_truncquant, &e);
    if (!s->model)
        fail_msg("%s", e.text);
}

static void draw_batch(struct scene *s, struct random *r) {
    size_t n = (size_t)s->plan.n * twin_size(s->cfg.input);
    s->images = need_aligned(n, sizeof *s->images);
    s->wide = need(n, sizeof *s->wide);
    s->labels = need((size_t)s->plan.n, sizeof(uint16_t));
    values_draw(r, s->images, n, -1.5f, 1.5f);
    for (size_t i = 0; i < n; i++)
        s->wide[i] = s->images[i];
    for (int i = 0; i < s->plan.n; i++)
        s->labels[i] = (uint16_t)random_below(r, SCENE_CLASSES);
}

static void draw_masks(struct scene *s, struct random *r) {
    s->mask = need((size_t)s->model->n_nodes, sizeof *s->mask);
    for (int i = 0; i < s->model->n_nodes; i++) {
        const struct node *v = &s->model->nodes[i];
        if (v->op != OP_DROPOUT)
            continue;
        size_t n = (size_t)s->plan.n * twin_size(v->shape);
        s->mask[i] = need(n, 1);
        for (size_t j = 0; j < n; j++)
            s->mask[i][j] = random_unit(r) >= v->cfg->probability;
        s->twin->mask[i] = s->mask[i];
    }
}

/* Width weights differ, so that one that is lost or taken for another is seen. */
static void set_step(struct scene *s) {
    s->step = (struct twin_step){.images = s->wide,
                                 .labels = s->labels,
                                 .distill = s->plan.distill,
                                 .align = s->plan.align,
                                 .kurtosis = s->plan.kurtosis,
                                 .momentum = .1f};
    for (int i = 0; i < s->plan.widths.n; i++) {
        int k = s->plan.widths.bits[i];
        s->step.act_bits[i] = k == FLOAT_BITS ? FLOAT_BITS : s->plan.act_bits;
        s->step.width_weight[i] = 1 - .25 * i;
    }
}

void scene_open(struct scene *s, const struct scene_plan *plan) {
    struct random r = random_stream(plan->seed, RANDOM_TEST, 0, 0);
    *s = (struct scene){.plan = *plan};
    build(s);
    draw_batch(s, &r);
    s->twin = twin_new(s->model, plan->n);
    draw_masks(s, &r);
    set_step(s);
}

void scene_close(struct scene *s) {
    twin_free(s->twin);
    for (int i = 0; i < s->model->n_nodes; i++)
        free(s->mask[i]);
    free(s->mask);
    free(s->images);
    free(s->wide);
    free(s->labels);
    model_free(s->model);
    cfg_free(&s->cfg);
}

/* --- drawing parameters
 * ------------------------------------------------------------------------------ */

static void draw_weights(struct scene *s, const struct node *v, struct random *r) {
    struct parameter *w = &s->model->parameters[v->weights];
    float bound = 1.8f / sqrtf((float)w->n / (float)v->shape.c);
    values_draw(r, w->value, w->n, -bound, bound);
    if (v->bias >= 0)
        values_draw(r, s->model->parameters[v->bias].value, s->model->parameters[v->bias].n, -.3f,
                    .7f);
}

/* Steps shorter than those of the start, so that some weights lie outside. */
static void draw_steps(struct scene *s, const struct quantized_layer *q, struct random *r) {
    if (q->params < 0)
        return;
    struct parameter *h = &s->model->parameters[q->params];
    s->model->quantizer->start_params(
        &q->layer, s->model->parameters[s->model->nodes[q->node].weights].value, h->value);
    for (size_t i = 0; i < h->n; i++)
        h->value[i] *= between(r, .2f, .6f);
}

static void draw_bank(const struct norm *norm, int bank, struct random *r) {
    size_t n = (size_t)norm->channels;
    values_draw(r, norm->scale_of[bank], n, .5f, 1.2f);
    values_draw(r, norm->shift_of[bank], n, -.3f, .8f);
}

static void draw_all(struct scene *s, struct random *r) {
    struct model *m = s->model;
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].weights >= 0)
            draw_weights(s, &m->nodes[i], r);
    for (int i = 0; i < m->n_quantized; i++)
        draw_steps(s, &m->quantized[i], r);
    for (int i = 0; i < m->n_norms; i++)
        for (int b = 0; b <= m->spare; b++) {
            draw_bank(&m->norms[i], b, r);
            values_draw(r, m->norms[i].mean[b], (size_t)m->norms[i].channels, -.3f, .3f);
            values_draw(r, m->norms[i].variance[b], (size_t)m->norms[i].channels, .5f, 1.5f);
        }
}

/* Draw anew what moves the input of a node: the nearest bank below it, or for pooling, whose ties a
 * bank cannot break, the nearest weights. */
static void redraw_below(struct scene *s, int node, int place, struct random *r) {
    const struct node *v = &s->model->nodes[node];
    int bank_will_do = v->op == OP_ACT;
    while (v->weights < 0 && v->op != OP_INPUT && !(v->op == OP_NORM && bank_will_do))
        v = &s->model->nodes[v->in[0]];
    if (v->op == OP_NORM)
        draw_bank(&s->model->norms[v->norm], place, r);
    else if (v->weights >= 0)
        draw_weights(s, v, r);
    else
        fail_msg("%s: nothing moves the input of node %d", s->plan.name, node);
}

/* The first node that is too near something, in the pass of a place; -1: none. */
static int first_too_near(struct scene *s, int place, double kink, double flip) {
    struct model *m = s->model;
    twin_forward(s->twin, PASS_TRAIN, place, place, s->step.act_bits[place], 0, s->wide);
    for (int i = 0; i < m->n_nodes; i++) {
        int q = m->nodes[i].quantized;
        if (q >= 0 && twin_weight_kink(s->twin, q) < kink)
            return i;
        if (q >= 0 && twin_weight_flip(s->twin, q) < flip)
            return i;
        if (twin_kink(s->twin, i) < kink || twin_flip(s->twin, i) < flip)
            return i;
    }
    return -1;
}

void scene_draw(struct scene *s, double kink, double flip) {
    struct random r = random_stream(s->plan.seed, RANDOM_TEST, 1, 0);
    int place = s->plan.widths.n - 1, tries = 0;
    draw_all(s, &r);
    while (place >= 0) {
        twin_read(s->twin);
        int node = first_too_near(s, place, kink, flip);
        if (node < 0) {
            place--;
            continue;
        }
        if (++tries > TRIES)
            fail_msg("%s: no parameters found at which node %d is smooth", s->plan.name, node);
        redraw_below(s, node, place, &r);
        place = s->plan.widths.n - 1;
    }
}
