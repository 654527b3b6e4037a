/* The primitives that a convolution of one thread gets from oneDNN: by which algorithm, in which layout, and for how many
 * images at a time. The rules are fixed ones of geometry (onednn_conv.h). For the files onednn*.c alone. */
#ifndef ENGINE_ONEDNN_TRIO_H
#define ENGINE_ONEDNN_TRIO_H

#include "engine/onednn_primitive.h"

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

/* Forward, gradient of the input, gradient of the weights; NULL: not wanted. */
struct trio {
    struct descriptions d;
    int parts;                    // a call of a primitive is for one part of the images
    dnnl_primitive_attr_t scaled; // forward over integers: times a scale by filter
    dnnl_primitive_desc_t forward, data, weights;
};

/* 0: oneDNN has no fast kernel for this geometry on this machine. */
int trio_find(struct onednn *o, const struct conv *g, int n, const struct conv_form *form,
              struct trio *t);
void trio_free(struct trio *t);

/* Images of a part, where the convolution is computed by parts: images are to be divided in multiples of it. Else 1. */
int trio_unit(const struct conv *g, int n, const struct conv_form *form);

#endif
