/* The table of layer types and the reading of one layer; layers.h is the manual. Which layer
 * may stand where is decided in cfg.c, sizes in shape.c. */
#include "cfg/layers.h"

#include "base/nearest.h"
#include "base/text.h"
#include "cfg/lex.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const char *const activation_names[ACTIVATIONS + 1] = {
    [ACT_LOGISTIC] = "logistic", [ACT_RELU] = "relu",   [ACT_RELIE] = "relie",
    [ACT_LINEAR] = "linear",     [ACT_RAMP] = "ramp",   [ACT_TANH] = "tanh",
    [ACT_PLSE] = "plse",         [ACT_LEAKY] = "leaky", [ACT_ELU] = "elu",
    [ACT_LOGGY] = "loggy",       [ACT_STAIR] = "stair", [ACT_HARDTAN] = "hardtan",
    [ACT_LHTAN] = "lhtan",       [ACT_SELU] = "selu",   [ACT_RELU6] = "relu6",
};
static const char *const start_names[] = {"kaiming-uniform", "darknet", "kaiming-normal", NULL};
static const char *const connected_init_names[] = {"kaiming-uniform", "darknet", NULL};
static const char *const cost_names[] = {"sse", NULL};

#define AT(field) offsetof(struct cfg_draft, field)
#define INT(key, field, low, high)                                                                 \
    { .name = key, .type = CFG_INT, .offset = AT(field), .lo = low, .hi = high }
#define FLAG(key, field) INT(key, field, 0, 1)
#define REAL(key, field, low, high)                                                                \
    { .name = key, .type = CFG_REAL, .offset = AT(field), .lo = low, .hi = high }
#define ONLY(key, value, reason)                                                                   \
    { .name = key, .type = CFG_ONLY, .offset = CFG_NOWHERE, .lo = value, .why = reason }
#define LAYERS(key)                                                                                \
    { .name = key, .type = CFG_LAYERS, .offset = AT(from), .lo = -CFG_SIDE_MAX, .hi = CFG_SIDE_MAX }
#define ACTIVATION                                                                                 \
    {                                                                                              \
        .name = "activation", .type = CFG_CHOICE, .offset = AT(layer.activation),                  \
        .choices = activation_names                                                                \
    }
#define INIT(names)                                                                                \
    { .name = "init", .type = CFG_CHOICE, .offset = AT(layer.start), .choices = names }

/* Darknet reads these in every layer. */
static const char saving[] = "the harness keeps every layer's weights in files of its own";
static const struct cfg_key common_keys[] = {
    ONLY("stopbackward", 0, "Darknet would not train the layers before it, the harness trains all"),
    ONLY("onlyforward", 0, "Darknet would not train this layer, the harness trains all"),
    ONLY("learning_rate", 1, "the harness has one learning rate for all layers, said in the grid"),
    ONLY("smooth", 0, "label smoothing belongs to the loss, which is the harness's"),
    ONLY("truth", 0, "the targets are those of the data set"),
    ONLY("dontload", 0, saving),
    ONLY("dontsave", 0, saving),
    ONLY("numload", 0, saving),
    ONLY("dontloadscales", 0, saving),
    {0},
};

static_assert(sizeof common_keys / sizeof *common_keys <= CFG_KEYS_MAX, "room for their lines");

static const char binarized[] = "Darknet's binary layers are broken, quantization is the scheme's";
static const struct cfg_key convolutional_keys[] = {
    INT("filters", layer.filters, 1, CFG_SIDE_MAX),
    INT("size", layer.size, 1, 255),
    INT("stride", layer.stride, 1, 255),
    {.name = "pad",
     .type = CFG_INT,
     .offset = AT(pad),
     .hi = 1,
     .why = "1 means size/2, for a number of pixels write padding="},
    INT("padding", layer.padding, 0, 255),
    INT("groups", layer.groups, 1, CFG_SIDE_MAX),
    FLAG("batch_normalize", layer.batch_normalize),
    ACTIVATION,
    FLAG("bias", layer.bias),
    FLAG("quantize", layer.quantize),
    FLAG("projection", layer.projection),
    INIT(start_names),
    ONLY("flipped", 0, "it concerns weights of other programs, which the harness does not load"),
    ONLY("dot", 0, "Darknet would add a penalty to the loss, which is the harness's"),
    ONLY("binary", 0, binarized),
    ONLY("xnor", 0, binarized),
    {0},
};

static const struct cfg_key connected_keys[] = {
    INT("output", layer.filters, 1, CFG_SIDE_MAX),
    FLAG("batch_normalize", layer.batch_normalize),
    ACTIVATION,
    FLAG("quantize", layer.quantize),
    INIT(connected_init_names),
    {0},
};

static const struct cfg_key no_keys[] = {{0}};

static const struct cfg_key activation_keys[] = {ACTIVATION, {0}};

static const struct cfg_key maxpool_keys[] = {
    INT("stride", layer.stride, 1, 255),
    INT("size", layer.size, 1, 255),
    INT("padding", layer.padding, 0, 255),
    {0},
};

