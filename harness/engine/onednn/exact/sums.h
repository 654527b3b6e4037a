/* One convolution of exact evaluation through oneDNN, forward only, channels last: sums of products
 * of integers in the arithmetic that is asked for, or of floats. A linear layer is one of size 1 on
 * one pixel. */
#ifndef ENGINE_ONEDNN_EXACT_SUMS_H
#define ENGINE_ONEDNN_EXACT_SUMS_H

#include "engine/exact.h"
#include "engine/onednn/conv.h"

struct sum_conv;

/* For n images. `codes`: its input is codes, else floats, which want ARITHMETIC_FP32. NULL when
 * oneDNN has no fast and exact kernel for it here: u8 x s8 without VNNI adds pairs in 16 bits,
 * which saturates; and int8 sums of more inputs than an int32 holds. */
struct sum_conv *sum_conv_new(struct onednn *o, const struct conv *g, int n, int codes,
                              enum arithmetic arithmetic);
void sum_conv_free(struct sum_conv *c);
enum arithmetic sum_conv_arithmetic(const struct sum_conv *c);

/* Weights in canonical order (filters, c/groups, size, size): integers of at most 127 (int8; -128
 * too) or 256 (bf16, fp32) for codes. */
void sum_conv_weights(struct sum_conv *c, const float *W);

/* X: uint8 codes or floats (n, h, w, c). Y (n, out_h, out_w, filters): int32 for int8, else float.
 */
void sum_conv_forward(struct sum_conv *c, const void *X, void *Y);

#endif
