/* oneDNN's primitives for one convolution; onednn_conv.h is the manual. Written for the C API of oneDNN 2
 * (Debian 12 has 2.6). */
#include "engine/onednn_conv.h"

#include "engine/onednn_primitive.h"

#include <omp.h>
#include <stdlib.h>

enum { CHANNELS_BLOCKED = 16, FEW_CHANNELS = 32, MANY_CHANNELS = 64 };

/* The images are divided among threads, each with primitives of one thread: those never wait for one another within
 * a primitive, as oneDNN's do, spinning, where they sum gradients of weights. */
struct share {
    struct onednn_conv *conv;
    size_t x, y; // numbers before it
    float *dW;   // canonical; NULL for the first, which writes to where the caller wants it
};

struct onednn_conv {
    struct onednn *o;
    dnnl_primitive_attr_t scaled; // forward over integers: times a scale by filter
    struct primitive forward, backward_data, backward_weights;
    struct primitive to_forward, to_backward, from_gradient; // reorders of the weights
    struct primitive enter_x, enter_dy, leave_y, leave_dx; // to and from nhwc; not made: in blocks
    size_t y_at;          // in the memory for nhwc, bytes: X or dX is in front, Y or dY here
    int parts;            // a call of a primitive is for one part of the images
    size_t x, y, operand; // numbers of a part; bytes of an operand
    void *forward_W, *backward_W;    // in the layouts that the primitives prefer
    float *gradient, *part_gradient; // likewise; the second where there are several parts
    size_t weights, gradient_floats;
    const float *W; // canonical, of the last onednn_conv_weights
    int backward_W_is_stale;

    int n_shares; // 0: not divided
    struct share *shares;
};

/* ---- descriptions ---- */

struct activations {
    dnnl_memory_desc_t x, y;     // operands
    dnnl_memory_desc_t x32, y32; // results
};

struct descriptions {
    const struct conv_form *form;
    dnnl_alg_kind_t algorithm;
    struct activations outside, inside; // as they come and go, and as the primitives take them
    dnnl_memory_desc_t w, w32, canonical_w, by_filter;
    struct window_dims dims;
    int nhwc; // inside
};

static void describe_activations(struct activations *a, const struct conv *g, int n,
                                 dnnl_data_type_t operand, dnnl_format_tag_t in,
                                 dnnl_format_tag_t out) {
    dnnl_dims_t x = {n, g->c, g->h, g->w}, y = {n, g->filters, g->out_h, g->out_w};
    dnnl_memory_desc_init_by_tag(&a->x, 4, x, operand, in);
    dnnl_memory_desc_init_by_tag(&a->y, 4, y, operand, out);
    dnnl_memory_desc_init_by_tag(&a->x32, 4, x, dnnl_f32, in);
    dnnl_memory_desc_init_by_tag(&a->y32, 4, y, dnnl_f32, out);
}

static void describe(struct descriptions *d, const struct conv *g, int n,
                     const struct conv_form *form, int nhwc) {
    dnnl_dims_t bias = {g->filters}, scale = {1, g->filters, 1, 1};
    int floats = form->operands == CONV_FLOATS;
    dnnl_data_type_t operand = floats ? dnnl_f32 : dnnl_bf16;
    dnnl_format_tag_t input = form->plain_input ? dnnl_nchw : dnnl_nChw16c;
    describe_activations(&d->outside, g, n, operand, input, dnnl_nChw16c);
    d->inside = d->outside;
    if (nhwc)
        describe_activations(&d->inside, g, n, operand, dnnl_nhwc, dnnl_nhwc);
    describe_weights(&d->w, g, operand, WEIGHTS_ANY);
    describe_weights(&d->w32, g, dnnl_f32, WEIGHTS_ANY);
    describe_weights(&d->canonical_w, g, dnnl_f32, WEIGHTS_CANONICAL);
    dnnl_memory_desc_init_by_tag(&d->by_filter, floats ? 1 : 4, floats ? bias : scale, dnnl_f32,
                                 floats ? dnnl_a : dnnl_nchw);
    d->dims = window_dims(g);
    d->nhwc = nhwc;
    d->form = form;
}

