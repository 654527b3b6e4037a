/* The weights of a width, and the affine maps behind sums; session.h is the manual. */
#include "session.h"

#include <math.h>

static int is_product(const struct node *n) {
    return n->op == TQ_CONV || n->op == TQ_LINEAR;
}

/* ---- what kind of product a node is ---- */

/* A linear layer is a convolution of one window as large as its input; where no border is around
 * that, its rows are one. */
static struct product geometry(const struct tq_session *s, uint32_t node) {
    const struct node *n = &s->model->nodes[node], *in = &s->model->nodes[n->in[0]];
    int codes = tq_reads_codes(s, node), is_conv = n->op == TQ_CONV;
    struct product p = {.model = s->model,
                        .filters = n->c,
                        .groups = is_conv ? n->groups : 1,
                        .rows = is_conv ? n->size : in->h,
                        .cols = is_conv ? n->size : in->w,
                        .step = codes ? (in->c + 3) / 4 * 4 : in->c,
                        .factor = 1};
    p.channels = in->c / p.groups;
    p.is_row = p.groups == 1;
    p.is_linear = !is_conv;
    if (!is_conv && !s->places[n->in[0]].padding) {
        p.cols *= p.rows;
        p.rows = 1;
    }
    uint32_t border = 2 * s->places[n->in[0]].padding, row = p.step * (in->w + border);
    p.span = tq_pixels(n) == 1 ? s->batch * row * (in->h + border) : row;
    p.layer = n->quantized == TQ_NONE ? NULL : &s->model->layers[n->quantized];
    return p;
}

/* Weights that are quantized though their inputs are floats: as floats, and a row of codes. */
static size_t dequantized_bytes(const struct layer *l) {
    return (size_t)l->rows * l->inputs * sizeof(float) + l->inputs;
}

void tq_place_product(struct tq_session *s, uint32_t node, struct arena *a) {
    struct product *p = &s->products[node];
    *p = geometry(s, node);
    p->weights = s->model->nodes[node].weights;
    if (tq_reads_codes(s, node))
        p->packed = tq_take(a, s->kernels->packed_bytes(p));
    else if (p->layer)
        p->packed = tq_take(a, dequantized_bytes(p->layer));
}

/* ---- the weights of a width ---- */

/* Ŵ = unit (factor v + odd) + shift, where a float layer's weights would lie. */
static void dequantize(const struct kernels *kernels, struct product *p) {
    const struct layer *l = p->layer;
    const struct form *f = &l->form[p->k];
    float *W = p->packed;
    int8_t *v = (int8_t *)(W + (size_t)l->rows * l->inputs);
    uint32_t width = p->filters / p->groups;
    for (uint32_t row = 0; row < l->rows; row++) {
        float *to = W + (size_t)(row / width) * width * l->inputs + row % width;
        float unit = f->unit[f->units > 1 ? row : 0];
        float shift = f->shifts ? f->shift[f->shifts > 1 ? row : 0] : 0;
        kernels->unpack_row(p, row, v);
        for (uint32_t i = 0; i < l->inputs; i++)
            to[(size_t)i * width] = unit * (float)(f->factor * v[i] + f->odd) + shift;
    }
    p->weights = W;
}

void tq_load_weights(struct tq_session *s) {
    for (uint32_t i = 0; i < (uint32_t)s->model->info.nodes; i++) {
        struct product *p = &s->products[i];
        if (!is_product(&s->model->nodes[i]) || !p->layer)
            continue;
        p->k = s->k;
        p->act_bits = s->act_bits;
        if (s->places[i].source == FROM_SUMS)
            s->kernels->pack(p);
        else
            dequantize(s->kernels, p);
    }
}

/* ---- the maps ---- */

/* value = unit/top T + shift/top box + bias */
static void load_product_map(const struct tq_session *s, uint32_t node, struct place *p) {
    const struct node *n = &s->model->nodes[node];
    const struct product *x = &s->products[node];
    const struct form *f = p->source == FROM_SUMS ? &x->layer->form[s->k] : NULL;
    double top = (1 << s->act_bits % 32) - 1;
    for (uint32_t c = 0; c < n->c; c++) {
        p->a[c] = f ? (float)(f->unit[f->units > 1 ? c : 0] / top) : 1;
        p->b[c] = n->bias ? n->bias[c] : 0;
        p->o[c] = f && f->shifts ? (float)(f->shift[f->shifts > 1 ? c : 0] / top) : 0;
    }
    p->map = (struct affine){.a = p->a,
                             .b = p->b,
                             .o = f && f->shifts ? p->o : NULL,
                             .c = n->c,
                             .groups = x->groups,
                             .factor = x->factor,
                             .odd = x->odd};
}

/* Composed with what is still to come of its input. */
static void load_norm_map(const struct tq_session *s, uint32_t node, struct place *p) {
    static const double epsilon = 1e-5;
    const struct node *n = &s->model->nodes[node];
    const struct affine *in = &s->places[n->in[0]].map;
    const float *scale = n->norm + 4 * (size_t)s->bank * n->c, *shift = scale + n->c,
                *mean = shift + n->c, *variance = mean + n->c;
    int composes = p->base != n->in[0] || p->source != FROM_MEMORY;
    for (uint32_t c = 0; c < n->c; c++) {
        double a = scale[c] / sqrt((double)variance[c] + epsilon);
        double b = shift[c] - a * mean[c];
        p->a[c] = (float)(composes ? a * in->a[c] : a);
        p->b[c] = (float)(composes ? a * in->b[c] + b : b);
        p->o[c] = (float)(composes && in->o ? a * in->o[c] : 0);
    }
    p->map = composes ? *in : (struct affine){.c = n->c, .groups = 1, .factor = 1};
    p->map.a = p->a;
    p->map.b = p->b;
    p->map.o = p->map.o ? p->o : NULL;
}

void tq_load_maps(struct tq_session *s) {
    for (uint32_t i = 0; i < (uint32_t)s->model->info.nodes; i++) {
        const struct node *n = &s->model->nodes[i];
        if (is_product(n))
            load_product_map(s, i, &s->places[i]);
        if (n->op == TQ_NORM)
            load_norm_map(s, i, &s->places[i]);
    }
}
