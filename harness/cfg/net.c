/* Reading and checking [net]; net.h is the manual. */
#include "cfg/net.h"

#include "base/text.h"
#include "cfg/keys.h"
#include "cfg/layers.h"
#include "cfg/lex.h"
#include "cfg/shape.h"

#include <assert.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>

static const char *const policy_names[] = {
    [POLICY_RANDOM] = "random",     [POLICY_POLY] = "poly",
    [POLICY_CONSTANT] = "constant", [POLICY_STEP] = "step",
    [POLICY_EXP] = "exp",           [POLICY_SIGMOID] = "sigmoid",
    [POLICY_STEPS] = "steps",       NULL,
};

#define AT(field) offsetof(struct cfg_net, field)
#define RECIPE(field) offsetof(struct cfg_net, recipe.field)
#define SIDE(key, field)                                                                           \
    { .name = key, .type = CFG_INT, .offset = AT(field), .lo = 1, .hi = CFG_SIDE_MAX }
#define INT(key, low) IGNORED(key, CFG_INT, low, INT_MAX)
#define FLAG(key) IGNORED(key, CFG_INT, 0, 1)
#define REAL(key, low, high) IGNORED(key, CFG_REAL, low, high)
#define IGNORED(key, kind, low, high)                                                              \
    { .name = key, .type = kind, .offset = CFG_NOWHERE, .lo = low, .hi = high, .ignored = 1 }

#define KEPT_INT(key, field, low, high)                                                            \
    { .name = key, .type = CFG_INT, .offset = RECIPE(field), .lo = low, .hi = high, .ignored = 1 }
#define KEPT_REAL(key, field, low, high)                                                           \
    { .name = key, .type = CFG_REAL, .offset = RECIPE(field), .lo = low, .hi = high, .ignored = 1 }

static const struct cfg_key keys[] = {
    SIDE("height", height),
    SIDE("width", width),
    SIDE("channels", channels),
    {.name = "inputs", .type = CFG_INT, .offset = AT(inputs), .lo = 1, .hi = INT_MAX},
    {.name = "batch",
     .type = CFG_INT,
     .offset = RECIPE(batch),
     .lo = 1,
     .hi = CFG_SIDE_MAX,
     .ignored = 1},
    {.name = "subdivisions",
     .type = CFG_INT,
     .offset = AT(subdivisions),
     .lo = 1,
     .hi = CFG_SIDE_MAX,
     .ignored = 1},
    {.name = "policy",
     .type = CFG_CHOICE,
     .offset = RECIPE(policy),
     .choices = policy_names,
     .ignored = 1},
    {.name = "steps", .type = CFG_INTS, .offset = RECIPE(steps), .hi = INT_MAX, .ignored = 1},
    {.name = "scales", .type = CFG_REALS, .offset = RECIPE(scales), .hi = CFG_ANY, .ignored = 1},
    KEPT_REAL("learning_rate", learning_rate, 0, CFG_ANY),
    KEPT_REAL("momentum", momentum, 0, 1),
    KEPT_REAL("decay", decay, 0, CFG_ANY),
    KEPT_INT("adam", adam, 0, 1),
    REAL("B1", 0, 1),
    REAL("B2", 0, 1),
    REAL("eps", 0, CFG_ANY),
    KEPT_INT("max_batches", max_batches, 0, INT_MAX),
    KEPT_INT("burn_in", burn_in, 0, INT_MAX),
    KEPT_REAL("power", power, 0, CFG_ANY),
    KEPT_INT("step", step, 1, INT_MAX),
    KEPT_REAL("scale", scale, 0, CFG_ANY),
    REAL("gamma", 0, CFG_ANY),
    REAL("clip", 0, CFG_ANY),
    FLAG("random"),
    FLAG("center"),
    INT("max_crop", 1),
    INT("min_crop", 1),
    REAL("max_ratio", 0, CFG_ANY),
    REAL("min_ratio", 0, CFG_ANY),
    REAL("angle", 0, 360),
    REAL("aspect", 0.001, CFG_ANY),
    REAL("saturation", 0.001, CFG_ANY),
    REAL("exposure", 0.001, CFG_ANY),
    REAL("hue", 0, 1),
    {.name = "time_steps",
     .type = CFG_ONLY,
     .offset = CFG_NOWHERE,
     .lo = 1,
     .why = "the harness trains on images, which have no time"},
    {.name = "notruth",
     .type = CFG_ONLY,
     .offset = CFG_NOWHERE,
     .lo = 0,
     .why = "the harness trains with labels"},
    {0},
};

