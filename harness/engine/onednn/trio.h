/* The three primitives that a convolution gets from oneDNN, forward and two backward: by which
 * algorithm, in which layout, and for how many images at a time. The rules are fixed ones
 * (onednn_conv_new). For the files onednn*.c alone. */
#ifndef ENGINE_ONEDNN_TRIO_H
#define ENGINE_ONEDNN_TRIO_H

#include "engine/onednn/primitive.h"

struct activations {
    dnnl_memory_desc_t x, y;     // operands: X and dY, float32 or bf16
    dnnl_memory_desc_t x32, y32; // results: dX and Y, float32
};

/* A convolution, as oneDNN is told of it. */
struct descriptions {
    const struct conv_form *form;
    dnnl_alg_kind_t algorithm;
    struct activations outside, inside; // as they come and go, and as the primitives take them
    dnnl_memory_desc_t w, w32;          // Ŵ, an operand, and dW, as a primitive prefers them
    dnnl_memory_desc_t canonical_w;     // either, as it comes and goes: float32
    dnnl_memory_desc_t by_filter;       // a bias, or a scale
    struct window_dims dims;
    int nhwc; // inside
};

struct trio {
    struct descriptions d;                        // of a part of the images
    int parts;                                    // equal ones; a primitive is called for each
    dnnl_primitive_attr_t scaled;                 // forward over integers: times a scale by filter
    dnnl_primitive_desc_t forward, data, weights; // to Y, dX and dW; NULL: not wanted
};

/* For n images. 1: `t` is to be freed; 0: there is nothing to free, for one of the reasons of
 * onednn_conv_new. */
int trio_find(struct onednn *o, const struct conv *g, int n, const struct conv_form *form,
              struct trio *t);
void trio_free(struct trio *t);

/* Images are to be divided among threads in multiples of this: those of a part, where n images are
 * computed in parts, else 1. */
int trio_unit(const struct conv *g, int n, const struct conv_form *form);

#endif
