/* A network as the engines see it: a list of nodes in the order of computation, and the parameters
 * they use, in canonical (NCHW, OIHW) float32 order. Laid out from a checked cfg alone.
 *
 * One Darknet layer becomes one or more nodes: a [convolutional] with batch_normalize=1 and
 * activation=leaky is CONV, NORM, ACT. Latent weights and batch-norm banks live here, whatever the
 * engine. Their values come from a file, or are those that training starts from (model/start.h). */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/error.h"
#include "base/text.h"
#include "cfg/cfg.h"
#include "spec/point.h"

#include <stddef.h>
#include <stdint.h>

enum op {
    OP_INPUT,   // the batch
    OP_CONV,    // y = W * x (+ bias); W (out, in/groups, size, size)
    OP_LINEAR,  // y = W x + bias;     W (out, in)
    OP_NORM,    // batch normalisation, one bank per width
    OP_ACT,     // activation; at j < 32 the quantized clip where `clips` is set
    OP_MAXPOOL, // Darknet's layer function
    OP_AVGPOOL, // mean over the plane
    OP_ADD,     // alpha * in[0] + beta * in[1]
    OP_CONCAT,  // channels of all inputs, in order
    OP_UPSAMPLE,
    OP_REORG,
    OP_DROPOUT, // training only; kept values are scaled by 1 / (1 - p)
    OPS
};

struct node {
    enum op op;
    int layer; // number in the cfg; -1 for the input
    int n_in;
    int in[CFG_ROUTES];          // nodes it reads
    struct shape shape;          // of its output, per image
    const struct cfg_layer *cfg; // geometry; NULL for the input
    int weights, bias;           // parameter numbers (CONV, LINEAR); -1: none
    int norm;                    // NORM: number in model.norms; -1 otherwise
    int quantized;               // CONV, LINEAR: number in model.quantized; -1: stays float
    int clips;                   // ACT: feeds a quantized layer, so quantized clip where j < 32
    float bound; // ACT: upper bound of that clip: 1, or measured (evaluate/bounds.h)
};

enum parameter_role { PARAMETER_WEIGHTS, PARAMETER_BIAS, PARAMETER_NORM, PARAMETER_QUANTIZER };

/* Something the optimizer moves. */
struct parameter {
    char name[48]; // "3.weights", "4.scale.k2"
    enum parameter_role role;
    size_t n;
    float *value; // (n)
    float *grad;  // (n), summed over the widths of a step
};

/* What a norm adds to a variance, whichever engine computes it: y = scale (x - mean) /
 * sqrt(variance + NORM_EPSILON) + shift. */
#define NORM_EPSILON 1e-5

/* One batch-norm layer: a bank per width, then one spare bank in which the evaluator calibrates. */
struct norm {
    int node, channels;
    int shared; // all widths use bank 0
    int scale[WIDTHS_MAX + 1],
        shift[WIDTHS_MAX + 1]; // parameter numbers; the spare one has none: -1
    float *scale_of[WIDTHS_MAX + 1], *shift_of[WIDTHS_MAX + 1]; // (channels) by bank, spare last
    float *mean[WIDTHS_MAX + 1], *variance[WIDTHS_MAX + 1];     // running statistics, likewise
};

struct quantized_layer {
    int node;
    struct quant_layer layer; // what the quantizer's slots are told
    int params;               // parameter number of the learned parameters; -1: none
};

struct darknet_network;

struct model {
    struct cfg *cfg;      // not owned
    struct widths widths; // B
    int n_nodes;
    struct node *nodes;
    int logits; // node whose output are the class scores
    int n_parameters;
    struct parameter *parameters;
    int n_norms;
    struct norm *norms;
    int n_quantized;
    struct quantized_layer *quantized;
    const struct quantizer *quantizer;
    int spare; // number of the spare bank = widths.n
    /* The network that Darknet built: batch 1, geometry and layer functions. NULL until somebody
     * needs it (model_need_darknet). */
    struct darknet_network *darknet;
};

/* Nodes and parameters, whose values are all 0: who reads a model has them to come. `cfg` must stay
 * where it is. */
struct model *model_lay_out(struct cfg *cfg, const struct spec *spec,
                            const struct quantizer *quantizer);

/* For who calls Darknet's functions: let it read the network, unless it has. -1 with a message
 * where it cannot be loaded, or refuses. */
int model_need_darknet(struct model *m, struct error *e);

void model_free(struct model *m);

/* Bank of width k: the smallest b in B with b >= k, else max B. Returns its place in B. */
int model_bank(const struct model *m, int k);

/* The bank whose statistics an operating point normalises by: that of its width, or the spare one,
 * in which they were estimated anew. */
int model_bank_at(const struct model *m, const struct point *p);

/* The largest number of weights of a layer: the size of scratch that holds those of any. */
size_t model_largest_weights(const struct model *m);

/* Latent weights of a quantized layer, and the learned parameters of its quantizer (NULL: none). */
const float *quantized_weights(const struct model *m, const struct quantized_layer *q);
const float *quantized_params(const struct model *m, const struct quantized_layer *q);

/* Values of a node's output for one image. */
size_t node_values(const struct node *n);

/* "conv 3 (cfg line 41)": for messages. */
void model_node_name(const struct model *m, int node, char *text, size_t size);

#endif
