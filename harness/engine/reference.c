/* The reference engine: one operator after another over canonical buffers, plain and obviously
 * right. Convolutions and linear layers go through OpenBLAS, pooling, upsampling and reorg through
 * Darknet's layer functions, the rest through ops.h. Faster engines are tested against it.
 *
 * Every node keeps its output until backward. Gradients are kept only as long as someone reads
 * them: their buffers are shared by nodes whose times do not overlap. */
#include "engine/engine.h"
#include "engine/ops.h"

#include "model/darknet.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct node_state {
    float *out;              // (batch, c, h, w); owned but for the input and reused buffers
    float *grad;             // the same shape, in a shared buffer
    float *W, *dW;           // CONV, LINEAR: Ŵ and dL/dŴ; owned
    struct norm_state stats; // NORM; owned
    float *mask;             // DROPOUT; owned
    int *indexes;            // MAXPOOL; owned
    int written;             // grad holds something in this backward
};

struct plan {
    struct model *m;
    int batch; // at most
    int n;     // of the last forward
    struct pass pass;
    struct node_state *nodes;
    float *workspace; // columns of one image
    float *scratch;   // gradient of one node, for Darknet's functions
    int n_buffers;
    float **buffers; // of gradients; owned
};

static size_t values(const struct node *n) {
    return (size_t)n->shape.c * (size_t)n->shape.h * (size_t)n->shape.w;
}

static int plane(const struct node *n) {
    return n->shape.h * n->shape.w;
}

/* --- compiling
 * --------------------------------------------------------------------------------------- */

static void allocate_node(struct plan *p, int i) {
    const struct node *n = &p->m->nodes[i];
    struct node_state *s = &p->nodes[i];
    size_t size = values(n) * (size_t)p->batch;
    if (n->op != OP_INPUT)
        s->out = need_aligned(size, sizeof(float));
    if (n->weights >= 0) {
        s->W = need_aligned(p->m->parameters[n->weights].n, sizeof(float));
        s->dW = need_aligned(p->m->parameters[n->weights].n, sizeof(float));
    }
    if (n->op == OP_NORM)
        s->stats = (struct norm_state){need_aligned((size_t)n->shape.c, sizeof(float)),
                                       need_aligned((size_t)n->shape.c, sizeof(float))};
    if (n->op == OP_DROPOUT)
        s->mask = need_aligned(size, sizeof(float));
    if (n->op == OP_MAXPOOL)
        s->indexes = need(size, sizeof(int));
}

static size_t workspace_size(const struct model *m) {
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

/* A gradient lives from the backward of its last reader (in the order of nodes) to its own. Walking
 * the nodes backwards, a buffer that has been read is free for the next that is written. */
static void share_gradients(struct plan *p) {
    const struct model *m = p->m;
    size_t *sizes = need((size_t)m->n_nodes, sizeof *sizes);
    int *of = need((size_t)m->n_nodes, sizeof *of), *busy = need((size_t)m->n_nodes, sizeof *busy);
    for (int i = 0; i < m->n_nodes; i++)
        of[i] = -1;
    for (int i = m->n_nodes - 1; i >= 0; i--) {
        const struct node *n = &m->nodes[i];
        for (int k = -1; k < n->n_in; k++) {
            int target =
                k < 0 ? i : n->in[k]; // the node itself (the logits have no reader), its inputs
            if (of[target] >= 0 || m->nodes[target].op == OP_INPUT)
                continue;
            int b = 0;
            while (busy[b])
                b++;
            busy[b] = 1;
            of[target] = b;
            size_t size = values(&m->nodes[target]) * (size_t)p->batch;
            sizes[b] = size > sizes[b] ? size : sizes[b];
            p->n_buffers = b + 1 > p->n_buffers ? b + 1 : p->n_buffers;
        }
        if (of[i] >= 0)
            busy[of[i]] = 0;
    }
    p->buffers = need((size_t)p->n_buffers + 1, sizeof *p->buffers);
    for (int b = 0; b < p->n_buffers; b++)
        p->buffers[b] = need_aligned(sizes[b], sizeof(float));
    for (int i = 0; i < m->n_nodes; i++)
        p->nodes[i].grad = of[i] >= 0 ? p->buffers[of[i]] : NULL;
    free(sizes);
    free(of);
    free(busy);
}

static struct plan *reference_compile(struct model *m, int batch, int threads, struct error *e) {
    (void)e;
    openblas_set_num_threads(threads);
    struct plan *p = need(1, sizeof *p);
    *p = (struct plan){.m = m, .batch = batch};
    p->nodes = need((size_t)m->n_nodes, sizeof *p->nodes);
    size_t largest = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        allocate_node(p, i);
        size_t size = values(&m->nodes[i]);
        largest = size > largest ? size : largest;
    }
    share_gradients(p);
    p->workspace = need_aligned(workspace_size(m), sizeof(float));
    p->scratch = need_aligned(largest * (size_t)batch, sizeof(float));
    return p;
}

