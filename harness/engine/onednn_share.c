/* One thread's share of a convolution; onednn_share.h is the manual. */
#include "engine/onednn_share.h"

#include <stdlib.h>

struct share {
    struct onednn *o; // its lane
    enum conv_operands operands;
    int parts;   // equal ones of the images; a primitive is called for each
    size_t x, y; // numbers of X and Y in a part
    struct primitive forward, backward_data, backward_weights;

    // To nhwc and back; not made: the primitives work in blocks.
    struct primitive enter_x, enter_dy, leave_y, leave_dx;
    size_t y_at; // bytes: Y or dY is there in the lane's memory, behind X or dX

    // Weights in the layouts that the primitives prefer; owned.
    struct primitive to_forward, to_backward, from_gradient;
    void *forward_W, *backward_W;
    float *gradient, *part_gradient; // the second where there are several parts
    size_t gradient_floats;
    const float *W; // canonical, of the last share_weights; the caller's
    int backward_W_is_stale;
};

/* ---- building ---- */

static void make_forward(struct share *c, const struct descriptions *d,
                         const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    primitive_start(&c->forward, pd);
    primitive_argument(c->o, &c->forward, DNNL_ARG_SRC, &d->inside.x);
    primitive_argument(c->o, &c->forward, DNNL_ARG_WEIGHTS, w);
    primitive_argument(c->o, &c->forward, DNNL_ARG_DST, &d->inside.y32);
    if (d->form->has_bias)
        primitive_argument(c->o, &c->forward, DNNL_ARG_BIAS, &d->by_filter);
    if (d->form->operands == CONV_INTEGERS)
        primitive_argument(c->o, &c->forward, DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
                           &d->by_filter);
    primitive_scratchpad(c->o, &c->forward, pd);
    c->forward_W = primitive_memory(w);
    primitive_reorder(c->o, &c->to_forward, &d->canonical_w, w);
}

static void make_data(struct share *c, const struct descriptions *d,
                      const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    primitive_start(&c->backward_data, pd);
    primitive_argument(c->o, &c->backward_data, DNNL_ARG_DIFF_DST, &d->inside.y);
    primitive_argument(c->o, &c->backward_data, DNNL_ARG_WEIGHTS, w);
    primitive_argument(c->o, &c->backward_data, DNNL_ARG_DIFF_SRC, &d->inside.x32);
    primitive_scratchpad(c->o, &c->backward_data, pd);
    c->backward_W = primitive_memory(w);
    primitive_reorder(c->o, &c->to_backward, &d->canonical_w, w);
}

static void make_weights(struct share *c, const struct descriptions *d,
                         const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_diff_weights_md, 0);
    primitive_start(&c->backward_weights, pd);
    primitive_argument(c->o, &c->backward_weights, DNNL_ARG_SRC, &d->inside.x);
    primitive_argument(c->o, &c->backward_weights, DNNL_ARG_DIFF_DST, &d->inside.y);
    primitive_argument(c->o, &c->backward_weights, DNNL_ARG_DIFF_WEIGHTS, w);
    primitive_scratchpad(c->o, &c->backward_weights, pd);
    c->gradient = primitive_memory(w);
    c->gradient_floats = dnnl_memory_desc_get_size(w) / sizeof(float);
    if (c->parts > 1)
        c->part_gradient = primitive_memory(w);
    primitive_reorder(c->o, &c->from_gradient, w, &d->canonical_w);
}

/* Conversions of what enters and leaves nhwc, which has no parts, and memory for it. */
static void make_edges(struct share *c, const struct descriptions *d) {
    enum { ALIGNED = 64 };
    const struct activations *out = &d->outside, *in = &d->inside;
    primitive_reorder(c->o, &c->enter_x, &out->x, &in->x);
    primitive_reorder(c->o, &c->leave_y, &in->y32, &out->y32);
    primitive_reorder(c->o, &c->enter_dy, &out->y, &in->y);
    primitive_reorder(c->o, &c->leave_dx, &in->x32, &out->x32);
    size_t x = dnnl_memory_desc_get_size(&in->x32) + NEED_SLACK;
    c->y_at = (x + ALIGNED - 1) / ALIGNED * ALIGNED;
    onednn_reserve(&c->o->converted, c->y_at + dnnl_memory_desc_get_size(&in->y32));
}

struct share *share_new(struct onednn *lane, const struct conv *g, int n,
                        const struct conv_form *form) {
    struct trio t;
    if (!trio_find(lane, g, n, form, &t))
        return NULL;
    struct share *c = need(1, sizeof *c);
    c->o = lane;
    c->parts = t.parts;
    c->operands = form->operands;
    c->x = dnnl_memory_desc_get_size(&t.d.outside.x32) / sizeof(float);
    c->y = dnnl_memory_desc_get_size(&t.d.outside.y32) / sizeof(float);
    if (t.d.nhwc)
        make_edges(c, &t.d);
    make_forward(c, &t.d, t.forward);
    if (t.data)
        make_data(c, &t.d, t.data);
    if (t.weights)
        make_weights(c, &t.d, t.weights);
    trio_free(&t);
    return c;
}

