/* oneDNN's primitives for one convolution; onednn_conv.h is the manual. Written for the C API of oneDNN 2
 * (Debian 12 has 2.6). A call that fails after a primitive was made is a fault of this file or of the
 * machine's memory, and ends the process with its number, as out of memory does. */
#include "engine/onednn_conv.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS_BLOCKED = 16 };

struct onednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_attr_t attributes; // scratchpads are ours
    void *scratch;
    size_t scratch_size;
};

/* One primitive with its arguments: data handles are set at each execution. */
enum { ARGUMENTS = 5 };
struct primitive {
    dnnl_primitive_t handle; // NULL: not made
    int n;
    dnnl_exec_arg_t arguments[ARGUMENTS];
    size_t scratch_size;
};

struct onednn_conv {
    struct onednn *o;
    struct primitive forward, backward_data, backward_weights;
    struct primitive to_forward, to_backward, from_gradient; // reorders of the weights
    float *forward_W, *backward_W, *gradient; // in the layouts that the primitives prefer
    const float *W;                           // canonical, of the last onednn_conv_weights
    int backward_W_is_stale;
};

void onednn_must(int status, const char *what) {
    if (status == dnnl_success)
        return;
    fprintf(stderr, "truncquant: oneDNN: %s failed (status %d); try --engine reference\n", what,
            status);
    exit(1);
}

struct onednn *onednn_open(struct error *e) {
    struct onednn *o = need(1, sizeof *o);
    if (dnnl_engine_create(&o->engine, dnnl_cpu, 0) ||
        dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags) ||
        dnnl_primitive_attr_create(&o->attributes) ||
        dnnl_primitive_attr_set_scratchpad_mode(o->attributes, dnnl_scratchpad_mode_user)) {
        fail(e, "oneDNN does not start on this machine; use --engine reference");
        onednn_close(o);
        return NULL;
    }
    return o;
}

void onednn_close(struct onednn *o) {
    if (!o)
        return;
    if (o->attributes)
        dnnl_primitive_attr_destroy(o->attributes);
    if (o->stream)
        dnnl_stream_destroy(o->stream);
    if (o->engine)
        dnnl_engine_destroy(o->engine);
    free(o->scratch);
    free(o);
}

/* ---- one primitive ---- */

static void add_argument(struct onednn *o, struct primitive *p, int which,
                         const dnnl_memory_desc_t *desc) {
    dnnl_memory_t memory;
    onednn_must(dnnl_memory_create(&memory, desc, o->engine, DNNL_MEMORY_NONE), "a memory object");
    p->arguments[p->n++] = (dnnl_exec_arg_t){which, memory};
}

static void add_scratchpad(struct onednn *o, struct primitive *p, const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *desc = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    p->scratch_size = dnnl_memory_desc_get_size(desc);
    if (p->scratch_size > o->scratch_size) {
        free(o->scratch);
        o->scratch = need_aligned(p->scratch_size, 1);
        o->scratch_size = p->scratch_size;
    }
    add_argument(o, p, DNNL_ARG_SCRATCHPAD, desc);
}

/* Execute with these data, in the order in which the arguments were added. */
static void execute(struct onednn *o, struct primitive *p, const void *const *data) {
    for (int i = 0; i < p->n; i++) {
        int own = p->arguments[i].arg == DNNL_ARG_SCRATCHPAD;
        onednn_must(
            dnnl_memory_set_data_handle(p->arguments[i].memory, own ? o->scratch : (void *)data[i]),
            "binding memory");
    }
    onednn_must(dnnl_primitive_execute(p->handle, o->stream, p->n, p->arguments), "a primitive");
    onednn_must(dnnl_stream_wait(o->stream), "waiting");
}

static void primitive_free(struct primitive *p) {
    for (int i = 0; i < p->n; i++)
        dnnl_memory_destroy(p->arguments[i].memory);
    if (p->handle)
        dnnl_primitive_destroy(p->handle);
}

