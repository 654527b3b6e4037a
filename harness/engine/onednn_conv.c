/* oneDNN's primitives for one convolution; onednn_conv.h is the manual. Written for the C API of oneDNN 2
 * (Debian 12 has 2.6). */
#include "engine/onednn_conv.h"

#include "engine/onednn_primitive.h"

#include <omp.h>
#include <stdlib.h>

enum { CHANNELS_BLOCKED = 16 };

struct onednn_conv {
    struct onednn *o;
    struct primitive forward, backward_data, backward_weights;
    struct primitive to_forward, to_backward, from_gradient; // reorders of the weights
    int parts;             // a call of a primitive is for one part of the images
    size_t x_part, y_part; // floats of it
    size_t gradient_floats;
    float *forward_W, *backward_W;   // in the layouts that the primitives prefer
    float *gradient, *part_gradient; // likewise; the second where there are several parts
    const float *W;                  // canonical, of the last onednn_conv_weights
    int backward_W_is_stale;
};

/* ---- the convolution ---- */

struct descriptions {
    dnnl_memory_desc_t x, w, bias, y, canonical_w;
    struct window_dims dims;
};

static void describe(struct descriptions *d, const struct conv *g, int n, int plain_input) {
    dnnl_dims_t x = {n, g->c, g->h, g->w}, plain = {g->filters, g->c, g->size, g->size};
    dnnl_dims_t grouped = {g->groups, g->filters / g->groups, g->c / g->groups, g->size, g->size};
    dnnl_dims_t y = {n, g->filters, g->out_h, g->out_w}, bias = {g->filters};
    int split = g->groups > 1, rank = split ? 5 : 4;
    const dnnl_dim_t *w = split ? grouped : plain;
    dnnl_memory_desc_init_by_tag(&d->x, 4, x, dnnl_f32, plain_input ? dnnl_nchw : dnnl_nChw16c);
    dnnl_memory_desc_init_by_tag(&d->w, rank, w, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&d->y, 4, y, dnnl_f32, dnnl_nChw16c);
    dnnl_memory_desc_init_by_tag(&d->bias, 1, bias, dnnl_f32, dnnl_a);
    dnnl_memory_desc_init_by_tag(&d->canonical_w, rank, w, dnnl_f32,
                                 split ? dnnl_goihw : dnnl_oihw);
    d->dims = window_dims(g);
}

static dnnl_primitive_desc_t forward_desc(struct onednn *o, const struct descriptions *d,
                                          dnnl_alg_kind_t algorithm, int has_bias) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, algorithm, &d->x, &d->w,
                                           has_bias ? &d->bias : NULL, &d->y, d->dims.strides,
                                           d->dims.before, d->dims.after))
        return NULL;
    return primitive_find(o, &desc, NULL);
}

static dnnl_primitive_desc_t data_desc(struct onednn *o, const struct descriptions *d,
                                       dnnl_alg_kind_t algorithm,
                                       const_dnnl_primitive_desc_t hint) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_backward_data_desc_init(&desc, algorithm, &d->x, &d->w, &d->y,
                                                 d->dims.strides, d->dims.before, d->dims.after))
        return NULL;
    return primitive_find(o, &desc, hint);
}

static dnnl_primitive_desc_t weights_desc(struct onednn *o, const struct descriptions *d,
                                          dnnl_alg_kind_t algorithm,
                                          const_dnnl_primitive_desc_t hint) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_backward_weights_desc_init(&desc, algorithm, &d->x, &d->w, NULL, &d->y,
                                                    d->dims.strides, d->dims.before, d->dims.after))
        return NULL;
    return primitive_find(o, &desc, hint);
}

/* The three descriptions of one algorithm; the backward ones need the forward one as a hint. */
struct trio {
    dnnl_primitive_desc_t forward, data, weights; // data NULL: the input needs no gradient
};

static void trio_free(struct trio *t) {
    dnnl_primitive_desc_t all[] = {t->forward, t->data, t->weights};
    for (int i = 0; i < 3; i++)
        if (all[i])
            dnnl_primitive_desc_destroy(all[i]);
    *t = (struct trio){0};
}

static int make_trio(struct onednn *o, const struct descriptions *d, dnnl_alg_kind_t algorithm,
                     int has_bias, int plain_input, struct trio *t) {
    *t = (struct trio){.forward = forward_desc(o, d, algorithm, has_bias)};
    if (t->forward) {
        t->weights = weights_desc(o, d, algorithm, t->forward);
        if (!plain_input)
            t->data = data_desc(o, d, algorithm, t->forward);
    }
    if (t->forward && t->weights && (t->data || plain_input))
        return 1;
    trio_free(t);
    return 0;
}

enum { FEW_CHANNELS = 32 };

/* Few channels have few products for each value that Winograd transforms. */
static int has_few_channels(const struct conv *g) {
    return g->c < FEW_CHANNELS || g->filters < FEW_CHANNELS;
}

/* With few channels Winograd gains on one thread alone, by parts (below). */
static int wants_winograd(const struct conv *g) {
    return g->groups == 1 && g->size == 3 && g->stride == 1 && g->c >= CHANNELS_BLOCKED &&
           g->filters >= CHANNELS_BLOCKED && (!has_few_channels(g) || omp_get_max_threads() == 1);
}

int onednn_conv_beats_bf16(const struct conv *g) {
    enum { MANY_CHANNELS = 64 };
    return wants_winograd(g) && g->c >= MANY_CHANNELS && g->filters >= MANY_CHANNELS;
}

/* Winograd with few channels gains while the transformed values stay in the second cache, which those of a
 * whole batch do not. Several threads would wait for one another at each part. */
static int images_of_a_part(const struct conv *g, int n) {
    enum { PART = 8 };
    return wants_winograd(g) && has_few_channels(g) && n % PART == 0 ? PART : n;
}

