/* Counting multiply-accumulates; work.h is the manual. */
#include "plan/work.h"

#include "cfg/cost.h"
#include "data/selection.h"

/* Images through the network in all evaluations: each width, direct and truncated, as trained and,
 * where the grid says so, calibrated (which costs its batches too). */
static double evaluated_images(const struct spec *spec, const struct quantizer *quantizer,
                               const struct dataset *data) {
    double test = (double)spec_evaluated_images(spec, data), images = 0;
    for (int i = 0; i < spec->bits.n; i++) {
        int k = spec->bits.bits[i];
        int inferences =
            evaluation_exists(spec, quantizer, k, 0) + evaluation_exists(spec, quantizer, k, 1);
        double once = test;
        if (evaluation_calibrates(spec, quantizer, k))
            once += test + (double)spec->calibration * (double)spec->batch;
        images += once * inferences;
    }
    return images;
}

/* A network's outputs are kept for backward, and in forms that the engine likes; parameters with
 * their gradients, moments and quantized twins. */
static double memory_of(const struct spec *spec, const struct cfg *cfg) {
    const double program = 150 << 20, copies_of_outputs = 4, copies_of_parameters = 8;
    double outputs = 0;
    for (int i = 0; i < cfg->n; i++) {
        const struct shape *out = &cfg->layers[i].out;
        outputs += (double)out->c * out->h * out->w;
    }
    return program + sizeof(float) * (copies_of_outputs * outputs * (double)spec->batch +
                                      copies_of_parameters * (double)cfg_parameters(cfg));
}

struct work work_of(const struct spec *spec, const struct quantizer *quantizer,
                    const struct cfg *cfg, const struct dataset *data) {
    long batches = (long)spec_training_images(spec, data) / spec->batch;
    double trained = 3.0 * (double)(batches * spec->batch) * (double)spec->epochs * spec->widths.n;
    double macs = cfg_macs(cfg);
    if (quantizer->parent) // another run's weights
        trained = 0;
    return (struct work){macs * trained, macs * evaluated_images(spec, quantizer, data),
                         memory_of(spec, cfg)};
}
