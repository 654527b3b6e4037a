/* What each kind of stage of the onednn engine does; program.h is the manual. */
#include "engine/onednn/program.h"

#include "model/darknet.h"

#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

static const float epsilon = (float)NORM_EPSILON;

static const float *gradient_of(const struct program *p, const struct stage *s) {
    return p->places[s->node].grad->data;
}

/* ---- convolution ---- */

static int reads_plain(const struct node *n, const struct model *m) {
    return m->nodes[n->in[0]].op == OP_INPUT && m->nodes[n->in[0]].shape.c < LANES;
}

static struct onednn_conv *new_conv(const struct program *p, const struct node *n, int images) {
    struct conv g = conv_geometry(n->cfg);
    struct conv_form form = {.plain_input = reads_plain(n, p->r.m), .has_bias = n->bias >= 0};
    return onednn_conv_new(p->o, &g, images, &form);
}

/* The primitives for this many images; the last batch of an evaluation is smaller than the others.
 */
static struct sized_conv *conv_for(struct program *p, struct stage *s) {
    const struct node *n = node_of(p, s->node);
    int at = 0;
    while (at < CONV_SIZES - 1 && s->convs[at].conv && s->convs[at].n != p->r.n)
        at++;
    struct sized_conv *c = &s->convs[at];
    if (c->conv && c->n != p->r.n) {
        onednn_conv_free(c->conv);
        c->conv = NULL;
    }
    if (!c->conv)
        *c = (struct sized_conv){p->r.n, new_conv(p, n, p->r.n), -1};
    if (!c->conv) // there was one for the whole batch
        onednn_must(dnnl_unimplemented, "a convolution for fewer images");
    if (c->weights != s->weights)
        onednn_conv_weights(c->conv, p->r.nodes[s->node].W);
    c->weights = s->weights;
    return c;
}

static const float *conv_input(struct program *p, const struct node *n) {
    return place_view(p, n->in[0], reads_plain(n, p->r.m) ? PLAIN : BLOCKED);
}

static void conv_stage_forward(struct program *p, struct stage *s) {
    const struct node *n = node_of(p, s->node);
    s->by_integers = integers_forward(p, s);
    if (s->by_integers)
        return;
    const float *bias = n->bias >= 0 ? p->r.m->parameters[n->bias].value : NULL;
    onednn_conv_forward(conv_for(p, s)->conv, conv_input(p, n), bias, p->places[s->node].out);
}

static void conv_stage_backward(struct program *p, struct stage *s) {
    const struct node *n = node_of(p, s->node);
    if (s->by_integers && p->bf16_backward) {
        integers_backward(p, s);
        return;
    }
    struct blocked shape = shape_of(p, s->node);
    const float *dY = gradient_of(p, s);
    if (n->bias >= 0)
        blocked_bias_backward(&shape, dY, p->partial, p->r.m->parameters[n->bias].grad);
    struct sink sink = sink_open(p, n->in[0], BLOCKED, 0);
    onednn_conv_backward(conv_for(p, s)->conv, conv_input(p, n), dY, p->r.nodes[s->node].dW,
                         sink.data);
    sink_close(p, &sink);
}

/* ---- norm, activation, or both ---- */

static int norm_input(const struct program *p, const struct stage *s) {
    return node_of(p, s->norm >= 0 ? s->norm : s->act)->in[0];
}

/* How the activation enters the fused passes. */
struct fused_act {
    enum blocked_act kind;
    int bits;    // of the codes it makes
    int foreign; // one of Darknet's functions, applied to the affine's result
};

static struct fused_act act_of(const struct program *p, const struct stage *s) {
    if (s->act < 0)
        return (struct fused_act){BLOCKED_NONE, 0, 0};
    const struct node *n = node_of(p, s->act);
    if (act_is_clip(n, p->r.pass.point.act_bits))
        return (struct fused_act){BLOCKED_CLIP, act_clip_bits(n, p->r.pass.point.act_bits), 0};
    return (struct fused_act){BLOCKED_NONE, 0, 1};
}