static dnnl_primitive_attr_t scaled_attributes(const struct descriptions *d) {
    dnnl_primitive_attr_t a;
    dnnl_post_ops_t ops;
    onednn_must(dnnl_primitive_attr_create(&a), "attributes");
    onednn_must(dnnl_primitive_attr_set_scratchpad_mode(a, dnnl_scratchpad_mode_user),
                "attributes");
    onednn_must(dnnl_post_ops_create(&ops), "attributes");
    onednn_must(dnnl_post_ops_append_binary(ops, dnnl_binary_mul, &d->by_filter), "attributes");
    onednn_must(dnnl_primitive_attr_set_post_ops(a, ops), "attributes");
    dnnl_post_ops_destroy(ops);
    return a;
}

static dnnl_primitive_desc_t forward_desc(struct onednn *o, const struct descriptions *d,
                                          const dnnl_memory_desc_t *y,
                                          const dnnl_memory_desc_t *bias,
                                          const_dnnl_primitive_attr_t attributes) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, d->algorithm, &d->inside.x,
                                           &d->w, bias, y, d->dims.strides, d->dims.before,
                                           d->dims.after))
        return NULL;
    return primitive_find_with(o, &desc, attributes, NULL);
}

static dnnl_primitive_desc_t data_desc(struct onednn *o, const struct descriptions *d,
                                       const_dnnl_primitive_desc_t hint) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_backward_data_desc_init(&desc, d->algorithm, &d->inside.x32, &d->w,
                                                 &d->inside.y, d->dims.strides, d->dims.before,
                                                 d->dims.after))
        return NULL;
    return primitive_find(o, &desc, hint);
}

static dnnl_primitive_desc_t weights_desc(struct onednn *o, const struct descriptions *d,
                                          const_dnnl_primitive_desc_t hint) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_backward_weights_desc_init(&desc, d->algorithm, &d->inside.x, &d->w32,
                                                    NULL, &d->inside.y, d->dims.strides,
                                                    d->dims.before, d->dims.after))
        return NULL;
    return primitive_find(o, &desc, hint);
}

/* The primitives of one algorithm; NULL: not wanted, or there is none. */
struct trio {
    dnnl_primitive_desc_t forward, data, weights;
};

static void trio_free(struct trio *t) {
    dnnl_primitive_desc_t all[] = {t->forward, t->data, t->weights};
    for (int i = 0; i < 3; i++)
        if (all[i])
            dnnl_primitive_desc_destroy(all[i]);
    *t = (struct trio){0};
}

static int make_trio(struct onednn_conv *c, const struct descriptions *d, struct trio *t) {
    const struct conv_form *form = d->form;
    int wants_data = !form->plain_input && !form->forward_only;
    *t = (struct trio){.forward = forward_desc(c->o, d, &d->inside.y32,
                                               form->has_bias ? &d->by_filter : NULL,
                                               c->scaled ? c->scaled : c->o->attributes)};
    if (!form->forward_only) { // backward wants a forward of operands alone as a hint
        dnnl_primitive_desc_t hint = forward_desc(c->o, d, &d->inside.y, NULL, c->o->attributes);
        t->weights = hint ? weights_desc(c->o, d, hint) : NULL;
        t->data = hint && wants_data ? data_desc(c->o, d, hint) : NULL;
        if (hint)
            dnnl_primitive_desc_destroy(hint);
    }
    if (t->forward && (form->forward_only || t->weights) && (!wants_data || t->data))
        return 1;
    trio_free(t);
    return 0;
}

/* ---- which algorithm, and how many images at a time ---- */

/* Few channels have few products for each value that Winograd transforms. */
static int has_few_channels(const struct conv *g) {
    return g->c < FEW_CHANNELS || g->filters < FEW_CHANNELS;
}

static int suits_winograd(const struct conv *g) {
    return g->groups == 1 && g->size == 3 && g->stride == 1 && g->c >= CHANNELS_BLOCKED &&
           g->filters >= CHANNELS_BLOCKED;
}

int onednn_conv_beats_bf16(const struct conv *g) {
    return suits_winograd(g) && g->c >= MANY_CHANNELS && g->filters >= MANY_CHANNELS;
}

/* With few channels Winograd gains only while the transformed values stay in the second cache, which those of a
 * whole batch do not: part of the images at a time. 0: all at once. */
