/* Evaluating a model at a bit-width, on the test split (or the held-out one, data/selection.h):
 * top-1, top-5, loss.
 *
 * `direct` inference computes with the scheme's own k-bit weights of the latent ones; `truncated`
 * with a frozen model's codes cut by a right shift. Both come with and without calibration: the
 * running statistics of every norm estimated anew for this one (k, inference), as the plain mean
 * over batches of the training split (a stream of its own, no augmentation), into the spare bank;
 * no weight changes. */
#ifndef EVALUATE_EVALUATOR_H
#define EVALUATE_EVALUATOR_H

#include "evaluate/exact.h"
#include "model/frozen.h"
#include "store/store.h"

struct evaluator {
    const struct spec *spec;
    const struct dataset *data;
    const struct engine *engine;
    struct model *m;             // latent model; or the frozen one's
    const struct frozen *frozen; // NULL: direct
    struct plan *plan;
    struct exact exact; // owned
    int n;              // evaluations so far
    struct evaluation_row *rows;
    float *weights, *probabilities; // owned, as rows
    uint32_t *order;
    uint32_t *evaluated,
        *training; // places of the images in their splits (data/selection.h); owned
    int (*is_to_stop)(void *context); // asked between two batches; NULL: never
    // Whether what would be evaluated (all but the counts) need not be; NULL: all is.
    int (*is_recorded)(void *context, const struct evaluation_row *row);
    // Whether it was measured before, though not recorded, and then its counts, filled in; NULL:
    // none was.
    int (*recall)(void *context, struct evaluation_row *row);
    // Is told of each one that was measured, at once; NULL: nobody is.
    void (*keep)(void *context, const struct evaluation_row *row);
    void *context; // of all four
    int epoch;     // that the weights are of; from the start on the last
    int any_loss;  // one that is not finite is no error
    int loaders;   // threads that decode images of a folder ahead; 0 is 1
};

/* `frozen` NULL evaluates `m` directly, else the frozen model (m is then frozen->m). */
void evaluator_start(struct evaluator *ev, const struct spec *spec, const struct dataset *data,
                     struct model *m, const struct frozen *frozen, const struct engine *engine,
                     struct plan *plan);
void evaluator_free(struct evaluator *ev);

/* Evaluate where weights and activations are both codes by exact inference (evaluate/exact.h),
 * where the engine has one for the network; the plan still calibrates. */
int evaluator_use_exact(struct evaluator *ev, int threads, enum arithmetic arithmetic,
                        struct error *e);

/* Evaluate width k without and, where the spec asks for it, with calibration; appends the rows that
 * are not recorded, in this order, whether they are measured or recalled. -1 when an image cannot
 * be read, or the loss is not finite. Once is_to_stop says so it returns, 0, without the rows that
 * are not complete. */
int evaluator_width(struct evaluator *ev, int k, struct error *e);

/* Calibrate width k alone: its norms are then in the spare bank. 1: was stopped. */
int evaluator_calibrate(struct evaluator *ev, int k, struct error *e);

/* Per quantized layer and evaluated k <= 8: quantization error |Ŵ_k - Ŵ_32|²/|Ŵ_32|², truncation
 * error |Ŵ_trunc - Ŵ_direct|²/|Ŵ_direct|² and share of codes with q_N >> (N - k) != q_k, for k <=
 * N. An error is negative, for none, where what it is relative to is 0 alone. Returns the number of
 * rows, which the caller frees with their names (layer_rows_free). */
int layer_rows(const struct model *m, const struct spec *spec, struct layer_row **rows);
void layer_rows_free(struct layer_row *rows, int n);

#endif