/* a and b of running statistics. */
static void evaluating_affine(const struct norm *norm, int bank, struct stage *s) {
    for (int c = 0; c < norm->channels; c++) {
        s->a[c] = norm->scale_of[bank][c] / sqrtf(norm->variance[bank][c] + epsilon);
        s->b[c] = norm->shift_of[bank][c] - s->a[c] * norm->mean[bank][c];
    }
}

/* a and b of the batch's statistics, which move the running ones. */
static void training_affine(struct program *p, const struct norm *norm, int bank, const float *X,
                            struct stage *s) {
    struct blocked shape = shape_of(p, norm_input(p, s));
    double *mean = p->sums, *variance = p->sums + norm->channels;
    double count = (double)shape.n * shape.plane, unbias = count > 1 ? count / (count - 1) : 1;
    float momentum = p->r.pass.momentum;
    blocked_statistics(&shape, X, p->partial, mean, variance);
    for (int c = 0; c < norm->channels; c++) {
        s->mean[c] = (float)mean[c];
        s->inverse[c] = 1 / sqrtf((float)variance[c] + epsilon);
        s->a[c] = norm->scale_of[bank][c] * s->inverse[c];
        s->b[c] = norm->shift_of[bank][c] - s->a[c] * s->mean[c];
        norm->mean[bank][c] += momentum * (s->mean[c] - norm->mean[bank][c]);
        norm->variance[bank][c] +=
            momentum * ((float)(variance[c] * unbias) - norm->variance[bank][c]);
    }
}

static void norm_stage_forward(struct program *p, struct stage *s) {
    struct blocked shape = shape_of(p, s->node);
    const float *X = place_view(p, norm_input(p, s), BLOCKED);
    struct fused_act act = act_of(p, s);
    if (s->norm >= 0) {
        const struct norm *norm = &p->r.m->norms[node_of(p, s->norm)->norm];
        if (p->r.pass.mode == PASS_EVALUATE)
            evaluating_affine(norm, p->r.bank, s);
        else
            training_affine(p, norm, p->r.bank, X, s);
    }
    struct place *place = &p->places[s->node];
    float *Y = place->out;
    if (place->codes && act.kind == BLOCKED_CLIP && act.bits >= 1 && act.bits <= 8) {
        place->coded = 1;
        place->behind = place->codes_suffice;
        blocked_affine_codes(&shape, X, s->a, s->b, act.bits, place->codes,
                             place->behind ? NULL : Y);
        return;
    }
    blocked_affine(&shape, X, s->a, s->b, act.kind, act.bits, Y);
    if (act.foreign)
        darknet_activate(p->r.m->darknet, node_of(p, s->act)->cfg->activation, Y,
                         (int)blocked_size(&shape));
}

/* dL/dX = p dZ + q X + r, and the gradients of scale and shift. */
static void norm_coefficients(struct program *p, struct stage *s, const struct blocked *shape,
                              const float *X, const float *dY, struct fused_act act) {
    const struct norm *norm = &p->r.m->norms[node_of(p, s->norm)->norm];
    int bank = p->r.bank, width = shape->blocks * LANES;
    float *d_scale = p->r.m->parameters[norm->scale[bank]].grad;
    float *d_shift = p->r.m->parameters[norm->shift[bank]].grad;
    double *sum = p->sums, *product = p->sums + norm->channels;
    double count = (double)shape->n * shape->plane;
    blocked_norm_sums(shape, X, dY, s->a, s->b, s->mean, act.kind, act.bits, p->partial, sum,
                      product);
    for (int c = 0; c < norm->channels; c++) {
        double a = s->a[c], inverse = s->inverse[c];
        double q = -a * inverse * inverse * product[c] / count;
        d_scale[c] += (float)(product[c] * inverse);
        d_shift[c] += (float)sum[c];
        p->coefficients[c] = s->a[c];
        p->coefficients[width + c] = (float)q;
        p->coefficients[2 * width + c] = (float)(-a * sum[c] / count - q * s->mean[c]);
    }
}

