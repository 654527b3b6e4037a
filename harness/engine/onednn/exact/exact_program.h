/* The parts of exact evaluation (engine/exact.h), for this folder alone.
 *
 *     exact_program.c  compiles a model, takes its weights, runs it
 *     stages.c         what each kind of node does
 *
 * A node's output is kept as what its readers can start from: floats, codes, or sums with the
 * affine map that is still to come. A norm only composes its affine with that map; an activation or
 * an addition is the pass that reads memory. */
#ifndef ENGINE_ONEDNN_EXACT_EXACT_PROGRAM_H
#define ENGINE_ONEDNN_EXACT_EXACT_PROGRAM_H

#include "engine/exact.h"
#include "engine/onednn/exact/passes.h"
#include "engine/onednn/exact/sums.h"
#include "engine/reference/reference.h"

enum form { FLOATS, CODES, SUMS };

/* What a node has left in this forward. */
struct output {
    enum form form;
    struct sums sums; // SUMS
    uint8_t *codes;   // CODES; borrowed
    float *floats;    // FLOATS, or the same made of the others when somebody wants it; borrowed
};

/* A node's memory, by need; owned. */
struct memory {
    float *floats, *a, *b, *o;
    uint8_t *codes;
    void *sums;
    int32_t *columns, *box;
};

/* A CONV or LINEAR node. */
struct product {
    struct conv g;
    struct sum_conv *conv;
    int codes;       // reads codes
    int factor, odd; // of the sums: T = factor · whole + odd · box
    float *unit, *offset;
    int has_offset;
    int may_round; // a sum of these weights could pass what float32 holds exactly
    float *W;      // what the kernel is given, canonical
    int *order;    // LINEAR: place of each channels-last input in canonical order; NULL: the same
};

struct exact_program {
    struct model *m;
    struct onednn *o;
    int batch, bank, act_bits;
    int is_number; // no activation was a NaN
    struct output *out;
    struct memory *memory;
    struct product *products;
    float *logits;
};

/* Values of a node's output for a whole batch. */
static inline size_t exact_values(const struct exact_program *p, int node) {
    return node_values(&p->m->nodes[node]) * (size_t)p->batch;
}

/* The output of a node from those of its inputs. */
void exact_run(struct exact_program *p, int node);

/* The values of a node, channels last, whatever it left; and where it may put floats of its own. */
const float *exact_floats(struct exact_program *p, int node);
float *exact_floats_memory(struct exact_program *p, int node);

#endif
