/* The reference engine's operators: one function forward and one backward for each kind of node,
 * over canonical (NCHW) buffers. Whoever runs them sets up the buffers: the reference engine for
 * all nodes, a faster engine for those it does not cover itself. */
#ifndef ENGINE_REFERENCE_REFERENCE_H
#define ENGINE_REFERENCE_REFERENCE_H

#include "engine/engine.h"
#include "engine/reference/ops.h"

/* The buffers of one node; those that its kind does not need are NULL. */
struct node_state {
    float *out;              // (n, c, h, w)
    float *grad;             // dL/dout, the same shape; NULL: nobody wants it
    float *W, *dW;           // CONV, LINEAR: Ŵ and dL/dŴ
    struct norm_state stats; // NORM: of the batch
    float *mask;             // DROPOUT
    int *indexes;            // MAXPOOL: choices
    int written;             // grad holds something in this backward
};

struct reference {
    struct model *m;
    int n;                    // images of this pass
    struct pass pass;         // of the last forward
    int bank;                 // its place in the model's norms
    struct node_state *nodes; // by node
    float *workspace;         // columns of one image of any convolution
    float *scratch;           // the largest node's values for a batch
};

/* Forward reads the outputs of the node's inputs and writes its own. Backward reads its grad (and
 * may use it up), and writes or, where `written` is set, adds to those of its inputs. */
typedef void reference_operator(struct reference *, const struct node *, struct node_state *);
struct reference_operators {
    reference_operator *forward, *backward;
};
extern const struct reference_operators reference_operators[OPS]; // OP_INPUT has none

/* Whether the node's operator calls a function of Darknet's, so that it has to be there
 * (model_need_darknet); of activations, those that are neither ReLU nor relu6. */
int reference_needs_darknet(const struct node *n);

/* The quantized clip where it replaces the network's activation in this pass, and ReLU, which the
 * clip is at 32 bits; and at how many bits. */
int act_is_clip(const struct node *n, int act_bits);
int act_clip_bits(const struct node *n, int act_bits);

/* The buffers that a node's kind needs besides out and grad, for `batch` images; and their release.
 */
void node_state_allocate(struct node_state *s, const struct model *m, const struct node *n,
                         int batch);
void node_state_free(struct node_state *s);

/* Floats of workspace that the convolutions of a model need, and of scratch. */
size_t reference_workspace(const struct model *m);
size_t reference_scratch(const struct model *m, int batch);

#endif