static void norm_stage_backward(struct program *p, struct stage *s) {
    struct blocked shape = shape_of(p, s->node);
    struct fused_act act = act_of(p, s);
    int in = norm_input(p, s), width = shape.blocks * LANES, add;
    const float *X = place_view(p, in, BLOCKED);
    float *dY = act.foreign ? place_own_gradient(p, s->node, &add) : p->places[s->node].grad->data;
    if (act.foreign)
        darknet_gradient(p->r.m->darknet, node_of(p, s->act)->cfg->activation,
                         p->places[s->node].out, (int)blocked_size(&shape), dY);
    memset(p->coefficients, 0, 3 * (size_t)width * sizeof(float));
    if (s->norm >= 0)
        norm_coefficients(p, s, &shape, X, dY, act);
    else
        for (int c = 0; c < shape.c; c++)
            p->coefficients[c] = 1;
    struct sink sink = sink_open(p, in, BLOCKED, 1);
    if (sink.data)
        blocked_norm_backward(&shape, X, dY, s->a, s->b, act.kind, act.bits, p->coefficients,
                              p->coefficients + width, p->coefficients + 2 * width, sink.data,
                              sink.add);
    sink_close(p, &sink);
}

/* ---- addition ---- */

static void add_stage_forward(struct program *p, struct stage *s) {
    const struct node *n = node_of(p, s->node);
    blocked_add(place_size(p, s->node, BLOCKED, p->r.n), n->cfg->alpha, p->places[n->in[0]].out,
                n->cfg->beta, p->places[n->in[1]].out, p->places[s->node].out);
}

static void add_stage_backward(struct program *p, struct stage *s) {
    const struct node *n = node_of(p, s->node);
    const float factor[2] = {n->cfg->alpha, n->cfg->beta};
    for (int k = 0; k < 2; k++) {
        struct place *in = &p->places[n->in[k]];
        if (factor[k] == 1 && !in->grad) { // the same gradient: hand the buffer on
            in->grad = p->places[s->node].grad;
            in->grad->readers++;
            continue;
        }
        struct sink sink = sink_open(p, n->in[k], BLOCKED, 1);
        if (sink.data)
            blocked_scale(place_size(p, n->in[k], BLOCKED, p->r.n), factor[k], gradient_of(p, s),
                          sink.data, sink.add);
        sink_close(p, &sink);
    }
}

/* ---- pooling ---- */

static void mean_stage_forward(struct program *p, struct stage *s) {
    int in = node_of(p, s->node)->in[0];
    struct blocked shape = shape_of(p, in);
    blocked_mean(&shape, p->places[in].out, p->places[s->node].out);
}

static void mean_stage_backward(struct program *p, struct stage *s) {
    int in = node_of(p, s->node)->in[0];
    struct blocked shape = shape_of(p, in);
    struct sink sink = sink_open(p, in, BLOCKED, 1);
    blocked_mean_backward(&shape, gradient_of(p, s), sink.data, sink.add);
    sink_close(p, &sink);
}

static struct window window_of(const struct node *n) {
    const struct cfg_layer *c = n->cfg;
    return (struct window){c->in.h, c->in.w,   c->out.h,       c->out.w,
                           c->size, c->stride, -c->padding / 2};
}

static void max_stage_forward(struct program *p, struct stage *s) {
    int in = node_of(p, s->node)->in[0];
    struct blocked shape = shape_of(p, in);
    struct window w = window_of(node_of(p, s->node));
    struct place *place = &p->places[s->node];
    blocked_maxpool(&shape, &w, p->places[in].out, place->out, s->choice);
    if (!place->codes || p->r.pass.point.act_bits < 1 || p->r.pass.point.act_bits > 8)
        return;
    struct blocked pooled = shape_of(p, s->node);
    blocked_codes(&pooled, place->out, p->r.pass.point.act_bits, place->codes);
    place->coded = 1;
}

static void max_stage_backward(struct program *p, struct stage *s) {
    int in = node_of(p, s->node)->in[0];
    struct blocked shape = shape_of(p, in);
    struct window w = window_of(node_of(p, s->node));
    struct sink sink = sink_open(p, in, BLOCKED, 1);
    blocked_maxpool_backward(&shape, &w, s->choice, gradient_of(p, s), sink.data, sink.add);
    sink_close(p, &sink);
}