static const struct cfg_key shortcut_keys[] = {
    LAYERS("from"),
    REAL("alpha", layer.alpha, -CFG_ANY, CFG_ANY),
    REAL("beta", layer.beta, -CFG_ANY, CFG_ANY),
    ACTIVATION,
    {0},
};

static const struct cfg_key route_keys[] = {LAYERS("layers"), {0}};

static const struct cfg_key upsample_keys[] = {
    {.name = "stride",
     .type = CFG_INT,
     .offset = AT(layer.stride),
     .lo = 1,
     .hi = 255,
     .why = "to make it smaller take [maxpool]"},
    REAL("scale", layer.scale, -CFG_ANY, CFG_ANY),
    {0},
};

static const char reshaping[] = "it has no shape that the layers behind could read";
static const struct cfg_key reorg_keys[] = {
    INT("stride", layer.stride, 1, 255),
    FLAG("reverse", layer.reverse),
    ONLY("flatten", 0, reshaping),
    ONLY("extra", 0, reshaping),
    {0},
};

static const struct cfg_key dropout_keys[] = {REAL("probability", layer.probability, 0, 0.99), {0}};

static const char one_softmax[] = "the harness trains one softmax over all classes";
static const struct cfg_key softmax_keys[] = {
    ONLY("groups", 1, one_softmax),
    ONLY("spatial", 0, one_softmax),
    ONLY("temperature", 1, "the harness trains with temperature 1"),
    ONLY("noloss", 0, "the loss is the harness's"),
    {.name = "tree", .type = CFG_NEVER, .offset = CFG_NOWHERE, .why = one_softmax},
    {0},
};

static const char own_loss[] = "the loss is the harness's own, softmax cross-entropy";
static const struct cfg_key cost_keys[] = {
    {.name = "type",
     .type = CFG_CHOICE,
     .offset = CFG_NOWHERE,
     .choices = cost_names,
     .why = "delete [cost], the harness trains with softmax cross-entropy"},
    ONLY("scale", 1, own_loss),
    ONLY("ratio", 0, own_loss),
    ONLY("noobj", 1, own_loss),
    ONLY("thresh", 0, own_loss),
    {0},
};

static const struct cfg_layer_kind kinds[] = {
    [LAYER_CONVOLUTIONAL] = {"convolutional",
                             "conv",
                             convolutional_keys,
                             {.layer = {.activation = ACT_LOGISTIC,
                                        .filters = 1,
                                        .size = 1,
                                        .stride = 1,
                                        .padding = -1,
                                        .groups = 1,
                                        .bias = -1,
                                        .quantize = -1}}},
    [LAYER_CONNECTED] =
        {"connected",
         "conn",
         connected_keys,
         {.layer = {.activation = ACT_LOGISTIC, .groups = 1, .bias = -1, .quantize = -1}}},
    [LAYER_BATCHNORM] = {"batchnorm", NULL, no_keys, {.layer = {.activation = ACT_LINEAR}}},
    [LAYER_ACTIVATION] = {"activation",
                          NULL,
                          activation_keys,
                          {.layer = {.activation = ACT_LINEAR}}},
    [LAYER_MAXPOOL] = {"maxpool",
                       "max",
                       maxpool_keys,
                       {.layer = {.activation = ACT_LINEAR, .stride = 1, .padding = -1}}},
    [LAYER_AVGPOOL] = {"avgpool", "avg", no_keys, {.layer = {.activation = ACT_LINEAR}}},
    [LAYER_SHORTCUT] = {"shortcut",
                        NULL,
                        shortcut_keys,
                        {.layer = {.activation = ACT_LINEAR, .alpha = 1, .beta = 1}}},
    [LAYER_ROUTE] = {"route", NULL, route_keys, {.layer = {.activation = ACT_LINEAR}}},
    [LAYER_UPSAMPLE] = {"upsample",
                        NULL,
                        upsample_keys,
                        {.layer = {.activation = ACT_LINEAR, .stride = 2, .scale = 1}}},
    [LAYER_REORG] = {"reorg", NULL, reorg_keys, {.layer = {.activation = ACT_LINEAR, .stride = 1}}},
    [LAYER_DROPOUT] = {"dropout",
                       NULL,
                       dropout_keys,
                       {.layer = {.activation = ACT_LINEAR, .probability = 0.5F}}},
    [LAYER_SOFTMAX] = {"softmax", "soft", softmax_keys, {.layer = {.activation = ACT_LINEAR}}},
    [LAYER_COST] = {"cost", NULL, cost_keys, {.layer = {.activation = ACT_LINEAR}}},
};
static_assert(sizeof kinds / sizeof *kinds == LAYER_TYPES, "every layer type has its row");

