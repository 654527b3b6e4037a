/* The operators of the reference engine; reference.h is the manual. Convolutions and linear layers
 * go through OpenBLAS, pooling, upsampling and reorg through Darknet's layer functions, the rest
 * through ops.h. */
#include "engine/reference/reference.h"

#include "model/darknet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int plane(const struct node *n) {
    return n->shape.h * n->shape.w;
}

/* ---- buffers ---- */

void node_state_allocate(struct node_state *s, const struct model *m, const struct node *n,
                         int batch) {
    size_t size = node_values(n) * (size_t)batch;
    if (n->weights >= 0) {
        s->W = need_aligned(m->parameters[n->weights].n, sizeof(float));
        s->dW = need_aligned(m->parameters[n->weights].n, sizeof(float));
    }
    if (n->op == OP_NORM)
        s->stats = (struct norm_state){need_aligned((size_t)n->shape.c, sizeof(float)),
                                       need_aligned((size_t)n->shape.c, sizeof(float))};
    if (n->op == OP_DROPOUT)
        s->mask = need_aligned(size, sizeof(float));
    if (n->op == OP_MAXPOOL)
        s->indexes = need(size, sizeof(int));
}

void node_state_free(struct node_state *s) {
    free(s->W);
    free(s->dW);
    free(s->stats.mean);
    free(s->stats.inverse);
    free(s->mask);
    free(s->indexes);
}

size_t reference_workspace(const struct model *m) {
    size_t most = 1;
    for (int i = 0; i < m->n_nodes; i++) {
        if (m->nodes[i].op != OP_CONV)
            continue;
        struct conv g = conv_geometry(m->nodes[i].cfg);
        size_t size = conv_workspace(&g);
        most = size > most ? size : most;
    }
    return most;
}

size_t reference_scratch(const struct model *m, int batch) {
    size_t most = 1;
    for (int i = 0; i < m->n_nodes; i++) {
        size_t size = node_values(&m->nodes[i]);
        most = size > most ? size : most;
    }
    return most * (size_t)batch;
}

/* ---- forward ---- */

static const float *input_of(const struct reference *p, const struct node *n, int k) {
    return p->nodes[n->in[k]].out;
}

static const float *bias_of(const struct reference *p, const struct node *n) {
    return n->bias >= 0 ? p->m->parameters[n->bias].value : NULL;
}

static void forward_conv(struct reference *p, const struct node *n, struct node_state *s) {
    struct conv g = conv_geometry(n->cfg);
    conv_forward(&g, p->n, input_of(p, n, 0), s->W, bias_of(p, n), s->out, p->workspace);
}

static int linear_inputs(const struct reference *p, const struct node *n) {
    return (int)node_values(&p->m->nodes[n->in[0]]);
}

static void forward_linear(struct reference *p, const struct node *n, struct node_state *s) {
    linear_forward(p->n, linear_inputs(p, n), n->shape.c, input_of(p, n, 0), s->W, bias_of(p, n),
                   s->out);
}

static void forward_norm(struct reference *p, const struct node *n, struct node_state *s) {
    struct norm *norm = &p->m->norms[n->norm];
    int b = p->bank;
    if (p->pass.mode == PASS_EVALUATE)
        norm_evaluate(p->n, n->shape.c, plane(n), input_of(p, n, 0), norm->scale_of[b],
                      norm->shift_of[b], norm->mean[b], norm->variance[b], s->out);
    else
        norm_train(p->n, n->shape.c, plane(n), input_of(p, n, 0), norm->scale_of[b],
                   norm->shift_of[b], p->pass.momentum, norm->mean[b], norm->variance[b], &s->stats,
                   s->out);
}

int act_is_clip(const struct node *n, int act_bits) {
    return (n->clips && act_bits != FLOAT_BITS) || n->cfg->activation == ACT_RELU;
}

int act_clip_bits(const struct node *n, int act_bits) {
    return n->clips ? act_bits : FLOAT_BITS;
}

