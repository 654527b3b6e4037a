/* The parts of the onednn engine: what a compiled model consists of, for this folder alone.
 *
 *     onednn.c     compiles a model into stages, and runs them
 *     stages.c     what each kind of stage does, forward and backward
 *     buffers.c    outputs in the layout that a reader wants; gradients in counted buffers
 *     linear.c     matrix products divided among threads
 *     integers.c   convolutions over integers in bf16: which, and their weights
 *     conv.c       a convolution: its images divided among threads
 *     share.c      the share of one thread
 *     trio.c       which of oneDNN's primitives that takes, and in which layout
 *     primitive.c  what is called of oneDNN, with its arguments bound
 *     library.c    what oneDNN is here, in words */
#ifndef ENGINE_ONEDNN_PROGRAM_H
#define ENGINE_ONEDNN_PROGRAM_H

#include "engine/onednn/blocked.h"
#include "engine/onednn/conv.h"
#include "engine/reference/reference.h"

enum layout { PLAIN, BLOCKED };

struct buffer {
    float *data;
    size_t size; // floats
    int readers; // 0: free
};

/* A node's output and gradient. */
struct place {
    enum layout layout;
    float *out;          // owned, but for the input's; NULL: folded into the next node
    float *view;         // the other layout; owned; NULL until somebody wants it
    int viewed;          // view is of this forward
    uint16_t *codes;     // an activation's, as bf16; owned; NULL: no convolution reads them
    int coded;           // codes are of this forward
    int codes_suffice;   // nobody reads `out`: it is written only when asked for
    int behind;          // out is not of this forward yet; codes are
    struct buffer *grad; // NULL: none yet in this backward
};

enum { CONV_SIZES = 3 };
struct sized_conv {
    int n; // images
    struct onednn_conv *conv;
    int64_t weights; // number of the weights it has been given
};

struct stage;
typedef void stage_function(struct program *, struct stage *);

struct stage {
    stage_function *forward, *backward;
    int node;      // whose output it writes
    int norm, act; // of a norm stage: nodes; -1: none
    struct sized_conv convs[CONV_SIZES];
    int64_t weights;               // number of the weights that were set last
    struct onednn_conv *bf16;      // convolution over integers; NULL: none
    float *integers;               // canonical; owned
    int has_integers;              // of the weights that were set last
    int by_integers;               // the last forward was over them
    float *unit, *scale;           // (blocks * 16): of the integers, and unit / (2^j - 1); owned
    float *a, *b, *mean, *inverse; // norm stage: (blocks * 16), of the last forward; owned
    uint16_t *choice;              // maxpool; owned
};

struct program {
    // Weights of all nodes, and the state of those that run as reference operators.
    struct reference r;
    struct onednn *o;
    int batch;
    struct place *places; // by node
    int n_stages;
    struct stage *stages;
    float *partial, *coefficients; // scratch of the norm passes
    double *sums;                  // (2, channels)
    int bf16_backward;             // where forward is over integers, backward is in bf16
    uint16_t *rounded;             // scratch: a gradient in bf16
    int n_buffers;
    struct buffer **buffers; // every buffer there is; owned
};

static inline const struct node *node_of(const struct program *p, int i) {
    return &p->r.m->nodes[i];
}

/* A node's output in this pass. */
static inline struct blocked shape_of(const struct program *p, int i) {
    return blocked_shape(p->r.n, node_of(p, i)->shape);
}

/* ---- buffers.c ---- */

/* Floats of a node's output for n images in a layout. */
size_t place_size(const struct program *p, int i, enum layout layout, int n);

/* A node's output in that layout, converted once per forward. */
float *place_view(struct program *p, int i, enum layout layout);

/* The gradient of node i, to be written by its only owner; *add: it holds something already. */
float *place_own_gradient(struct program *p, int i, int *add);

/* The node's gradient has been read for the last time. */
void place_drop_gradient(struct program *p, int i);

/* Where a stage writes the gradient of an input: that input's own buffer where layout and addition
 * allow it, else one in between. */
struct sink {
    int node;
    float *data; // NULL: nobody wants it
    int add;     // add to what is there
    enum layout layout;
    struct buffer *between; // NULL: data is the node's own
};
struct sink sink_open(struct program *p, int node, enum layout layout, int can_add);
void sink_close(struct program *p, struct sink *s);

/* ---- stages.c ---- */

/* What a node becomes, with its functions; .forward NULL: this engine has none. Inputs have their
 * layouts by now. */
struct stage onednn_stage(struct program *p, int i);

/* The stage that runs any node as a reference operator. */
struct stage onednn_plain_stage(int i);
int onednn_is_plain(const struct stage *s);
void onednn_stage_free(struct stage *s);

/* ---- linear.c ---- */

void linear_stage_forward(struct program *p, struct stage *s);
void linear_stage_backward(struct program *p, struct stage *s);

/* ---- integers.c ---- */

/* Y of a convolution stage over integers, where this pass has them; 0: it does not, and nothing is
 * done. */
int integers_forward(struct program *p, struct stage *s);

/* Backward of that, in bf16. */
void integers_backward(struct program *p, struct stage *s);

int onednn_use_bf16(struct program *p, int backward, struct error *e);
int onednn_wants_integers(const struct program *p, int node);
void onednn_set_integers(struct program *p, int node, const int8_t *v,
                         const struct integer_form *form);

#endif
