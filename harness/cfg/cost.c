/* Counting a network's multiply-accumulates and parameters; cost.h is the manual. */
#include "cfg/cost.h"

#include "cfg/shape.h"

double cfg_macs(const struct cfg *cfg) {
    double macs = 0;
    for (int i = 0; i < cfg->n; i++) {
        const struct cfg_layer *l = &cfg->layers[i];
        double uses = l->type == LAYER_CONVOLUTIONAL ? (double)l->out.h * l->out.w : 1;
        macs += uses * (double)cfg_weights(l); // each weight is used once per place of its kernel
    }
    return macs;
}

int64_t cfg_parameters(const struct cfg *cfg) {
    int64_t n = 0;
    for (int i = 0; i < cfg->n; i++) {
        const struct cfg_layer *l = &cfg->layers[i];
        int computes = l->type == LAYER_CONVOLUTIONAL || l->type == LAYER_CONNECTED;
        n += cfg_weights(l);
        if (computes && l->bias)
            n += l->filters;
        if (l->type == LAYER_BATCHNORM || (computes && l->batch_normalize))
            n += 2 * l->out.c;
    }
    return n;
}
