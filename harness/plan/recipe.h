/* `from = cfg`: what a grid leaves unsaid of how to train is taken from the network's [net]. Once
 * taken, the spec says it itself and `from` is `grid` again: a run is what it computes, wherever
 * that was written. */
#ifndef PLAN_RECIPE_H
#define PLAN_RECIPE_H

#include "cfg/cfg.h"
#include "spec/spec.h"

/* Nothing to do unless spec->from is FROM_CFG. Takes, unless `said` (by number in spec_keys):
 * batch, learning_rate, momentum, decay, optimizer (sgd), warmup (burn_in), and by policy schedule,
 * milestones, gamma, power; steps become shares of max_batches. `taken` tells which. -1, with the
 * cfg's FILE:LINE, for what the harness does not have (other policies, several scales, adam=1,
 * which Darknet ignores on a CPU). */
int recipe_from_cfg(struct spec *spec, const struct quantizer *const *table, const struct cfg *cfg,
                    const int said[SPEC_KEYS], int taken[SPEC_KEYS], struct error *e);

#endif
