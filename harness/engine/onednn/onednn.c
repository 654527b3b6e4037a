/* The onednn engine: a model compiled once into stages. Activations stay in nChw16c from the first
 * convolution to the last, forward and backward; convolutions are oneDNN's (conv.h), everything
 * between them is a fused pass (blocked.h). A norm and the activation that alone reads it are one
 * stage. What it does not cover runs as the reference operator in canonical layout, with
 * conversions at the edge.
 *
 * Gradients live in buffers that are counted and reused: an addition hands the one buffer on to
 * both of its inputs instead of copying it. After the first training step nothing is allocated. */
#include "engine/exact.h"
#include "engine/onednn/primitive.h"
#include "engine/onednn/program.h"

#include <cblas.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* ---- compiling ---- */

static void add_stage(struct program *p, int i) {
    struct stage s = onednn_stage(p, i);
    if (!s.forward)
        s = onednn_plain_stage(i);
    enum op op = node_of(p, s.node)->op;
    struct place *out = &p->places[s.node];
    out->layout = onednn_is_plain(&s) || op == OP_AVGPOOL || op == OP_LINEAR ? PLAIN : BLOCKED;
    out->out = need_aligned(place_size(p, s.node, out->layout, p->batch), sizeof(float));
    p->stages[p->n_stages++] = s;
}

static void allocate_scratch(struct program *p) {
    size_t widest = 1;
    for (int i = 0; i < p->r.m->n_nodes; i++) {
        struct blocked s = blocked_shape(p->batch, p->r.m->nodes[i].shape);
        size_t width = (size_t)s.blocks * LANES;
        widest = width > widest ? width : widest;
    }
    p->partial = need_aligned(2 * (size_t)p->batch * widest, sizeof(float));
    p->coefficients = need_aligned(3 * widest, sizeof(float));
    p->sums = need(2 * widest, sizeof *p->sums);
    p->r.workspace = need_aligned(reference_workspace(p->r.m), sizeof(float));
    p->r.scratch = need_aligned(reference_scratch(p->r.m, p->batch), sizeof(float));
}

static void onednn_free(struct program *p) {
    if (!p)
        return;
    for (int i = 0; i < p->n_stages; i++)
        onednn_stage_free(&p->stages[i]);
    for (int i = 1; i < p->r.m->n_nodes; i++) {
        node_state_free(&p->r.nodes[i]);
        free(p->places[i].out);
        free(p->places[i].view);
        free(p->places[i].codes);
    }
    free(p->places[0].view);
    for (int i = 0; i < p->n_buffers; i++) {
        free(p->buffers[i]->data);
        free(p->buffers[i]);
    }
    free(p->buffers);
    free(p->stages);
    free(p->places);
    free(p->partial);
    free(p->coefficients);
    free(p->sums);
    free(p->rounded);
    free(p->r.nodes);
    free(p->r.workspace);
    free(p->r.scratch);
    onednn_close(p->o);
    free(p);
}

/* Steps of one's own need Darknet for activations that are not among the fused ones. */
static int load_darknet(const struct program *p, struct error *e) {
    for (int i = 0; i < p->n_stages; i++) {
        const struct stage *s = &p->stages[i];
        int node = onednn_is_plain(s) ? s->node : s->act;
        if (node >= 0 && reference_needs_darknet(node_of(p, node)))
            return model_need_darknet(p->r.m, e);
    }
    return 0;
}

static struct program *onednn_compile(struct model *m, int batch, int threads, struct error *e) {
    omp_set_num_threads(threads);
    openblas_set_num_threads(1); // only fallen-back convolutions use it, between OpenMP's threads
    struct onednn *o = onednn_open(threads, e);
    if (!o)
        return NULL;
    struct program *p = need(1, sizeof *p);
    *p = (struct program){.o = o, .batch = batch};
    p->r = (struct reference){.m = m, .nodes = need((size_t)m->n_nodes, sizeof *p->r.nodes)};
    p->places = need((size_t)m->n_nodes, sizeof *p->places);
    p->stages = need((size_t)m->n_nodes, sizeof *p->stages);
    for (int i = 1; i < m->n_nodes; i++) {
        node_state_allocate(&p->r.nodes[i], m, &m->nodes[i], batch);
        int last = p->n_stages ? p->stages[p->n_stages - 1].node : 0;
        if (i > last) // not the activation of the norm before it
            add_stage(p, i);
    }
    allocate_scratch(p);
    if (!load_darknet(p, e))
        return p;
    onednn_free(p);
    return NULL;
}

