/* Sums of products through oneDNN; sums.h is the manual. */
#include "engine/onednn/exact/sums.h"

#include "engine/onednn/primitive.h"

#include <stdlib.h>

struct sum_conv {
    struct onednn *o;
    enum arithmetic arithmetic;
    struct primitive convolution, weights, widen; // widen: codes to the type that is multiplied
    void *W, *wide;                               // in the layout and type that the kernel wants
};

enum arithmetic sum_conv_arithmetic(const struct sum_conv *c) {
    return c->arithmetic;
}

/* Products of a code and a weight are at most 255 · 128, and T = 2 Σ v x + Σ x at most 255 · 257
 * each. */
static int fits_int32(const struct conv *g) {
    return (int64_t)(g->c / g->groups) * g->size * g->size * 255 * 257 <= INT32_MAX;
}

static const dnnl_data_type_t input_type[] = {
    [ARITHMETIC_FP32] = dnnl_f32, [ARITHMETIC_BF16] = dnnl_bf16, [ARITHMETIC_INT8] = dnnl_u8};
static const dnnl_data_type_t weight_type[] = {
    [ARITHMETIC_FP32] = dnnl_f32, [ARITHMETIC_BF16] = dnnl_bf16, [ARITHMETIC_INT8] = dnnl_s8};

struct descriptions {
    dnnl_memory_desc_t codes, x, w, canonical_w, y;
    struct window_dims dims;
};

static void describe(struct descriptions *d, const struct conv *g, int n, enum arithmetic a) {
    dnnl_dims_t x = {n, g->c, g->h, g->w}, y = {n, g->filters, g->out_h, g->out_w};
    dnnl_memory_desc_init_by_tag(&d->codes, 4, x, dnnl_u8, dnnl_nhwc);
    dnnl_memory_desc_init_by_tag(&d->x, 4, x, input_type[a], dnnl_nhwc);
    describe_weights(&d->w, g, weight_type[a], WEIGHTS_ANY);
    describe_weights(&d->canonical_w, g, dnnl_f32, WEIGHTS_CANONICAL);
    dnnl_memory_desc_init_by_tag(&d->y, 4, y, a == ARITHMETIC_INT8 ? dnnl_s32 : dnnl_f32,
                                 dnnl_nhwc);
    d->dims = window_dims(g);
}

static dnnl_primitive_desc_t find(struct onednn *o, struct descriptions *d) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_forward_desc_init(&desc, dnnl_forward_inference, dnnl_convolution_direct,
                                           &d->x, &d->w, NULL, &d->y, d->dims.strides,
                                           d->dims.before, d->dims.after))
        return NULL;
    return primitive_find(o, &desc, NULL);
}

static void make(struct sum_conv *c, const struct descriptions *d, const_dnnl_primitive_desc_t pd,
                 int codes) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    primitive_start(&c->convolution, pd);
    primitive_argument(c->o, &c->convolution, DNNL_ARG_SRC, &d->x);
    primitive_argument(c->o, &c->convolution, DNNL_ARG_WEIGHTS, w);
    primitive_argument(c->o, &c->convolution, DNNL_ARG_DST, &d->y);
    primitive_scratchpad(c->o, &c->convolution, pd);
    primitive_reorder(c->o, &c->weights, &d->canonical_w, w);
    c->W = primitive_memory(w);
    if (!codes || c->arithmetic == ARITHMETIC_INT8)
        return;
    primitive_reorder(c->o, &c->widen, &d->codes, &d->x);
    c->wide = primitive_memory(&d->x);
}

struct sum_conv *sum_conv_new(struct onednn *o, const struct conv *g, int n, int codes,
                              enum arithmetic arithmetic) {
    struct descriptions d;
    if (arithmetic == ARITHMETIC_INT8 && !(onednn_has_exact_int8() && fits_int32(g)))
        return NULL;
    describe(&d, g, n, arithmetic);
    dnnl_primitive_desc_t pd = find(o, &d);
    if (!pd)
        return NULL;
    struct sum_conv *c = need(1, sizeof *c);
    *c = (struct sum_conv){.o = o, .arithmetic = arithmetic};
    make(c, &d, pd, codes);
    dnnl_primitive_desc_destroy(pd);
    return c;
}

void sum_conv_free(struct sum_conv *c) {
    if (!c)
        return;
    primitive_free(&c->convolution);
    primitive_free(&c->weights);
    primitive_free(&c->widen);
    free(c->W);
    free(c->wide);
    free(c);
}

void sum_conv_weights(struct sum_conv *c, const float *W) {
    primitive_execute(c->o, &c->weights, (const void *[]){W, c->W, NULL});
}

void sum_conv_forward(struct sum_conv *c, const void *X, void *Y) {
    if (c->wide) {
        primitive_execute(c->o, &c->widen, (const void *[]){X, c->wide, NULL});
        X = c->wide;
    }
    primitive_execute(c->o, &c->convolution, (const void *[]){X, c->W, Y, NULL});
}
