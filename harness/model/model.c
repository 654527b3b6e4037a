/* From a checked cfg to the nodes and parameters of a model; model.h is the manual. */
#include "model/model.h"

#include "model/darknet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- layout: cfg layers to nodes -----------------------------------------------------------------
 */

enum { NODES_PER_LAYER = 3 }; // at most: convolution, norm, activation

struct layout {
    struct model *m;
    const struct cfg *cfg;
    int *last; // node whose output is that of a layer; owned
};

static int add_node(struct model *m, enum op op, int layer, int in, struct shape shape) {
    struct node *n = &m->nodes[m->n_nodes];
    *n = (struct node){.op = op,
                       .layer = layer,
                       .n_in = in >= 0,
                       .shape = shape,
                       .cfg = layer >= 0 ? &m->cfg->layers[layer] : NULL,
                       .weights = -1,
                       .bias = -1,
                       .norm = -1,
                       .quantized = -1,
                       .bound = 1};
    n->in[0] = in;
    return m->n_nodes++;
}

/* What Darknet does behind the arithmetic of a layer: batch norm, then the activation. */
static int add_tail(struct model *m, int layer, int node) {
    const struct cfg_layer *c = &m->cfg->layers[layer];
    int normalizes = c->batch_normalize || c->type == LAYER_BATCHNORM;
    if (normalizes)
        node = add_node(m, OP_NORM, layer, node, c->out);
    if (c->activation != ACT_LINEAR)
        node = add_node(m, OP_ACT, layer, node, c->out);
    return node;
}

static int add_join(struct layout *l, int layer, int previous) {
    const struct cfg_layer *c = &l->cfg->layers[layer];
    if (c->type == LAYER_ROUTE && c->n_from == 1)
        return l->last[c->from[0]]; // another name for the same values
    int node = add_node(l->m, c->type == LAYER_ROUTE ? OP_CONCAT : OP_ADD, layer, previous, c->out);
    struct node *n = &l->m->nodes[node];
    n->n_in = 0;
    if (c->type == LAYER_SHORTCUT)
        n->in[n->n_in++] = previous;
    for (int i = 0; i < c->n_from; i++)
        n->in[n->n_in++] = l->last[c->from[i]];
    return c->type == LAYER_SHORTCUT ? add_tail(l->m, layer, node) : node;
}

static int add_layer(struct layout *l, int layer, int previous) {
    static const enum op ops[LAYER_TYPES] = {
        [LAYER_CONVOLUTIONAL] = OP_CONV, [LAYER_CONNECTED] = OP_LINEAR,
        [LAYER_MAXPOOL] = OP_MAXPOOL,    [LAYER_AVGPOOL] = OP_AVGPOOL,
        [LAYER_UPSAMPLE] = OP_UPSAMPLE,  [LAYER_REORG] = OP_REORG,
        [LAYER_DROPOUT] = OP_DROPOUT,
    };
    const struct cfg_layer *c = &l->cfg->layers[layer];
    switch (c->type) {
    case LAYER_SOFTMAX:
    case LAYER_COST:
        return previous; // the harness owns the loss
    case LAYER_BATCHNORM:
    case LAYER_ACTIVATION:
        return add_tail(l->m, layer, previous);
    case LAYER_SHORTCUT:
    case LAYER_ROUTE:
        return add_join(l, layer, previous);
    case LAYER_CONVOLUTIONAL:
    case LAYER_CONNECTED:
        return add_tail(l->m, layer, add_node(l->m, ops[c->type], layer, previous, c->out));
    default:
        return add_node(l->m, ops[c->type], layer, previous, c->out);
    }
}

static void lay_out(struct model *m) {
    const struct cfg *cfg = m->cfg;
    m->nodes = need((size_t)cfg->n * NODES_PER_LAYER + 1, sizeof *m->nodes);
    struct layout l = {m, cfg, need((size_t)cfg->n + 1, sizeof(int))};
    int previous = add_node(m, OP_INPUT, -1, -1, cfg->input);
    for (int i = 0; i < cfg->n; i++)
        l.last[i] = previous = add_layer(&l, i, previous);
    m->logits = previous;
    free(l.last);
}

/* --- which layers are quantized ------------------------------------------------------------------
 */

static int has_weights(const struct node *n) {
    return n->op == OP_CONV || n->op == OP_LINEAR;
}

static int is_projection(const struct node *n) {
    return n->op == OP_CONV && n->cfg->projection;
}

static int wants_quantizer(const struct node *n, int first, int last, int projections) {
    if (n->cfg->quantize >= 0)
        return n->cfg->quantize;
    if (is_projection(n))
        return projections == PROJECTIONS_QUANTIZED;
    return !first && !last;
}

static int moves_values(enum op op) {
    return op == OP_MAXPOOL || op == OP_AVGPOOL || op == OP_CONCAT || op == OP_UPSAMPLE ||
           op == OP_REORG || op == OP_DROPOUT;
}

