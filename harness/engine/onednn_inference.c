/* Exact inference through oneDNN; inference.h is the manual. A node's output is kept as what its readers
 * can start from: floats, codes, or sums with the affine map that is still to come. A norm only composes its
 * affine with that map; an activation or an addition is the pass that reads memory. */
#include "engine/inference.h"

#include "engine/blocked.h"
#include "engine/codes.h"
#include "engine/onednn_sums.h"
#include "engine/reference.h"
#include "model/darknet.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum form { FLOATS, CODES, SUMS };

/* What a node has left in this forward. */
struct output {
    enum form form;
    struct sums sums; // SUMS
    uint8_t *codes;   // CODES; borrowed
    float *floats;    // FLOATS, or the same made of the others when somebody wants it; borrowed
};

/* A node's memory, by need; owned. */
struct memory {
    float *floats, *a, *b, *o;
    uint8_t *codes;
    void *sums;
    int32_t *columns, *box;
};

/* A CONV or LINEAR node. */
struct product {
    struct conv g;
    struct sum_conv *conv;
    int codes;       // reads codes
    int factor, odd; // of the sums: T = factor · whole + odd · box
    float *unit, *offset;
    int has_offset;
    float *W;   // what the kernel is given, canonical
    int *order; // LINEAR: place of each channels-last input in canonical order; NULL: the same
};

struct inference {
    struct model *m;
    struct onednn *o;
    int batch, bank, act_bits;
    int is_number; // no activation was a NaN
    struct output *out;
    struct memory *memory;
    struct product *products;
    float *logits;
};

static size_t values(const struct inference *p, int node) {
    return node_values(&p->m->nodes[node]) * (size_t)p->batch;
}

static int plane_of(const struct inference *p, int node) {
    return p->m->nodes[node].shape.h * p->m->nodes[node].shape.w;
}

/* ---- what a network has to be made of ---- */

/* Through what keeps codes to the node that makes them. */
static int maker(const struct model *m, int i) {
    while (m->nodes[i].op == OP_DROPOUT || m->nodes[i].op == OP_MAXPOOL)
        i = m->nodes[i].in[0];
    return i;
}

static int reads_codes(const struct model *m, const struct node *n) {
    const struct node *from = &m->nodes[maker(m, n->in[0])];
    return n->quantizer >= 0 && from->op == OP_ACT && from->clips;
}

static int covers(const struct model *m) {
    for (int i = 0; i < m->n_nodes; i++) {
        enum op op = m->nodes[i].op;
        if (op == OP_CONCAT || op == OP_UPSAMPLE || op == OP_REORG)
            return 0;
        if (m->nodes[i].quantizer >= 0 && !m->scheme->integer_form)
            return 0;
        if (m->nodes[i].bound != 1) // measured: codes of a range of its own
            return 0;
    }
    return 1;
}

/* ---- compiling ---- */

static struct conv geometry(const struct model *m, const struct node *n) {
    if (n->op == OP_CONV)
        return conv_geometry(n->cfg);
    int in = (int)node_values(&m->nodes[n->in[0]]);
    return (struct conv){.c = in,
                         .h = 1,
                         .w = 1,
                         .filters = n->shape.c,
                         .size = 1,
                         .stride = 1,
                         .groups = 1,
                         .out_h = 1,
                         .out_w = 1};
}

/* A linear layer's inputs come channels last, its weights are canonical. */
static int *linear_order(const struct model *m, const struct node *n) {
    const struct shape *s = &m->nodes[n->in[0]].shape;
    int plane = s->h * s->w, *order;
    if (n->op != OP_LINEAR || plane == 1)
        return NULL;
    order = need((size_t)plane * (size_t)s->c, sizeof *order);
    for (int p = 0; p < plane; p++)
        for (int c = 0; c < s->c; c++)
            order[p * s->c + c] = c * plane + p;
    return order;
}