static void reference_free(struct plan *p) {
    if (!p)
        return;
    for (int i = 0; i < p->m->n_nodes; i++) {
        struct node_state *s = &p->nodes[i];
        if (p->m->nodes[i].op != OP_INPUT)
            free(s->out);
        free(s->W);
        free(s->dW);
        free(s->stats.mean);
        free(s->stats.inverse);
        free(s->mask);
        free(s->indexes);
    }
    for (int b = 0; b < p->n_buffers; b++)
        free(p->buffers[b]);
    free(p->buffers);
    free(p->nodes);
    free(p->workspace);
    free(p->scratch);
    free(p);
}

/* --- forward
 * ------------------------------------------------------------------------------------------ */

static const float *input_of(const struct plan *p, const struct node *n, int k) {
    return p->nodes[n->in[k]].out;
}

static const float *bias_of(const struct plan *p, const struct node *n) {
    return n->bias >= 0 ? p->m->parameters[n->bias].value : NULL;
}

static void forward_conv(struct plan *p, const struct node *n, struct node_state *s) {
    struct conv g = conv_geometry(n->cfg);
    conv_forward(&g, p->n, input_of(p, n, 0), s->W, bias_of(p, n), s->out, p->workspace);
}

static int linear_inputs(const struct plan *p, const struct node *n) {
    return (int)values(&p->m->nodes[n->in[0]]);
}

static void forward_linear(struct plan *p, const struct node *n, struct node_state *s) {
    linear_forward(p->n, linear_inputs(p, n), n->shape.c, input_of(p, n, 0), s->W, bias_of(p, n),
                   s->out);
}

static void forward_norm(struct plan *p, const struct node *n, struct node_state *s) {
    struct norm *norm = &p->m->norms[n->norm];
    int b = p->pass.bank;
    if (p->pass.mode == PASS_EVALUATE)
        norm_evaluate(p->n, n->shape.c, plane(n), input_of(p, n, 0), norm->scale_of[b],
                      norm->shift_of[b], norm->mean[b], norm->variance[b], s->out);
    else
        norm_train(p->n, n->shape.c, plane(n), input_of(p, n, 0), norm->scale_of[b],
                   norm->shift_of[b], p->pass.momentum, norm->mean[b], norm->variance[b], &s->stats,
                   s->out);
}

/* The quantized clip where it replaces the network's activation, and ReLU, which it is at 32 bits.
 */
static int is_clip(const struct plan *p, const struct node *n) {
    return (n->clips && p->pass.act_bits != FLOAT_BITS) || n->cfg->activation == ACT_RELU;
}

static int clip_bits(const struct plan *p, const struct node *n) {
    return n->clips ? p->pass.act_bits : FLOAT_BITS;
}

static void forward_act(struct plan *p, const struct node *n, struct node_state *s) {
    size_t size = values(n) * (size_t)p->n;
    if (is_clip(p, n)) {
        clip_forward(size, clip_bits(p, n), input_of(p, n, 0), s->out);
        return;
    }
    memcpy(s->out, input_of(p, n, 0), size * sizeof(float));
    darknet_activate(p->m->darknet, n->cfg->activation, s->out, (int)size);
}