/* Walk back from what quantized layers read, through what only moves values, to the activations.
 * Once over all nodes, backwards: paths through concatenations multiply. */
static void mark_clips(struct model *m) {
    char *feeds = need((size_t)m->n_nodes, 1); // a quantized layer
    for (int i = 0; i < m->n_quantized; i++)
        feeds[m->nodes[m->quantized[i].node].in[0]] = 1;
    for (int i = m->n_nodes - 1; i >= 0; i--) {
        struct node *n = &m->nodes[i];
        if (feeds[i] && n->op == OP_ACT)
            n->clips = 1;
        for (int k = 0; feeds[i] && moves_values(n->op) && k < n->n_in; k++)
            feeds[n->in[k]] = 1;
    }
    free(feeds);
}

static void add_quantized_layer(struct model *m, int node, const struct spec *spec) {
    struct node *n = &m->nodes[node];
    n->quantized = m->n_quantized;
    size_t channels = (size_t)n->cfg->out.c;
    size_t weights = m->parameters[n->weights].n;
    m->quantized[m->n_quantized++] = (struct quantized_layer){
        .node = node,
        .layer = {.n = weights,
                  .channels = channels,
                  .axes = spec->axes,
                  .widths = spec->widths,
                  .stored_bits = (int)spec->stored_bits,
                  .corrects = spec->norm_bank == BANK_SHARED},
        .params = -1,
    };
}

static void choose_quantized(struct model *m, const struct spec *spec) {
    m->quantized = need((size_t)m->n_nodes, sizeof *m->quantized);
    if (m->quantizer->min_bits == FLOAT_BITS)
        return;
    int first = -1, last = -1;
    for (int i = 0; i < m->n_nodes; i++)
        if (has_weights(&m->nodes[i])) {
            first = first < 0 ? i : first;
            last = i;
        }
    for (int i = 0; i < m->n_nodes; i++)
        if (has_weights(&m->nodes[i]) &&
            wants_quantizer(&m->nodes[i], i == first, i == last, spec->projections))
            add_quantized_layer(m, i, spec);
    mark_clips(m);
}

/* ---- parameters ---- */

/* `k`: the width whose bank it belongs to; 0: no width's. */
static int add_parameter(struct model *m, enum parameter_role role, size_t n, int layer,
                         const char *what, int k) {
    struct parameter *p = &m->parameters[m->n_parameters];
    if (k)
        snprintf(p->name, sizeof p->name, "%d.%s.k%d", layer, what, k);
    else
        snprintf(p->name, sizeof p->name, "%d.%s", layer, what);
    p->role = role;
    p->n = n;
    p->value = need_aligned(n, sizeof(float));
    p->grad = need_aligned(n, sizeof(float));
    return m->n_parameters++;
}

static size_t weight_count(const struct node *n) {
    const struct cfg_layer *c = n->cfg;
    if (n->op == OP_LINEAR)
        return (size_t)c->in.c * (size_t)c->in.h * (size_t)c->in.w * (size_t)c->out.c;
    return (size_t)c->filters * (size_t)(c->in.c / c->groups) * (size_t)c->size * (size_t)c->size;
}

static void add_weights(struct model *m, struct node *n) {
    n->weights = add_parameter(m, PARAMETER_WEIGHTS, weight_count(n), n->layer, "weights", 0);
    if (n->cfg->bias && !n->cfg->batch_normalize)
        n->bias = add_parameter(m, PARAMETER_BIAS, (size_t)n->shape.c, n->layer, "bias", 0);
}

/* One bank of a norm; the spare one belongs to the evaluator and is no parameter. */
static void add_bank(struct model *m, struct norm *norm, int bank, int layer) {
    size_t c = (size_t)norm->channels;
    norm->mean[bank] = need_aligned(c, sizeof(float));
    norm->variance[bank] = need_aligned(c, sizeof(float));
    norm->scale[bank] = norm->shift[bank] = -1;
    if (bank == m->spare) {
        norm->scale_of[bank] = need_aligned(c, sizeof(float));
        norm->shift_of[bank] = need_aligned(c, sizeof(float));
    } else {
        int k = norm->shared ? 0 : m->widths.bits[bank];
        norm->scale[bank] = add_parameter(m, PARAMETER_NORM, c, layer, "scale", k);
        norm->shift[bank] = add_parameter(m, PARAMETER_NORM, c, layer, "shift", k);
        norm->scale_of[bank] = m->parameters[norm->scale[bank]].value;
        norm->shift_of[bank] = m->parameters[norm->shift[bank]].value;
    }
}

