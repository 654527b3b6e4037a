/* Taking a recipe from [net]; recipe.h is the manual. */
#include "plan/recipe.h"

#include <stdio.h>
#include <string.h>

struct taking {
    struct spec *spec;
    const struct quantizer *const *table;
    const struct cfg *cfg;
    const int *said;
    int *taken;
    struct error *e;
};

static int is_said(const struct taking *t, const char *flat) {
    return t->said[spec_key_find(flat) - spec_keys];
}

static int take_key(const struct taking *t, const char *flat, const char *text) {
    const struct spec_key *key = spec_key_find(flat);
    if (is_said(t, flat))
        return 0;
    t->taken[key - spec_keys] = 1;
    return spec_set(t->spec, t->table, key, text, t->e);
}

/* A float of the cfg as it was written there; a share in more digits. */
static int take_real(const struct taking *t, const char *flat, double value, int digits) {
    char text[32];
    snprintf(text, sizeof text, "%.*g", digits, value);
    return take_key(t, flat, text);
}
enum { WRITTEN = 7, SHARE = 12 };

static int need_max_batches(const struct taking *t, const char *why) {
    return t->cfg->recipe.max_batches > 0
               ? 0
               : fail(t->e,
                      "%s without max_batches, which it is a share of; add that, or say schedule "
                      "and warmup in the grid",
                      why);
}

static int take_milestones(const struct taking *t, const double *steps, int n, double gamma) {
    char text[SPEC_REALS * 32] = "";
    size_t at = 0;
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*g", i ? " " : "", SHARE,
                               steps[i] / t->cfg->recipe.max_batches);
    return take_key(t, "schedule", "step") || take_key(t, "milestones", text) ||
           take_real(t, "gamma", gamma, WRITTEN);
}

static int take_steps(const struct taking *t) {
    const struct cfg_recipe *r = &t->cfg->recipe;
    if (need_max_batches(t, "policy=steps"))
        return -1;
    if (r->steps.n > SPEC_REALS)
        return fail(t->e, "%d steps are more than the %d milestones of a grid; say schedule there",
                    r->steps.n, SPEC_REALS);
    for (int i = 1; i < r->scales.n; i++)
        if (r->scales.value[i] < r->scales.value[0] || r->scales.value[i] > r->scales.value[0])
            return fail(t->e, "scales differ, and the harness has one factor, gamma, for all "
                              "milestones; say schedule in the grid");
    return take_milestones(t, r->steps.value, r->steps.n, r->scales.value[0]);
}

/* Every so many steps. */
static int take_step(const struct taking *t) {
    const struct cfg_recipe *r = &t->cfg->recipe;
    double steps[SPEC_REALS];
    int n = 0;
    if (need_max_batches(t, "policy=step"))
        return -1;
    for (double at = r->step; r->step && at < r->max_batches; at += r->step) {
        if (n == SPEC_REALS)
            return fail(
                t->e, "step=%d is more often than the %d milestones of a grid; say schedule there",
                r->step, SPEC_REALS);
        steps[n++] = at;
    }
    return n ? take_milestones(t, steps, n, (double)r->scale) : take_key(t, "schedule", "constant");
}

static int take_policy(const struct taking *t) {
    switch (t->cfg->recipe.policy) {
    case POLICY_CONSTANT:
        return take_key(t, "schedule", "constant");
    case POLICY_POLY:
        return take_key(t, "schedule", "poly") ||
               take_real(t, "power", (double)t->cfg->recipe.power, WRITTEN);
    case POLICY_STEPS:
        return take_steps(t);
    case POLICY_STEP:
        return take_step(t);
    default:
        return fail(t->e,
                    "its policy is none of constant, poly, step and steps; say schedule in the "
                    "grid");
    }
}

static int take_warmup(const struct taking *t) {
    const struct cfg_recipe *r = &t->cfg->recipe;
    if (!r->burn_in)
        return 0;
    if (need_max_batches(t, "burn_in"))
        return -1;
    return take_real(t, "warmup", (double)r->burn_in / r->max_batches, SHARE) ||
           take_real(t, "power", (double)r->power, WRITTEN);
}

static int take_optimizer(const struct taking *t) {
    if (t->cfg->recipe.adam && !is_said(t, "optimizer"))
        return fail(t->e, "adam=1, which Darknet ignores on a CPU; say optimizer in the grid");
    return take_key(t, "optimizer", "sgd");
}

static int take_all(const struct taking *t) {
    const struct cfg_recipe *r = &t->cfg->recipe;
    if (take_real(t, "batch", r->batch, WRITTEN) || take_optimizer(t) ||
        take_real(t, "learning_rate", (double)r->learning_rate, WRITTEN) ||
        take_real(t, "momentum", (double)r->momentum, WRITTEN) ||
        take_real(t, "decay", (double)r->decay, WRITTEN))
        return -1;
    return (!is_said(t, "schedule") && take_policy(t)) || (!is_said(t, "warmup") && take_warmup(t));
}

int recipe_from_cfg(struct spec *spec, const struct quantizer *const *table, const struct cfg *cfg,
                    const int said[SPEC_KEYS], int taken[SPEC_KEYS], struct error *e) {
    struct taking t = {spec, table, cfg, said, taken, e};
    if (spec->from != FROM_CFG)
        return 0;
    if (cfg->recipe.fault[0])
        return fail(e, "%s", cfg->recipe.fault);
    if (take_all(&t))
        return fail_prefix(e, cfg->path, cfg->recipe.line);
    spec->from = FROM_GRID;
    spec_normalize(spec, table);
    return spec_validate(spec, table, e) ? fail_prefix(e, cfg->path, cfg->recipe.line) : 0;
}