static int make_product(struct inference *p, int i, enum arithmetic arithmetic) {
    const struct node *n = &p->m->nodes[i];
    struct product *x = &p->products[i];
    size_t channels = (size_t)n->shape.c;
    x->g = geometry(p->m, n);
    x->codes = reads_codes(p->m, n);
    if (x->codes)
        x->conv = sum_conv_new(p->o, &x->g, p->batch, 1, arithmetic);
    if (!x->conv)
        x->conv = sum_conv_new(p->o, &x->g, p->batch, x->codes, ARITHMETIC_FP32);
    if (!x->conv)
        return 0;
    x->unit = need(channels, sizeof(float));
    x->offset = need(channels, sizeof(float));
    x->W = need_aligned(p->m->parameters[n->weights].n, sizeof(float));
    x->order = linear_order(p->m, n);
    x->factor = 1;
    for (size_t c = 0; c < channels; c++)
        x->unit[c] = 1;
    p->memory[i].sums = need_aligned(values(p, i), sizeof(float));
    return 1;
}

static void inference_free(struct inference *p) {
    if (!p)
        return;
    for (int i = 0; i < p->m->n_nodes; i++) {
        struct memory *m = &p->memory[i];
        void *all[] = {m->floats, m->a, m->b, m->o, m->codes, m->columns, m->box, m->sums};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            free(all[k]);
        struct product *x = &p->products[i];
        sum_conv_free(x->conv);
        free(x->unit);
        free(x->offset);
        free(x->W);
        free(x->order);
    }
    free(p->out);
    free(p->memory);
    free(p->products);
    free(p->logits);
    onednn_close(p->o);
    free(p);
}

static struct inference *inference_compile(struct model *m, int batch, int threads,
                                           enum arithmetic arithmetic, struct error *e) {
    if (!covers(m))
        return NULL;
    omp_set_num_threads(threads);
    struct onednn *o = onednn_open(e);
    if (!o)
        return NULL;
    struct inference *p = need(1, sizeof *p);
    size_t nodes = (size_t)m->n_nodes;
    *p = (struct inference){.m = m, .o = o, .batch = batch};
    p->out = need(nodes, sizeof *p->out);
    p->memory = need(nodes, sizeof *p->memory);
    p->products = need(nodes, sizeof *p->products);
    p->logits = need(values(p, m->logits), sizeof(float));
    for (int i = 1; i < m->n_nodes; i++)
        if (m->nodes[i].weights >= 0 && !make_product(p, i, arithmetic)) {
            inference_free(p);
            return NULL;
        }
    return p;
}

/* ---- weights ---- */

static void give(struct product *x, size_t n) {
    if (x->order) { // rows of inputs, each put in the order in which they come
        size_t in = (size_t)x->g.c;
        float *row = need(in, sizeof *row);
        for (size_t f = 0; f < n / in; f++) {
            memcpy(row, x->W + f * in, in * sizeof *row);
            for (size_t j = 0; j < in; j++)
                x->W[f * in + j] = row[x->order[j]];
        }
        free(row);
    }
    sum_conv_weights(x->conv, x->W);
}

static void inference_set_weights(struct inference *p, int node, const float *W_hat) {
    struct product *x = &p->products[node];
    size_t n = p->m->parameters[p->m->nodes[node].weights].n;
    memcpy(x->W, W_hat, n * sizeof *W_hat);
    give(x, n);
}

/* A quantized layer whose input is not quantized computes with Ŵ. */
static void set_dequantized(struct product *x, size_t n, const int8_t *v,
                            const struct integer_form *form) {
    size_t per_channel = n / (size_t)x->g.filters;
    for (size_t i = 0; i < n; i++) {
        size_t c = i / per_channel;
        x->W[i] = form->unit[c] * (float)(form->factor * v[i] + form->odd) +
                  (form->has_offset ? form->offset[c] : 0);
    }
    give(x, n);
}