static int images_of_a_part(const struct conv *g, int n, const struct conv_form *form) {
    enum { PART = 8 };
    return form->operands == CONV_FLOATS && suits_winograd(g) && has_few_channels(g) &&
                   n % PART == 0
               ? PART
               : 0;
}

static int wants_winograd(const struct conv *g, int n, const struct conv_form *form) {
    return form->operands == CONV_FLOATS && suits_winograd(g) &&
           (!has_few_channels(g) || images_of_a_part(g, n, form));
}

/* What fills up the last block of 16 channels is multiplied like the rest. nhwc has no blocks, and kernels for
 * fewer than 16 channels, but activations are converted for it: of windows of one pixel, which have few
 * products, at a loss. */
static int suits_nhwc(const struct conv *g, const struct conv_form *form) {
    enum { B = CHANNELS_BLOCKED };
    int64_t blocked = (int64_t)((g->c + B - 1) / B * B) * ((g->filters + B - 1) / B * B);
    int is_wasteful = g->size > 1 && 2 * blocked >= 3 * (int64_t)g->c * g->filters;
    return g->groups == 1 && !form->plain_input && (g->c < B || is_wasteful);
}

/* ---- building ---- */

static void make_forward(struct onednn_conv *c, const struct descriptions *d,
                         const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    primitive_start(&c->forward, pd);
    primitive_argument(c->o, &c->forward, DNNL_ARG_SRC, &d->inside.x);
    primitive_argument(c->o, &c->forward, DNNL_ARG_WEIGHTS, w);
    primitive_argument(c->o, &c->forward, DNNL_ARG_DST, &d->inside.y32);
    if (d->form->has_bias)
        primitive_argument(c->o, &c->forward, DNNL_ARG_BIAS, &d->by_filter);
    if (c->scaled)
        primitive_argument(c->o, &c->forward, DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
                           &d->by_filter);
    primitive_scratchpad(c->o, &c->forward, pd);
    c->forward_W = primitive_memory(w);
    primitive_reorder(c->o, &c->to_forward, &d->canonical_w, w);
}

