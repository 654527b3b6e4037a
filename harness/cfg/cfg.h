/* A Darknet .cfg, read and checked before Darknet sees it, so that each mistake gets a message with
 * file and line, and nothing that Darknet would answer by exit(0), an assert, a crash or a silently
 * different network reaches it.
 *
 * Keys of the harness, in Darknet's own sections:
 *   [convolutional], [connected]
 *       quantize=0|1   overrides the default rule (all but the first and the last with weights)
 *       init=darknet | kaiming-uniform (the default)
 *   [convolutional]
 *       init=kaiming-normal   as well: start.h
 *       bias=0         no bias (Darknet always has one without batch norm)
 *       projection=1   the 1x1 convolution of a shortcut: float unless the grid says
 *                      `projections = quantized`
 * A [net] without height, width, channels takes them from the data set; a last [connected] without
 * `output` takes the number of classes. */
#ifndef CFG_CFG_H
#define CFG_CFG_H

#include "base/error.h"

enum layer_type {
    LAYER_CONVOLUTIONAL,
    LAYER_CONNECTED,
    LAYER_BATCHNORM,
    LAYER_ACTIVATION,
    LAYER_MAXPOOL,
    LAYER_AVGPOOL,
    LAYER_SHORTCUT,
    LAYER_ROUTE,
    LAYER_UPSAMPLE,
    LAYER_REORG,
    LAYER_DROPOUT,
    LAYER_SOFTMAX, // only last: the harness owns the loss
    LAYER_COST,    // only behind the softmax: ignored with a note
    LAYER_TYPES
};

/* Darknet's ACTIVATION, in its order and values; then what Darknet lacks. */
enum activation {
    ACT_LOGISTIC,
    ACT_RELU,
    ACT_RELIE,
    ACT_LINEAR,
    ACT_RAMP,
    ACT_TANH,
    ACT_PLSE,
    ACT_LEAKY,
    ACT_ELU,
    ACT_LOGGY,
    ACT_STAIR,
    ACT_HARDTAN,
    ACT_LHTAN,
    ACT_SELU,
    ACT_RELU6, // min(max(x, 0), 6); Darknet is told it were a ReLU, and never computes it
    ACTIVATIONS
};

/* How weights start: start.h. */
enum start { START_KAIMING_UNIFORM, START_DARKNET, START_KAIMING_NORMAL };

enum { CFG_ROUTES = 32 };

struct shape {
    int c, h, w; // channels, height, width
};

struct cfg_layer {
    enum layer_type type;
    int line; // of its [section]
    struct shape in, out;
    enum activation activation;
    int filters, size, stride, padding, groups; // convolutional, maxpool, upsample, reorg (padding
                                                // in pixels; maxpool: Darknet's total padding);
                                                // connected: filters is its outputs
    int batch_normalize, bias;                  // bias: 0 under batch_normalize
    int quantize;                               // 0, 1; -1: not said
    int projection;                             // 0, 1
    int start;                                  // enum start
    int n_from;                                 // shortcut: 1; route: 1 ... CFG_ROUTES
    int from[CFG_ROUTES];                       // absolute layer numbers
    float alpha, beta;                          // shortcut: alpha * previous + beta * from
    float probability;                          // dropout
    float scale;                                // upsample
    int reverse;                                // reorg
};

/* A list of numbers as written; of a longer one only n is right. */
enum { CFG_NUMBERS = 9 };
struct cfg_numbers {
    int n;
    double value[CFG_NUMBERS];
};

/* Darknet's policies of the learning rate. */
enum cfg_policy {
    POLICY_RANDOM,
    POLICY_POLY,
    POLICY_CONSTANT,
    POLICY_STEP,
    POLICY_EXP,
    POLICY_SIGMOID,
    POLICY_STEPS
};

/* What [net] says about training, or Darknet's defaults. */
struct cfg_recipe {
    int line;         // of [net]
    char fault[1024]; // why it cannot be taken, as a message; empty: it can
    int batch;        // images of an update
    int policy;       // enum cfg_policy
    float learning_rate, momentum, decay, power, scale;
    int max_batches, burn_in, step, adam; // 0: not said
    struct cfg_numbers steps, scales;
};

struct cfg {
    char *path; // as given, for messages
    struct shape input;
    int classes; // outputs of the last layer before the softmax
    int n;
    struct cfg_layer *layers; // owned
    struct cfg_recipe recipe; // counts only where a grid says from = cfg
    char *notes;              // what was ignored, one line each, or ""; owned
    char *normal;             // canonical text: every effective value, no names or comments; owned
    char *darknet; // what Darknet is given: no harness keys, batch=1, sizes filled in; owned
};

/* Read and check. `data` and `classes` are the data set's; grey data may feed a network of three
 * channels. On failure the message has FILE:LINE and what to do. */
int cfg_read(struct cfg *cfg, const char *path, struct shape data, int classes, struct error *e);

/* The same from text (a cfg kept in the database); `path` is for messages only. */
int cfg_parse(struct cfg *cfg, const char *text, size_t size, const char *path, struct shape data,
              int classes, struct error *e);

void cfg_free(struct cfg *cfg);

const char *layer_type_name(enum layer_type type); // "convolutional", ...
const char *activation_name(enum activation a);
const char *start_name(int start);

#endif
