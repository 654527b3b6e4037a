/* The twin as a whole: reading the model, one pass, the losses of all widths and their gradient. */
#include "twin/twin.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *doubles(size_t n) {
    return need(n, sizeof(double));
}

static void widen(double *to, const float *from, size_t n) {
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

static size_t classes(const struct twin *t) {
    return twin_size(t->model->nodes[t->model->logits].shape);
}

static size_t weights_of(const struct twin *t, int node) {
    int w = t->model->nodes[node].weights;
    return w < 0 ? 0 : t->model->parameters[w].n;
}

static void new_nodes(struct twin *t) {
    int n = t->model->n_nodes;
    t->out = need((size_t)n, sizeof *t->out);
    t->delta = need((size_t)n, sizeof *t->delta);
    t->W_hat = need((size_t)n, sizeof *t->W_hat);
    t->dW_hat = need((size_t)n, sizeof *t->dW_hat);
    t->mask = need((size_t)n, sizeof *t->mask);
    for (int i = 0; i < n; i++) {
        size_t size = (size_t)t->n * twin_size(t->model->nodes[i].shape);
        t->out[i] = doubles(size);
        t->delta[i] = doubles(size);
        t->W_hat[i] = doubles(weights_of(t, i));
        t->dW_hat[i] = doubles(weights_of(t, i));
    }
}

static void new_width(struct twin *t, struct twin_width *w) {
    const struct model *m = t->model;
    w->layer = need((size_t)m->n_quantized, sizeof *w->layer);
    w->offset = need((size_t)m->n_nodes, sizeof *w->offset);
    w->targets = doubles((size_t)t->n * classes(t));
    w->logits = doubles((size_t)t->n * classes(t));
    for (int i = 0; i < m->n_quantized; i++)
        w->layer[i] = twin_layer_new(&m->quantized[i].layer);
    for (int i = 0; i < m->n_nodes; i++)
        w->offset[i] = doubles((size_t)t->n * twin_size(m->nodes[i].shape));
}

static void new_norms(struct twin *t) {
    t->norms = need((size_t)t->model->n_norms, sizeof *t->norms);
    for (int i = 0; i < t->model->n_norms; i++) {
        size_t channels = (size_t)t->model->norms[i].channels;
        t->norms[i].batch_mean = doubles(channels);
        t->norms[i].deviation = doubles(channels);
        for (int b = 0; b <= t->model->widths.n; b++) {
            t->norms[i].mean[b] = doubles(channels);
            t->norms[i].variance[b] = doubles(channels);
        }
    }
}

struct twin *twin_new(const struct model *m, int n) {
    struct twin *t = need(1, sizeof *t);
    t->model = m;
    t->n = n;
    t->value = need((size_t)m->n_parameters, sizeof *t->value);
    t->grad = need((size_t)m->n_parameters, sizeof *t->grad);
    for (int i = 0; i < m->n_parameters; i++) {
        t->value[i] = doubles(m->parameters[i].n);
        t->grad[i] = doubles(m->parameters[i].n);
    }
    new_nodes(t);
    new_norms(t);
    for (int i = 0; i < m->widths.n; i++)
        new_width(t, &t->width[i]);
    twin_read(t);
    return t;
}

void twin_read(struct twin *t) {
    const struct model *m = t->model;
    for (int i = 0; i < m->n_parameters; i++)
        widen(t->value[i], m->parameters[i].value, m->parameters[i].n);
    for (int i = 0; i < m->n_norms; i++) {
        const struct norm *norm = &m->norms[i];
        for (int b = 0; b <= m->widths.n; b++) {
            if (!norm->mean[b])
                continue;
            widen(t->norms[i].mean[b], norm->mean[b], (size_t)norm->channels);
            widen(t->norms[i].variance[b], norm->variance[b], (size_t)norm->channels);
        }
    }
}

static void free_width(const struct twin *t, struct twin_width *w) {
    for (int i = 0; i < t->model->n_quantized; i++)
        twin_layer_free(&w->layer[i]);
    for (int i = 0; i < t->model->n_nodes; i++)
        free(w->offset[i]);
    free(w->layer);
    free(w->offset);
    free(w->targets);
    free(w->logits);
}

static void free_norms(struct twin *t) {
    for (int i = 0; i < t->model->n_norms; i++) {
        free(t->norms[i].batch_mean);
        free(t->norms[i].deviation);
        for (int b = 0; b <= t->model->widths.n; b++) {
            free(t->norms[i].mean[b]);
            free(t->norms[i].variance[b]);
        }
    }
    free(t->norms);
}

static void free_lists(double **a, double **b, int n) {
    for (int i = 0; i < n; i++) {
        free(a[i]);
        free(b[i]);
    }
    free(a);
    free(b);
}

void twin_free(struct twin *t) {
    free_lists(t->value, t->grad, t->model->n_parameters);
    free_lists(t->out, t->delta, t->model->n_nodes);
    free_lists(t->W_hat, t->dW_hat, t->model->n_nodes);
    free(t->mask);
    free_norms(t);
    for (int i = 0; i < t->model->widths.n; i++)
        free_width(t, &t->width[i]);
    free(t);
}

static void quantize_node(struct twin *t, int i, int k) {
    const struct node *v = &t->model->nodes[i];
    if (v->weights < 0)
        return;
    if (v->quantized < 0) {
        memcpy(t->W_hat[i], t->value[v->weights], weights_of(t, i) * sizeof(double));
        return;
    }
    const struct quantized_layer *q = &t->model->quantized[v->quantized];
    struct twin_layer *c = &t->width[t->place].layer[v->quantized];
    if (q->params >= 0)
        twin_own_quantize(t->model->quantizer->name, &q->layer, t->value[v->weights],
                          t->value[q->params], k, t->frozen, c, t->W_hat[i]);
    else
        twin_quantize(&q->layer, t->value[v->weights], k, t->frozen, c, t->W_hat[i]);
}

void twin_forward(struct twin *t, enum pass_mode mode, int place, int bank, int act_bits,
                  double momentum, const double *images) {
    t->mode = mode;
    t->place = place;
    t->bank = bank;
    t->act_bits = act_bits;
    t->images = images;
    for (int i = 0; i < t->model->n_nodes; i++) {
        quantize_node(t, i, t->model->widths.bits[place]);
        twin_node_forward(t, i, momentum);
    }
    memcpy(t->width[place].logits, t->out[t->model->logits],
           (size_t)t->n * classes(t) * sizeof(double));
}

static void softmax(const double *x, size_t n, double *p) {
    double top = x[0], sum = 0;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, x[i]);
    for (size_t i = 0; i < n; i++)
        sum += p[i] = exp(x[i] - top);
    for (size_t i = 0; i < n; i++)
        p[i] /= sum;
}

