/* The reference engine: one operator after another over canonical buffers, plain and obviously
 * right. Faster engines are tested against it. The operators are in operators.c; this file gives
 * them their buffers.
 *
 * Every node keeps its output until backward. Gradients are kept only as long as someone reads
 * them: their buffers are shared by nodes whose times do not overlap. */
#include "engine/reference/reference.h"

#include <cblas.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

struct program {
    struct reference r;
    int n_buffers;
    float **buffers; // of gradients; owned
};

/* A gradient lives from the backward of its last reader (in the order of nodes) to its own. Walking
 * the nodes backwards, a buffer that has been read is free for the next that is written. */
static void share_gradients(struct program *p, int batch) {
    const struct model *m = p->r.m;
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
            size_t size = node_values(&m->nodes[target]) * (size_t)batch;
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
        p->r.nodes[i].grad = of[i] >= 0 ? p->buffers[of[i]] : NULL;
    free(sizes);
    free(of);
    free(busy);
}

static int load_darknet(struct model *m, struct error *e) {
    for (int i = 0; i < m->n_nodes; i++)
        if (reference_needs_darknet(&m->nodes[i]))
            return model_need_darknet(m, e);
    return 0;
}

static struct program *reference_compile(struct model *m, int batch, int threads, struct error *e) {
    if (load_darknet(m, e))
        return NULL;
    openblas_set_num_threads(threads);
    omp_set_num_threads(threads); // of what the run does with the weights
    struct program *p = need(1, sizeof *p);
    p->r = (struct reference){.m = m,
                              .nodes = need((size_t)m->n_nodes, sizeof *p->r.nodes),
                              .workspace = need_aligned(reference_workspace(m), sizeof(float)),
                              .scratch = need_aligned(reference_scratch(m, batch), sizeof(float))};
    for (int i = 0; i < m->n_nodes; i++) {
        const struct node *n = &m->nodes[i];
        if (n->op != OP_INPUT)
            p->r.nodes[i].out = need_aligned(node_values(n) * (size_t)batch, sizeof(float));
        node_state_allocate(&p->r.nodes[i], m, n, batch);
    }
    share_gradients(p, batch);
    return p;
}

static void reference_free(struct program *p) {
    if (!p)
        return;
    for (int i = 0; i < p->r.m->n_nodes; i++) {
        if (p->r.m->nodes[i].op != OP_INPUT)
            free(p->r.nodes[i].out);
        node_state_free(&p->r.nodes[i]);
    }
    for (int b = 0; b < p->n_buffers; b++)
        free(p->buffers[b]);
    free(p->buffers);
    free(p->r.nodes);
    free(p->r.workspace);
    free(p->r.scratch);
    free(p);
}

static void reference_set_weights(struct program *p, int node, const float *W_hat) {
    size_t n = p->r.m->parameters[p->r.m->nodes[node].weights].n;
    memcpy(p->r.nodes[node].W, W_hat, n * sizeof(float));
}

static const float *reference_forward(struct program *p, const struct pass *pass,
                                      const float *images, int n) {
    p->r.pass = *pass;
    p->r.bank = model_bank_at(p->r.m, &pass->point);
    p->r.n = n;
    p->r.nodes[0].out = (float *)images; // read only: the input has no operator
    for (int i = 1; i < p->r.m->n_nodes; i++)
        reference_operators[p->r.m->nodes[i].op].forward(&p->r, &p->r.m->nodes[i], &p->r.nodes[i]);
    return p->r.nodes[p->r.m->logits].out;
}

static void reference_backward(struct program *p, const float *d_logits) {
    for (int i = 0; i < p->r.m->n_nodes; i++)
        p->r.nodes[i].written = 0;
    struct node_state *top = &p->r.nodes[p->r.m->logits];
    memcpy(top->grad, d_logits,
           node_values(&p->r.m->nodes[p->r.m->logits]) * (size_t)p->r.n * sizeof(float));
    top->written = 1;
    for (int i = p->r.m->logits; i > 0; i--)
        if (p->r.nodes[i].written)
            reference_operators[p->r.m->nodes[i].op].backward(&p->r, &p->r.m->nodes[i],
                                                              &p->r.nodes[i]);
}

static const float *reference_weight_gradient(struct program *p, int node) {
    return p->r.nodes[node].dW;
}

static const float *reference_peek(struct program *p, int node) {
    return p->r.nodes[node].out;
}

const struct engine engine_reference = {
    .interface = 1,
    .name = "reference",
    .about = "plain operators: the slow one, obviously right",
    .compile = reference_compile,
    .set_weights = reference_set_weights,
    .forward = reference_forward,
    .backward = reference_backward,
    .weight_gradient = reference_weight_gradient,
    .peek = reference_peek,
    .free = reference_free,
};