static void make_forward(struct onednn_conv *c, const struct descriptions *d, int has_bias,
                         const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    primitive_start(&c->forward, pd);
    primitive_argument(c->o, &c->forward, DNNL_ARG_SRC, &d->x);
    primitive_argument(c->o, &c->forward, DNNL_ARG_WEIGHTS, w);
    primitive_argument(c->o, &c->forward, DNNL_ARG_DST, &d->y);
    if (has_bias)
        primitive_argument(c->o, &c->forward, DNNL_ARG_BIAS, &d->bias);
    primitive_scratchpad(c->o, &c->forward, pd);
    c->forward_W = primitive_memory(w);
    primitive_reorder(c->o, &c->to_forward, &d->canonical_w, w);
}

static void make_data(struct onednn_conv *c, const struct descriptions *d,
                      const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    primitive_start(&c->backward_data, pd);
    primitive_argument(c->o, &c->backward_data, DNNL_ARG_DIFF_DST, &d->y);
    primitive_argument(c->o, &c->backward_data, DNNL_ARG_WEIGHTS, w);
    primitive_argument(c->o, &c->backward_data, DNNL_ARG_DIFF_SRC, &d->x);
    primitive_scratchpad(c->o, &c->backward_data, pd);
    c->backward_W = primitive_memory(w);
    primitive_reorder(c->o, &c->to_backward, &d->canonical_w, w);
}

static void make_weights(struct onednn_conv *c, const struct descriptions *d,
                         const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_diff_weights_md, 0);
    primitive_start(&c->backward_weights, pd);
    primitive_argument(c->o, &c->backward_weights, DNNL_ARG_SRC, &d->x);
    primitive_argument(c->o, &c->backward_weights, DNNL_ARG_DIFF_DST, &d->y);
    primitive_argument(c->o, &c->backward_weights, DNNL_ARG_DIFF_WEIGHTS, w);
    primitive_scratchpad(c->o, &c->backward_weights, pd);
    c->gradient = primitive_memory(w);
    c->gradient_floats = dnnl_memory_desc_get_size(w) / sizeof(float);
    if (c->parts > 1)
        c->part_gradient = primitive_memory(w);
    primitive_reorder(c->o, &c->from_gradient, w, &d->canonical_w);
}

struct onednn_conv *onednn_conv_new(struct onednn *o, const struct conv *g, int n, int plain_input,
                                    int has_bias) {
    struct descriptions d;
    struct trio t;
    if (plain_input && (g->groups > 1 || g->c >= CHANNELS_BLOCKED))
        return NULL;
    int part = images_of_a_part(g, n);
    describe(&d, g, part, plain_input);
    if (!(wants_winograd(g) &&
          make_trio(o, &d, dnnl_convolution_winograd, has_bias, plain_input, &t)) &&
        !make_trio(o, &d, dnnl_convolution_direct, has_bias, plain_input, &t))
        return NULL;
    struct onednn_conv *c = need(1, sizeof *c);
    *c = (struct onednn_conv){.o = o,
                              .parts = n / part,
                              .x_part = dnnl_memory_desc_get_size(&d.x) / sizeof(float),
                              .y_part = dnnl_memory_desc_get_size(&d.y) / sizeof(float)};
    make_forward(c, &d, has_bias, t.forward);
    if (t.data)
        make_data(c, &d, t.data);
    make_weights(c, &d, t.weights);
    trio_free(&t);
    return c;
}

void onednn_conv_free(struct onednn_conv *c) {
    if (!c)
        return;
    struct primitive *all[] = {&c->forward,    &c->backward_data, &c->backward_weights,
                               &c->to_forward, &c->to_backward,   &c->from_gradient};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        primitive_free(all[i]);
    free(c->forward_W);
    free(c->backward_W);
    free(c->gradient);
    free(c->part_gradient);
    free(c);
}

void onednn_conv_weights(struct onednn_conv *c, const float *W) {
    c->W = W;
    c->backward_W_is_stale = 1; // only training needs the other layout
    primitive_execute(c->o, &c->to_forward, (const void *[]){W, c->forward_W, NULL});
}

void onednn_conv_forward(struct onednn_conv *c, const float *X, const float *bias, float *Y) {
    for (int i = 0; i < c->parts; i++, X += c->x_part, Y += c->y_part) {
        if (bias)
            primitive_execute(c->o, &c->forward, (const void *[]){X, c->forward_W, Y, bias, NULL});
        else
            primitive_execute(c->o, &c->forward, (const void *[]){X, c->forward_W, Y, NULL});
    }
}

static void weights_backward(struct onednn_conv *c, const float *X, const float *dY) {
    for (int i = 0; i < c->parts; i++, X += c->x_part, dY += c->y_part) {
        float *into = i ? c->part_gradient : c->gradient;
        primitive_execute(c->o, &c->backward_weights, (const void *[]){X, dY, into, NULL});
        for (size_t j = 0; i && j < c->gradient_floats; j++)
            c->gradient[j] += into[j];
    }
}

void onednn_conv_backward(struct onednn_conv *c, const float *X, const float *dY, float *dW,
                          float *dX) {
    weights_backward(c, X, dY);
    primitive_execute(c->o, &c->from_gradient, (const void *[]){c->gradient, dW, NULL});
    if (!dX)
        return;
    if (c->backward_W_is_stale)
        primitive_execute(c->o, &c->to_backward, (const void *[]){c->W, c->backward_W, NULL});
    c->backward_W_is_stale = 0;
    for (int i = 0; i < c->parts; i++, dY += c->y_part, dX += c->x_part)
        primitive_execute(c->o, &c->backward_data, (const void *[]){dY, c->backward_W, dX, NULL});
}