/* What the width at `place` has to match: the labels, or a higher width's probabilities. */
static void set_targets(struct twin *t, const struct twin_step *step, int place) {
    size_t c = classes(t);
    int highest = t->model->widths.n - 1;
    double *targets = t->width[place].targets;
    int teacher = step->distill == DISTILL_HIGHEST ? highest : place + 1;
    for (size_t b = 0; b < (size_t)t->n; b++) {
        if (place == highest || step->distill == DISTILL_LABELS)
            for (size_t i = 0; i < c; i++)
                targets[b * c + i] = i == step->labels[b];
        else
            softmax(t->width[teacher].logits + b * c, c, targets + b * c);
    }
}

/* Mean cross-entropy; `d_logits` (or NULL) becomes weight times its gradient. */
static double cross_entropy(struct twin *t, int place, double weight, double *d_logits) {
    size_t c = classes(t);
    double *p = doubles(c), loss = 0;
    for (size_t b = 0; b < (size_t)t->n; b++) {
        const double *target = t->width[place].targets + b * c;
        softmax(t->width[place].logits + b * c, c, p);
        for (size_t i = 0; i < c; i++) {
            loss -= target[i] > 0 ? target[i] * log(p[i]) / t->n : 0;
            if (d_logits)
                d_logits[b * c + i] = weight * (p[i] - target[i]) / t->n;
        }
    }
    free(p);
    return loss;
}

static double width_loss(struct twin *t, const struct twin_step *step, int place,
                         double *d_logits) {
    double weight = step->width_weight[place];
    twin_forward(t, PASS_TRAIN, place, place, step->act_bits[place], step->momentum, step->images);
    if (!t->frozen)
        set_targets(t, step, place);
    t->width[place].loss = cross_entropy(t, place, weight, d_logits);
    return weight * t->width[place].loss;
}

/* Mean over the quantized layers of the losses on their weights, weighted; `gradient`: theirs too.
 */
