/* The cost of a network in multiply-accumulates, from its shapes alone: what the plan's estimate of
 * the time left is made of. Norms, activations, pooling and sums are left out; they are a few per
 * cent. And the number of its parameters. */
#include "cfg/shape.h"
#include "model/model.h"

double model_macs(const struct cfg *cfg) {
    double macs = 0;
    for (int i = 0; i < cfg->n; i++) {
        const struct cfg_layer *l = &cfg->layers[i];
        double uses = l->type == LAYER_CONVOLUTIONAL ? (double)l->out.h * l->out.w : 1;
        macs += uses * (double)cfg_weights(l); // each weight is used once per place of its kernel
    }
    return macs;
}

int64_t model_size(const struct cfg *cfg) {
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