/* Layers of Darknet that a cfg may well have, and why they are not trained here. */
static const struct {
    const char *name, *why;
} refused[] = {
    {"local", "corrupts memory in Darknet; use [convolutional]"},
    {"lrn", "has wrong gradients in Darknet; use [batchnorm]"},
    {"normalization", "has wrong gradients in Darknet; use [batchnorm]"},
    {"l2norm", "has wrong gradients in Darknet; use [batchnorm]"},
    {"logistic", "is a loss, and the loss is the harness's own; use [softmax]"},
    {"crop", "is not a classifier layer the harness trains; delete it, the grid's `augment` crops"},
    {"deconv", "is not a classifier layer the harness trains; use [upsample] and [convolutional]"},
    {"deconvolutional",
     "is not a classifier layer the harness trains; use [upsample] and [convolutional]"},
    {"detection", "is not a classifier layer the harness trains; end with [softmax]"},
    {"region", "is not a classifier layer the harness trains; end with [softmax]"},
    {"yolo", "is not a classifier layer the harness trains; end with [softmax]"},
    {"iseg", "is not a classifier layer the harness trains; end with [softmax]"},
    {"rnn", "is not a classifier layer the harness trains; use [convolutional] or [connected]"},
    {"crnn", "is not a classifier layer the harness trains; use [convolutional] or [connected]"},
    {"gru", "is not a classifier layer the harness trains; use [convolutional] or [connected]"},
    {"lstm", "is not a classifier layer the harness trains; use [convolutional] or [connected]"},
};

const char *layer_type_name(enum layer_type type) {
    return kinds[type].name;
}

const char *activation_name(enum activation a) {
    return activation_names[a];
}

const char *start_name(int start) {
    return start_names[start];
}

int cfg_is_net(const char *name) {
    return !strcmp(name, "net") || !strcmp(name, "network");
}

int cfg_layer_type(const char *name) {
    for (int i = 0; i < LAYER_TYPES; i++)
        if (!strcmp(name, kinds[i].name) || (kinds[i].alias && !strcmp(name, kinds[i].alias)))
            return i;
    return -1;
}

static int unknown_layer(const struct cfg_text *t, const struct cfg_section *s, struct error *e) {
    if (cfg_is_net(s->name))
        return fail_at(e, t->path, s->line, "a second [%s]; keep one, at the top", s->name);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!strcmp(s->name, refused[i].name))
            return fail_at(e, t->path, s->line, "[%s] %s", s->name, refused[i].why);
    struct nearest near = nearest_start(s->name);
    char all[300] = "";
    for (int i = 0; i < LAYER_TYPES; i++) {
        nearest_offer(&near, kinds[i].name);
        text_list_add(all, sizeof all, ", ", kinds[i].name);
    }
    const char *best = nearest_best(&near);
    if (best)
        return fail_at(e, t->path, s->line, "unknown layer [%s]; did you mean [%s]?",
                       cfg_excerpt(s->name).text, best);
    return fail_at(e, t->path, s->line, "unknown layer [%s]; the layers are %s",
                   cfg_excerpt(s->name).text, all);
}

/* Darknet lets pad=1 win over padding without a word. */
static int complete_convolutional(const char *path, struct cfg_draft *d, struct error *e) {
    struct cfg_layer *l = &d->layer;
    if (d->pad && l->padding >= 0 && l->padding != l->size / 2)
        return fail_at(e, path, l->line,
                       "pad=1 (padding of size/2 = %d) and padding=%d; delete one", l->size / 2,
                       l->padding);
    l->padding = d->pad ? l->size / 2 : l->padding > 0 ? l->padding : 0;
    if (l->bias == 1 && l->batch_normalize)
        return fail_at(
            e, path, l->line,
            "bias=1 in front of a batch norm, whose shift takes its place; delete the key");
    if (l->projection && l->size != 1)
        return fail_at(
            e, path, l->line,
            "projection=1 with size=%d; a projection is the 1x1 convolution of a shortcut",
            l->size);
    return 0;
}

static int complete_layer(const struct cfg_text *t, const struct cfg_section *s,
                          struct cfg_draft *d, struct error *e) {
    struct cfg_layer *l = &d->layer;
    if (l->type == LAYER_CONVOLUTIONAL && complete_convolutional(t->path, d, e))
        return -1;
    if (l->type == LAYER_CONVOLUTIONAL || l->type == LAYER_CONNECTED)
        l->bias = l->batch_normalize ? 0 : l->bias != 0;
    if (l->type == LAYER_MAXPOOL) {
        l->size = l->size ? l->size : l->stride;
        l->padding = l->padding >= 0 ? l->padding : l->size - 1;
    }
    if (l->type == LAYER_SHORTCUT && d->from.n != 1)
        return fail_at(e, t->path, d->from.n ? d->from.line : s->line,
                       "[shortcut] has %s; write from= and one layer, such as from=-3",
                       d->from.n ? "several layers in from" : "no from");
    if (l->type == LAYER_ROUTE && d->from.n == 0)
        return fail_at(e, t->path, s->line, "[route] has no layers; write such as layers=-4");
    return 0;
}

int cfg_read_layer(const struct cfg_text *t, const struct cfg_section *s, struct cfg_draft *d,
                   struct error *e) {
    int type = cfg_layer_type(s->name);
    if (type < 0)
        return unknown_layer(t, s, e);
    *d = kinds[type].preset;
    d->layer.type = (enum layer_type)type;
    d->layer.line = s->line;
    if (cfg_read_options(t, s, kinds[type].keys, common_keys, d, NULL, NULL, e))
        return -1;
    return complete_layer(t, s, d, e);
}
