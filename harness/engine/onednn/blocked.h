/* Fused passes over activations in oneDNN's nChw16c layout: channels in blocks of 16, so that one
 * block of one pixel is a vector. Between two convolutions a network needs statistics, affine,
 * clip, rounding and sums; each pass here reads and writes memory once. Threaded over images and
 * blocks (OpenMP); sums are merged in a fixed order, so results do not depend on the number of
 * threads.
 *
 * A tensor (n, c, h, w) has c rounded up to blocks; the lanes behind c are 0 and stay 0. */
#ifndef ENGINE_ONEDNN_BLOCKED_H
#define ENGINE_ONEDNN_BLOCKED_H

#include "cfg/cfg.h"

#include <stddef.h>
#include <stdint.h>

enum { LANES = 16 };

struct blocked {
    int n, c, blocks, plane; // images, channels, blocks of 16 channels, pixels
};
struct blocked blocked_shape(int n, struct shape s);
size_t blocked_size(const struct blocked *s); // floats

/* One block of one image: (plane, 16). */
static inline size_t blocked_chunk(const struct blocked *s) {
    return (size_t)s->plane * LANES;
}

/* Of all images. */
static inline int blocked_chunks(const struct blocked *s) {
    return s->n * s->blocks;
}

/* Channels of block number `i` (counted over images). */
static inline int blocked_lanes(const struct blocked *s, int i) {
    int left = s->c - i % s->blocks * LANES;
    return left < LANES ? left : LANES;
}

/* Between NCHW and nChw16c. The second adds if `add`. */
void blocked_from_plain(const struct blocked *s, const float *plain, float *out);
void blocked_to_plain(const struct blocked *s, const float *in, float *plain, int add);

/* What follows the affine of a norm, or stands alone: as clip_forward, or nothing. */
enum blocked_act { BLOCKED_NONE, BLOCKED_CLIP };

/* Statistics of each channel over the batch: mean and biased variance (double sums of per-image
 * means and squares). `partial`: scratch of 2 * n * blocks * 16 floats. */
void blocked_statistics(const struct blocked *s, const float *X, float *partial, double *mean,
                        double *variance);

/* Y = act(a X + b) by channel; a, b (blocks * 16), 0 behind c. */
void blocked_affine(const struct blocked *s, const float *X, const float *a, const float *b,
                    enum blocked_act act, int act_bits, float *Y);

/* The codes round((2^j - 1) clip(a X + b, 0, 1)) of j = act_bits, as bf16 numbers, which hold them
 * exactly (a NaN stays one); and, when Y is not NULL, their values, as blocked_affine gives them.
 */
void blocked_affine_codes(const struct blocked *s, const float *X, const float *a, const float *b,
                          int act_bits, uint16_t *codes, float *Y);

/* The codes of their values, exactly. */
void blocked_codes(const struct blocked *s, const float *X, int act_bits, uint16_t *codes);

/* The values of codes: Y = code / (2^j - 1). */
void blocked_codes_to_floats(const struct blocked *s, int act_bits, const uint16_t *codes,
                             float *Y);

/* factor[c] X rounded to bf16, ties to even; factor (blocks * 16). */
void blocked_to_bf16(const struct blocked *s, const float *X, const float *factor, uint16_t *Y);

/* The two sums that batch norm's backward needs, of dZ = dY where the clip lets it through:
 * sum = Σ dZ, product = Σ dZ (x - mean). `partial` as above. */
void blocked_norm_sums(const struct blocked *s, const float *X, const float *dY, const float *a,
                       const float *b, const float *mean, enum blocked_act act, int act_bits,
                       float *partial, double *sum, double *product);

/* dX = p dZ + q X + r by channel, added if `add`; dZ as above. p, q, r (blocks * 16), 0 behind c.
 */
void blocked_norm_backward(const struct blocked *s, const float *X, const float *dY, const float *a,
                           const float *b, enum blocked_act act, int act_bits, const float *p,
                           const float *q, const float *r, float *dX, int add);

/* Y = alpha A + beta B, and dX = factor dY (added if `add`), over n values of any layout. */
void blocked_add(size_t n, float alpha, const float *A, float beta, const float *B, float *Y);
void blocked_scale(size_t n, float factor, const float *dY, float *dX, int add);

/* Mean over the plane: Y (n, c) plain; dX from dY, added if `add`. */
void blocked_mean(const struct blocked *s, const float *X, float *Y);
void blocked_mean_backward(const struct blocked *s, const float *dY, float *dX, int add);

/* Maximum of windows as Darknet takes them: offset -padding/2, places outside ignored, the first of
 * equal values wins. `choice` (blocked size of the output), for backward: which place of its
 * window, counted by rows, was taken; NO_CHOICE where every value is NaN, and then Y is NaN.
 * Windows of up to WINDOW_LARGEST a side. */
enum { NO_CHOICE = UINT16_MAX, WINDOW_LARGEST = 255 };
struct window {
    int h, w, out_h, out_w, size, stride, offset;
};
void blocked_maxpool(const struct blocked *in, const struct window *g, const float *X, float *Y,
                     uint16_t *choice);
void blocked_maxpool_backward(const struct blocked *in, const struct window *g,
                              const uint16_t *choice, const float *dY, float *dX, int add);

/* Σ over images and pixels of dY by channel, added to d_bias (c). `partial` as above. */
void blocked_bias_backward(const struct blocked *s, const float *dY, float *partial, float *d_bias);

#endif
