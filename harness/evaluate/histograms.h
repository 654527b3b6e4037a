/* How the weights of each quantized layer lie in [0, 1] by its range map (quant/axes.h): counts of
 * u = r(W) in 256 bins of equal width, which are the codes of `floor` at 8 bits, for figures that
 * need no model. */
#ifndef EVALUATE_HISTOGRAMS_H
#define EVALUATE_HISTOGRAMS_H

#include "model/model.h"
#include "store/store.h"

struct histograms {
    int n;
    struct histogram_row *rows;
};

/* Those of the weights as they are, behind what is there; `stage`: "start" or "end", static. None
 * of a quantizer whose axes have no range map (learned steps, fp32). */
void histograms_add(struct histograms *h, const struct model *m, const char *stage);
void histograms_free(struct histograms *h);

#endif