/* The kernel gets factor·v + odd itself where that fits, else v, and the sums are made up afterwards. */
static void inference_set_codes(struct inference *p, int node, int k, const int8_t *v,
                                const struct integer_form *form) {
    struct product *x = &p->products[node];
    size_t n = p->m->parameters[p->m->nodes[node].weights].n, channels = (size_t)x->g.filters;
    if (!x->codes) {
        set_dequantized(x, n, v, form);
        return;
    }
    int least = form->odd - form->factor * (1 << (k - 1));
    int fits = sum_conv_arithmetic(x->conv) != ARITHMETIC_INT8 || least >= -127;
    x->factor = fits ? 1 : form->factor;
    x->odd = fits ? 0 : form->odd;
    x->has_offset = form->has_offset;
    memcpy(x->unit, form->unit, channels * sizeof(float));
    memcpy(x->offset, form->offset, channels * sizeof(float));
    for (size_t i = 0; i < n; i++)
        x->W[i] = (float)(fits ? form->factor * v[i] + form->odd : v[i]);
    give(x, n);
}

static const char *inference_arithmetic(const struct inference *p) {
    const char *all = NULL;
    for (int i = 0; i < p->m->n_nodes; i++) {
        if (!p->products[i].codes)
            continue;
        const char *name = arithmetic_names[sum_conv_arithmetic(p->products[i].conv)];
        if (all && strcmp(all, name))
            return "mixed";
        all = name;
    }
    return all ? all : arithmetic_names[ARITHMETIC_FP32];
}

/* ---- reading an output ---- */

static float *floats_memory(struct inference *p, int node) {
    struct memory *m = &p->memory[node];
    if (!m->floats)
        m->floats = need_aligned(values(p, node), sizeof(float));
    return m->floats;
}

static float *coefficient(float **where, int channels) {
    if (!*where)
        *where = need_aligned((size_t)channels, sizeof(float));
    return *where;
}

/* The values of a node, whatever it left. */
static const float *floats_of(struct inference *p, int node) {
    struct output *x = &p->out[node];
    if (x->floats)
        return x->floats;
    x->floats = floats_memory(p, node);
    if (x->form == CODES)
        codes_to_floats(values(p, node), p->act_bits, x->codes, x->floats);
    else
        sums_to_floats(&x->sums, x->floats);
    return x->floats;
}

