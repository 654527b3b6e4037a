/* Convolutions over integers in bf16, for training; program.h and engine.h are the manual. */
#include "engine/onednn/primitive.h"
#include "engine/onednn/program.h"

#include <stdlib.h>
#include <string.h>

static struct stage *stage_of(const struct program *p, int node) {
    for (int i = 0; i < p->n_stages; i++)
        if (p->stages[i].node == node)
            return &p->stages[i];
    return NULL;
}

/* The activation whose values a node holds: itself, or what it pools. */
static int source_of(const struct program *p, int node) {
    return node_of(p, node)->op == OP_MAXPOOL ? node_of(p, node)->in[0] : node;
}

/* By the model alone: the input is clipped, and a scale is all that comes behind. */
static int multiplies_codes(const struct program *p, const struct stage *s) {
    const struct node *n = node_of(p, s->node);
    return n->op == OP_CONV && n->quantized >= 0 && n->bias < 0 &&
           p->r.m->quantizer->integer_form && node_of(p, source_of(p, n->in[0]))->clips;
}

/* Whether a fused pass clips what a node holds. */
static int holds_codes(const struct program *p, int node) {
    int act = source_of(p, node);
    const struct stage *s = stage_of(p, node), *clip = stage_of(p, act);
    return s && !onednn_is_plain(s) && clip && clip->act == act && node_of(p, act)->clips &&
           p->places[node].layout == BLOCKED;
}

static int only_integers_read(const struct program *p, int node) {
    const struct model *m = p->r.m;
    for (int i = 0; i < m->n_nodes; i++)
        for (int k = 0; k < m->nodes[i].n_in; k++) {
            const struct stage *s = m->nodes[i].in[k] == node ? stage_of(p, i) : NULL;
            if (m->nodes[i].in[k] == node && !(s && s->bf16))
                return 0;
        }
    return node != m->logits;
}

static size_t width_of(const struct node *n) {
    return ((size_t)n->shape.c + LANES - 1) / LANES * LANES;
}

static void prepare(struct program *p, struct stage *s, size_t *largest) {
    const struct node *n = node_of(p, s->node);
    struct place *in = &p->places[n->in[0]];
    size_t y = place_size(p, s->node, BLOCKED, p->batch);
    s->integers = need_aligned(p->r.m->parameters[n->weights].n, sizeof(float));
    s->unit = need_aligned(width_of(n), sizeof(float));
    s->scale = need_aligned(width_of(n), sizeof(float));
    if (!in->codes)
        in->codes = need_aligned(place_size(p, n->in[0], BLOCKED, p->batch), sizeof *in->codes);
    *largest = y > *largest ? y : *largest;
}

int onednn_use_bf16(struct program *p, int backward, struct error *e) {
    size_t largest = 0;
    for (int i = 0; i < p->n_stages; i++) {
        struct stage *s = &p->stages[i];
        if (!multiplies_codes(p, s))
            continue;
        struct conv g = conv_geometry(node_of(p, s->node)->cfg);
        if (onednn_conv_beats_bf16(&g))
            continue;
        if (!onednn_has_bf16())
            return fail(e, "this machine has no bf16 arithmetic; use --precision fp32");
        if (onednn_is_plain(s) || !holds_codes(p, node_of(p, s->node)->in[0]))
            continue;
        struct conv_form form = {.operands = CONV_INTEGERS, .forward_only = !backward};
        s->bf16 = onednn_conv_new(p->o, &g, p->batch, &form);
        if (s->bf16)
            prepare(p, s, &largest);
    }
    p->bf16_backward = backward;
    if (backward && largest)
        p->rounded = need_aligned(largest, sizeof *p->rounded);
    for (int i = 0; backward && i < p->r.m->n_nodes; i++)
        p->places[i].codes_suffice =
            p->places[i].codes && node_of(p, i)->op == OP_ACT && only_integers_read(p, i);
    return 0;
}

int onednn_wants_integers(const struct program *p, int node) {
    const struct stage *s = stage_of(p, node);
    return s && s->bf16;
}

/* An offset, as minmax has, leaves Ŵ no multiple of whole numbers; a unit of 0 (all weights 0)
 * cannot be divided by: such layers stay in fp32. */
static int are_multiples(const struct integer_form *form, int channels) {
    int all = !form->has_offset;
    for (int c = 0; c < channels; c++)
        all &= form->unit[c] != 0;
    return all;
}

void onednn_set_integers(struct program *p, int node, const int8_t *v,
                         const struct integer_form *form) {
    struct stage *s = stage_of(p, node);
    const struct node *n = node_of(p, node);
    size_t weights = p->r.m->parameters[n->weights].n;
    if (!are_multiples(form, n->shape.c))
        return;
    for (size_t i = 0; i < weights; i++)
        s->integers[i] = (float)(form->factor * v[i] + form->odd);
    onednn_conv_weights(s->bf16, s->integers);
    memcpy(s->unit, form->unit, (size_t)n->shape.c * sizeof(float));
    s->has_integers = 1;
}

int integers_forward(struct program *p, struct stage *s) {
    const struct node *n = node_of(p, s->node);
    const struct place *in = &p->places[n->in[0]];
    if (!s->bf16 || !s->has_integers || !in->coded || p->r.n != p->batch)
        return 0;
    float top = (float)((1 << p->r.pass.point.act_bits) - 1);
    for (int c = 0; c < n->shape.c; c++)
        s->scale[c] = s->unit[c] / top;
    onednn_conv_forward(s->bf16, in->codes, s->scale, p->places[s->node].out);
    return 1;
}

/* dX = Σ Ŵ dY = Σ (integer of Ŵ) (unit dY), and dŴ = Σ X dY = Σ (code of X) (unit dY) / (unit (2^j
 * - 1)): one gradient in bf16 serves both. */
void integers_backward(struct program *p, struct stage *s) {
    const struct node *n = node_of(p, s->node);
    struct blocked shape = shape_of(p, s->node);
    float *dW = p->r.nodes[s->node].dW, top = (float)((1 << p->r.pass.point.act_bits) - 1);
    size_t weights = p->r.m->parameters[n->weights].n, per = weights / (size_t)n->shape.c;
    blocked_to_bf16(&shape, p->places[s->node].grad->data, s->unit, p->rounded);
    struct sink sink = sink_open(p, n->in[0], BLOCKED, 0);
    onednn_conv_backward(s->bf16, p->places[n->in[0]].codes, p->rounded, dW, sink.data);
    for (size_t i = 0; i < weights; i++)
        dW[i] /= s->unit[i / per] * top;
    sink_close(p, &sink);
}
