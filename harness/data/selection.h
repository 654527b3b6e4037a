/* Which images a run is trained on, and which it is evaluated on. `val = N` takes N images out of
 * the training split, drawn without regard to their classes from the stream (seed,
 * RANDOM_VALIDATION); what is trained on, and calibrated with, are train.images of the others. The
 * evaluations are of the test split, or with `split = val` of those N, so that a choice can be made
 * without a look at the test split; of either, evaluate.images. Where that is fewer than all,
 * `select = first` takes the first in the order of the split, and `drawn` the first in an order
 * that was drawn once for the split, the same for every scheme, network and seed: runs of one grid
 * share their images, and more images are those of fewer and others. Mean and deviation of the
 * pixels are those of the whole training split. */
#ifndef DATA_SELECTION_H
#define DATA_SELECTION_H

#include "data/dataset.h"
#include "spec/spec.h"

/* Images of one epoch, and of one evaluation. */
uint32_t spec_training_images(const struct spec *spec, const struct dataset *data);
uint32_t spec_evaluated_images(const struct spec *spec, const struct dataset *data);

/* Their places in the split, ascending; as many as the functions above say. The caller frees. */
uint32_t *split_training(const struct spec *spec, const struct dataset *data);
uint32_t *split_evaluated(const struct spec *spec, const struct dataset *data);

/* The training images in the order in which batches for calibration take them, a stream of its own.
 */
uint32_t *split_calibration(const struct spec *spec, const struct dataset *data);

/* Where the evaluated images lie in the data set, and what the rows call the split. */
enum split split_source(const struct spec *spec);
const char *split_name(const struct spec *spec);

/* Whether the training images are cropped and flipped. */
int spec_crop_flip(const struct spec *spec, const struct dataset *data);

#endif
