/* Passes over the activations of exact evaluation (engine/exact.h), channels last: (n, h, w, c). A
 * convolution leaves sums T of integers; what follows them up to the next convolution is an affine
 * map by channel, and at most one activation, so that nothing is written in between. */
#ifndef ENGINE_ONEDNN_EXACT_PASSES_H
#define ENGINE_ONEDNN_EXACT_PASSES_H

#include <stddef.h>
#include <stdint.h>

/* A tensor that is not computed yet: value = a[c] T + o[c] box + b[c], where
 * T = factor·whole + odd·box of integer sums, or T = real. Either `whole` or `real` is set. */
struct sums {
    size_t pixels; // n · h · w
    int c;
    const int32_t *whole; // (pixels, c)
    const float *real;    // (pixels, c)
    int factor, odd;
    const float *a, *b, *o; // (c); o NULL: all 0
    const int32_t *box;     // (pixels, groups): Σ of the window's inputs; NULL: odd = 0 and o NULL
    int groups;             // channels are divided evenly among them
};

/* The values themselves. */
void sums_to_floats(const struct sums *s, float *Y);

/* Their codes at j = act_bits: round((2^j - 1) clip(value, 0, 1)), ties to even, as clip_forward
 * rounds. Returns 0 when a value is no number, whose code would hide it. */
int sums_to_codes(const struct sums *s, int act_bits, uint8_t *codes);

/* Y = alpha · value + beta · B. */
void sums_add(const struct sums *s, float alpha, float beta, const float *B, float *Y);

/* code / (2^j - 1). */
void codes_to_floats(size_t n, int act_bits, const uint8_t *codes, float *Y);

/* Σ of the codes in each window of a convolution, by group: box (n, out_h, out_w, groups). Places
 * outside count as 0. `columns`: scratch of n·h·w·groups. */
struct conv;
void codes_box(const struct conv *g, int n, const uint8_t *codes, int32_t *columns, int32_t *box);

/* Mean over the plane: Y (n, c). */
void last_mean(int n, int plane, int c, const float *X, float *Y);

/* Maxima of windows as blocked_maxpool takes them, of codes and of floats. */
struct window;
void codes_maxpool(const struct window *w, int n, int c, const uint8_t *X, uint8_t *Y);
void last_maxpool(const struct window *w, int n, int c, const float *X, float *Y);

/* NCHW to channels last and back. */
void last_from_plain(int n, int c, int plane, const float *plain, float *out);

#endif