static void make_data(struct onednn_conv *c, const struct descriptions *d,
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

static void make_weights(struct onednn_conv *c, const struct descriptions *d,
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

/* Conversions of what enters and leaves nhwc, and memory for it. */
static void make_edges(struct onednn_conv *c, const struct descriptions *d) {
    enum { ALIGNED = 64 };
    const struct activations *out = &d->outside, *in = &d->inside;
    primitive_reorder(c->o, &c->enter_x, &out->x, &in->x);
    primitive_reorder(c->o, &c->leave_y, &in->y32, &out->y32);
    primitive_reorder(c->o, &c->enter_dy, &out->y, &in->y);
    primitive_reorder(c->o, &c->leave_dx, &in->x32, &out->x32);
    c->y_at = (dnnl_memory_desc_get_size(&in->x32) + ALIGNED - 1) / ALIGNED * ALIGNED;
    onednn_reserve(&c->o->converted, c->y_at + dnnl_memory_desc_get_size(&in->y32));
}

/* The first that there is of Winograd, perhaps in parts, and nhwc, where they are wanted, and blocks; 0: none. */
static int find_trio(struct onednn_conv *c, const struct conv *g, int n,
                     const struct conv_form *form, struct descriptions *d, struct trio *t) {
    int part = images_of_a_part(g, n, form), nhwc = suits_nhwc(g, form);
    c->parts = part ? n / part : 1;
    describe(d, g, n / c->parts, form, 0);
    d->algorithm = dnnl_convolution_winograd;
    if (form->operands == CONV_INTEGERS)
        c->scaled = scaled_attributes(d);
    if (wants_winograd(g, n, form) && make_trio(c, d, t))
        return 1;
    c->parts = 1;
    for (; nhwc >= 0; nhwc--) {
        describe(d, g, n, form, nhwc);
        d->algorithm = dnnl_convolution_direct;
        if (make_trio(c, d, t))
            return 1;
    }
    return 0;
}

/* Primitives on the threads there are; 0: there are none. */
static int make_primitives(struct onednn_conv *c, const struct conv *g, int n,
                           const struct conv_form *form) {
    struct descriptions d;
    struct trio t;
    if (!find_trio(c, g, n, form, &d, &t))
        return 0;
    c->x = dnnl_memory_desc_get_size(&d.outside.x32) / sizeof(float);
    c->y = dnnl_memory_desc_get_size(&d.outside.y32) / sizeof(float);
    if (d.nhwc)
        make_edges(c, &d);
    make_forward(c, &d, t.forward);
    if (t.data)
        make_data(c, &d, t.data);
    if (t.weights)
        make_weights(c, &d, t.weights);
    trio_free(&t);
    return 1;
}

/* As even as whole parts allow. oneDNN divides the work of a primitive among the threads that there are when it
 * is made. */
static int make_shares(struct onednn_conv *c, const struct conv *g, int n,
                       const struct conv_form *form, int threads) {
    int part = images_of_a_part(g, n, form), unit = part ? part : 1, units = n / unit;
    size_t x = 0, y = 0;
    c->n_shares = threads < units ? threads : units;
    c->shares = need((size_t)c->n_shares, sizeof *c->shares);
    onednn_make_lanes(c->o, threads);
    for (int i = 0; i < c->n_shares; i++) {
        int units_of_it = units * (i + 1) / c->n_shares - units * i / c->n_shares;
        struct onednn_conv *share = onednn_conv_new(&c->o->lanes[i], g, unit * units_of_it, form);
        if (!share)
            return 0;
        c->shares[i] =
            (struct share){share, x, y, i ? need_aligned(c->weights, sizeof(float)) : NULL};
        x += share->x * (size_t)share->parts;
        y += share->y * (size_t)share->parts;
    }
    return 1;
}

struct onednn_conv *onednn_conv_new(struct onednn *o, const struct conv *g, int n,
                                    const struct conv_form *form) {
    if (form->plain_input && (g->groups > 1 || g->c >= CHANNELS_BLOCKED))
        return NULL;
    if (form->operands != CONV_FLOATS && !onednn_has_bf16())
        return NULL;
    struct onednn_conv *c = need(1, sizeof *c);
    c->o = o;
    c->operand = form->operands == CONV_FLOATS ? sizeof(float) : sizeof(uint16_t);
    c->weights = (size_t)g->filters * (size_t)(g->c / g->groups * g->size * g->size);
    int threads = omp_get_max_threads(), made;
    omp_set_num_threads(1);
    made =
        threads > 1 && n > 1 ? make_shares(c, g, n, form, threads) : make_primitives(c, g, n, form);
    omp_set_num_threads(threads);
    if (made)
        return c;
    onednn_conv_free(c);
    return NULL;
}

void onednn_conv_free(struct onednn_conv *c) {
    if (!c)
        return;
    struct primitive *all[] = {
        &c->forward,       &c->backward_data, &c->backward_weights, &c->to_forward, &c->to_backward,
        &c->from_gradient, &c->enter_x,       &c->enter_dy,         &c->leave_y,    &c->leave_dx};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        primitive_free(all[i]);
    for (int i = 0; i < c->n_shares; i++) {
        onednn_conv_free(c->shares[i].conv);
        free(c->shares[i].dW);
    }
    if (c->scaled)
        dnnl_primitive_attr_destroy(c->scaled);
    free(c->shares);
    free(c->forward_W);
    free(c->backward_W);
    free(c->gradient);
    free(c->part_gradient);
    free(c);
}

/* ---- computing ---- */

static const void *operands_after(const struct onednn_conv *c, const void *X, size_t n) {
    return (const char *)X + n * c->operand;
}

void onednn_conv_weights(struct onednn_conv *c, const float *W) {
    for (int i = 0; i < c->n_shares; i++)
        onednn_conv_weights(c->shares[i].conv, W);
    c->W = W;
    c->backward_W_is_stale = 1; // only training needs the other layout
    if (!c->n_shares)
        primitive_execute(c->o, &c->to_forward, (const void *[]){W, c->forward_W, NULL});
}

/* X, dX and Y, dY in nhwc. */
static void *nhwc_x(const struct onednn_conv *c) {
    return c->o->converted.data;
}

static void *nhwc_y(const struct onednn_conv *c) {
    return (char *)c->o->converted.data + c->y_at;
}

/* What a primitive is to read: `outside`, or `inside` with what that holds. */
static const void *enter(struct onednn_conv *c, struct primitive *conversion, const void *outside,
                         void *inside) {
    if (!conversion->handle)
        return outside;
    primitive_execute(c->o, conversion, (const void *[]){outside, inside, NULL});
    return inside;
}

/* Where a primitive is to write, and then, when it has, into `outside`. */
static void *before_leaving(const struct primitive *conversion, void *outside, void *inside) {
    return conversion->handle ? inside : outside;
}

static void leave(struct onednn_conv *c, struct primitive *conversion, const void *inside,
                  void *outside) {
    if (conversion->handle)
        primitive_execute(c->o, conversion, (const void *[]){inside, outside, NULL});
}

static void forward(struct onednn_conv *c, const void *X, const float *by_filter, float *Y) {
    const void *in = enter(c, &c->enter_x, X, nhwc_x(c));
    float *out = before_leaving(&c->leave_y, Y, nhwc_y(c));
    for (int i = 0; i < c->parts; i++) {
        const void *x = operands_after(c, in, (size_t)i * c->x);
        float *y = out + (size_t)i * c->y;
        if (by_filter)
            primitive_execute(c->o, &c->forward,
                              (const void *[]){x, c->forward_W, y, by_filter, NULL});
        else
            primitive_execute(c->o, &c->forward, (const void *[]){x, c->forward_W, y, NULL});
    }
    leave(c, &c->leave_y, out, Y);
}

static void backward_weights(struct onednn_conv *c, const void *X, const void *dY, float *dW) {
    for (int i = 0; i < c->parts; i++) {
        const void *x = operands_after(c, X, (size_t)i * c->x);
        const void *dy = operands_after(c, dY, (size_t)i * c->y);
        float *into = i ? c->part_gradient : c->gradient;
        primitive_execute(c->o, &c->backward_weights, (const void *[]){x, dy, into, NULL});
        for (size_t j = 0; i && j < c->gradient_floats; j++)
            c->gradient[j] += into[j];
    }
    primitive_execute(c->o, &c->from_gradient, (const void *[]){c->gradient, dW, NULL});
}

static void backward_data(struct onednn_conv *c, const void *dY, float *dX) {
    if (c->backward_W_is_stale)
        primitive_execute(c->o, &c->to_backward, (const void *[]){c->W, c->backward_W, NULL});
    c->backward_W_is_stale = 0;
    for (int i = 0; i < c->parts; i++)
        primitive_execute(c->o, &c->backward_data,
                          (const void *[]){operands_after(c, dY, (size_t)i * c->y), c->backward_W,
                                           dX + (size_t)i * c->x, NULL});
}

/* In nhwc, which has no parts, dX takes the place of X, which has been read. */
static void backward(struct onednn_conv *c, const void *X, const void *dY, float *dW, float *dX) {
    const void *x = enter(c, &c->enter_x, X, nhwc_x(c));
    const void *dy = enter(c, &c->enter_dy, dY, nhwc_y(c));
    backward_weights(c, x, dy, dW);
    if (!dX)
        return;
    float *into = before_leaving(&c->leave_dx, dX, nhwc_x(c));
    backward_data(c, dy, into);
    leave(c, &c->leave_dx, into, dX);
}

void onednn_conv_forward(struct onednn_conv *c, const void *X, const float *by_filter, float *Y) {
    if (!c->n_shares) {
        forward(c, X, by_filter, Y);
        return;
    }
#pragma omp parallel for num_threads(c->n_shares) schedule(static, 1)
    for (int i = 0; i < c->n_shares; i++) {
        struct share *s = &c->shares[i];
        forward(s->conv, operands_after(c, X, s->x), by_filter, Y + s->y);
    }
}

void onednn_conv_backward(struct onednn_conv *c, const void *X, const void *dY, float *dW,
                          float *dX) {
    if (!c->n_shares) {
        backward(c, X, dY, dW, dX);
        return;
    }
#pragma omp parallel for num_threads(c->n_shares) schedule(static, 1)
    for (int i = 0; i < c->n_shares; i++) {
        struct share *s = &c->shares[i];
        backward(s->conv, operands_after(c, X, s->x), operands_after(c, dY, s->y),
                 s->dW ? s->dW : dW, dX ? dX + s->x : NULL);
    }
    for (int i = 1; i < c->n_shares; i++)
        for (size_t j = 0; j < c->weights; j++)
            dW[j] += c->shares[i].dW[j];
}
