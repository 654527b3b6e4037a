/* What each layer reads and the shape it gives, by Darknet's geometry; and what Darknet would
 * compute with out of bounds, or silently otherwise than meant, refused. */
#ifndef CFG_SHAPE_H
#define CFG_SHAPE_H

#include "cfg/cfg.h"
#include "cfg/keys.h"

#include <stdint.h>

/* Floats in all weights, in all activations of one image, and in one layer's unfolded input: 1 GiB
 * each. Room for VGG-16 (138 M weights); a typing error of two digits is over it. */
enum { CFG_FLOATS_MAX = 1 << 28 };

struct cfg_totals {
    int64_t weights, activations;
};

/* Turn the layer numbers of a shortcut or route in layer `i` into absolute ones. */
int cfg_resolve(const char *path, struct cfg_layer *layers, int i, const struct cfg_list *from,
                struct error *e);

/* Fill in `in` and `out` of layer `i`; those before it are done. */
int cfg_infer(const char *path, struct cfg_layer *layers, int i, struct shape input,
              struct cfg_totals *totals, struct error *e);

/* Numbers of a layer's weights (no biases, no norms) and of a shape's values. */
int64_t cfg_weights(const struct cfg_layer *l);
int64_t cfg_floats(struct shape s);

#endif
