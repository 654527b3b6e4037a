/* Convolutions in bf16; onednn_bf16.h is the manual. */
#include "engine/onednn_bf16.h"

#include "engine/onednn_primitive.h"

#include <stdlib.h>
#include <string.h>

struct bf16_conv {
    struct onednn *o;
    dnnl_primitive_attr_t scaled; // forward: times a scale by channel
    struct primitive forward, backward_data, backward_weights;
    struct primitive to_forward, to_backward, from_gradient; // reorders of the weights
    void *forward_W, *backward_W;
    float *gradient;
    float *W; // canonical; owned
    size_t weights;
    int backward_W_is_stale;
};

struct descriptions {
    dnnl_memory_desc_t x, y;     // bf16
    dnnl_memory_desc_t x32, y32; // their float32 counterparts: results
    dnnl_memory_desc_t w, w32, canonical_w, scale;
    struct window_dims dims;
};

static void describe(struct descriptions *d, const struct conv *g, int n) {
    dnnl_dims_t x = {n, g->c, g->h, g->w}, y = {n, g->filters, g->out_h, g->out_w};
    dnnl_dims_t w = {g->filters, g->c, g->size, g->size}, scale = {1, g->filters, 1, 1};
    dnnl_memory_desc_init_by_tag(&d->x, 4, x, dnnl_bf16, dnnl_nChw16c);
    dnnl_memory_desc_init_by_tag(&d->x32, 4, x, dnnl_f32, dnnl_nChw16c);
    dnnl_memory_desc_init_by_tag(&d->y, 4, y, dnnl_bf16, dnnl_nChw16c);
    dnnl_memory_desc_init_by_tag(&d->y32, 4, y, dnnl_f32, dnnl_nChw16c);
    dnnl_memory_desc_init_by_tag(&d->w, 4, w, dnnl_bf16, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&d->w32, 4, w, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&d->canonical_w, 4, w, dnnl_f32, dnnl_oihw);
    dnnl_memory_desc_init_by_tag(&d->scale, 4, scale, dnnl_f32, dnnl_nchw);
    d->dims = window_dims(g);
}

static dnnl_primitive_attr_t scaled_attributes(const struct descriptions *d) {
    dnnl_primitive_attr_t a;
    dnnl_post_ops_t ops;
    onednn_must(dnnl_primitive_attr_create(&a), "attributes");
    onednn_must(dnnl_primitive_attr_set_scratchpad_mode(a, dnnl_scratchpad_mode_user),
                "attributes");
    onednn_must(dnnl_post_ops_create(&ops), "attributes");
    onednn_must(dnnl_post_ops_append_binary(ops, dnnl_binary_mul, &d->scale), "attributes");
    onednn_must(dnnl_primitive_attr_set_post_ops(a, ops), "attributes");
    dnnl_post_ops_destroy(ops);
    return a;
}

/* Into y, with these attributes. Backward wants one as a hint, into bf16 and without the scale. */
static dnnl_primitive_desc_t forward_desc(struct bf16_conv *c, const struct descriptions *d,
                                          const dnnl_memory_desc_t *y,
                                          const_dnnl_primitive_attr_t attributes) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, dnnl_convolution_direct,
                                           &d->x, &d->w, NULL, y, d->dims.strides, d->dims.before,
                                           d->dims.after))
        return NULL;
    return primitive_find_with(c->o, &desc, attributes, NULL);
}

static dnnl_primitive_desc_t data_desc(struct bf16_conv *c, const struct descriptions *d,
                                       const_dnnl_primitive_desc_t hint) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, &d->x32, &d->w,
                                                 &d->y, d->dims.strides, d->dims.before,
                                                 d->dims.after))
        return NULL;
    return primitive_find(c->o, &desc, hint);
}

static dnnl_primitive_desc_t weights_desc(struct bf16_conv *c, const struct descriptions *d,
                                          const_dnnl_primitive_desc_t hint) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct, &d->x, &d->w32,
                                                    NULL, &d->y, d->dims.strides, d->dims.before,
                                                    d->dims.after))
        return NULL;
    return primitive_find(c->o, &desc, hint);
}

static int make_forward(struct bf16_conv *c, const struct descriptions *d) {
    c->scaled = scaled_attributes(d);
    dnnl_primitive_desc_t pd = forward_desc(c, d, &d->y32, c->scaled);
    if (!pd)
        return 0;
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    primitive_start(&c->forward, pd);
    primitive_argument(c->o, &c->forward, DNNL_ARG_SRC, &d->x);
    primitive_argument(c->o, &c->forward, DNNL_ARG_WEIGHTS, w);
    primitive_argument(c->o, &c->forward, DNNL_ARG_DST, &d->y32);
    primitive_argument(c->o, &c->forward, DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
                       &d->scale);
    primitive_scratchpad(c->o, &c->forward, pd);
    primitive_reorder(c->o, &c->to_forward, &d->canonical_w, w);
    c->forward_W = primitive_memory(w);
    dnnl_primitive_desc_destroy(pd);
    return 1;
}

