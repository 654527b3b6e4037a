/* What the twin and an engine are compared on: a small network from a cfg text, its parameters
 * drawn away from everything that is not differentiable, a batch, and one step of joint training.
 */
#ifndef TESTS_TWIN_SCENE_H
#define TESTS_TWIN_SCENE_H

#include "twin/twin.h"

enum { SCENE_CLASSES = 4, SCENE_CHANNELS = 3, SCENE_SIDE = 6 };

/* The networks (scene_networks.c); together they have every operator of model.h. */
extern const char scene_lenet[];  // convolutions with bias, pooling, linear with and without norm
extern const char scene_resnet[]; // pre-activation, projection 1x1 stride 2, identity shortcut
extern const char scene_bottleneck[]; // a skip through 1x1, groups, all smooth activations, dropout
extern const char scene_inverted[];   // depthwise, linear bottlenecks, relu6 on both of its sides
extern const char scene_zoo[];        // concat, upsample, reorg, odd pooling, kinked activations
extern const char scene_fanout[];     // everything that is read is read twice

struct scene_plan {
    const char *name; // for messages
    const char *cfg;
    struct axes axes;
    const struct quantizer *quantizer; // NULL: one of the axes alone
    int stored_bits;                   // 0: 8
    struct widths widths;
    int act_bits; // of every width below 32
    int projections, shortcut_norm, norm_bank;
    enum distill distill;
    double align, kurtosis;
    int n;         // images
    uint64_t seed; // of all that is drawn
};

struct scene {
    struct scene_plan plan;
    struct cfg cfg;
    struct spec spec;
    struct model *model;
    struct twin *twin;
    struct twin_step step;
    float *images; // (n, c, h, w); step.images are the same
    double *wide;
    uint16_t *labels;
    unsigned char **mask; // by node: dropout's kept values, or NULL
};

/* Fails the test when the network cannot be built. The model points into the scene: do not copy it.
 */
void scene_open(struct scene *s, const struct scene_plan *plan);
void scene_close(struct scene *s);

/* Draw the parameters, so that in the passes of all widths nothing is within `kink` of a kink or,
 * with real rounders, within `flip` of another code: what is too near is drawn again, never left
 * out. */
void scene_draw(struct scene *s, double kink, double flip);

/* scene_compare.c */

/* Worst over the parameters of |a - b| / |b| (Euclidean norms); a parameter whose gradient is less
 * than `scene_floor` of the largest one is measured by that. `where` (or NULL) is set to its
 * number. */
extern const double scene_floor;
double scene_worst(const struct scene *s, double *const *a, double *const *b, int *where);

/* The gradient by central differences of the frozen loss, by parameter: of every `stride`-th value;
 * the others are copied from the twin. The twin's own gradient has to be computed before. */
double **scene_differences(struct scene *s, int stride);

/* One step of joint training on an engine and the harness's loss and quantizers: leaves the
 * gradients in the model, copies the scores of each place to `logits` (n, classes) and returns the
 * weighted loss. */
double scene_engine(struct scene *s, const struct engine *engine, struct program *p,
                    float *logits[WIDTHS_MAX]);

/* The gradients that are in the model, as doubles. */
double **scene_gradients(const struct scene *s);
void scene_free(const struct scene *s, double **gradient);

/* One forward pass of the engine: the quantizer's weights at a place of B, any bank and mode. */
const float *scene_forward(struct scene *s, const struct engine *engine, struct program *p,
                           enum pass_mode mode, int place, int bank);

/* Read an engine's dropout masks into the scene, so that the twin drops the same. Fails the test
 * when a value is dropped that was 0, which would hide it. */
void scene_read_masks(struct scene *s, const struct engine *engine, struct program *p);

/* Fails the test when `what` is off by more than the tolerance. `parameter`: the worst, or -1. */
void scene_report(const struct scene *s, const char *what, double error, double tolerance,
                  int parameter);

/* |a - b| / |b|, Euclidean. */
double scene_distance(const float *a, const double *b, size_t n);

#endif
