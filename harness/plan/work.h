/* What a run costs in multiply-accumulates, before it is run: for the order of runs, the time left
 * and the estimate of a grid. Norms, activations, quantizers and the optimizer are left out; they
 * are a few per cent. */
#ifndef PLAN_WORK_H
#define PLAN_WORK_H

#include "cfg/cfg.h"
#include "data/dataset.h"
#include "spec/spec.h"

struct work {
    double training;   // three forward passes per width, step and epoch: backward is two, one for
                       // either operand
    double evaluation; // every width and inference that exists, calibration included
    double memory;     // bytes that one process takes at its most, where none was measured: fitted
                       // to what oneDNN took for small networks, and right within a third for those
};

struct work work_of(const struct spec *spec, const struct quantizer *quantizer,
                    const struct cfg *cfg, const struct dataset *data);

#endif