static void forward_darknet(struct plan *p, const struct node *n, struct node_state *s) {
    darknet_forward(p->m->darknet, &(struct darknet_call){.layer = n->layer,
                                                          .batch = p->n,
                                                          .indexes = s->indexes,
                                                          .input = p->nodes[n->in[0]].out,
                                                          .output = s->out});
}

/* Darknet's maximum of a window of NaN is -FLT_MAX at index -1: the NaN would be lost, and backward
 * would write in front of its buffer. */
static void forward_maxpool(struct plan *p, const struct node *n, struct node_state *s) {
    size_t size = values(n) * (size_t)p->n;
    forward_darknet(p, n, s);
    for (size_t i = 0; i < size; i++)
        if (s->indexes[i] < 0) {
            s->indexes[i] = 0;
            s->out[i] = NAN;
        }
}

static void forward_add(struct plan *p, const struct node *n, struct node_state *s) {
    add_forward(values(n) * (size_t)p->n, n->cfg->alpha, input_of(p, n, 0), n->cfg->beta,
                input_of(p, n, 1), s->out);
}

static void forward_concat(struct plan *p, const struct node *n, struct node_state *s) {
    size_t offset = 0, all = values(n);
    for (int k = 0; k < n->n_in; k++) {
        size_t part = values(&p->m->nodes[n->in[k]]);
        for (int image = 0; image < p->n; image++)
            memcpy(s->out + (size_t)image * all + offset, input_of(p, n, k) + (size_t)image * part,
                   part * sizeof(float));
        offset += part;
    }
}

static void forward_dropout(struct plan *p, const struct node *n, struct node_state *s) {
    size_t size = values(n) * (size_t)p->n;
    if (p->pass.mode != PASS_TRAIN) {
        memcpy(s->out, input_of(p, n, 0), size * sizeof(float));
        return;
    }
    // The stream names the step and the node, not the width: all widths of a step see one mask.
    dropout_mask(size, n->cfg->probability, p->pass.seed, p->pass.epoch,
                 p->pass.step * (uint64_t)p->m->n_nodes + (uint64_t)(n - p->m->nodes), s->mask);
    multiply_forward(size, input_of(p, n, 0), s->mask, s->out);
}

/* --- backward
 * ----------------------------------------------------------------------------------------- */

/* Where the gradient of input k goes, or NULL when nothing below needs it; *add tells whether
 * another reader of that input has written already. */
static float *target(struct plan *p, const struct node *n, int k, int *add) {
    struct node_state *s = &p->nodes[n->in[k]];
    *add = s->written;
    s->written = 1;
    return s->grad;
}

static void backward_conv(struct plan *p, const struct node *n, struct node_state *s) {
    struct conv g = conv_geometry(n->cfg);
    int add;
    float *dX = target(p, n, 0, &add);
    if (n->bias >= 0)
        bias_backward(p->n, n->shape.c, plane(n), s->grad, p->m->parameters[n->bias].grad);
    conv_backward(&g, p->n, input_of(p, n, 0), s->W, s->grad, s->dW, dX, add, p->workspace);
}

static void backward_linear(struct plan *p, const struct node *n, struct node_state *s) {
    int add;
    float *dX = target(p, n, 0, &add);
    if (n->bias >= 0)
        bias_backward(p->n, n->shape.c, 1, s->grad, p->m->parameters[n->bias].grad);
    linear_backward(p->n, linear_inputs(p, n), n->shape.c, input_of(p, n, 0), s->W, s->grad, s->dW,
                    dX, add);
}

static void backward_norm(struct plan *p, const struct node *n, struct node_state *s) {
    struct norm *norm = &p->m->norms[n->norm];
    int add, b = p->pass.bank;
    float *dX = target(p, n, 0, &add);
    // A norm right behind the input has nobody below, but its own gradients still count.
    norm_backward(p->n, n->shape.c, plane(n), input_of(p, n, 0), s->grad, norm->scale_of[b],
                  &s->stats, p->m->parameters[norm->scale[b]].grad,
                  p->m->parameters[norm->shift[b]].grad, dX ? dX : p->scratch, add);
}

