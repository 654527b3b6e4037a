/* A quantizer with learned parameters, for tests alone: it shows that the interface carries them
 * from the start values through training, checkpoints and frozen models.
 *
 * One step h_k per width of B (as in LSQ, arXiv 1902.08153): q = clip(round(W / h), -2^(k-1),
 * 2^(k-1) - 1), Ŵ = q h; at a width that is not in B the step of the bank of that width. */
#ifndef TESTS_QUANT_LEARNED_STEP_H
#define TESTS_QUANT_LEARNED_STEP_H

#include "quant/quantizer.h"

extern const struct quantizer quantizer_learned_step;

/* The registry's schemes and the learned step; ended by NULL. */
extern const struct quantizer *const *learned_step_registry(void);

#endif
