/* Which primitives a convolution gets; trio.h is the manual. */
#include "engine/onednn/trio.h"

enum { CHANNELS_BLOCKED = 16, FEW_CHANNELS = 32, MANY_CHANNELS = 64 };

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

/* With few channels Winograd gains only while the transformed values stay in the second cache,
 * which those of a whole batch do not: part of the images at a time. 0: all at once. */
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

/* What fills up the last block of 16 channels is multiplied like the rest. nhwc has no blocks, and
 * kernels for fewer than 16 channels, but activations are converted for it: of windows of one
 * pixel, which have few products, at a loss. */
static int suits_nhwc(const struct conv *g, const struct conv_form *form) {
    enum { B = CHANNELS_BLOCKED };
    int64_t blocked = (int64_t)((g->c + B - 1) / B * B) * ((g->filters + B - 1) / B * B);
    int is_wasteful = g->size > 1 && 2 * blocked >= 3 * (int64_t)g->c * g->filters;
    return g->groups == 1 && !form->plain_input && (g->c < B || is_wasteful);
}

int trio_unit(const struct conv *g, int n, const struct conv_form *form) {
    int part = images_of_a_part(g, n, form);
    return part ? part : 1;
}

/* ---- descriptions ---- */

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

/* The primitives of one algorithm: all that are wanted, or none. */
static int describe_trio(struct onednn *o, struct trio *t) {
    const struct descriptions *d = &t->d;
    const struct conv_form *form = d->form;
    int wants_data = !form->plain_input && !form->forward_only;
    t->forward = forward_desc(o, d, &d->inside.y32, form->has_bias ? &d->by_filter : NULL,
                              t->scaled ? t->scaled : o->attributes);
    if (!form->forward_only) { // backward wants a forward of operands alone as a hint
        dnnl_primitive_desc_t hint = forward_desc(o, d, &d->inside.y, NULL, o->attributes);
        t->weights = hint ? weights_desc(o, d, hint) : NULL;
        t->data = hint && wants_data ? data_desc(o, d, hint) : NULL;
        if (hint)
            dnnl_primitive_desc_destroy(hint);
    }
    if (t->forward && (form->forward_only || t->weights) && (!wants_data || t->data))
        return 1;
    trio_free(t);
    return 0;
}

static int try_trio(struct onednn *o, const struct conv *g, int n, const struct conv_form *form,
                    dnnl_alg_kind_t algorithm, int nhwc, struct trio *t) {
    describe(&t->d, g, n, form, nhwc);
    t->d.algorithm = algorithm;
    if (form->operands == CONV_INTEGERS)
        t->scaled = scaled_attributes(&t->d);
    return describe_trio(o, t);
}

/* Winograd and nhwc where they are wanted and there, in this order, else blocks. */
int trio_find(struct onednn *o, const struct conv *g, int n, const struct conv_form *form,
              struct trio *t) {
    int part = images_of_a_part(g, n, form);
    if (form->plain_input && (g->groups > 1 || g->c >= CHANNELS_BLOCKED))
        return 0;
    if (form->operands == CONV_INTEGERS && !onednn_has_bf16())
        return 0;
    *t = (struct trio){.parts = part ? n / part : 1};
    if (wants_winograd(g, n, form) &&
        try_trio(o, g, n / t->parts, form, dnnl_convolution_winograd, 0, t))
        return 1;
    *t = (struct trio){.parts = 1};
    if (suits_nhwc(g, form) && try_trio(o, g, n, form, dnnl_convolution_direct, 1, t))
        return 1;
    return try_trio(o, g, n, form, dnnl_convolution_direct, 0, t);
}

void trio_free(struct trio *t) {
    dnnl_primitive_desc_t all[] = {t->forward, t->data, t->weights};
    for (int i = 0; i < 3; i++)
        if (all[i])
            dnnl_primitive_desc_destroy(all[i]);
    if (t->scaled)
        dnnl_primitive_attr_destroy(t->scaled);
    t->forward = t->data = t->weights = NULL;
    t->scaled = NULL;
}
