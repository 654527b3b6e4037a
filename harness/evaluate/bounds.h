/* Bounds of the quantized clips of a network that was trained without any (ptq): each activation
 * that feeds a quantized layer is clipped at the 99.9th percentile of the values it had over the
 * calibration batches, with float weights and float activations. */
#ifndef EVALUATE_BOUNDS_H
#define EVALUATE_BOUNDS_H

#include "data/dataset.h"
#include "engine/engine.h"

/* Sets `bound` of every activation of `m` that clips: the least value that at least 99.9 % of its
 * outputs do not exceed (values below 0 count as 0), over spec->calibration batches of the
 * calibration stream. Exact: the batches are passed through twice. An engine takes the bounds when
 * it compiles the model, so `program`, which computes the passes, is to be compiled anew
 * afterwards. `loaders`: threads that decode images of a folder. -1 when one cannot be read. */
int bounds_measure(struct model *m, const struct spec *spec, const struct dataset *data,
                   const struct engine *engine, struct program *program, int loaders,
                   struct error *e);

#endif