void share_free(struct share *c) {
    if (!c)
        return;
    struct primitive *all[] = {
        &c->forward,       &c->backward_data, &c->backward_weights, &c->to_forward, &c->to_backward,
        &c->from_gradient, &c->enter_x,       &c->enter_dy,         &c->leave_y,    &c->leave_dx};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        primitive_free(all[i]);
    free(c->forward_W);
    free(c->backward_W);
    free(c->gradient);
    free(c->part_gradient);
    free(c);
}

size_t share_x(const struct share *c) {
    return c->x * (size_t)c->parts;
}

size_t share_y(const struct share *c) {
    return c->y * (size_t)c->parts;
}

/* ---- computing ---- */

void share_weights(struct share *c, const float *W) {
    c->W = W;
    c->backward_W_is_stale = 1; // only training needs the other layout
    primitive_execute(c->o, &c->to_forward, (const void *[]){W, c->forward_W, NULL});
}

/* X or dX, and Y or dY, in nhwc. */
static void *nhwc_x(const struct share *c) {
    return c->o->converted.data;
}

static void *nhwc_y(const struct share *c) {
    return (char *)c->o->converted.data + c->y_at;
}

/* What a primitive is to read: `outside`, or `inside`, after its conversion into that. */
static const void *enter(struct share *c, struct primitive *conversion, const void *outside,
                         void *inside) {
    if (!conversion->handle)
        return outside;
    primitive_execute(c->o, conversion, (const void *[]){outside, inside, NULL});
    return inside;
}

/* Where a primitive is to write what `leave` then brings to `outside`. */
static void *before_leaving(const struct primitive *conversion, void *outside, void *inside) {
    return conversion->handle ? inside : outside;
}

static void leave(struct share *c, struct primitive *conversion, const void *inside,
                  void *outside) {
    if (conversion->handle)
        primitive_execute(c->o, conversion, (const void *[]){inside, outside, NULL});
}

void share_forward(struct share *c, const void *X, const float *by_filter, float *Y) {
    const void *in = enter(c, &c->enter_x, X, nhwc_x(c));
    float *out = before_leaving(&c->leave_y, Y, nhwc_y(c));
    for (int i = 0; i < c->parts; i++) {
        const void *x = operands_after(c->operands, in, (size_t)i * c->x);
        float *y = out + (size_t)i * c->y;
        if (by_filter)
            primitive_execute(c->o, &c->forward,
                              (const void *[]){x, c->forward_W, y, by_filter, NULL});
        else
            primitive_execute(c->o, &c->forward, (const void *[]){x, c->forward_W, y, NULL});
    }
    leave(c, &c->leave_y, out, Y);
}

static void backward_weights(struct share *c, const void *X, const void *dY, float *dW) {
    for (int i = 0; i < c->parts; i++) {
        const void *x = operands_after(c->operands, X, (size_t)i * c->x);
        const void *dy = operands_after(c->operands, dY, (size_t)i * c->y);
        float *into = i ? c->part_gradient : c->gradient;
        primitive_execute(c->o, &c->backward_weights, (const void *[]){x, dy, into, NULL});
        for (size_t j = 0; i && j < c->gradient_floats; j++)
            c->gradient[j] += into[j];
    }
    primitive_execute(c->o, &c->from_gradient, (const void *[]){c->gradient, dW, NULL});
}

static void backward_data(struct share *c, const void *dY, float *dX) {
    if (c->backward_W_is_stale)
        primitive_execute(c->o, &c->to_backward, (const void *[]){c->W, c->backward_W, NULL});
    c->backward_W_is_stale = 0;
    for (int i = 0; i < c->parts; i++)
        primitive_execute(c->o, &c->backward_data,
                          (const void *[]){operands_after(c->operands, dY, (size_t)i * c->y),
                                           c->backward_W, dX + (size_t)i * c->x, NULL});
}

/* In nhwc dX takes the place of X, which has been read by then. */
void share_backward(struct share *c, const void *X, const void *dY, float *dW, float *dX) {
    const void *x = enter(c, &c->enter_x, X, nhwc_x(c));
    const void *dy = enter(c, &c->enter_dy, dY, nhwc_y(c));
    backward_weights(c, x, dy, dW);
    if (!dX)
        return;
    float *into = before_leaving(&c->leave_dx, dX, nhwc_x(c));
    backward_data(c, dy, into);
    leave(c, &c->leave_dx, into, dX);
}
