/* Central differences of the twin, a step on an engine, and measuring how far two results are
 * apart. */
#include "twin/scene.h"

#include "base/error.h"
#include "quant/layer.h"
#include "train/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const double scene_floor = 3e-3;
static const double difference_step = 1e-5;
enum { DROPOUT_SEED = 5, DROPOUT_EPOCH = 2, DROPOUT_STEP = 3 };

static double norm_of(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

static double apart(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum);
}

double scene_distance(const float *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum) / norm_of(b, n);
}

double scene_worst(const struct scene *s, double *const *a, double *const *b, int *where) {
    const struct model *m = s->model;
    double largest = 0, worst = 0;
    for (int i = 0; i < m->n_parameters; i++)
        largest = fmax(largest, norm_of(b[i], m->parameters[i].n));
    for (int i = 0; i < m->n_parameters; i++) {
        size_t n = m->parameters[i].n;
        double error = apart(a[i], b[i], n) / fmax(norm_of(b[i], n), scene_floor * largest);
        if (where && !(error <= worst))
            *where = i;
        if (!(error <= worst)) // a NaN counts as worst
            worst = error;
    }
    return worst;
}

static double **new_gradient(const struct model *m) {
    double **g = need((size_t)m->n_parameters, sizeof *g);
    for (int i = 0; i < m->n_parameters; i++)
        g[i] = need(m->parameters[i].n, sizeof **g);
    return g;
}

void scene_free(const struct scene *s, double **gradient) {
    for (int i = 0; i < s->model->n_parameters; i++)
        free(gradient[i]);
    free(gradient);
}

static double difference(struct scene *s, double *x) {
    double at = *x;
    *x = at + difference_step;
    double above = twin_loss(s->twin, &s->step);
    *x = at - difference_step;
    double below = twin_loss(s->twin, &s->step);
    *x = at;
    return (above - below) / (2 * difference_step);
}

double **scene_differences(struct scene *s, int stride) {
    double **g = new_gradient(s->model);
    int count = 0;
    s->twin->frozen = 1;
    for (int i = 0; i < s->model->n_parameters; i++)
        for (size_t j = 0; j < s->model->parameters[i].n; j++)
            g[i][j] = count++ % stride ? s->twin->grad[i][j] : difference(s, &s->twin->value[i][j]);
    s->twin->frozen = 0;
    return g;
}

double **scene_gradients(const struct scene *s) {
    double **g = new_gradient(s->model);
    for (int i = 0; i < s->model->n_parameters; i++)
        for (size_t j = 0; j < s->model->parameters[i].n; j++)
            g[i][j] = s->model->parameters[i].grad[j];
    return g;
}

/* --- the engine
 * -------------------------------------------------------------------------------------- */

static float *steps_of(const struct model *m, int quantized) {
    int p = m->quantized[quantized].params;
    return p < 0 ? NULL : m->parameters[p].value;
}

static float *step_gradients(const struct model *m, int quantized) {
    int p = m->quantized[quantized].params;
    return p < 0 ? NULL : m->parameters[p].grad;
}

static void set_weights(struct scene *s, const struct engine *engine, struct program *p, int k) {
    struct model *m = s->model;
    for (int i = 0; i < m->n_nodes; i++) {
        const struct node *v = &m->nodes[i];
        if (v->weights < 0)
            continue;
        const struct parameter *w = &m->parameters[v->weights];
        float *W_hat = need(w->n, sizeof *W_hat);
        memcpy(W_hat, w->value, w->n * sizeof *W_hat);
        if (v->quantized >= 0)
            layer_quantize(m->quantizer, &m->quantized[v->quantized].layer, w->value,
                           steps_of(m, v->quantized), k, W_hat);
        engine->set_weights(p, i, W_hat);
        free(W_hat);
    }
}

const float *scene_forward(struct scene *s, const struct engine *engine, struct program *p,
                           enum pass_mode mode, int place, int bank) {
    struct pass pass = {.mode = mode,
                        .point = {.act_bits = s->step.act_bits[place],
                                  .bank = s->model->widths.bits[place],
                                  .calibration = bank == s->model->spare},
                        .momentum = (float)s->step.momentum,
                        .seed = DROPOUT_SEED,
                        .epoch = DROPOUT_EPOCH,
                        .step = DROPOUT_STEP};
    set_weights(s, engine, p, s->model->widths.bits[place]);
    // The scores are in the plan, not in the pass.
    // cppcheck-suppress returnDanglingLifetime
    return engine->forward(p, &pass, s->images, s->plan.n);
}

