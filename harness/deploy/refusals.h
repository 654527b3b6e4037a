/* What cannot be made of a run, and why, for whoever is to make it: refusals name what they lack.
 * All return -1 with the reason, or 0. */
#ifndef DEPLOY_REFUSALS_H
#define DEPLOY_REFUSALS_H

#include "model/frozen.h"

struct maker {
    const char *verb;  // "pack"
    const char *lacks; // "the device library has": what goes before "no [upsample]"
    int takes_bounds;  // clips of activations at measured bounds
};
extern const struct maker maker_of_pack, maker_of_export;

/* Of codes that are cut: a scheme alone, since runs of some leave no frozen model. */
int refuse_scheme(const struct maker *by, const struct quantizer *q, struct error *e);

/* Of a network, at the widths `from` ... `to`. */
int refuse_nodes(const struct maker *by, const struct model *m, const struct spec *spec, int from,
                 int to, struct error *e);

#endif
