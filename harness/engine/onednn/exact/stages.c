/* What each kind of node does in exact evaluation; exact_program.h is the manual. */
#include "engine/onednn/exact/exact_program.h"

#include "engine/onednn/blocked.h"
#include "model/darknet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int plane_of(const struct exact_program *p, int node) {
    return p->m->nodes[node].shape.h * p->m->nodes[node].shape.w;
}

/* ---- reading an output ---- */

float *exact_floats_memory(struct exact_program *p, int node) {
    struct memory *m = &p->memory[node];
    if (!m->floats)
        m->floats = need_aligned(exact_values(p, node), sizeof(float));
    return m->floats;
}

static float *coefficient(float **where, int channels) {
    if (!*where)
        *where = need_aligned((size_t)channels, sizeof(float));
    return *where;
}

/* The values of a node, whatever it left. */
const float *exact_floats(struct exact_program *p, int node) {
    struct output *x = &p->out[node];
    if (x->floats)
        return x->floats;
    x->floats = exact_floats_memory(p, node);
    if (x->form == CODES)
        codes_to_floats(exact_values(p, node), p->act_bits, x->codes, x->floats);
    else
        sums_to_floats(&x->sums, x->floats);
    return x->floats;
}

/* A node as sums, with a map of its own that may be changed. */
static struct sums sums_of(struct exact_program *p, int node, struct memory *own) {
    const struct output *x = &p->out[node];
    int c = p->m->nodes[node].shape.c;
    float *a = coefficient(&own->a, c), *b = coefficient(&own->b, c);
    struct sums s = x->sums;
    if (x->form != SUMS)
        s = (struct sums){
            .pixels = exact_values(p, node) / (size_t)c, .c = c, .real = exact_floats(p, node)};
    for (int i = 0; i < c; i++) {
        a[i] = x->form == SUMS ? s.a[i] : 1;
        b[i] = x->form == SUMS ? s.b[i] : 0;
    }
    if (s.o)
        s.o = memcpy(coefficient(&own->o, c), s.o, (size_t)c * sizeof(float));
    s.a = a;
    s.b = b;
    return s;
}

/* ---- one node after the other ---- */

/* Σ of each window's codes, where the weights have a constant part. */
static const int32_t *box_of(struct exact_program *p, int node, const uint8_t *codes) {
    struct product *x = &p->products[node];
    struct memory *m = &p->memory[node];
    size_t groups = (size_t)x->g.groups, n = (size_t)p->batch;
    if (!x->odd && !x->has_offset)
        return NULL;
    if (!m->box) {
        m->box = need_aligned(n * (size_t)x->g.out_h * (size_t)x->g.out_w * groups, 4);
        m->columns = need_aligned(n * (size_t)x->g.h * (size_t)x->g.w * groups, 4);
    }
    codes_box(&x->g, p->batch, codes, m->columns, m->box);
    return m->box;
}

/* value = unit/top T + offset/top box + bias */
static void product_map(struct exact_program *p, int node, struct sums *s) {
    const struct node *n = &p->m->nodes[node];
    const struct product *x = &p->products[node];
    struct memory *m = &p->memory[node];
    double top = x->codes ? (1 << p->act_bits) - 1 : 1;
    float *a = coefficient(&m->a, s->c), *b = coefficient(&m->b, s->c);
    float *o = coefficient(&m->o, s->c);
    const float *bias = n->bias >= 0 ? p->m->parameters[n->bias].value : NULL;
    for (int c = 0; c < s->c; c++) {
        a[c] = (float)(x->unit[c] / top);
        o[c] = (float)(x->offset[c] / top);
        b[c] = bias ? bias[c] : 0;
    }
    s->a = a;
    s->b = b;
    s->o = x->has_offset ? o : NULL;
}

static void run_product(struct exact_program *p, int node) {
    const struct node *n = &p->m->nodes[node];
    struct product *x = &p->products[node];
    struct output *in = &p->out[n->in[0]], *out = &p->out[node];
    void *T = p->memory[node].sums;
    int whole = sum_conv_arithmetic(x->conv) == ARITHMETIC_INT8;
    const void *X = x->codes ? (const void *)in->codes : exact_floats(p, n->in[0]);
    sum_conv_forward(x->conv, X, T);
    out->form = SUMS;
    out->sums = (struct sums){.pixels = exact_values(p, node) / (size_t)n->shape.c,
                              .c = n->shape.c,
                              .whole = whole ? T : NULL,
                              .real = whole ? NULL : T,
                              .factor = x->factor,
                              .odd = x->odd,
                              .box = x->codes ? box_of(p, node, in->codes) : NULL,
                              .groups = x->g.groups};
    product_map(p, node, &out->sums);
}

