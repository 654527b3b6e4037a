/* The scenes and steps on which the twin is compared: with engines (engine/test_twin.c), and with
 * central differences of its own loss (test_differences.c). */
#ifndef TESTS_TWIN_PLANS_H
#define TESTS_TWIN_PLANS_H

#include "twin/scene.h"

enum { LENET, RESNET, BOTTLENECK, ZOO, SHARED, FANOUT, CORRECTED, INVERTED, SMOOTH_PLANS };
enum { LSQ = 7, DOUBLE_ROUNDING, ROUNDED_PLANS = 12, MUTATIONS = 16 };

/* Rounders off: every rule has to be the exact gradient. */
extern const struct scene_plan plans_smooth[SMOOTH_PLANS];

/* Rounders on, of weights and activations. */
extern const struct scene_plan plans_rounded[ROUNDED_PLANS];

/* Wrong rules that are put into the twin, and where they have to show. */
extern const struct mutation {
    enum twin_rule rule;
    const char *name;
    const struct scene_plan *plan;
    int running; // in the running statistics, or in the gradient
} plans_mutations[MUTATIONS];

extern const double plans_kink;   // nothing is nearer to a kink
extern const double plans_flip;   // nor, with real rounders, to another code
extern const double plans_notice; // a wrong rule is off by so many tolerances

/* How far from another code a plan is drawn: 0 where nothing is rounded. */
double plans_margin(const struct scene_plan *plan);

#endif
