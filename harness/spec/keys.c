/* The table of every key that says what a run computes: names, defaults, ranges, help. Adding a key
 * is a field of struct spec and a line here.
 *
 * The defaults are frozen: ids of runs leave out what is at its default, so a changed default or a
 * changed meaning needs a new SPEC_VERSION, and a new key needs the default that old runs had. */
#include "base/nearest.h"
#include "base/text.h"
#include "spec/spec.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const char *const range_names[] = {"none", "tanh", "minmax", "own", NULL};
static const char *const rounder_names[] = {"none", "nearest", "floor", "own", "identity", NULL};
static const char *const dequantizer_names[] = {"none", "endpoint", "midpoint", "low", "own", NULL};
static const char *const scale_names[] = {"mean", "pow2", NULL};
static const char *const granularity_names[] = {"layer", "channel", NULL};
static const char *const projections_names[] = {"float", "quantized", NULL};
static const char *const shortcut_norm_names[] = {"per-width", "shared", NULL};
static const char *const norm_bank_names[] = {"per-width", "shared", NULL};
static const char *const optimizer_names[] = {"adam", "sgd", NULL};
static const char *const schedule_names[] = {"step", "cosine", "constant", "poly", NULL};
static const char *const from_names[] = {"grid", "cfg", NULL};
static const char *const augment_names[] = {"auto", "none", "crop-flip", NULL};
static const char *const distill_names[] = {"recursive", "labels", "highest", NULL};
static const char *const select_names[] = {"first", "drawn", NULL};
static const char *const split_names[] = {"test", "val", NULL};
static const char *const calibrate_at_names[] = {"all", "widths", NULL};

#define IN(field) .offset = offsetof(struct spec, field)
#define TEXT(field) .type = KEY_TEXT, IN(field), .size = sizeof((struct spec *)0)->field
#define INT(field, low, high) .type = KEY_INT, IN(field), .lo = (low), .hi = (high)
#define COUNT(field, high) .type = KEY_COUNT, IN(field), .lo = 1, .hi = (high)
#define REAL(field, low, high) .type = KEY_REAL, IN(field), .lo = (low), .hi = (high)
#define REALS(field, low, high) .type = KEY_REALS, IN(field), .lo = (low), .hi = (high)
#define WIDTHS(field) .type = KEY_WIDTHS, IN(field)
#define CHOICE(field, names, first, last)                                                          \
    .type = KEY_CHOICE, IN(field), .choices = (names), .lo = (first), .hi = (last)
#define KEY(in, key) .section = (in), .name = (key), .flat = (key)
#define SHARED_KEY(in, key) .section = (in), .name = (key), .flat = in "." key

enum { SEED_MAX = 2147483647, IMAGES_MAX = 1000000000 };

