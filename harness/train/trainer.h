/* Training one model for all widths of B at once (TruncQuant 2506.11431, Any-Precision DNN
 * 1911.07346).
 *
 * One step: the widths are visited from the highest to the lowest on the same images, augmentation
 * and dropout mask. The highest learns from the labels, each lower one from the softmax of the one
 * just above it, a constant (`recursive`; `labels`: all from the labels; `highest`: all others from
 * the highest). Gradients are summed with the widths' weights; then, once per step, those of the
 * losses on the weights themselves are added (the scheme's own; `align` and `kurtosis`, each as the
 * mean over the quantized layers); then the optimizer takes one step. The last partial batch of an
 * epoch is dropped. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "data/dataset.h"
#include "data/selection.h"
#include "engine/engine.h"
#include "engine/team.h"
#include "quant/agreement.h"
#include "store/store.h"
#include "train/feed.h"
#include "train/optimizer.h"

/* Sums over the epoch so far, by width. */
struct tally {
    double loss;     // Σ of the cross-entropy against the labels, whatever the width learns from
    int64_t correct; // top-1
    int64_t images;
};

struct trainer {
    const struct spec *spec;
    const struct dataset *data;
    struct model *m;
    const struct engine *engine;
    struct program *program;
    struct optimizer optimizer;
    struct agreement agreement; // of B and N; where spec->align > 0
    int64_t epoch, step;        // position: epochs finished, steps of this epoch taken
    int64_t steps_per_epoch;
    double seconds;   // spent in this epoch
    struct team team; // of the program's threads, who take steps
    struct tally tally[WIDTHS_MAX];
    int n_rows; // rows of finished epochs, all widths; owned
    struct epoch_row *rows;
    int loaders;         // threads that decode images of a folder ahead; 0 is 1
    struct feed *feed;   // from the first step on; owned
    const float *images; // the batch; the feed's
    const uint16_t *labels;
    float *weights; // Ŵ of one layer; owned, as what follows
    float *probabilities[WIDTHS_MAX], *d_logits;
};

/* From the model as it is now. -1 when the data set has fewer images than a batch. The rest is not
 * owned and must outlive it. */
int trainer_start(struct trainer *t, const struct spec *spec, const struct dataset *data,
                  struct model *m, const struct engine *engine, struct program *program,
                  struct error *e);
void trainer_free(struct trainer *t);

/* To be called when the position or the model was set from outside: batches prepared for another
 * are dropped, and the engine is given the model's numbers as they are now. */
void trainer_moved(struct trainer *t);

/* Have the model hold all that training has changed so far, the norms' statistics with it, which
 * the engine may keep to itself within an epoch. At the end of one they are in the model. */
void trainer_read_back(const struct trainer *t);

/* One step; moves the position, and at an epoch's end appends its rows. -1 when an image cannot be
 * read, or a loss is not finite: the message says at which width, and which layer's output was the
 * first. */
int trainer_step(struct trainer *t, struct error *e);

int trainer_is_done(const struct trainer *t);
double trainer_progress(const struct trainer *t); // share of all steps taken

#endif