/* A node as sums, with a map of its own that may be changed. */
static struct sums sums_of(struct inference *p, int node, struct memory *own) {
    const struct output *x = &p->out[node];
    int c = p->m->nodes[node].shape.c;
    float *a = coefficient(&own->a, c), *b = coefficient(&own->b, c);
    struct sums s = x->sums;
    if (x->form != SUMS)
        s = (struct sums){
            .pixels = values(p, node) / (size_t)c, .c = c, .real = floats_of(p, node)};
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
static const int32_t *box_of(struct inference *p, int node, const uint8_t *codes) {
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
static void product_map(struct inference *p, int node, struct sums *s) {
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

static void run_product(struct inference *p, int node) {
    const struct node *n = &p->m->nodes[node];
    struct product *x = &p->products[node];
    struct output *in = &p->out[n->in[0]], *out = &p->out[node];
    void *T = p->memory[node].sums;
    int whole = sum_conv_arithmetic(x->conv) == ARITHMETIC_INT8;
    const void *X = x->codes ? (const void *)in->codes : floats_of(p, n->in[0]);
    sum_conv_forward(x->conv, X, T);
    out->form = SUMS;
    out->sums = (struct sums){.pixels = values(p, node) / (size_t)n->shape.c,
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
static void run_norm(struct inference *p, int node) {
    const struct node *n = &p->m->nodes[node];
    const struct norm *norm = &p->m->norms[n->norm];
    struct memory *own = &p->memory[node];
    struct sums s = sums_of(p, n->in[0], own);
    for (int c = 0; c < s.c; c++) {
        double a = norm->scale_of[p->bank][c] / sqrt((double)norm->variance[p->bank][c] + 1e-5);
        double b = norm->shift_of[p->bank][c] - a * norm->mean[p->bank][c];
        own->a[c] = (float)(a * own->a[c]);
        own->b[c] = (float)(a * own->b[c] + b);
        if (s.o)
            own->o[c] = (float)(a * own->o[c]);
    }
    p->out[node] = (struct output){.form = SUMS, .sums = s};
}

static void run_act(struct inference *p, int node) {
    const struct node *n = &p->m->nodes[node];
    struct memory *own = &p->memory[node];
    struct output *out = &p->out[node];
    if (n->clips) {
        struct sums s = sums_of(p, n->in[0], own);
        if (!own->codes)
            own->codes = need_aligned(values(p, node), 1);
        p->is_number &= sums_to_codes(&s, p->act_bits, own->codes);
        *out = (struct output){.form = CODES, .codes = own->codes};
        return;
    }
    float *Y = floats_memory(p, node);
    memcpy(Y, floats_of(p, n->in[0]), values(p, node) * sizeof *Y);
    if (n->cfg->activation == ACT_RELU)
        clip_forward(values(p, node), FLOAT_BITS, Y, Y);
    else
        darknet_activate(p->m->darknet, n->cfg->activation, Y, (int)values(p, node));
    *out = (struct output){.form = FLOATS, .floats = Y};
}

static void run_add(struct inference *p, int node) {
    const struct node *n = &p->m->nodes[node];
    struct sums s = sums_of(p, n->in[0], &p->memory[node]);
    float *Y = floats_memory(p, node);
    sums_add(&s, n->cfg->alpha, n->cfg->beta, floats_of(p, n->in[1]), Y);
    p->out[node] = (struct output){.form = FLOATS, .floats = Y};
}

static void run_maxpool(struct inference *p, int node) {
    const struct node *n = &p->m->nodes[node];
    const struct cfg_layer *c = n->cfg;
    struct memory *own = &p->memory[node];
    struct window w = {c->in.h, c->in.w, c->out.h, c->out.w, c->size, c->stride, -c->padding / 2};
    if (p->out[n->in[0]].form == CODES) {
        if (!own->codes)
            own->codes = need_aligned(values(p, node), 1);
        codes_maxpool(&w, p->batch, n->shape.c, p->out[n->in[0]].codes, own->codes);
        p->out[node] = (struct output){.form = CODES, .codes = own->codes};
        return;
    }
    last_maxpool(&w, p->batch, n->shape.c, floats_of(p, n->in[0]), floats_memory(p, node));
    p->out[node] = (struct output){.form = FLOATS, .floats = own->floats};
}

static void run_avgpool(struct inference *p, int node) {
    int in = p->m->nodes[node].in[0];
    float *Y = floats_memory(p, node);
    last_mean(p->batch, plane_of(p, in), p->m->nodes[node].shape.c, floats_of(p, in), Y);
    p->out[node] = (struct output){.form = FLOATS, .floats = Y};
}

static void run(struct inference *p, int node) {
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

static const float *inference_forward(struct inference *p, int bank, int act_bits,
                                      const float *images, int n) {
    const struct shape *s = &p->m->nodes[0].shape;
    const struct node *last = &p->m->nodes[p->m->logits];
    p->bank = bank;
    p->act_bits = act_bits;
    p->is_number = 1;
    for (int i = 0; i < p->m->n_nodes; i++)
        p->out[i] = (struct output){0};
    last_from_plain(n, s->c, s->h * s->w, images, floats_memory(p, 0));
    p->out[0] = (struct output){.form = FLOATS, .floats = p->memory[0].floats};
    for (int i = 1; i < p->m->n_nodes; i++)
        run(p, i);
    const float *Y = floats_of(p, p->m->logits);
    int plane = last->shape.h * last->shape.w;
    for (size_t i = 0; i < (size_t)n; i++)
        for (int c = 0; c < last->shape.c; c++)
            for (int at = 0; at < plane; at++) {
                size_t image = i * (size_t)(last->shape.c * plane);
                p->logits[image + (size_t)(c * plane + at)] =
                    p->is_number ? Y[image + (size_t)(at * last->shape.c + c)] : NAN;
            }
    return p->logits;
}

const struct inference_engine onednn_inference = {
    .compile = inference_compile,
    .set_weights = inference_set_weights,
    .set_codes = inference_set_codes,
    .forward = inference_forward,
    .arithmetic = inference_arithmetic,
    .free = inference_free,
};
