/* What a weight quantizer is: the interface behind which every scheme of the harness lives,
 * TruncQuant and all it is compared with. One const table lists them (baselines/registry.h);
 * adding one is a file and a line there. What tables, figures and bibliographies say of it are
 * fields, too.
 *
 * A quantizer maps the latent float weights W of one layer to the weights Ŵ_k that the layer
 * computes with at k bits, and back-propagates through that. Most are a point in a space of four
 * axes (range map, rounder, dequantizer, layer scale; method of TruncQuant arXiv 2506.11431, DoReFa
 * 1606.06160, AdaBits 1912.09666, Jacob et al. 1712.05877) and share the slots of quant/axes.h.
 *
 * The rest of the harness calls the slots through quant/layer.h, which adds what a run may ask of
 * any scheme.
 *
 * Slots are pure functions of (W, params, k): they keep nothing between forward and backward, and
 * an engine may call them in any order. What may be kept is kept for them, by who knows that W does
 * not change meanwhile: the range of its weights (`known` of struct quant_layer, which
 * quant/layer.h fills in and empties). It holds what they would find, so results are the same
 * without it. Nor do they depend on the number of threads, which is OpenMP's. */
#ifndef QUANT_QUANTIZER_H
#define QUANT_QUANTIZER_H

#include "base/error.h"
#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

enum range_map { RANGE_NONE, RANGE_TANH, RANGE_MINMAX, RANGE_OWN };
/* ROUND_IDENTITY (û = u) is for gradient checks and cannot be chosen in a grid. */
enum rounder { ROUND_NONE, ROUND_NEAREST, ROUND_FLOOR, ROUND_OWN, ROUND_IDENTITY };
enum dequantizer { DEQUANT_NONE, DEQUANT_ENDPOINT, DEQUANT_MIDPOINT, DEQUANT_LOW, DEQUANT_OWN };
enum layer_scale { SCALE_MEAN, SCALE_POW2 };
enum granularity { PER_LAYER, PER_CHANNEL };

/* A point in the space of quantizers. NONE: the scheme does not quantize (fp32). OWN: the scheme's
 * file defines it, and then the scheme's name, not the axis, says which run this is. */
struct axes {
    enum range_map range;
    enum rounder rounder;
    enum dequantizer dequantizer;
    enum layer_scale scale;       // tanh only
    enum granularity granularity; // minmax only
};

/* What the tanh map needs of all weights of a layer, t = tanh W. */
struct tanh_range {
    const float *of; // W; NULL: of none
    float max;       // M = max|t|
    float scale;     // s = mean|W|
    int ties;        // weights that attain M
};

/* The layer a slot works on. */
struct quant_layer {
    size_t n;                // weights
    size_t channels;         // output channels; W is (channels, n / channels)
    struct axes axes;        // as the run wants them, which may differ from the scheme's own
    struct widths widths;    // B, trained jointly
    int stored_bits;         // N
    int corrects;            // bias correction for one shared norm bank (quant/layer.h)
    struct tanh_range known; // the range of weights that do not change for now; of NULL: none is
};

/* Ŵ_k as the whole numbers that a device computes with:
 *
 *     Ŵ = unit[c] (factor · v + odd) + offset[c],   |factor · v + odd| <= 256
 *
 * for output channel c and the signed code v: q - 2^(k-1) of an unsigned code, which cuts the two's
 * complement of N bits to k by an arithmetic shift, as `>>` cuts q; or the code itself where it is
 * signed. */
struct integer_form {
    int factor, odd; // at k bits
    int is_signed;   // codes are signed already
    int has_offset;  // else offset is all 0
    float *unit;     // (channels), of the caller
    float *offset;   // (channels), of the caller
};

/* Marks of figures, each filled and open (of strokes, the same); plots/style.gp draws them, and
 * report/schemes.c has their names. */
enum mark {
    MARK_DIAMOND,
    MARK_SQUARE,
    MARK_TRIANGLE,
    MARK_CIRCLE,
    MARK_INVERTED_TRIANGLE,
    MARK_PENTAGON,
    MARK_STAR,
    MARK_LEFT,
    MARK_RIGHT,
    MARK_PLUS,
    MARK_CROSS,
    MARK_ASTERISK,
    MARK_BAR,
    MARK_DASH,
    MARK_LOZENGE,
    MARKS
};

/* How tables and figures show a scheme. Its place is for ever: an old figure is read beside a new
 * one. */
struct look {
    int place;          // in their order, from 1, of no other scheme; 0: behind those that have one
    const char *colour; // "#RRGGBB", and a mark, which no other scheme has both of; where place is
    enum mark mark;     // 0, both are drawn by the scheme's name from those that none here has
};