static void collect_gradients(struct scene *s, const struct engine *engine, struct program *p,
                              int k) {
    struct model *m = s->model;
    for (int i = 0; i < m->n_nodes; i++) {
        const struct node *v = &m->nodes[i];
        if (v->weights < 0)
            continue;
        const struct parameter *w = &m->parameters[v->weights];
        const float *dW_hat = engine->weight_gradient(p, i);
        if (v->quantized >= 0)
            layer_backward(m->quantizer, &m->quantized[v->quantized].layer, w->value,
                           steps_of(m, v->quantized), k, dW_hat, w->grad,
                           step_gradients(m, v->quantized));
        for (size_t j = 0; v->quantized < 0 && j < w->n; j++)
            w->grad[j] += dW_hat[j];
    }
}

/* The gradient at the scores, and the loss; `teacher` (probabilities) is NULL for labels. */
static double loss_of(const struct scene *s, const float *logits, const float *P,
                      const float *teacher, float weight, float *d_logits) {
    int n = s->plan.n, c = SCENE_CLASSES;
    if (teacher) {
        soft_gradient(n, c, P, teacher, weight, d_logits);
        return weight * cross_entropy_soft(n, c, logits, teacher) / n;
    }
    labels_gradient(n, c, P, s->labels, weight, d_logits);
    return weight * cross_entropy_labels(n, c, logits, s->labels) / n;
}

static const float *teacher_of(const struct scene *s, float P[][64 * SCENE_CLASSES], int place) {
    int highest = s->plan.widths.n - 1;
    if (place == highest || s->plan.distill == DISTILL_LABELS)
        return NULL;
    return P[s->plan.distill == DISTILL_HIGHEST ? highest : place + 1];
}

double scene_engine(struct scene *s, const struct engine *engine, struct program *p,
                    float *logits[WIDTHS_MAX]) {
    float P[WIDTHS_MAX][64 * SCENE_CLASSES], d_logits[64 * SCENE_CLASSES];
    double loss = 0;
    size_t size = (size_t)s->plan.n * SCENE_CLASSES;
    for (int i = 0; i < s->model->n_parameters; i++)
        memset(s->model->parameters[i].grad, 0, s->model->parameters[i].n * sizeof(float));
    for (int place = s->plan.widths.n - 1; place >= 0; place--) {
        const float *scores = scene_forward(s, engine, p, PASS_TRAIN, place, place);
        memcpy(logits[place], scores, size * sizeof(float));
        softmax(s->plan.n, SCENE_CLASSES, logits[place], P[place]);
        loss += loss_of(s, logits[place], P[place], teacher_of(s, P, place),
                        (float)s->step.width_weight[place], d_logits);
        engine->backward(p, d_logits);
        collect_gradients(s, engine, p, s->model->widths.bits[place]);
    }
    return loss;
}

static void read_mask(struct scene *s, const struct engine *engine, struct program *p, int node) {
    const struct node *v = &s->model->nodes[node];
    const float *out = engine->peek(p, node), *in = engine->peek(p, v->in[0]);
    size_t n = (size_t)s->plan.n * twin_size(v->shape), kept = 0;
    for (size_t j = 0; j < n; j++) {
        assert_true(in[j] != 0);
        s->mask[node][j] = out[j] != 0;
        kept += s->mask[node][j];
    }
    double share = (double)kept / (double)n, expected = 1 - (double)v->cfg->probability;
    double deviation = sqrt(expected * (1 - expected) / (double)n);
    assert_true(fabs(share - expected) < 4 * deviation);
}

void scene_read_masks(struct scene *s, const struct engine *engine, struct program *p) {
    int highest = s->plan.widths.n - 1;
    scene_forward(s, engine, p, PASS_TRAIN, highest, highest);
    for (int i = 0; i < s->model->n_nodes; i++)
        if (s->model->nodes[i].op == OP_DROPOUT)
            read_mask(s, engine, p, i);
}

void scene_report(const struct scene *s, const char *what, double error, double tolerance,
                  int parameter) {
    if (!(error <= tolerance))
        fail_msg("%s: %s is off by %g, more than %g%s%s", s->plan.name, what, error, tolerance,
                 parameter < 0 ? "" : ", worst in ",
                 parameter < 0 ? "" : s->model->parameters[parameter].name);
}