/* Composed with what is still to come of its input. */
static void run_norm(struct exact_program *p, int node) {
    const struct node *n = &p->m->nodes[node];
    const struct norm *norm = &p->m->norms[n->norm];
    struct memory *own = &p->memory[node];
    struct sums s = sums_of(p, n->in[0], own);
    for (int c = 0; c < s.c; c++) {
        double a =
            norm->scale_of[p->bank][c] / sqrt((double)norm->variance[p->bank][c] + NORM_EPSILON);
        double b = norm->shift_of[p->bank][c] - a * norm->mean[p->bank][c];
        own->a[c] = (float)(a * own->a[c]);
        own->b[c] = (float)(a * own->b[c] + b);
        if (s.o)
            own->o[c] = (float)(a * own->o[c]);
    }
    p->out[node] = (struct output){.form = SUMS, .sums = s};
}

static void run_act(struct exact_program *p, int node) {
    const struct node *n = &p->m->nodes[node];
    struct memory *own = &p->memory[node];
    struct output *out = &p->out[node];
    if (n->clips) {
        struct sums s = sums_of(p, n->in[0], own);
        if (!own->codes)
            own->codes = need_aligned(exact_values(p, node), 1);
        p->is_number &= sums_to_codes(&s, p->act_bits, own->codes);
        *out = (struct output){.form = CODES, .codes = own->codes};
        return;
    }
    float *Y = exact_floats_memory(p, node);
    memcpy(Y, exact_floats(p, n->in[0]), exact_values(p, node) * sizeof *Y);
    if (n->cfg->activation == ACT_RELU)
        clip_forward(exact_values(p, node), FLOAT_BITS, Y, Y);
    else
        darknet_activate(p->m->darknet, n->cfg->activation, Y, (int)exact_values(p, node));
    *out = (struct output){.form = FLOATS, .floats = Y};
}

static void run_add(struct exact_program *p, int node) {
    const struct node *n = &p->m->nodes[node];
    struct sums s = sums_of(p, n->in[0], &p->memory[node]);
    float *Y = exact_floats_memory(p, node);
    sums_add(&s, n->cfg->alpha, n->cfg->beta, exact_floats(p, n->in[1]), Y);
    p->out[node] = (struct output){.form = FLOATS, .floats = Y};
}

static void run_maxpool(struct exact_program *p, int node) {
    const struct node *n = &p->m->nodes[node];
    const struct cfg_layer *c = n->cfg;
    struct memory *own = &p->memory[node];
    struct window w = {c->in.h, c->in.w, c->out.h, c->out.w, c->size, c->stride, -c->padding / 2};
    if (p->out[n->in[0]].form == CODES) {
        if (!own->codes)
            own->codes = need_aligned(exact_values(p, node), 1);
        codes_maxpool(&w, p->batch, n->shape.c, p->out[n->in[0]].codes, own->codes);
        p->out[node] = (struct output){.form = CODES, .codes = own->codes};
        return;
    }
    last_maxpool(&w, p->batch, n->shape.c, exact_floats(p, n->in[0]), exact_floats_memory(p, node));
    p->out[node] = (struct output){.form = FLOATS, .floats = own->floats};
}

static void run_avgpool(struct exact_program *p, int node) {
    int in = p->m->nodes[node].in[0];
    float *Y = exact_floats_memory(p, node);
    last_mean(p->batch, plane_of(p, in), p->m->nodes[node].shape.c, exact_floats(p, in), Y);
    p->out[node] = (struct output){.form = FLOATS, .floats = Y};
}

void exact_run(struct exact_program *p, int node) {
    const struct node *n = &p->m->nodes[node];
    switch (n->op) {
    case OP_CONV:
    case OP_LINEAR:
        run_product(p, node);
        break;
    case OP_NORM:
        run_norm(p, node);
        break;
    case OP_ACT:
        run_act(p, node);
        break;
    case OP_ADD:
        run_add(p, node);
        break;
    case OP_MAXPOOL:
        run_maxpool(p, node);
        break;
    case OP_AVGPOOL:
        run_avgpool(p, node);
        break;
    default: // dropout, which inference leaves out
        p->out[node] = p->out[n->in[0]];
    }
}