/* A paper, as it is cited. */
struct paper {
    const char *key;             // of \cite
    const char *title, *authors; // names in full, parted by " and ", as BibTeX has them
    int year;
    const char *arxiv; // its id there
    const char *venue; // where it was published; NULL: there alone
};
enum { PAPERS = 2 };

struct quantizer {
    const char *name;  // as in a grid
    const char *title; // as in a paper's table; NULL: the name
    const char *help;  // one line
    struct look look;
    const struct paper *papers[PAPERS]; // that describe it; NULL: none
    struct axes axes;                   // what the name stands for
    int min_bits;                       // smallest k that exists; FLOAT_BITS: not quantized at all

    /* How it is trained. Either makes runs of the scheme their own, whatever their axes: both NULL
     * or 0: one model, jointly for all of B. */
    const char *
        // trains nothing: takes the weights of this scheme's finished run of the same recipe
        parent;
    int alone; // one model for each width of B, evaluated at that width only, never truncated

    /* What the scheme asks of B and N beyond its smallest width (codes of N bits may need a step
     * that was learned at N). -1 when it cannot be trained and frozen with these, with a text that
     * goes on after "scheme NAME": the reason; the remedy. NULL: anything goes. */
    int (*check)(const struct widths *B, int stored_bits, struct error *e);

    /* Whether W has a direct k-bit result, for k from min_bits and 32. No slot below is called with
     * another k, but decode, for which k <= N is enough. NULL: it has. */
    int (*has_direct)(const struct widths *B, int stored_bits, int k);

    /* Number of learned parameters of a layer. NULL: none. */
    size_t (*n_params)(const struct quant_layer *);

    /* Start values of the parameters, from the initial weights. NULL exactly when n_params is. */
    void (*start_params)(const struct quant_layer *, const float *W, float *params);

    /* Ŵ_k of all n weights; k in 1 ... 8 or 32. Never NULL; no NaN unless W has one or
     * its range overflows. */
    void (*quantize)(const struct quant_layer *, const float *W, const float *params, int k,
                     float *W_hat);

    /* Adds dL/dW to dW and dL/dparams to dparams (NULL when there are none), given dL/dŴ_k, by the
     * straight-through rule. Never NULL. */
    void (*backward)(const struct quant_layer *, const float *W, const float *params, int k,
                     const float *dW_hat, float *dW, float *dparams);

    /* A loss on the weights themselves, once per step: returns it and adds its gradients. NULL:
     * none. */
    double (*regularize)(const struct quant_layer *, const float *W, const float *params, float *dW,
                         float *dparams);

    /* Floats in the header of a frozen layer. NULL exactly when min_bits is FLOAT_BITS. */
    size_t (*header_floats)(const struct quant_layer *);

    /* The codes q_k (1 <= k <= 8) and the header that dequantizes them at any width. Codes of a
     * signed quantizer are stored in two's complement, sign-extended to the byte. NULL as
     * header_floats. */
    void (*encode)(const struct quant_layer *, const float *W, const float *params, int k,
                   uint8_t *codes, float *header);

    /* Ŵ of the codes q_N cut to k bits, from the header alone: `q_N >> (N - k)`, dequantized at k
     * bits. k <= N. NULL as header_floats. */
    void (*decode)(const struct quant_layer *, const uint8_t *codes, const float *header, int k,
                   float *W_hat);

    /* q_N -> q_k as the device does it. `q >> (N - k)` for the unsigned, an arithmetic shift for
     * the signed. NULL as header_floats. */
    uint8_t (*truncate)(uint8_t code, int stored_bits, int k);

    /* The form of Ŵ_k, up to the rounding of float32, for codes q_k with the header of `encode` at
     * k, or codes q_N, cut, with that of `encode` at N; k <= 8. NULL: there is none. */
    void (*integer_form)(const struct quant_layer *, const float *header, int k,
                         struct integer_form *form);
};

/* Whether the k-bit result exists: direct from min_bits on and at 32, if has_direct says so;
 * truncated from min_bits to N, unless the scheme trains widths alone. */
int quantizer_exists(const struct quantizer *, const struct widths *B, int stored_bits, int k,
                     int truncated);

/* The signed code v of a code q_k. */
int8_t quantizer_signed_code(const struct integer_form *form, uint8_t code, int k);

/* The quantizer called `name` in `table` (ended by NULL), or NULL. */
const struct quantizer *quantizer_find(const struct quantizer *const *table, const char *name);

/* Whether the name, and not the axes alone, says what it computes: an axis is OWN, how it is
 * trained or what exists is its own, it learns or regularizes, or a slot is not that of
 * quant/axes.h. What does not quantize has no slots to compare. */
int quantizer_is_own(const struct quantizer *);

/* The quantizer whose axes are these, or NULL; never one that is its own. */
const struct quantizer *quantizer_with_axes(const struct quantizer *const *table,
                                            const struct axes *axes);

#endif