static void make_data(struct bf16_conv *c, const struct descriptions *d,
                      const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    primitive_start(&c->backward_data, pd);
    primitive_argument(c->o, &c->backward_data, DNNL_ARG_DIFF_DST, &d->y);
    primitive_argument(c->o, &c->backward_data, DNNL_ARG_WEIGHTS, w);
    primitive_argument(c->o, &c->backward_data, DNNL_ARG_DIFF_SRC, &d->x32);
    primitive_scratchpad(c->o, &c->backward_data, pd);
    primitive_reorder(c->o, &c->to_backward, &d->canonical_w, w);
    c->backward_W = primitive_memory(w);
}

static void make_weights(struct bf16_conv *c, const struct descriptions *d,
                         const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_diff_weights_md, 0);
    primitive_start(&c->backward_weights, pd);
    primitive_argument(c->o, &c->backward_weights, DNNL_ARG_SRC, &d->x);
    primitive_argument(c->o, &c->backward_weights, DNNL_ARG_DIFF_DST, &d->y);
    primitive_argument(c->o, &c->backward_weights, DNNL_ARG_DIFF_WEIGHTS, w);
    primitive_scratchpad(c->o, &c->backward_weights, pd);
    primitive_reorder(c->o, &c->from_gradient, w, &d->canonical_w);
    c->gradient = primitive_memory(w);
}

static int make_backward(struct bf16_conv *c, const struct descriptions *d) {
    dnnl_primitive_desc_t hint = forward_desc(c, d, &d->y, c->o->attributes);
    dnnl_primitive_desc_t data = hint ? data_desc(c, d, hint) : NULL;
    dnnl_primitive_desc_t weights = hint ? weights_desc(c, d, hint) : NULL;
    int made = data && weights;
    if (made) {
        make_data(c, d, data);
        make_weights(c, d, weights);
    }
    dnnl_primitive_desc_t all[] = {hint, data, weights};
    for (int i = 0; i < 3; i++)
        if (all[i])
            dnnl_primitive_desc_destroy(all[i]);
    return made;
}

/* oneDNN emulates bf16 on machines without it, more slowly than float32. */
static int has_bf16(void) {
    unsigned isa = (unsigned)dnnl_get_effective_cpu_isa(), bf16 = dnnl_cpu_isa_avx512_core_bf16;
    return (isa & bf16) == bf16;
}

struct bf16_conv *bf16_conv_new(struct onednn *o, const struct conv *g, int n, int backward) {
    struct descriptions d;
    if (!has_bf16() || g->groups != 1)
        return NULL;
    struct bf16_conv *c = need(1, sizeof *c);
    c->o = o;
    c->weights = (size_t)g->filters * (size_t)(g->c * g->size * g->size);
    describe(&d, g, n);
    if (!make_forward(c, &d) || (backward && !make_backward(c, &d))) {
        bf16_conv_free(c);
        return NULL;
    }
    c->W = need_aligned(c->weights, sizeof *c->W);
    return c;
}

void bf16_conv_free(struct bf16_conv *c) {
    if (!c)
        return;
    struct primitive *all[] = {&c->forward,    &c->backward_data, &c->backward_weights,
                               &c->to_forward, &c->to_backward,   &c->from_gradient};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        primitive_free(all[i]);
    if (c->scaled)
        dnnl_primitive_attr_destroy(c->scaled);
    free(c->forward_W);
    free(c->backward_W);
    free(c->gradient);
    free(c->W);
    free(c);
}

void bf16_conv_weights(struct bf16_conv *c, const float *W) {
    memcpy(c->W, W, c->weights * sizeof *W);
    c->backward_W_is_stale = 1;
    primitive_execute(c->o, &c->to_forward, (const void *[]){c->W, c->forward_W, NULL});
}

void bf16_conv_forward(struct bf16_conv *c, const uint16_t *X, const float *scale, float *Y) {
    primitive_execute(c->o, &c->forward, (const void *[]){X, c->forward_W, Y, scale, NULL});
}

void bf16_conv_backward(struct bf16_conv *c, const uint16_t *X, const uint16_t *dY, float *dW,
                        float *dX) {
    primitive_execute(c->o, &c->backward_weights, (const void *[]){X, dY, c->gradient, NULL});
    primitive_execute(c->o, &c->from_gradient, (const void *[]){c->gradient, dW, NULL});
    if (!dX)
        return;
    if (c->backward_W_is_stale)
        primitive_execute(c->o, &c->to_backward, (const void *[]){c->W, c->backward_W, NULL});
    c->backward_W_is_stale = 0;
    primitive_execute(c->o, &c->backward_data, (const void *[]){dY, c->backward_W, dX, NULL});
}
