/* The whole computation of the harness a second time, in double and in the most obvious way: direct
 * loops, nothing fused, nothing fast. It is written from the method's formulas alone and shares no
 * code with what it checks, so that an error would have to be made twice, alike, to go unseen.
 *
 * It reads the network from a struct model (nodes and parameters) and computes a step of joint
 * training: for each width from the highest to the lowest the quantized weights, the forward pass,
 * the loss against labels or the width above, and the gradient of every parameter.
 *
 * What the method calls a constant in the gradient (layer scale, range, rounding error, batch of
 * soft targets) is kept per width in struct twin_width; with `frozen` set it is not computed anew,
 * so that the loss becomes exactly the function whose gradient the straight-through rule claims to
 * be, and central differences can judge it.
 *
 * `rules` makes the twin wrong on purpose, so that a test can show that it would have noticed. */
#ifndef TESTS_TWIN_TWIN_H
#define TESTS_TWIN_TWIN_H

#include "engine/engine.h"
#include "spec/spec.h"

enum twin_rule {
    TWIN_RIGHT = 0,
    TWIN_MAX_CONSTANT = 1 << 0,   // no gradient through max|t|
    TWIN_NO_TANH_SLOPE = 1 << 1,  // dt/dW = 1
    TWIN_UNBIASED_NORM = 1 << 2,  // the unbiased variance normalises
    TWIN_BIASED_RUNNING = 1 << 3, // the biased variance enters the running one
    TWIN_CONSTANT_NORM = 1 << 4,  // no gradient through the batch's statistics
    TWIN_CLIP_OPEN_TOP = 1 << 5,  // the clip's gradient passes above 1
    TWIN_CLIP_MINUS_ONE = 1 << 6, // the clip's gradient passes from -1 on
    TWIN_CLIP_WIDE = 1 << 7,      // clip(x, -1, 1) altogether
    TWIN_OVERWRITE_1X1 = 1 << 8,  // a 1x1 convolution's gradient replaces what a skip brought
    TWIN_SCALE_GRADIENT = 1 << 9, // s = mean|W| is differentiated too
    TWIN_NO_FACTOR = 1 << 10,     // no factor of the bias correction in the gradient
    TWIN_STEP_UNSCALED = 1 << 11, // a learned step's gradient without 1 / sqrt(n Qp)
    TWIN_STEP_CODE = 1 << 12,     // dŴ/dh is the code alone, also inside
    TWIN_STEP_OPEN = 1 << 13,     // dŴ/dW = 1 outside the bounds too
};

/* Constants in the gradient of one quantized layer at one width. */
struct twin_layer {
    double s;        // tanh: layer scale; learned step: h
    double *lo, *hi; // minmax: range, (channels); one entry holds for the layer when per layer
    double *offset;  // (n): û - u, the rounding error; learned step: dŴ/dh
    double *at;      // (n), learned step: see twin_own.c
    char *inside;    // (n), learned step: W / h within the bounds of its codes
    double mean, factor, target; // bias correction: Ŵ <- (Ŵ - mean) factor + target
};

/* Constants in the gradient of one width, and what its pass gave. */
struct twin_width {
    struct twin_layer *layer; // by number of the quantized layer
    double **offset;          // by node: rounding error of a quantized activation, (n, shape)
    double *targets;          // (n, classes): probabilities to match
    double *logits;           // (n, classes)
    double loss;              // mean over the batch, not weighted
};

struct twin_norm {
    double *mean[WIDTHS_MAX + 1], *variance[WIDTHS_MAX + 1]; // running, by bank, (channels)
    double *batch_mean, *deviation;                          // of the last pass: what normalised
};

struct twin {
    const struct model *model;
    int n;          // images
    unsigned rules; // enum twin_rule; TWIN_RIGHT for the method itself
    int frozen;
    double **value, **grad;     // by parameter
    double **out, **delta;      // by node, (n, c, h, w)
    double **W_hat, **dW_hat;   // by node, of CONV and LINEAR
    const unsigned char **mask; // by node, of DROPOUT: 1 where kept; NULL: not dropped; not owned
    struct twin_norm *norms;    // by norm
    struct twin_width width[WIDTHS_MAX];
    const double *images;      // of the last pass
    int place, bank, act_bits; // of the last pass; place in B
    enum pass_mode mode;
};

/* One step of joint training. Arrays by place in B. */
struct twin_step {
    const double *images;   // (n, c, h, w)
    const uint16_t *labels; // (n)
    int act_bits[WIDTHS_MAX];
    double width_weight[WIDTHS_MAX];
    enum distill distill;
    double align, kurtosis; // weights of the losses on the weights themselves; 0: none
    double momentum;        // of the new value, for the running statistics
};

