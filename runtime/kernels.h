/* What computes: sums of products, and the passes behind them. A table of functions for each set of
 * instructions; portable.c is the twin that all others are tested against, and they give the same
 * bits.
 *
 * Activations are channels last. A row of outputs is computed at a time: `pixels` places, each of
 * which reads a window of rows × cols taps, of `channels` values in each of `groups`. */
#ifndef TQ_KERNELS_H
#define TQ_KERNELS_H

#include "model.h"

/* A convolution or linear layer at one width. */
struct product {
    const struct tq_model *model;
    const struct layer *layer; // NULL: stays float
    int k;                     // bits of the layer
    int act_bits;
    uint32_t filters, groups, rows, cols;
    uint32_t channels; // of one group
    uint32_t step;     // from one tap to the next, in values: channels with padding
    int is_linear;
    int is_row;      // taps of a row lie side by side: one group
    int factor, odd; // T = factor · sum + odd · box
    uint32_t span;   // values of a row of inputs at most: of all images where each is one pixel
    int is_counted;  // sums are counts of bits (popcount.c)
    void *packed;    // weights as the kernel wants them
    const float *weights; // of float sums: (groups, rows, cols, channels, filters / groups)
};

/* What one row of outputs reads. Steps are in values. */
struct window {
    const void *x;     // uint8_t codes or floats: first tap of the first pixel
    size_t pixel, row; // from one pixel to the next; from one row of taps to the next
    uint32_t pixels;
};

/* Values that are still to come: a (factor · sum + odd · box) + o box + b, by channel. */
struct affine {
    const float *a, *b, *o; // (c); o NULL: 0
    uint32_t c, groups;
    int factor, odd;
    const int32_t *box; // (pixels, groups); NULL: neither odd nor o
};

struct kernels {
    const char *name;

    /* As tq_unpack_row. */
    void (*unpack_row)(const struct product *p, uint32_t row, int8_t *v);

    /* Bytes of a product's packed weights, and the packing: sets factor, odd, is_counted. */
    size_t (*packed_bytes)(const struct product *p);
    void (*pack)(struct product *p);

    /* Sums of one row: T (pixels, filters). */
    void (*sums)(const struct product *p, const struct window *w, int32_t *T);

    /* The same of floats: each is summed in double, by rows, cols, channels, and rounded once. */
    void (*float_sums)(const struct product *p, const struct window *w, float *T);

    /* Σ of the codes of each window, by group: box (pixels, groups). Of the windows that `sums` was
     * called with last, for this product. */
    void (*box)(const struct product *p, const struct window *w, int32_t *box);

    /* Values (pixels, c) of sums, and of floats that lie `step` apart. */
    void (*affine_sums)(const struct affine *f, uint32_t pixels, const int32_t *T, float *Y);
    void (*affine_floats)(const struct affine *f, uint32_t pixels, const float *X, size_t step,
                          float *Y);

    /* Codes round(top · clip(Y, 0, 1)), ties to even, pixels `step` apart. Whether some value is no
     * number, whose code is 0. */
    int (*quantize)(uint32_t pixels, uint32_t c, float top, const float *Y, uint8_t *codes,
                    size_t step);

    /* quantize of what affine_sums (groups 1) and affine_floats give; NULL: in two passes. */
    int (*code_sums)(const struct affine *f, uint32_t pixels, const int32_t *T, float top,
                     uint8_t *codes, size_t step);
    int (*code_floats)(const struct affine *f, uint32_t pixels, const float *X, size_t from,
                       float top, uint8_t *codes, size_t step);

    /* Y = alpha Y + beta X, the pixels of X being `step` apart. */
    void (*add)(uint32_t pixels, uint32_t c, float alpha, float beta, const float *X, size_t step,
                float *Y);
};

extern const struct kernels tq_portable;
extern const struct kernels tq_avx2, tq_vnni, tq_popcount; // of x86-64

/* By what the processor has and is not told to do without. */
const struct kernels *tq_choose_kernels(int without);

/* The signed codes of one row of a layer, in the order of the file: n of them, from a multiple of
 * 64 on; or all. */
void tq_unpack(const struct product *p, uint32_t row, uint32_t from, uint32_t n, int8_t *v);
void tq_unpack_row(const struct product *p, uint32_t row, int8_t *v);

/* Large linear layers straight from the planes (planes.c, of AVX-512 with VNNI): whether a product
 * is one, its packing, which keeps nothing, and its sums. */
int tq_is_direct(const struct product *p);
void tq_direct_pack(struct product *p);
void tq_direct_sums(const struct product *p, const struct window *w, int32_t *T);

/* The same where the processor has GFNI (transposed.c): the bytes that it lays inputs out in, at
 * p->packed, and its sums. */
size_t tq_transposed_bytes(const struct product *p);
void tq_transposed_sums(const struct product *p, const struct window *w, int32_t *T);

/* Whether factor · v + odd is an int8_t at the product's width, for every code. */
int tq_fits_int8(const struct form *f, int k);

#endif
