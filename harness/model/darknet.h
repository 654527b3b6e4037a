/* Darknet as a library: loaded by dlopen only by who trains or calls its functions (it costs 160 ms
 * and 74 MB), with the floating-point environment restored (loading it switches denormals off), its
 * calls to `gemm` bound to OpenBLAS, and its `error` and `file_error` turned into messages: nothing
 * in it can end the process with status 0. No other file sees darknet.h.
 *
 * It gives the harness the network of a cfg: geometry, and the layer functions that are sound on
 * the CPU. Weights and activations are not in its buffers but in the model's and the engine's. */
#ifndef MODEL_DARKNET_H
#define MODEL_DARKNET_H

#include "base/error.h"
#include "cfg/cfg.h"

struct darknet_network;

/* The network of a checked cfg; NULL with a message where Darknet refuses it, or gives a layer
 * another number of outputs than the cfg says. */
struct darknet_network *darknet_load(const struct cfg *cfg, struct error *e);

/* The network of a text, as Darknet reads it. */
struct darknet_network *darknet_parse(const char *cfg_text, struct error *e);
void darknet_free(struct darknet_network *d);

/* "Darknet 0123456789ab": the start of the SHA-256 of the library's file, which has no version of
 * its own; "Darknet" alone when the file cannot be read. */
void darknet_identity(char *text, size_t size);

/* Run one layer (maxpool, avgpool, upsample, reorg) on the engine's buffers. */
struct darknet_call {
    int layer, batch;
    int *indexes; // (batch, outputs): maxpool's choices, from forward to backward
    float *input; // (batch, inputs)
    float *output;
    float *d_output; // backward only
    float *d_input;  // backward only: set to 0 by the caller, since some layers add and some write
};
void darknet_forward(const struct darknet_network *d, const struct darknet_call *call);
void darknet_backward(const struct darknet_network *d, const struct darknet_call *call);

/* Darknet's activations and relu6, which it lacks, in place; and `delta` times their gradient,
 * which is a function of the output y alone. n values. */
void darknet_activate(const struct darknet_network *d, enum activation a, float *x, int n);
void darknet_gradient(const struct darknet_network *d, enum activation a, const float *y, int n,
                      float *delta);

#endif
