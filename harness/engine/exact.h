/* Evaluation over exact integers: what a device computes. Where weights and activations are both
 * quantized, a convolution sums products of whole numbers: codes of activations (0 ... 2^j - 1)
 * times integers of weights (quant/quantizer.h, integer_form: factor·v + odd, at most 256 in size).
 * The sums T are exact; scale, batch norm and clip follow as one affine map of T per channel:
 *
 *     act code = round((2^j - 1) clip01(a T + b))
 *
 * In int8, weights are the signed codes v themselves: truncation from N to k bits is the arithmetic
 * right shift v_N >> (N - k), and nothing else (TruncQuant, arXiv 2506.11431). T = factor·Σ v x +
 * odd·Σ x. Layers that stay float compute in float32.
 *
 * The arithmetic changes speed alone: int8 sums in int32; bf16 and fp32 hold the same integers
 * exactly (|w| <= 256, x <= 255) and sum in float32, exactly below 2^24, which the weights of a
 * width are checked against. A layer whose sums could pass an int32, or that the machine has no
 * exact int8 kernel for (u8 x s8 without VNNI saturates), takes fp32. */
#ifndef ENGINE_EXACT_H
#define ENGINE_EXACT_H

#include "engine/engine.h"

enum arithmetic { ARITHMETIC_FP32, ARITHMETIC_BF16, ARITHMETIC_INT8 };
extern const char *const arithmetic_names[]; // by enum, ended by NULL

struct exact_program; // a model compiled for exact evaluation, opaque

struct exact_engine {
    /* For batches of up to `batch` images, on the calling thread alone; several may compute side by
     * side, each on its own thread. The model must outlive it. NULL with a message, or without one
     * when the network has a layer that it does not cover: then the engine's program evaluates. */
    struct exact_program *(*compile)(struct model *m, int batch, enum arithmetic, struct error *e);

    /* Ŵ of a CONV or LINEAR node that stays float; canonical order, copied. */
    void (*set_weights)(struct exact_program *, int node, const float *W_hat);

    /* Ŵ of one that is quantized: signed codes v (canonical order) of k bits and what they stand
     * for; copied. */
    void (*set_codes)(struct exact_program *, int node, int k, const int8_t *v,
                      const struct integer_form *form);

    /* The model's biases, scales, shifts and running statistics (enum engine_numbers) have changed
     * since it was compiled: take them anew. NULL: it reads those of the model. */
    void (*upload)(struct exact_program *, unsigned what);

    /* Class scores (n, classes) of n <= batch images (n, c, h, w), by the running statistics of the
     * point's bank; activations of its act_bits (1 ... 8). Valid until the next call. */
    const float *(*forward)(struct exact_program *, const struct point *, const float *images,
                            int n);

    /* The arithmetic that the quantized layers got: the name if all have the same, else "mixed";
     * "rounded" when the sums of a layer in float32 could pass 2^24 with the weights that were set.
     */
    const char *(*arithmetic)(const struct exact_program *);

    void (*free)(struct exact_program *);
};

extern const struct exact_engine onednn_exact; // where the program is built with oneDNN

#endif