static double weights_loss(struct twin *t, const struct twin_step *step, int gradient) {
    const struct model *m = t->model;
    double loss = 0;
    for (int i = 0; i < m->n_quantized; i++) {
        const struct quantized_layer *q = &m->quantized[i];
        int w = m->nodes[q->node].weights;
        double *dW = gradient ? t->grad[w] : NULL, align = step->align / m->n_quantized,
               kurtosis = step->kurtosis / m->n_quantized;
        if (align > 0)
            loss += align * twin_align(&q->layer, t->value[w], &t->width[0].layer[i], align, dW);
        if (kurtosis > 0)
            loss += kurtosis * twin_kurtosis(t->value[w], q->layer.n, kurtosis, dW);
    }
    return loss;
}

double twin_loss(struct twin *t, const struct twin_step *step) {
    double loss = 0;
    for (int place = t->model->widths.n - 1; place >= 0; place--)
        loss += width_loss(t, step, place, NULL);
    return loss + weights_loss(t, step, 0);
}

static void quantizer_backward(struct twin *t, int quantized, const double *W, const double *dW_hat,
                               double *dW) {
    const struct quantized_layer *q = &t->model->quantized[quantized];
    const struct twin_layer *c = &t->width[t->place].layer[quantized];
    int k = t->model->widths.bits[t->place];
    if (q->params >= 0)
        twin_own_backward(t->model->quantizer->name, &q->layer, W, t->value[q->params], k, c,
                          t->rules, dW_hat, dW, t->grad[q->params]);
    else
        twin_quantize_backward(&q->layer, W, k, c, t->rules, dW_hat, dW);
}

static void weight_backward(struct twin *t, int i) {
    const struct node *v = &t->model->nodes[i];
    if (v->weights < 0)
        return;
    double *dW = t->grad[v->weights], *W = t->value[v->weights];
    if (v->quantized >= 0)
        quantizer_backward(t, v->quantized, W, t->dW_hat[i], dW);
    for (size_t j = 0; v->quantized < 0 && j < weights_of(t, i); j++)
        dW[j] += t->dW_hat[i][j];
}

static void zero_deltas(struct twin *t) {
    for (int i = 0; i < t->model->n_nodes; i++) {
        memset(t->delta[i], 0, (size_t)t->n * twin_size(t->model->nodes[i].shape) * sizeof(double));
        memset(t->dW_hat[i], 0, weights_of(t, i) * sizeof(double));
    }
}

double twin_gradient(struct twin *t, const struct twin_step *step) {
    double loss = 0;
    for (int i = 0; i < t->model->n_parameters; i++)
        memset(t->grad[i], 0, t->model->parameters[i].n * sizeof(double));
    for (int place = t->model->widths.n - 1; place >= 0; place--) {
        zero_deltas(t);
        loss += width_loss(t, step, place, t->delta[t->model->logits]);
        for (int i = t->model->n_nodes - 1; i > 0; i--) {
            twin_node_backward(t, i);
            weight_backward(t, i);
        }
    }
    return loss + weights_loss(t, step, 1);
}

double twin_weight_kink(const struct twin *t, int quantized) {
    const struct quantized_layer *q = &t->model->quantized[quantized];
    const double *W = t->value[t->model->nodes[q->node].weights];
    double first = 0, second = 0;
    if (q->layer.axes.range != RANGE_TANH)
        return INFINITY;
    for (size_t i = 0; i < q->layer.n; i++) {
        double t_i = fabs(tanh(W[i]));
        second = fmax(second, fmin(t_i, first));
        first = fmax(first, t_i);
    }
    return first > 0 ? (first - second) / first : 0;
}

double twin_weight_flip(const struct twin *t, int quantized) {
    const struct quantized_layer *q = &t->model->quantized[quantized];
    int k = t->model->widths.bits[t->place];
    double *u = doubles(q->layer.n), nearest = INFINITY;
    const double *W = t->value[t->model->nodes[q->node].weights];
    enum rounder r = q->layer.axes.rounder;
    if (q->params >= 0) {
        nearest = twin_own_flip(t->model->quantizer->name, &q->layer, W, t->value[q->params], k);
    } else if (k < FLOAT_BITS && r != ROUND_IDENTITY) {
        twin_range(&q->layer, W, &t->width[t->place].layer[quantized], u);
        for (size_t i = 0; i < q->layer.n; i++) // slices change where the stored codes do
            nearest = fmin(nearest, r == ROUND_OWN ? twin_code_distance(ROUND_NEAREST, u[i],
                                                                        q->layer.stored_bits)
                                                   : twin_code_distance(r, u[i], k));
    }
    free(u);
    return nearest;
}
