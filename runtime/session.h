/* A session, for the library's own files: how a model is computed at one width, and the memory.
 *
 *     session.c   opening, setting the width, computing images
 *     layout.c    what each node leaves, and where
 *     products.c  the weights of a width, and the affine maps behind sums
 *     steps.c     one run of nodes after the other
 *
 * Nodes are computed in runs: a node that makes values of its own, and behind it the norms,
 * activations and additions that only change those, a row of outputs at a time. What a norm gives
 * is not computed at all but is an affine map of what it reads, until somebody needs it. */
#ifndef TQ_SESSION_H
#define TQ_SESSION_H

#include "kernels.h"

/* Values of one node for a batch, channels last, zeros around each image. */
struct tensor {
    void *at;                 // of the first value of the first image; NULL: not kept
    size_t pixel, row, image; // steps, in values
};

/* How a node's values come about from those of its base. */
enum source { FROM_MEMORY, FROM_SUMS, FROM_FLOAT_SUMS };

struct place {
    uint32_t first; // node that begins its run
    uint32_t base;  // node whose sums or floats the map is applied to
    enum source source;
    struct affine map; // a NULL: the values are those of the base
    float *a, *b, *o;  // memory for the map
    int keeps_floats, keeps_codes;
    int is_codes;     // its values are codes at this width
    uint32_t padding; // zeros on each side that a reader wants
    struct tensor floats, codes;
};

struct tq_session {
    const struct tq_model *model;
    const struct kernels *kernels;
    struct tq_options options;
    int code;
    char message[256];
    void *owned;     // memory that is freed with it; NULL: the caller's
    int k, act_bits; // 0: none is set
    int mode;        // of the layout: 1 with codes; 0: all floats; -1: none yet
    uint32_t bank;
    uint32_t batch;
    struct place *places;     // by node
    struct product *products; // by node
    float *normal;            // (channels, 256): what a byte of an image stands for
    uint8_t *memory;          // of what depends on the mode, of memory_bytes
    size_t memory_bytes;
    void *T; // sums of one row
    int32_t *box;
    float *Y;             // values of one row
    uint8_t *activations; // of all tensors, of activation_bytes
    size_t activation_bytes;
};

/* Memory that is dealt out; with base NULL it is only counted. */
struct arena {
    uint8_t *base;
    size_t used;
};
void *tq_take(struct arena *a, size_t bytes);

int tq_session_fail(struct tq_session *s, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Lay out the places of all nodes for activations of codes (mode 1) or floats (0). With an arena
 * that only counts, nothing but sizes comes of it. */
void tq_lay_out(struct tq_session *s, int mode, struct arena *a);

/* Whether a node's sums are of codes in the layout. */
int tq_reads_codes(const struct tq_session *s, uint32_t node);

/* Take memory for the weights of a product; what kind of product it is. */
void tq_place_product(struct tq_session *s, uint32_t node, struct arena *a);

/* Weights of the session's width, and the maps of all nodes. */
void tq_load_weights(struct tq_session *s);
void tq_load_maps(struct tq_session *s);

/* Compute n <= batch images that lie in the input's tensor. Whether a value was no number. */
int tq_run(struct tq_session *s, uint32_t n);

static inline uint32_t tq_pixels(const struct node *n) {
    return n->h * n->w;
}

#endif
