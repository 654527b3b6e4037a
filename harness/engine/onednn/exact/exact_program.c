/* Exact evaluation through oneDNN; engine/exact.h and exact_program.h are the manual. */
#include "engine/onednn/exact/exact_program.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a network has to be made of ---- */

/* Through what keeps codes to the node that makes them. */
static int maker(const struct model *m, int i) {
    while (m->nodes[i].op == OP_DROPOUT || m->nodes[i].op == OP_MAXPOOL)
        i = m->nodes[i].in[0];
    return i;
}

static int reads_codes(const struct model *m, const struct node *n) {
    const struct node *from = &m->nodes[maker(m, n->in[0])];
    return n->quantized >= 0 && from->op == OP_ACT && from->clips;
}

static int covers(const struct model *m) {
    for (int i = 0; i < m->n_nodes; i++) {
        enum op op = m->nodes[i].op;
        if (op == OP_CONCAT || op == OP_UPSAMPLE || op == OP_REORG)
            return 0;
        if (m->nodes[i].quantized >= 0 && !m->quantizer->integer_form)
            return 0;
        if (m->nodes[i].bound != 1) // measured: codes of a range of its own
            return 0;
    }
    return 1;
}

/* Activations that are not clipped are those of the network. */
static int load_darknet(struct model *m, struct error *e) {
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].op == OP_ACT && !m->nodes[i].clips && reference_needs_darknet(&m->nodes[i]))
            return model_need_darknet(m, e);
    return 0;
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

static int make_product(struct exact_program *p, int i, enum arithmetic arithmetic) {
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
    p->memory[i].sums = need_aligned(exact_values(p, i), sizeof(float));
    return 1;
}

static void exact_free(struct exact_program *p) {
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

static int make_products(struct exact_program *p, enum arithmetic arithmetic) {
    int threads = omp_get_max_threads(), made = 1;
    omp_set_num_threads(
        1); // oneDNN's primitives are for as many threads as there are when they are made
    for (int i = 1; i < p->m->n_nodes && made; i++)
        made = p->m->nodes[i].weights < 0 || make_product(p, i, arithmetic);
    omp_set_num_threads(threads);
    return made;
}

static struct exact_program *exact_compile(struct model *m, int batch, enum arithmetic arithmetic,
                                           struct error *e) {
    struct onednn *o = covers(m) && !load_darknet(m, e) ? onednn_open(1, e) : NULL;
    if (!o)
        return NULL;
    struct exact_program *p = need(1, sizeof *p);
    size_t nodes = (size_t)m->n_nodes;
    *p = (struct exact_program){.m = m, .o = o, .batch = batch};
    p->out = need(nodes, sizeof *p->out);
    p->memory = need(nodes, sizeof *p->memory);
    p->products = need(nodes, sizeof *p->products);
    p->logits = need(exact_values(p, m->logits), sizeof(float));
    if (make_products(p, arithmetic))
        return p;
    exact_free(p);
    return NULL;
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

static void exact_set_weights(struct exact_program *p, int node, const float *W_hat) {
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

/* Whether Σ w x could reach 2^24 for some filter, codes being at most 255: float32 holds no more.
 */
static int could_round(const struct product *x, size_t n) {
    enum { EXACT = 1 << 24, LARGEST_CODE = 255 };
    size_t per_filter = n / (size_t)x->g.filters;
    for (size_t f = 0; f < (size_t)x->g.filters; f++) {
        double positive = 0, negative = 0;
        for (size_t i = f * per_filter; i < (f + 1) * per_filter; i++) {
            positive += x->W[i] > 0 ? (double)x->W[i] : 0;
            negative -= x->W[i] < 0 ? (double)x->W[i] : 0;
        }
        if (fmax(positive, negative) * LARGEST_CODE >= EXACT)
            return 1;
    }
    return 0;
}

/* The kernel gets factor·v + odd itself where that fits, else v, and the sums are made up
 * afterwards. */
static void exact_set_codes(struct exact_program *p, int node, int k, const int8_t *v,
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
    x->may_round = sum_conv_arithmetic(x->conv) != ARITHMETIC_INT8 && could_round(x, n);
    give(x, n);
}

static const char *exact_arithmetic(const struct exact_program *p) {
    const char *all = NULL;
    for (int i = 0; i < p->m->n_nodes; i++) {
        const struct product *x = &p->products[i];
        if (!x->codes)
            continue;
        if (x->may_round)
            return "rounded";
        const char *name = arithmetic_names[sum_conv_arithmetic(x->conv)];
        if (all && strcmp(all, name))
            all = "mixed";
        all = all ? all : name;
    }
    return all ? all : arithmetic_names[ARITHMETIC_FP32];
}

static const float *exact_forward(struct exact_program *p, const struct point *point,
                                  const float *images, int n) {
    const struct shape *s = &p->m->nodes[0].shape;
    const struct node *last = &p->m->nodes[p->m->logits];
    p->bank = model_bank_at(p->m, point);
    p->act_bits = point->act_bits;
    p->is_number = 1;
    for (int i = 0; i < p->m->n_nodes; i++)
        p->out[i] = (struct output){0};
    last_from_plain(n, s->c, s->h * s->w, images, exact_floats_memory(p, 0));
    p->out[0] = (struct output){.form = FLOATS, .floats = p->memory[0].floats};
    for (int i = 1; i < p->m->n_nodes; i++)
        exact_run(p, i);
    const float *Y = exact_floats(p, p->m->logits);
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

const struct exact_engine onednn_exact = {
    .compile = exact_compile,
    .set_weights = exact_set_weights,
    .set_codes = exact_set_codes,
    .forward = exact_forward,
    .arithmetic = exact_arithmetic,
    .free = exact_free,
};