static void make_reorder(struct onednn *o, struct primitive *p, const dnnl_memory_desc_t *from,
                         const dnnl_memory_desc_t *to) {
    dnnl_primitive_desc_t pd;
    onednn_must(
        dnnl_reorder_primitive_desc_create(&pd, from, o->engine, to, o->engine, o->attributes),
        "a reorder");
    onednn_must(dnnl_primitive_create(&p->handle, pd), "a reorder");
    add_argument(o, p, DNNL_ARG_FROM, from);
    add_argument(o, p, DNNL_ARG_TO, to);
    add_scratchpad(o, p, pd);
    dnnl_primitive_desc_destroy(pd);
}

/* ---- the convolution ---- */

struct descriptions {
    dnnl_memory_desc_t x, w, bias, y, canonical_w;
    dnnl_dims_t strides, padding_before, padding_after;
};

static int padding_after(int in, int out, int size, int stride, int before) {
    return (out - 1) * stride + size - in - before;
}

static void describe(struct descriptions *d, const struct conv *g, int n, int plain_input) {
    dnnl_dims_t x = {n, g->c, g->h, g->w}, w = {g->filters, g->c, g->size, g->size};
    dnnl_dims_t y = {n, g->filters, g->out_h, g->out_w}, bias = {g->filters};
    dnnl_memory_desc_init_by_tag(&d->x, 4, x, dnnl_f32, plain_input ? dnnl_nchw : dnnl_nChw16c);
    dnnl_memory_desc_init_by_tag(&d->w, 4, w, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&d->y, 4, y, dnnl_f32, dnnl_nChw16c);
    dnnl_memory_desc_init_by_tag(&d->bias, 1, bias, dnnl_f32, dnnl_a);
    dnnl_memory_desc_init_by_tag(&d->canonical_w, 4, w, dnnl_f32, dnnl_oihw);
    for (int i = 0; i < 2; i++) {
        d->strides[i] = g->stride;
        d->padding_before[i] = g->padding;
    }
    d->padding_after[0] = padding_after(g->h, g->out_h, g->size, g->stride, g->padding);
    d->padding_after[1] = padding_after(g->w, g->out_w, g->size, g->stride, g->padding);
}

/* oneDNN always has an implementation; the reference ones are slower than ours by a factor of hundreds. */
static int is_fast(const_dnnl_primitive_desc_t pd) {
    const char *name = "";
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    return !strstr(name, "ref");
}

static dnnl_primitive_desc_t try_desc(struct onednn *o, const dnnl_convolution_desc_t *desc,
                                      const_dnnl_primitive_desc_t hint) {
    dnnl_primitive_desc_t pd = NULL;
    if (dnnl_primitive_desc_create(&pd, desc, o->attributes, o->engine, hint))
        return NULL;
    if (is_fast(pd))
        return pd;
    dnnl_primitive_desc_destroy(pd);
    return NULL;
}

static dnnl_primitive_desc_t forward_desc(struct onednn *o, const struct descriptions *d,
                                          dnnl_alg_kind_t algorithm, int has_bias) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, algorithm, &d->x, &d->w,
                                           has_bias ? &d->bias : NULL, &d->y, d->strides,
                                           d->padding_before, d->padding_after))
        return NULL;
    return try_desc(o, &desc, NULL);
}

static dnnl_primitive_desc_t data_desc(struct onednn *o, const struct descriptions *d,
                                       dnnl_alg_kind_t algorithm,
                                       const_dnnl_primitive_desc_t hint) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_backward_data_desc_init(&desc, algorithm, &d->x, &d->w, &d->y, d->strides,
                                                 d->padding_before, d->padding_after))
        return NULL;
    return try_desc(o, &desc, hint);
}