static void backward_act(struct plan *p, const struct node *n, struct node_state *s) {
    size_t size = values(n) * (size_t)p->n;
    int add;
    float *dX = target(p, n, 0, &add);
    if (!dX)
        return;
    if (is_clip(p, n)) {
        clip_backward(size, clip_bits(p, n), input_of(p, n, 0), s->grad, dX, add);
        return;
    }
    darknet_gradient(p->m->darknet, n->cfg->activation, s->out, (int)size, s->grad);
    scale_backward(size, 1, s->grad, dX, add);
}

/* Darknet's functions add to the gradient below (pooling, upsampling) or write over it (reorg):
 * both are right in a cleared buffer of their own. */
static void backward_darknet(struct plan *p, const struct node *n, struct node_state *s) {
    size_t size = values(&p->m->nodes[n->in[0]]) * (size_t)p->n;
    int add;
    float *dX = target(p, n, 0, &add);
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

static void backward_add(struct plan *p, const struct node *n, struct node_state *s) {
    float factor[2] = {n->cfg->alpha, n->cfg->beta};
    for (int k = 0; k < 2; k++) {
        int add;
        float *dX = target(p, n, k, &add);
        if (dX)
            scale_backward(values(n) * (size_t)p->n, factor[k], s->grad, dX, add);
    }
}

static void backward_concat(struct plan *p, const struct node *n, struct node_state *s) {
    size_t offset = 0, all = values(n);
    for (int k = 0; k < n->n_in; k++) {
        size_t part = values(&p->m->nodes[n->in[k]]);
        int add;
        float *dX = target(p, n, k, &add);
        for (int image = 0; dX && image < p->n; image++)
            scale_backward(part, 1, s->grad + (size_t)image * all + offset,
                           dX + (size_t)image * part, add);
        offset += part;
    }
}

static void backward_dropout(struct plan *p, const struct node *n, struct node_state *s) {
    int add;
    float *dX = target(p, n, 0, &add);
    if (dX)
        multiply_backward(values(n) * (size_t)p->n, s->mask, s->grad, dX, add);
}

/* --- the interface
 * --------------------------------------------------------------------------------- */

typedef void operator_function(struct plan *, const struct node *, struct node_state *);

static const struct {
    operator_function *forward, *backward;
} operators[OPS] = {
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

static void reference_set_weights(struct plan *p, int node, const float *W_hat) {
    size_t n = p->m->parameters[p->m->nodes[node].weights].n;
    memcpy(p->nodes[node].W, W_hat, n * sizeof(float));
}

static const float *reference_forward(struct plan *p, const struct pass *pass, const float *images,
                                      int n) {
    p->pass = *pass;
    p->n = n;
    p->nodes[0].out = (float *)images; // read only: the input has no operator
    for (int i = 1; i < p->m->n_nodes; i++)
        operators[p->m->nodes[i].op].forward(p, &p->m->nodes[i], &p->nodes[i]);
    return p->nodes[p->m->logits].out;
}

static void reference_backward(struct plan *p, const float *d_logits) {
    for (int i = 0; i < p->m->n_nodes; i++)
        p->nodes[i].written = 0;
    struct node_state *top = &p->nodes[p->m->logits];
    memcpy(top->grad, d_logits, values(&p->m->nodes[p->m->logits]) * (size_t)p->n * sizeof(float));
    top->written = 1;
    for (int i = p->m->logits; i > 0; i--)
        if (p->nodes[i].written)
            operators[p->m->nodes[i].op].backward(p, &p->m->nodes[i], &p->nodes[i]);
}

static const float *reference_weight_gradient(struct plan *p, int node) {
    return p->nodes[node].dW;
}

static const float *reference_peek(struct plan *p, int node) {
    return p->nodes[node].out;
}

const struct engine engine_reference = {
    .name = "reference",
    .compile = reference_compile,
    .set_weights = reference_set_weights,
    .forward = reference_forward,
    .backward = reference_backward,
    .weight_gradient = reference_weight_gradient,
    .peek = reference_peek,
    .free = reference_free,
};
