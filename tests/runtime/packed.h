/* A network of random weights as a run would leave it: norms with the statistics of some images,
 * frozen, read again, packed and opened by the device library. For the tests of packing and of the
 * library; what fails stops the test. */
#ifndef TESTS_RUNTIME_PACKED_H
#define TESTS_RUNTIME_PACKED_H

#include "deploy/pack.h"
#include "runtime/truncquant.h"

enum { PACKED_IMAGES = 16 };

struct packed {
    struct dataset data; // no images, but mean and deviation
    struct frozen frozen;
    char *cfg;      // the network's text; owned
    int images;     // that were drawn
    uint8_t *bytes; // (images, channels, h, w); owned
    float *floats;  // the same as the network's input; owned
    struct pack pack;
    char *path; // of the model file; owned
    struct tq_model *model;
};

/* `cfg`: a file, or NULL: `text`. Keys of the spec are set from pairs of names and values, which
 * NULL ends. */
struct packed_options {
    const char *scheme, *cfg, *text;
    struct shape input; // of the data set
    int classes;
    const char *const *keys;
    int images; // 0: PACKED_IMAGES
};

/* All but packing: frozen and read. */
void packed_freeze(struct packed *p, const struct packed_options *o);

/* And packed, and opened. It must stay where it is. */
void packed_open(struct packed *p, const struct packed_options *o);
void packed_free(struct packed *p);

/* A small network of all kinds of nodes, for 12 × 12 images of one or three channels. */
extern const char packed_cfg[];

#endif