/* ---- which stage a node becomes ---- */

static int readers_of(const struct model *m, int i) {
    int n = i == m->logits;
    for (int k = 0; k < m->n_nodes; k++)
        for (int j = 0; j < m->nodes[k].n_in; j++)
            n += m->nodes[k].op != OP_INPUT && m->nodes[k].in[j] == i;
    return n;
}

/* Darknet's functions see the lanes behind the channels too, which have to stay 0. A measured bound
 * is the reference operator's. */
static int can_fuse(const struct node *act) {
    return act->op == OP_ACT && act->bound == 1 &&
           (act->cfg->activation == ACT_RELU || act->shape.c % LANES == 0);
}

static int is_blocked(const struct program *p, int i) {
    return p->places[i].layout == BLOCKED;
}

static void allocate_norm_stage(struct stage *s, const struct node *n) {
    size_t width = (size_t)((n->shape.c + LANES - 1) / LANES * LANES);
    float **all[] = {&s->a, &s->b, &s->mean, &s->inverse};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = need_aligned(width, sizeof(float));
    for (int c = 0; s->norm < 0 && c < n->shape.c; c++)
        s->a[c] = 1;
}

/* A norm with the activation behind it where nobody else reads the norm; or either alone. */
static struct stage norm_stage(const struct program *p, int i) {
    const struct model *m = p->r.m;
    struct stage s = {.forward = norm_stage_forward,
                      .backward = norm_stage_backward,
                      .node = i,
                      .norm = m->nodes[i].op == OP_NORM ? i : -1,
                      .act = m->nodes[i].op == OP_ACT ? i : -1};
    int next = i + 1;
    if (s.norm >= 0 && next < m->n_nodes && can_fuse(&m->nodes[next]) &&
        m->nodes[next].in[0] == i && readers_of(m, i) == 1)
        s.node = s.act = next;
    allocate_norm_stage(&s, &m->nodes[i]);
    return s;
}

static struct stage conv_stage(struct program *p, int i) {
    struct stage s = {.node = i, .norm = -1, .act = -1};
    p->r.n = p->batch;
    s.convs[0] = (struct sized_conv){p->batch, new_conv(p, node_of(p, i), p->batch), -1};
    if (s.convs[0].conv) {
        s.forward = conv_stage_forward;
        s.backward = conv_stage_backward;
    }
    return s;
}

struct stage onednn_stage(struct program *p, int i) {
    const struct node *n = node_of(p, i);
    struct stage s = {.node = i, .norm = -1, .act = -1};
    int blocked = is_blocked(p, n->in[0]);
    if (n->op == OP_CONV)
        return conv_stage(p, i);
    if ((n->op == OP_NORM || (n->op == OP_ACT && can_fuse(n))) && blocked)
        return norm_stage(p, i);
    if (n->op == OP_LINEAR) {
        s.forward = linear_stage_forward;
        s.backward = linear_stage_backward;
    } else if (n->op == OP_ADD && blocked && is_blocked(p, n->in[1])) {
        s.forward = add_stage_forward;
        s.backward = add_stage_backward;
    } else if (n->op == OP_AVGPOOL && blocked) {
        s.forward = mean_stage_forward;
        s.backward = mean_stage_backward;
    } else if (n->op == OP_MAXPOOL && blocked && n->cfg->size <= WINDOW_LARGEST) {
        s.forward = max_stage_forward;
        s.backward = max_stage_backward;
        s.choice = need(place_size(p, i, BLOCKED, p->batch), sizeof *s.choice);
    }
    return s;
}

void onednn_stage_free(struct stage *s) {
    for (int i = 0; i < CONV_SIZES; i++)
        onednn_conv_free(s->convs[i].conv);
    free(s->a);
    free(s->b);
    free(s->mean);
    free(s->inverse);
    free(s->choice);
    onednn_conv_free(s->bf16);
    free(s->integers);
    free(s->unit);
    free(s->scale);
}
