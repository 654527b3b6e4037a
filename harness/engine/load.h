/* The weights of an operating point, from a model to what computes with them: the only place where
 * an engine is given any. They are the scheme's own k-bit ones of the latent weights (direct), or
 * those of a frozen model's codes cut to k bits (truncated), where k is what the point says of the
 * layer. Layers that are not quantized have the same at every point.
 *
 * `frozen` is NULL for direct weights; else m is frozen->m. */
#ifndef ENGINE_LOAD_H
#define ENGINE_LOAD_H

#include "engine/exact.h"
#include "model/frozen.h"

/* Ŵ_k of a node that has weights, in canonical order, into W_hat, which holds them. */
void load_node(const struct model *m, const struct frozen *frozen, int node, int k, float *W_hat);

/* Give a program the weights of all layers: Ŵ_k, and where the engine wants them the whole numbers
 * behind. `scratch` holds model_largest_weights. */
void load_program(const struct model *m, const struct frozen *frozen, const struct engine *engine,
                  struct program *program, const struct point *point, float *scratch);

/* Give each of n programs over whole numbers the codes of the quantized layers, of at most 8
 * bits, and the others' weights as they are. */
void load_exact(const struct model *m, const struct frozen *frozen,
                const struct exact_engine *engine, struct exact_program *const *programs, int n,
                const struct point *point);

/* Have the program of `m`, as it starts, compute training in *precision, and leave there what is
 * computed: fp32 where at no width a layer has whole numbers that it multiplies in bf16. -1 as
 * engine_use. */
int load_precision(const struct spec *spec, const struct model *m, const struct engine *engine,
                   struct program *program, enum precision *precision, struct error *e);

#endif