/* ---- the interface ---- */

static void onednn_set_weights(struct program *p, int node, const float *W_hat) {
    size_t n = p->r.m->parameters[node_of(p, node)->weights].n;
    memcpy(p->r.nodes[node].W, W_hat, n * sizeof(float));
    for (int i = 0; i < p->n_stages; i++)
        if (p->stages[i].node == node) {
            p->stages[i].weights++;
            p->stages[i].has_integers = 0;
        }
}

static const float *onednn_forward(struct program *p, const struct pass *pass, const float *images,
                                   int n) {
    p->r.pass = *pass;
    p->r.bank = model_bank_at(p->r.m, &pass->point);
    p->r.n = n;
    p->places[0].out = (float *)images; // read only
    for (int i = 0; i < p->r.m->n_nodes; i++)
        p->places[i].viewed = p->places[i].coded = p->places[i].behind = 0;
    for (int i = 0; i < p->n_stages; i++)
        p->stages[i].forward(p, &p->stages[i]);
    return place_view(p, p->r.m->logits, PLAIN);
}

static void onednn_backward(struct program *p, const float *d_logits) {
    int logits = p->r.m->logits;
    struct sink top = sink_open(p, logits, PLAIN, 1);
    memcpy(top.data, d_logits, place_size(p, logits, PLAIN, p->r.n) * sizeof(float));
    sink_close(p, &top);
    for (int i = p->n_stages - 1; i >= 0; i--) {
        if (!p->places[p->stages[i].node].grad)
            continue;
        p->stages[i].backward(p, &p->stages[i]);
        place_drop_gradient(p, p->stages[i].node);
    }
}

static const float *onednn_weight_gradient(struct program *p, int node) {
    return p->r.nodes[node].dW;
}

/* The output of a norm that is one stage with its activation: computed anew, by the affine of the
 * pass. */
static const float *folded_norm(struct program *p, int node) {
    const struct stage *s = p->stages;
    while (s->norm != node)
        s++;
    struct blocked shape = shape_of(p, node);
    struct place *x = &p->places[node];
    if (!x->view)
        x->view = need_aligned(place_size(p, node, PLAIN, p->batch), sizeof(float));
    float *blocked = need_aligned(blocked_size(&shape), sizeof(float));
    blocked_affine(&shape, place_view(p, node_of(p, node)->in[0], BLOCKED), s->a, s->b,
                   BLOCKED_NONE, FLOAT_BITS, blocked);
    blocked_to_plain(&shape, blocked, x->view, 0);
    free(blocked);
    return x->view;
}

static const float *onednn_peek(struct program *p, int node) {
    if (p->places[node].out)
        return place_view(p, node, PLAIN);
    return node_of(p, node)->op == OP_NORM ? folded_norm(p, node) : NULL;
}

static void onednn_describe(const struct program *p, FILE *out) {
    for (int i = 0; i < p->n_stages; i++) {
        char name[96];
        if (!onednn_is_plain(&p->stages[i]))
            continue;
        model_node_name(p->r.m, p->stages[i].node, name, sizeof name);
        fprintf(out, "%s: by the reference engine\n", name);
    }
    for (int i = 0; i < p->n_stages; i++) {
        char name[96];
        if (!p->stages[i].bf16)
            continue;
        model_node_name(p->r.m, p->stages[i].node, name, sizeof name);
        fprintf(out, "%s: over integers in bf16%s\n", name,
                p->bf16_backward ? ", backward in bf16" : "");
    }
}

const struct engine engine_onednn = {
    .interface = 1,
    .name = "onednn",
    .about = "oneDNN and fused passes: the fast one",
    .library = onednn_library,
    .look = onednn_look,
    .compile = onednn_compile,
    .any_team = 1,
    .set_weights = onednn_set_weights,
    .forward = onednn_forward,
    .backward = onednn_backward,
    .weight_gradient = onednn_weight_gradient,
    .peek = onednn_peek,
    .describe = onednn_describe,
    .free = onednn_free,
    .use_bf16 = onednn_use_bf16,
    .wants_integers = onednn_wants_integers,
    .set_integers = onednn_set_integers,
    .exact = &onednn_exact,
};
