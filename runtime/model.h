/* An open model, for the library's own files. Arrays of floats and planes stay where the file has
 * them; what is small is kept here in the machine's own form. */
#ifndef TQ_MODEL_H
#define TQ_MODEL_H

#include "format.h"
#include "truncquant.h"

struct node {
    uint32_t op, number;            // enum tq_op; number of its section
    uint32_t in[2];                 // TQ_NONE: no such input
    uint32_t c, h, w;               // of its output
    uint32_t size, stride, padding; // MAXPOOL: padding in all, half of it before
    uint32_t groups;
    uint32_t activation, clips;
    uint32_t quantized; // number of its layer; TQ_NONE: stays float
    float alpha, beta;
    const float *weights; // (groups, size, size, c / groups, filters / groups)
    const float *bias;    // (c), or NULL
    const float *norm;    // (banks, 4, c): scale, shift, mean, variance
};

/* w = unit (factor v + odd) + shift, of the signed code v. */
struct form {
    int factor, odd;
    uint32_t units, shifts; // 1 or as many as rows; shifts may be 0
    const float *unit, *shift;
};

struct layer {
    uint32_t node, rows, inputs, row_bytes;
    uint64_t at;                   // of its bits in each plane
    struct form form[TQ_BITS + 1]; // by width
};

struct width {
    uint32_t act_bits, bank, calibrated; // TQ_NONE: no such bank
};

struct tq_model {
    int code;
    char message[256];
    const uint8_t *bytes;
    size_t size; // that are there
    void *map;   // of a file, of map_size
    size_t map_size;
    struct tq_info info;
    uint32_t banks, logits;
    float mean[TQ_MAX_CHANNELS], deviation[TQ_MAX_CHANNELS];
    struct width width[TQ_BITS + 1];
    struct node *nodes;                      // (info.nodes); owned
    struct layer *layers;                    // (info.layers); owned
    const char **classes;                    // owned; the names are the file's
    uint64_t plane_at[TQ_BITS], plane_bytes; // in the file, from the most significant one on
};

/* Where a section is. */
struct section {
    uint64_t offset, length, sum;
};

/* Keep a message, unless one is there; returns the code. */
int tq_model_fail(struct tq_model *m, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The parts of opening: what a section says, checked against all else (check.c, graph.c). */
int tq_read_graph(struct tq_model *m, const struct section *graph, const struct section *floats,
                  uint64_t plane_bytes);
int tq_check_nodes(struct tq_model *m);

/* Bits of the row of a layer in the planes of k bits: planes[0] is the most significant one. */
void tq_row_planes(const struct tq_model *m, const struct layer *l, int k, uint32_t row,
                   const uint8_t *planes[TQ_BITS]);

#endif
