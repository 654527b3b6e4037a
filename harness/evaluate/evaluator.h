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

#include "evaluate/exact_threads.h"
#include "model/frozen.h"
#include "store/store.h"

struct evaluator {
    const struct spec *spec;
    const struct dataset *data;
    const struct engine *engine;
    struct model *m;             // latent model; or the frozen one's
    const struct frozen *frozen; // NULL: direct
    struct program *program;
    struct team counting, calibrating; // of the program's threads
    struct exact_threads exact;        // owned
    int n;                             // evaluations so far
    struct evaluation_row *rows;
    float *weights;                 // scratch: Ŵ of one layer; owned, as rows
    uint32_t *order;                // scratch: places of the images of one round; owned
    uint32_t *evaluated, *training; // places of the images in their splits (data/selection.h),
                                    // of those that are evaluated and that calibrate; owned
    int epoch; // after how many epochs of training the weights are; evaluator_start says the last
    int any_loss; // a loss that is not finite is recorded as it is, instead of being an error
    int loaders;  // threads that decode images of a folder ahead; 0 is 1

    /* Four questions and orders to who evaluates; each may be NULL, and gets `context`. */
    void *context;
    /* Asked between two batches: whether to stop now. NULL: never. */
    int (*is_to_stop)(void *context);
    /* Asked before an evaluation, of which `row` says everything but the counts: whether the
     * database has it, so that it is left out. NULL: it has none. */
    int (*is_recorded)(void *context, const struct evaluation_row *row);
    /* Asked next: whether an earlier try measured it without recording it; if so, fills in the
     * counts, and the row is appended as if it had been measured now. NULL: none did. */
    int (*recall)(void *context, struct evaluation_row *row);
    /* Told of each evaluation as soon as it is measured, to keep it until it is recorded. */
    void (*keep)(void *context, const struct evaluation_row *row);
};

/* `frozen` NULL evaluates `m` directly, else the frozen model (m is then frozen->m). */
void evaluator_start(struct evaluator *ev, const struct spec *spec, const struct dataset *data,
                     struct model *m, const struct frozen *frozen, const struct engine *engine,
                     struct program *program);
void evaluator_free(struct evaluator *ev);

/* Evaluate where weights and activations are both codes by exact evaluation
 * (evaluate/exact_threads.h), where the engine has one for the network; the program still
 * calibrates. */
int evaluator_use_exact(struct evaluator *ev, int threads, enum arithmetic arithmetic,
                        struct error *e);

/* Evaluate width k without and then, where the spec asks for it, with calibration. Each of the two
 * is appended to the rows, measured or recalled, unless it is recorded. When is_to_stop says so,
 * what has begun is thrown away, and the rest is left out; that is no failure. -1 when an image
 * cannot be read, or a loss is not finite. */
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