const struct spec_key spec_keys[SPEC_KEYS + 1] = {
    {KEY("grid", "scheme"), TEXT(scheme), .help = "the quantizer"},
    {KEY("grid", "network"), TEXT(network),
     .help = "a name in experiments/networks or among Darknet's own, or a path to a .cfg"},
    {KEY("grid", "dataset"), TEXT(dataset),
     .help = "a name that 'truncquant check' lists, or a path to a folder of images"},
    {KEY("grid", "seed"), INT(seed, 0, SEED_MAX), .preset = "1",
     .help = "names every random stream of the run"},

    {KEY("quant", "range"), CHOICE(axes.range, range_names, RANGE_TANH, RANGE_MINMAX),
     .help = "range map, instead of the scheme's"},
    {KEY("quant", "rounder"), CHOICE(axes.rounder, rounder_names, ROUND_NEAREST, ROUND_FLOOR),
     .help = "rounder, instead of the scheme's"},
    {KEY("quant", "dequantizer"),
     CHOICE(axes.dequantizer, dequantizer_names, DEQUANT_ENDPOINT, DEQUANT_LOW),
     .help = "dequantizer, instead of the scheme's"},
    {KEY("quant", "layer_scale"), CHOICE(axes.scale, scale_names, SCALE_MEAN, SCALE_POW2),
     .preset = "mean", .help = "range tanh: mean|W|, or the power of two next to it"},
    {KEY("quant", "granularity"),
     CHOICE(axes.granularity, granularity_names, PER_LAYER, PER_CHANNEL), .preset = "layer",
     .help = "range minmax: one range per layer or per output channel"},
    {KEY("quant", "act_bits"), .type = KEY_ACT_BITS, IN(act_bits), .preset = "same",
     .help = "bits of activations: 1 ... 8, 32 (not quantized), or same as the weights"},
    {KEY("quant", "stored_bits"), INT(stored_bits, 2, 8), .preset = "8",
     .help = "bits of a frozen weight, which truncation cuts"},
    {KEY("quant", "projections"),
     CHOICE(projections, projections_names, PROJECTIONS_FLOAT, PROJECTIONS_QUANTIZED),
     .preset = "float", .help = "weights of projection shortcuts"},
    {KEY("quant", "shortcut_norm"),
     CHOICE(shortcut_norm, shortcut_norm_names, NORM_PER_WIDTH, NORM_SHARED), .preset = "per-width",
     .help = "banks of the batch norm behind a projection"},
    {KEY("quant", "norm_bank"), CHOICE(norm_bank, norm_bank_names, BANK_PER_WIDTH, BANK_SHARED),
     .preset = "per-width",
     .help = "banks of batch norm; range tanh: shared is one, with bias correction of the weights"},

    {KEY("train", "widths"), WIDTHS(widths), .preset = "1 2 4 8 32",
     .help = "bit-widths trained jointly (fp32: always 32)"},
    {KEY("train", "epochs"), INT(epochs, 1, 100000), .preset = "200",
     .help = "passes over the images"},
    {KEY("train", "val"), INT(val, 0, IMAGES_MAX), .preset = "0",
     .help = "images that are drawn from the training split, by the seed, and not trained on"},
    {SHARED_KEY("train", "images"), COUNT(train_images, IMAGES_MAX), .preset = "all",
     .help = "so many training images"},
    {SHARED_KEY("train", "select"), CHOICE(train_select, select_names, SELECT_FIRST, SELECT_DRAWN),
     .preset = "first",
     .help = "fewer images than all: the first, or drawn once, the same for all runs; a grid that "
             "says nothing gets drawn"},
    {KEY("train", "batch"), INT(batch, 2, 65536), .preset = "128", .help = "images of a step"},
    {KEY("train", "image_size"), INT(image_size, 0, 4096), .preset = "0",
     .help =
         "folder of images: make each image_size x image_size on the fly; 0: all are of one size"},
    {KEY("train", "optimizer"), CHOICE(optimizer, optimizer_names, OPTIMIZER_ADAM, OPTIMIZER_SGD),
     .preset = "adam", .help = "adam or sgd"},
    {KEY("train", "learning_rate"), REAL(learning_rate, 1e-12, 1000), .preset = "0.001",
     .help = "at the start"},
    {KEY("train", "momentum"), REAL(momentum, 0, 0.9999), .preset = "0.9", .help = "of sgd"},
    {KEY("train", "decay"), REAL(decay, 0, 1), .preset = "0",
     .help = "coupled weight decay, on all parameters"},
    {KEY("train", "schedule"), CHOICE(schedule, schedule_names, SCHEDULE_STEP, SCHEDULE_POLY),
     .preset = "step", .help = "of the learning rate"},
    {KEY("train", "milestones"), REALS(milestones, 0, 1), .preset = "0.5 0.75 0.9",
     .help = "schedule step: shares of all steps after which the rate falls"},
    {KEY("train", "gamma"), REAL(gamma, 1e-12, 1), .preset = "0.1",
     .help = "schedule step: factor of the rate at a milestone"},
    {KEY("train", "power"), REAL(power, 0, 100), .preset = "4",
     .help = "of schedule poly (1 - share of steps), and of the warm-up"},
    {KEY("train", "warmup"), REAL(warmup, 0, 0.5), .preset = "0",
     .help = "share of all steps in which the rate rises from 0; 0: none"},
    {KEY("train", "from"), CHOICE(from, from_names, FROM_GRID, FROM_CFG), .preset = "grid",
     .help = "cfg: what of the recipe the grid leaves unsaid is that of the network's [net]"},
    {KEY("train", "augment"), CHOICE(augment, augment_names, AUGMENT_AUTO, AUGMENT_CROP_FLIP),
     .preset = "auto",
     .help = "auto is crop-flip for colour photographs and none for others; with image_size, the "
             "crop is resized"},
    {KEY("train", "distill"), CHOICE(distill, distill_names, DISTILL_RECURSIVE, DISTILL_HIGHEST),
     .preset = "recursive",
     .help = "teacher of a width: the next above, the labels alone, or the highest"},
    {KEY("train", "width_weight"), REALS(width_weight, 0, 1000), .preset = "1",
     .help = "factor of each width's gradient, in ascending widths; 1 is 1 for all"},
    {KEY("train", "align"), REAL(align, 0, 1e6), .preset = "0",
     .help = "rounder nearest: weight of the loss that aligns codes with truncation; 0: none"},
    {KEY("train", "kurtosis"), REAL(kurtosis, 0, 1e6), .preset = "0",
     .help = "weight of the loss that makes weights uniform (KURE); 0: none"},
    {KEY("train", "step_rate"), REAL(step_rate, 0, 1000), .preset = "1",
     .help = "learned steps of quantizers: factor of their learning rate"},
    {KEY("train", "init"), TEXT(init), .preset = "none",
     .help = "a Darknet weights file of the network to start from, or none"},

    {KEY("evaluate", "bits"), WIDTHS(bits), .preset = "1 2 3 4 5 6 7 8 32",
     .help = "bit-widths to evaluate"},
    {KEY("evaluate", "calibration"), INT(calibration, 0, 100000), .preset = "20",
     .help = "training batches that re-estimate the running statistics; 0: never"},
    {KEY("evaluate", "calibrate_at"),
     CHOICE(calibrate_at, calibrate_at_names, CALIBRATE_ALL, CALIBRATE_WIDTHS), .preset = "all",
     .help = "calibrate at all evaluated widths or at the trained ones only"},
    {KEY("evaluate", "split"), CHOICE(split, split_names, EVALUATE_TEST, EVALUATE_VAL),
     .preset = "test", .help = "test, or the images that val holds out"},
    {SHARED_KEY("evaluate", "images"), COUNT(test_images, IMAGES_MAX), .preset = "all",
     .help = "so many images of the evaluated split"},
    {SHARED_KEY("evaluate", "select"),
     CHOICE(test_select, select_names, SELECT_FIRST, SELECT_DRAWN), .preset = "first",
     .help = "fewer images than all: the first, or drawn once, as in training"},
    {KEY("evaluate", "every"), INT(every, 0, 100000), .preset = "0",
     .help = "evaluate during training, too, after so many epochs each; 0: never; no other run"},
    {KEY("evaluate", "every_split"), CHOICE(every_split, split_names, EVALUATE_TEST, EVALUATE_VAL),
     .preset = "val", .help = "on which images: val, those that val holds out, or test"},
    {0},
};