static void forward_act(struct reference *p, const struct node *n, struct node_state *s) {
    size_t size = node_values(n) * (size_t)p->n;
    if (act_is_clip(n, p->pass.point.act_bits)) {
        int bits = act_clip_bits(n, p->pass.point.act_bits);
        if (n->bound != 1 && bits != FLOAT_BITS)
            clip_bounded_forward(size, bits, n->bound, input_of(p, n, 0), s->out);
        else
            clip_forward(size, bits, input_of(p, n, 0), s->out);
        return;
    }
    memcpy(s->out, input_of(p, n, 0), size * sizeof(float));
    darknet_activate(p->m->darknet, n->cfg->activation, s->out, (int)size);
}

static void forward_darknet(struct reference *p, const struct node *n, struct node_state *s) {
    darknet_forward(p->m->darknet, &(struct darknet_call){.layer = n->layer,
                                                          .batch = p->n,
                                                          .indexes = s->indexes,
                                                          .input = p->nodes[n->in[0]].out,
                                                          .output = s->out});
}

/* Darknet's maximum of a window of NaN is -FLT_MAX at index -1: the NaN would be lost, and backward
 * would write in front of its buffer. */
static void forward_maxpool(struct reference *p, const struct node *n, struct node_state *s) {
    size_t size = node_values(n) * (size_t)p->n;
    forward_darknet(p, n, s);
    for (size_t i = 0; i < size; i++)
        if (s->indexes[i] < 0) {
            s->indexes[i] = 0;
            s->out[i] = NAN;
        }
}

static void forward_add(struct reference *p, const struct node *n, struct node_state *s) {
    add_forward(node_values(n) * (size_t)p->n, n->cfg->alpha, input_of(p, n, 0), n->cfg->beta,
                input_of(p, n, 1), s->out);
}

static void forward_concat(struct reference *p, const struct node *n, struct node_state *s) {
    size_t offset = 0, all = node_values(n);
    for (int k = 0; k < n->n_in; k++) {
        size_t part = node_values(&p->m->nodes[n->in[k]]);
        for (int image = 0; image < p->n; image++)
            memcpy(s->out + (size_t)image * all + offset, input_of(p, n, k) + (size_t)image * part,
                   part * sizeof(float));
        offset += part;
    }
}

static void forward_dropout(struct reference *p, const struct node *n, struct node_state *s) {
    size_t size = node_values(n) * (size_t)p->n;
    if (p->pass.mode != PASS_TRAIN) {
        memcpy(s->out, input_of(p, n, 0), size * sizeof(float));
        return;
    }
    // The stream names the step and the node, not the width: all widths of a step see one mask.
    dropout_mask(size, n->cfg->probability, p->pass.seed, p->pass.epoch,
                 p->pass.step * (uint64_t)p->m->n_nodes + (uint64_t)(n - p->m->nodes), s->mask);
    multiply_forward(size, input_of(p, n, 0), s->mask, s->out);
}

/* ---- backward ---- */

/* Where the gradient of input k goes, or NULL when nothing below needs it; *add tells whether
 * another reader of that input has written already. */
static float *gradient_target(struct reference *p, const struct node *n, int k, int *add) {
    struct node_state *s = &p->nodes[n->in[k]];
    *add = s->written;
    s->written = 1;
    return s->grad;
}

static void backward_conv(struct reference *p, const struct node *n, struct node_state *s) {
    struct conv g = conv_geometry(n->cfg);
    int add;
    float *dX = gradient_target(p, n, 0, &add);
    if (n->bias >= 0)
        bias_backward(p->n, n->shape.c, plane(n), s->grad, p->m->parameters[n->bias].grad);
    conv_backward(&g, p->n, input_of(p, n, 0), s->W, s->grad, s->dW, dX, add, p->workspace);
}

static void backward_linear(struct reference *p, const struct node *n, struct node_state *s) {
    int add;
    float *dX = gradient_target(p, n, 0, &add);
    if (n->bias >= 0)
        bias_backward(p->n, n->shape.c, 1, s->grad, p->m->parameters[n->bias].grad);
    linear_backward(p->n, linear_inputs(p, n), n->shape.c, input_of(p, n, 0), s->W, s->grad, s->dW,
                    dX, add);
}