static_assert(sizeof keys / sizeof *keys <= CFG_KEYS_MAX, "line_of has room for every key");

static void list_ignored(struct cfg_net *net, const int line_of[CFG_KEYS_MAX]) {
    for (int i = 0; keys[i].name; i++)
        if (line_of[i] && keys[i].ignored)
            text_list_add(net->ignored, sizeof net->ignored, ", ", keys[i].name);
}

/* What Darknet would divide by, or read beyond its end. */
static int check_recipe(const struct cfg_text *t, const struct cfg_net *net, struct error *e) {
    const struct cfg_recipe *r = &net->recipe;
    if (net->subdivisions > r->batch)
        return fail_at(e, t->path, net->line, "batch=%d is less than subdivisions=%d; raise batch",
                       r->batch, net->subdivisions);
    if (r->policy == POLICY_STEPS && (!r->steps.n || !r->scales.n))
        return fail_at(e, t->path, net->line,
                       "policy=steps needs both steps= and scales=; add them");
    if (r->steps.n && r->scales.n && r->steps.n != r->scales.n)
        return fail_at(e, t->path, net->line, "%d steps but %d scales; each step needs its scale",
                       r->steps.n, r->scales.n);
    return 0;
}

int cfg_read_net(const struct cfg_text *t, struct cfg_net *net, struct error *e) {
    const struct cfg_section *s = &t->sections[0];
    if (!cfg_is_net(s->name))
        return fail_at(e, t->path, s->line, "the first section is [%s]; it has to be [net]",
                       cfg_excerpt(s->name).text);
    *net = (struct cfg_net){.line = s->line,
                            .subdivisions = 1,
                            .recipe = {.line = s->line, // and Darknet's defaults
                                       .batch = 1,
                                       .policy = POLICY_CONSTANT,
                                       .learning_rate = .001F,
                                       .momentum = .9F,
                                       .decay = .0001F,
                                       .power = 4,
                                       .scale = 1}};
    int line_of[CFG_KEYS_MAX];
    struct error recipe = {0};
    if (cfg_read_options(t, s, keys, NULL, net, line_of, &recipe, e))
        return -1;
    list_ignored(net, line_of);
    check_recipe(t, net, &recipe);
    snprintf(net->recipe.fault, sizeof net->recipe.fault, "%s", recipe.text);
    return 0;
}

int cfg_input_shape(const struct cfg_text *t, const struct cfg_net *net, struct shape data,
                    struct shape *input, struct error *e) {
    *input = (struct shape){.c = net->channels ? net->channels : data.c,
                            .h = net->height ? net->height : data.h,
                            .w = net->width ? net->width : data.w};
    int replicated = data.c == 1 && input->c == 3;
    if (input->h != data.h || input->w != data.w || (input->c != data.c && !replicated))
        return fail_at(
            e, t->path, net->line,
            "the network takes %dx%dx%d (height x width x channels) but the data set has "
            "%dx%dx%d; delete height, width and channels, which takes the data set's",
            input->h, input->w, input->c, data.h, data.w, data.c);
    long long n = cfg_floats(*input);
    if (n > CFG_FLOATS_MAX)
        return fail_at(e, t->path, net->line, "the input has %lld values, more than %d; shrink it",
                       n, CFG_FLOATS_MAX);
    if (net->inputs && net->inputs != n)
        return fail_at(e, t->path, net->line, "inputs=%d but %dx%dx%d makes %lld; delete inputs",
                       net->inputs, input->h, input->w, input->c, n);
    return 0;
}