/* A choice is stored as an int, whatever enum the field is declared with. */
static_assert(sizeof(enum range_map) == sizeof(int) && sizeof(enum rounder) == sizeof(int) &&
                  sizeof(enum dequantizer) == sizeof(int) &&
                  sizeof(enum layer_scale) == sizeof(int) &&
                  sizeof(enum granularity) == sizeof(int),
              "enums of the axes are as wide as int");

const struct spec_key *spec_key_in(const char *section, const char *name) {
    for (const struct spec_key *k = spec_keys; k->name; k++)
        if (!strcmp(k->section, section) && !strcmp(k->name, name))
            return k;
    return NULL;
}

const struct spec_key *spec_key_find(const char *name) {
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        if (!strcmp(k->flat, name))
            return k;
        size_t n = strlen(k->section);
        if (!strncmp(name, k->section, n) && name[n] == '.' && !strcmp(name + n + 1, k->name))
            return k;
    }
    return NULL;
}

static int in_section(const struct spec_key *key, const char *section) {
    return !section || !strcmp(key->section, section);
}

/* The name is right and only its place is not: say all places it has. Returns 0 when it has none.
 */
static int misplaced(const char *section, const char *name, struct error *e) {
    char places[64] = "";
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        if (strcmp(k->name, name))
            continue;
        text_list_add(places, sizeof places, " or ", section ? k->section : k->flat);
    }
    if (!places[0])
        return 0;
    if (section)
        return fail(e, "[%s] has no key '%s'; it belongs in [%s]", section, name, places);
    return fail(e, "'%s' stands in two sections; say %s", name, places);
}

int spec_key_unknown(const char *section, const char *name, struct error *e) {
    if (misplaced(section, name, e))
        return -1;
    struct nearest near = nearest_start(name);
    char known[512] = "";
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        if (!in_section(k, section))
            continue;
        const char *said = section ? k->name : k->flat;
        nearest_offer(&near, said);
        text_list_add(known, sizeof known, ", ", said);
    }
    if (nearest_best(&near))
        return fail(e, "unknown key '%s'; did you mean %s?", name, nearest_best(&near));
    return fail(e, "unknown key '%s'; the keys are %s", name, known);
}