static dnnl_primitive_desc_t weights_desc(struct onednn *o, const struct descriptions *d,
                                          dnnl_alg_kind_t algorithm,
                                          const_dnnl_primitive_desc_t hint) {
    dnnl_convolution_desc_t desc;
    if (dnnl_convolution_backward_weights_desc_init(&desc, algorithm, &d->x, &d->w, NULL, &d->y,
                                                    d->strides, d->padding_before,
                                                    d->padding_after))
        return NULL;
    return try_desc(o, &desc, hint);
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

static int wants_winograd(const struct conv *g) {
    return g->size == 3 && g->stride == 1 && g->c >= 32 && g->filters >= 32;
}

static float *weights_memory(const dnnl_memory_desc_t *desc) {
    return need_aligned(dnnl_memory_desc_get_size(desc), 1);
}

static void make_forward(struct onednn_conv *c, const struct descriptions *d, int has_bias,
                         const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    onednn_must(dnnl_primitive_create(&c->forward.handle, pd), "a convolution");
    add_argument(c->o, &c->forward, DNNL_ARG_SRC, &d->x);
    add_argument(c->o, &c->forward, DNNL_ARG_WEIGHTS, w);
    add_argument(c->o, &c->forward, DNNL_ARG_DST, &d->y);
    if (has_bias)
        add_argument(c->o, &c->forward, DNNL_ARG_BIAS, &d->bias);
    add_scratchpad(c->o, &c->forward, pd);
    c->forward_W = weights_memory(w);
    make_reorder(c->o, &c->to_forward, &d->canonical_w, w);
}

static void make_data(struct onednn_conv *c, const struct descriptions *d,
                      const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    onednn_must(dnnl_primitive_create(&c->backward_data.handle, pd), "a convolution");
    add_argument(c->o, &c->backward_data, DNNL_ARG_DIFF_DST, &d->y);
    add_argument(c->o, &c->backward_data, DNNL_ARG_WEIGHTS, w);
    add_argument(c->o, &c->backward_data, DNNL_ARG_DIFF_SRC, &d->x);
    add_scratchpad(c->o, &c->backward_data, pd);
    c->backward_W = weights_memory(w);
    make_reorder(c->o, &c->to_backward, &d->canonical_w, w);
}

static void make_weights(struct onednn_conv *c, const struct descriptions *d,
                         const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_diff_weights_md, 0);
    onednn_must(dnnl_primitive_create(&c->backward_weights.handle, pd), "a convolution");
    add_argument(c->o, &c->backward_weights, DNNL_ARG_SRC, &d->x);
    add_argument(c->o, &c->backward_weights, DNNL_ARG_DIFF_DST, &d->y);
    add_argument(c->o, &c->backward_weights, DNNL_ARG_DIFF_WEIGHTS, w);
    add_scratchpad(c->o, &c->backward_weights, pd);
    c->gradient = weights_memory(w);
    make_reorder(c->o, &c->from_gradient, w, &d->canonical_w);
}

struct onednn_conv *onednn_conv_new(struct onednn *o, const struct conv *g, int n, int plain_input,
                                    int has_bias) {
    struct descriptions d;
    struct trio t;
    if (g->groups != 1 || (plain_input && g->c >= CHANNELS_BLOCKED))
        return NULL;
    describe(&d, g, n, plain_input);
    if (!(wants_winograd(g) &&
          make_trio(o, &d, dnnl_convolution_winograd, has_bias, plain_input, &t)) &&
        !make_trio(o, &d, dnnl_convolution_direct, has_bias, plain_input, &t))
        return NULL;
    struct onednn_conv *c = need(1, sizeof *c);
    c->o = o;
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
    free(c);
}

void onednn_conv_weights(struct onednn_conv *c, const float *W) {
    c->W = W;
    c->backward_W_is_stale = 1; // only training needs the other layout
    execute(c->o, &c->to_forward, (const void *[]){W, c->forward_W, NULL});
}

void onednn_conv_forward(struct onednn_conv *c, const float *X, const float *bias, float *Y) {
    if (bias)
        execute(c->o, &c->forward, (const void *[]){X, c->forward_W, Y, bias, NULL});
    else
        execute(c->o, &c->forward, (const void *[]){X, c->forward_W, Y, NULL});
}

void onednn_conv_backward(struct onednn_conv *c, const float *X, const float *dY, float *dW,
                          float *dX) {
    execute(c->o, &c->backward_weights, (const void *[]){X, dY, c->gradient, NULL});
    execute(c->o, &c->from_gradient, (const void *[]){c->gradient, dW, NULL});
    if (!dX)
        return;
    if (c->backward_W_is_stale)
        execute(c->o, &c->to_backward, (const void *[]){c->W, c->backward_W, NULL});
    c->backward_W_is_stale = 0;
    execute(c->o, &c->backward_data, (const void *[]){dY, c->backward_W, dX, NULL});
}