static void add_norm(struct model *m, int node, int shared) {
    struct norm *norm = &m->norms[m->n_norms];
    *norm = (struct norm){.node = node, .channels = m->nodes[node].shape.c, .shared = shared};
    m->nodes[node].norm = m->n_norms++;
    for (int b = 0; b <= m->spare; b++) {
        if (b == 0 || b == m->spare || !shared) {
            add_bank(m, norm, b, m->nodes[node].layer);
            continue;
        }
        norm->scale[b] = norm->scale[0];
        norm->shift[b] = norm->shift[0];
        norm->scale_of[b] = norm->scale_of[0];
        norm->shift_of[b] = norm->shift_of[0];
        norm->mean[b] = norm->mean[0];
        norm->variance[b] = norm->variance[0];
    }
}

static int shares_bank(const struct spec *spec, const struct node *in) {
    return spec->norm_bank == BANK_SHARED ||
           (spec->shortcut_norm == NORM_SHARED && is_projection(in));
}

static void add_parameters(struct model *m, const struct spec *spec) {
    size_t most = (size_t)m->n_nodes * (2 + 2 * WIDTHS_MAX);
    m->parameters = need(most, sizeof *m->parameters);
    m->norms = need((size_t)m->n_nodes, sizeof *m->norms);
    for (int i = 0; i < m->n_nodes; i++) {
        struct node *n = &m->nodes[i];
        if (has_weights(n))
            add_weights(m, n);
        if (n->op == OP_NORM)
            add_norm(m, i, shares_bank(spec, &m->nodes[n->in[0]]));
    }
}

/* Learned parameters of the quantizers come last, so that the streams of all other start values do
 * not depend on the scheme. */
static void add_quantizer_parameters(struct model *m) {
    for (int i = 0; i < m->n_quantized; i++) {
        struct quantized_layer *q = &m->quantized[i];
        size_t n = m->quantizer->n_params ? m->quantizer->n_params(&q->layer) : 0;
        if (n)
            q->params =
                add_parameter(m, PARAMETER_QUANTIZER, n, m->nodes[q->node].layer, "quantizer", 0);
    }
}

/* ---- the whole ---- */

struct model *model_lay_out(struct cfg *cfg, const struct spec *spec,
                            const struct quantizer *quantizer) {
    struct model *m = need(1, sizeof *m);
    m->cfg = cfg;
    m->widths = spec->widths;
    m->spare = spec->widths.n;
    m->quantizer = quantizer;
    lay_out(m);
    add_parameters(m, spec);
    choose_quantized(m, spec);
    add_quantizer_parameters(m);
    return m;
}

int model_need_darknet(struct model *m, struct error *e) {
    if (!m->darknet)
        m->darknet = darknet_load(m->cfg, e);
    return m->darknet ? 0 : -1;
}

static void free_norm(const struct model *m, struct norm *n) {
    for (int b = 0; b <= m->spare; b++) {
        if (n->shared && b > 0 && b < m->spare)
            continue;
        free(n->mean[b]);
        free(n->variance[b]);
    }
    free(n->scale_of[m->spare]);
    free(n->shift_of[m->spare]);
}

void model_free(struct model *m) {
    if (!m)
        return;
    for (int i = 0; i < m->n_parameters; i++) {
        free(m->parameters[i].value);
        free(m->parameters[i].grad);
    }
    for (int i = 0; i < m->n_norms; i++)
        free_norm(m, &m->norms[i]);
    free(m->parameters);
    free(m->norms);
    free(m->quantized);
    free(m->nodes);
    darknet_free(m->darknet);
    free(m);
}

int model_bank(const struct model *m, int k) {
    return widths_bank(&m->widths, k);
}

int model_bank_at(const struct model *m, const struct point *p) {
    return p->calibration ? m->spare : model_bank(m, p->bank);
}

size_t node_values(const struct node *n) {
    return (size_t)n->shape.c * (size_t)n->shape.h * (size_t)n->shape.w;
}

void model_node_name(const struct model *m, int node, char *text, size_t size) {
    static const char *const names[OPS] = {"input",      "conv",     "linear",  "norm",
                                           "activation", "maxpool",  "avgpool", "add",
                                           "concat",     "upsample", "reorg",   "dropout"};
    const struct node *n = &m->nodes[node];
    if (n->layer < 0)
        snprintf(text, size, "the input");
    else
        snprintf(text, size, "%s of layer %d (cfg line %d)", names[n->op], n->layer, n->cfg->line);
}

size_t model_largest_weights(const struct model *m) {
    size_t most = 1;
    for (int i = 0; i < m->n_parameters; i++)
        most = m->parameters[i].n > most ? m->parameters[i].n : most;
    return most;
}

const float *quantized_weights(const struct model *m, const struct quantized_layer *q) {
    return m->parameters[m->nodes[q->node].weights].value;
}

const float *quantized_params(const struct model *m, const struct quantized_layer *q) {
    return q->params >= 0 ? m->parameters[q->params].value : NULL;
}