static void backward_norm(struct reference *p, const struct node *n, struct node_state *s) {
    struct norm *norm = &p->m->norms[n->norm];
    int add, b = p->bank;
    float *dX = gradient_target(p, n, 0, &add);
    // A norm right behind the input has nobody below, but its own gradients still count.
    norm_backward(p->n, n->shape.c, plane(n), input_of(p, n, 0), s->grad, norm->scale_of[b],
                  &s->stats, p->m->parameters[norm->scale[b]].grad,
                  p->m->parameters[norm->shift[b]].grad, dX ? dX : p->scratch, add);
}

static void backward_act(struct reference *p, const struct node *n, struct node_state *s) {
    size_t size = node_values(n) * (size_t)p->n;
    int add;
    float *dX = gradient_target(p, n, 0, &add);
    if (!dX)
        return;
    if (act_is_clip(n, p->pass.point.act_bits)) {
        clip_backward(size, act_clip_bits(n, p->pass.point.act_bits), input_of(p, n, 0), s->grad,
                      dX, add);
        return;
    }
    darknet_gradient(p->m->darknet, n->cfg->activation, s->out, (int)size, s->grad);
    scale_backward(size, 1, s->grad, dX, add);
}

/* Darknet's functions add to the gradient below (pooling, upsampling) or write over it (reorg):
 * both are right in a cleared buffer of their own. */
static void backward_darknet(struct reference *p, const struct node *n, struct node_state *s) {
    size_t size = node_values(&p->m->nodes[n->in[0]]) * (size_t)p->n;
    int add;
    float *dX = gradient_target(p, n, 0, &add);
    if (!dX)
        return;
    memset(p->scratch, 0, size * sizeof(float));
    darknet_backward(p->m->darknet, &(struct darknet_call){.layer = n->layer,
                                                           .batch = p->n,
                                                           .indexes = s->indexes,
                                                           .input = p->nodes[n->in[0]].out,
                                                           .output = s->out,
                                                           .d_output = s->grad,
                                                           .d_input = p->scratch});
    scale_backward(size, 1, p->scratch, dX, add);
}

static void backward_add(struct reference *p, const struct node *n, struct node_state *s) {
    float factor[2] = {n->cfg->alpha, n->cfg->beta};
    for (int k = 0; k < 2; k++) {
        int add;
        float *dX = gradient_target(p, n, k, &add);
        if (dX)
            scale_backward(node_values(n) * (size_t)p->n, factor[k], s->grad, dX, add);
    }
}

static void backward_concat(struct reference *p, const struct node *n, struct node_state *s) {
    size_t offset = 0, all = node_values(n);
    for (int k = 0; k < n->n_in; k++) {
        size_t part = node_values(&p->m->nodes[n->in[k]]);
        int add;
        float *dX = gradient_target(p, n, k, &add);
        for (int image = 0; dX && image < p->n; image++)
            scale_backward(part, 1, s->grad + (size_t)image * all + offset,
                           dX + (size_t)image * part, add);
        offset += part;
    }
}

static void backward_dropout(struct reference *p, const struct node *n, struct node_state *s) {
    int add;
    float *dX = gradient_target(p, n, 0, &add);
    if (dX)
        multiply_backward(node_values(n) * (size_t)p->n, s->mask, s->grad, dX, add);
}

/* ---- the table ---- */

const struct reference_operators reference_operators[OPS] = {
    [OP_CONV] = {forward_conv, backward_conv},
    [OP_LINEAR] = {forward_linear, backward_linear},
    [OP_NORM] = {forward_norm, backward_norm},
    [OP_ACT] = {forward_act, backward_act},
    [OP_MAXPOOL] = {forward_maxpool, backward_darknet},
    [OP_AVGPOOL] = {forward_darknet, backward_darknet},
    [OP_ADD] = {forward_add, backward_add},
    [OP_CONCAT] = {forward_concat, backward_concat},
    [OP_UPSAMPLE] = {forward_darknet, backward_darknet},
    [OP_REORG] = {forward_darknet, backward_darknet},
    [OP_DROPOUT] = {forward_dropout, backward_dropout},
};

int reference_needs_darknet(const struct node *n) {
    if (n->op != OP_ACT)
        return reference_operators[n->op].backward == backward_darknet;
    return n->cfg->activation != ACT_RELU && n->cfg->activation != ACT_RELU6;
}
