/* Optimizers over all parameters of a model, and the learning rate as a function of step / all
 * steps. */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include "model/model.h"

/* Adam (Kingma and Ba, 1412.6980; 0.9, 0.999, 1e-8, bias-corrected):
 *   m = β1 m + (1 - β1) g;  v = β2 v + (1 - β2) g²
 *   w -= η / (1 - β1^t) · m / (sqrt(v / (1 - β2^t)) + ε)
 * SGD with momentum μ, no Nesterov: m = μ m + g; w -= η m. In both g = gradient + decay · w, on all
 * parameters; of learned quantizer parameters η is multiplied by step_rate. */
struct optimizer {
    int kind; // enum optimizer_kind
    double momentum, decay, step_rate;
    int64_t t; // steps taken
    int n;     // parameters
    float **m; // first moment or momentum, as the parameters are shaped; owned
    float **v; // second moment; NULL for SGD
};

struct optimizer optimizer_new(const struct model *m, const struct spec *spec);
void optimizer_free(struct optimizer *o);

/* One step at learning rate `rate`, from the gradients in the model. */
void optimizer_step(struct optimizer *o, struct model *m, double rate);

/* η at step `step` (0 ...) of `steps`: step schedule: learning_rate · gamma^(milestones passed),
 * where milestone x is passed when step >= x · steps; cosine: learning_rate (1 + cos(π step/steps))
 * / 2; poly: learning_rate (1 - step/steps)^power. In the first warmup · steps of any:
 * learning_rate ((step + 1) / (warmup · steps))^power, Darknet's burn_in. */
double schedule_rate(const struct spec *spec, int64_t step, int64_t steps);

#endif
