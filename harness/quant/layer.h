/* The weights of one quantized layer as the run wants them: the scheme's slots and, where all
 * widths share one norm bank, the bias correction of EMQ-Net (2510.20673) behind them, so
 * that one set of statistics fits every width:
 *
 *     Ŵ <- (Ŵ - mean Ŵ) · ‖t - mean t‖₂ / ‖Ŵ - mean Ŵ‖₂ + mean t,   t = tanh W
 *
 * per layer, at k = 32 too; the factor is 1 where ‖Ŵ - mean Ŵ‖₂ < 1e-12. Both means and the factor
 * are constants in the gradient.
 *
 * A frozen layer carries mean t and ‖t - mean t‖₂ behind the scheme's header, two floats; mean Ŵ
 * and its norm come from the cut codes themselves, when they are decoded. So truncated weights that
 * equal the direct ones before the correction equal them to the last bit behind it.
 *
 * Arguments are as those of the slots (quantizer.h). */
#ifndef QUANT_LAYER_H
#define QUANT_LAYER_H

#include "quant/quantizer.h"

void layer_quantize(const struct quantizer *s, const struct quant_layer *l, const float *W,
                    const float *params, int k, float *W_hat);
void layer_backward(const struct quantizer *s, const struct quant_layer *l, const float *W,
                    const float *params, int k, const float *dW_hat, float *dW, float *dparams);
size_t layer_header_floats(const struct quantizer *s, const struct quant_layer *l);
void layer_encode(const struct quantizer *s, const struct quant_layer *l, const float *W,
                  const float *params, int k, uint8_t *codes, float *header);
void layer_decode(const struct quantizer *s, const struct quant_layer *l, const uint8_t *codes,
                  const float *header, int k, float *W_hat);

/* Find once what the slots would find anew of W at each width, until W is to change. Both may be
 * left out. */
void layer_weights_stay(struct quant_layer *l, const float *W);
void layer_weights_change(struct quant_layer *l);

/* Ŵ_k as whole numbers, up to rounding: signed codes and their form (quantizer.h). Only where
 * s->integer_form is there. */
struct integers {
    int8_t *v;                // (n); owned
    struct integer_form form; // owns its arrays
};

/* Those of codes of l->stored_bits bits cut to k. */
struct integers layer_integers(const struct quantizer *s, const struct quant_layer *l,
                               const uint8_t *codes, const float *header, int k);

/* Those of the latent weights. */
struct integers layer_latent_integers(const struct quantizer *s, const struct quant_layer *l,
                                      const float *W, const float *params, int k);

void integers_free(struct integers *x);

/* Ŵ of those. */
void layer_of_integers(const struct quant_layer *l, const struct integers *x, float *W_hat);

#endif