/* A twin of `m` for batches of n images, with its parameters and statistics read. */
struct twin *twin_new(const struct model *m, int n);
void twin_free(struct twin *t);

/* Read parameters and running statistics of the model anew. */
void twin_read(struct twin *t);

/* Sum of the weighted losses of all widths, forward only. */
double twin_loss(struct twin *t, const struct twin_step *step);

/* The same with the gradients of every parameter (zeroed first). */
double twin_gradient(struct twin *t, const struct twin_step *step);

/* One forward pass at a place in B with a given bank; the scores are out[model->logits]. */
void twin_forward(struct twin *t, enum pass_mode mode, int place, int bank, int act_bits,
                  double momentum, const double *images);

/* Distance of the last forward pass from the nearest kink at a node: of an activation's input, or
 * between the two largest values of a pooling window. INFINITY where a node has none. Ties of two
 * values that are both flat (behind a clip or ReLU) do not count: their gradient is 0 either way.
 */
double twin_kink(const struct twin *t, int node);

/* The same for a quantized weight layer: between the two largest |tanh W|, over their maximum. */
double twin_weight_kink(const struct twin *t, int quantized);

/* Distance of the last forward pass from changing a code: of the values that an activation rounds
 * (in units of its output), and of u of a quantized layer's weights at the width of the last pass.
 * INFINITY where nothing is rounded. */
double twin_flip(const struct twin *t, int node);
double twin_weight_flip(const struct twin *t, int quantized);

/* twin_ops.c: one node, forward or backward (adds to the delta of what it reads). */
void twin_node_forward(struct twin *t, int node, double momentum);
void twin_node_backward(struct twin *t, int node);
size_t twin_size(struct shape s);

/* twin_act.c: Darknet's activations and their true slopes. */
double twin_activation(enum activation a, double x, double *slope);
double twin_activation_kink(enum activation a, double x);

/* twin_quant.c. Ŵ_k of one layer; unless `frozen`, the constants are computed first. */
void twin_quantize(const struct quant_layer *q, const double *W, int k, int frozen,
                   struct twin_layer *c, double *W_hat);
/* Adds dL/dW. */
void twin_quantize_backward(const struct quant_layer *q, const double *W, int k,
                            const struct twin_layer *c, unsigned rules, const double *dW_hat,
                            double *dW);
struct twin_layer twin_layer_new(const struct quant_layer *q);
void twin_layer_free(struct twin_layer *c);
/* u of every weight; 1/2 where there is no range. */
void twin_range(const struct quant_layer *q, const double *W, const struct twin_layer *c,
                double *u);
int twin_code(enum rounder r, double u, int k);
/* Matryoshka: the code of N bits, to nearest, and its slice of k bits, to nearest and half up. */
int twin_slice(double u, int N, int k);
/* Distance of u from the nearest place where its code at k bits changes. */
double twin_code_distance(enum rounder r, double u, int k);
double twin_dequantize(enum dequantizer d, int q, int k);
/* Adds dL/dW of dL/du through the range map. */
void twin_range_backward(const struct quant_layer *q, const double *W, const struct twin_layer *c,
                         const double *du, double *dW);
/* Ŵ of û of weight i at k bits. */
double twin_weight(const struct quant_layer *q, const struct twin_layer *c, size_t i, double u_hat);

/* twin_regularize.c: the losses on the weights of one layer; adds `weight` times the gradient to dW
 * (or NULL). `c`: the constants of any width. */
double twin_align(const struct quant_layer *q, const double *W, const struct twin_layer *c,
                  double weight, double *dW);
double twin_kurtosis(const double *W, size_t n, double weight, double *dW);

/* twin_own.c: the same for the schemes with learned steps, by their names. `steps` are the
 * parameters. */
void twin_own_quantize(const char *scheme, const struct quant_layer *q, const double *W,
                       const double *steps, int k, int frozen, struct twin_layer *c, double *W_hat);
void twin_own_backward(const char *scheme, const struct quant_layer *q, const double *W,
                       const double *steps, int k, const struct twin_layer *c, unsigned rules,
                       const double *dW_hat, double *dW, double *dsteps);
/* Distance of W / h from the nearest place where a code changes or `inside` does, over all codes.
 */
double twin_own_flip(const char *scheme, const struct quant_layer *q, const double *W,
                     const double *steps, int k);

/* twin_train.c: optimizers (step counts from 1) and the learning rate at a share of all steps. */
void twin_adam(double *w, const double *g, double *m, double *v, size_t n, long step, double rate,
               double decay);
void twin_sgd(double *w, const double *g, double *velocity, size_t n, double rate, double momentum,
              double decay);
double twin_learning_rate(const struct spec *spec, double share);

#endif
