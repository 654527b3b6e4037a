/* The table of every key that says what a run computes: names, defaults, ranges, when it matters,
 * help. Its rows are key_rows.h's; here is what they are made of, and finding one by name. */
#include "base/nearest.h"
#include "base/text.h"
#include "spec/init.h"
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

/* When a key can change the result: conditions for the rows. `q` is the spec's scheme, NULL when it
 * is none of the table's; then nothing is known that would make the key idle. */

static int is_quantized(const struct spec *s, const struct quantizer *q) {
    (void)s;
    return !q || q->min_bits != FLOAT_BITS;
}

static int is_trained(const struct spec *s, const struct quantizer *q) {
    (void)s;
    return !q || !q->parent;
}

static int is_quantized_in_training(const struct spec *s, const struct quantizer *q) {
    return is_quantized(s, q) && is_trained(s, q);
}

/* A run is about more than one width. */
static int has_other_widths(const struct spec *s, const struct quantizer *q) {
    (void)s;
    return !q || !q->alone;
}

static int is_quantized_at_other_widths(const struct spec *s, const struct quantizer *q) {
    return is_quantized(s, q) && has_other_widths(s, q);
}

/* One model is trained for all of its widths, or to be cut. */
static int is_trained_jointly(const struct spec *s, const struct quantizer *q) {
    return is_quantized_in_training(s, q) && has_other_widths(s, q);
}

static int is_trained_at_several_widths(const struct spec *s, const struct quantizer *q) {
    return is_trained_jointly(s, q) && s->widths.n > 1;
}

static int has_a_bank_for_each_of_several_widths(const struct spec *s, const struct quantizer *q) {
    return is_trained_at_several_widths(s, q) && s->norm_bank == BANK_PER_WIDTH;
}

/* With floor, codes are aligned as they are. */
static int can_be_aligned(const struct spec *s, const struct quantizer *q) {
    return is_trained_jointly(s, q) && s->axes.rounder != ROUND_FLOOR;
}

/* Of fp32, what decides which layers are quantized decides about activations alone. */
static int has_quantized_layers(const struct spec *s, const struct quantizer *q) {
    return is_quantized(s, q) || (s->act_bits && s->act_bits != FLOAT_BITS);
}

static int learns_steps(const struct spec *s, const struct quantizer *q) {
    (void)s;
    return q && q->n_params;
}

static int starts_from_a_file(const struct spec *s, const struct quantizer *q) {
    (void)q;
    return init_is_given(s);
}

/* Until the network has been read, FROM_CFG leaves open what a key of the recipe goes with. */
static int has_momentum(const struct spec *s, const struct quantizer *q) {
    (void)q;
    return s->from == FROM_CFG || s->optimizer == OPTIMIZER_SGD;
}

static int has_milestones(const struct spec *s, const struct quantizer *q) {
    (void)q;
    return s->from == FROM_CFG || s->schedule == SCHEDULE_STEP;
}

static int has_a_power(const struct spec *s, const struct quantizer *q) {
    (void)q;
    return s->from == FROM_CFG || s->schedule == SCHEDULE_POLY || s->warmup > 0;
}

static int takes_some_training_images(const struct spec *s, const struct quantizer *q) {
    (void)q;
    return s->train_images > 0;
}

static int takes_some_evaluated_images(const struct spec *s, const struct quantizer *q) {
    (void)q;
    return s->test_images > 0;
}

static int is_calibrated_at_other_widths(const struct spec *s, const struct quantizer *q) {
    return has_other_widths(s, q) && s->calibration > 0;
}

static int is_evaluated_in_training(const struct spec *s, const struct quantizer *q) {
    return is_trained(s, q) && s->every > 0;
}

#define SPEC_KEY(in, key, ...) {.section = (in), .name = (key), .flat = (key), __VA_ARGS__},
#define SPEC_SHARED_KEY(in, key, ...)                                                              \
    {.section = (in), .name = (key), .flat = in "." key, __VA_ARGS__},
#define IN(field) .offset = offsetof(struct spec, field)
#define TEXT(kind, field) .type = (kind), IN(field), .size = sizeof((struct spec *)0)->field
#define INT(field, low, high) .type = KEY_INT, IN(field), .lo = (low), .hi = (high)
#define COUNT(field, high) .type = KEY_COUNT, IN(field), .lo = 1, .hi = (high)
#define REAL(field, low, high) .type = KEY_REAL, IN(field), .lo = (low), .hi = (high)
#define REALS(field, low, high) .type = KEY_REALS, IN(field), .lo = (low), .hi = (high)
#define FACTORS(field, low, high) .type = KEY_FACTORS, IN(field), .lo = (low), .hi = (high)
#define WIDTHS(field) .type = KEY_WIDTHS, IN(field)
#define CHOICE(field, names, first, last)                                                          \
    .type = KEY_CHOICE, IN(field), .choices = (names), .lo = (first), .hi = (last)

enum { SEED_MAX = 2147483647, IMAGES_MAX = 1000000000 };

const struct spec_key spec_keys[SPEC_KEYS + 1] = {
#include "spec/key_rows.h"
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
