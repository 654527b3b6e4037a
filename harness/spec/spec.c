/* A whole spec: its defaults, and which of its keys can matter. Single values are value.c's, faults
 * between keys validate.c's, its text text.c's, the hash of it all identity.c's. */
#include "spec/spec.h"

#include <stdlib.h>
#include <string.h>

static void preset(struct spec *spec, const struct spec_key *key) {
    struct error e = {0};
    if (key->preset && spec_set(spec, NULL, key, key->preset, &e)) {
        fprintf(stderr, "truncquant: default of %s: %s\n", key->flat, e.text);
        abort(); // the table contradicts itself
    }
}

void spec_init(struct spec *spec) {
    memset(spec, 0, sizeof *spec);
    for (const struct spec_key *k = spec_keys; k->name; k++)
        preset(spec, k);
}

static int same_value(const struct spec *a, const struct spec *b, const struct spec_key *key) {
    char left[SPEC_VALUE], right[SPEC_VALUE];
    spec_print_value(a, key, left, sizeof left);
    spec_print_value(b, key, right, sizeof right);
    return !strcmp(left, right);
}

int spec_is_default(const struct spec *spec, const struct spec_key *key) {
    char text[SPEC_VALUE];
    if (!key->preset)
        return 0;
    spec_print_value(spec, key, text, sizeof text);
    return !strcmp(text, key->preset);
}

/* The spec that the scheme's name and the defaults alone make. */
static void start_of(struct spec *start, const struct quantizer *const *table, const char *scheme) {
    struct error e = {0};
    spec_init(start);
    spec_set(start, table, spec_key_find("scheme"), scheme, &e);
}

static int is_float(const struct spec *spec, const struct quantizer *const *table) {
    const struct quantizer *q = quantizer_find(table, spec->scheme);
    return q && q->min_bits == FLOAT_BITS;
}

static int is(const struct spec_key *key, const char *flat) {
    return !strcmp(key->flat, flat);
}

/* Keys that say how one model is trained for several widths, or to be cut: nothing to a scheme that
 * trains nothing, or each width alone. */
static int needs_joint_training(const struct spec_key *key) {
    return is(key, "width_weight") || is(key, "align");
}

/* Keys about other widths than the one that is trained. */
static int needs_other_widths(const struct spec_key *key) {
    return is(key, "stored_bits") || is(key, "bits") || is(key, "calibrate_at");
}

/* Keys that say how weights are quantized or how widths share a model: nothing to an fp32 model. */
static int needs_quantizer(const struct spec_key *key) {
    static const char *const names[] = {"range",       "rounder",     "dequantizer", "layer_scale",
                                        "granularity", "stored_bits", "widths",      "width_weight",
                                        "norm_bank",   "kurtosis"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(key, names[i]))
            return 1;
    return 0;
}

static int is_recipe(const struct spec_key *key) {
    return is(key, "momentum") || is(key, "milestones") || is(key, "gamma") || is(key, "power");
}

static int learns_steps(const struct spec *spec, const struct quantizer *const *table) {
    const struct quantizer *q = quantizer_find(table, spec->scheme);
    return q && q->n_params;
}

int spec_key_is_request(const struct spec_key *key) {
    return is(key, "every") || is(key, "every_split");
}

void spec_drop_requests(struct spec *spec) {
    for (const struct spec_key *k = spec_keys; k->name; k++)
        if (spec_key_is_request(k))
            preset(spec, k);
}

int spec_key_matters(const struct spec *spec, const struct quantizer *const *table,
                     const struct spec_key *key) {
    int floats = is_float(spec, table);
    const struct quantizer *q = quantizer_find(table, spec->scheme);
    int apart = q && (q->parent || q->alone); // widths are not trained jointly
    int several_widths = !floats && !apart && spec->widths.n > 1;
    if (apart && needs_joint_training(key))
        return 0;
    if (q && q->parent && (is(key, "widths") || is(key, "kurtosis") || is(key, "every")))
        return 0;
    if (q && q->alone && needs_other_widths(key))
        return 0;
    if (needs_quantizer(key))
        return !floats;
    if (is(key, "projections")) // of fp32, they decide about activations alone
        return !floats || (spec->act_bits && spec->act_bits != FLOAT_BITS);
    if (is(key, "step_rate"))
        return learns_steps(spec, table);
    if (is(key, "align")) // with floor, codes are aligned as they are
        return !floats && spec->axes.rounder != ROUND_FLOOR;
    if (is(key, "shortcut_norm"))
        return several_widths && spec->norm_bank == BANK_PER_WIDTH;
    if (is(key, "distill"))
        return several_widths;
    if (spec->from == FROM_CFG && is_recipe(key)) // what they go with is not known yet
        return 1;
    if (is(key, "momentum"))
        return spec->optimizer == OPTIMIZER_SGD;
    if (is(key, "milestones") || is(key, "gamma"))
        return spec->schedule == SCHEDULE_STEP;
    if (is(key, "power"))
        return spec->schedule == SCHEDULE_POLY || spec->warmup > 0;
    if (is(key, "calibrate_at"))
        return spec->calibration > 0;
    if (is(key, "train.select"))
        return spec->train_images > 0;
    if (is(key, "evaluate.select"))
        return spec->test_images > 0;
    if (is(key, "every_split"))
        return spec->every > 0 && !(q && q->parent);
    return 1;
}

int evaluation_exists(const struct spec *spec, const struct quantizer *scheme, int k,
                      int truncated) {
    return quantizer_exists(scheme, &spec->widths, (int)spec->stored_bits, k, truncated);
}

int evaluation_calibrates(const struct spec *spec, const struct quantizer *scheme, int k) {
    return spec->calibration > 0 && (spec->calibrate_at == CALIBRATE_ALL || scheme->parent ||
                                     widths_find(&spec->widths, k) >= 0);
}

int spec_act_bits(const struct spec *spec, int k) {
    return spec->act_bits ? (int)spec->act_bits : k;
}

int spec_has_bits(const struct spec *spec, const struct quantizer *q, int k) {
    return evaluation_exists(spec, q, k, 0) || evaluation_exists(spec, q, k, 1);
}

/* The evaluated widths that exist for the scheme, in place of those that are asked for: unless they
 * are what the default asks for too, which then stands. */
static void normalize_bits(struct spec *spec, const struct spec *start, const struct quantizer *q) {
    struct widths exist = {0}, usual = {0};
    for (int i = 0; i < spec->bits.n; i++)
        if (spec_has_bits(spec, q, spec->bits.bits[i]))
            exist.bits[exist.n++] = spec->bits.bits[i];
    for (int i = 0; i < start->bits.n; i++)
        if (spec_has_bits(spec, q, start->bits.bits[i]))
            usual.bits[usual.n++] = start->bits.bits[i];
    if (exist.n)
        spec->bits = memcmp(&exist, &usual, sizeof exist) ? exist : start->bits;
}

static void normalize_weights(struct spec *spec) {
    struct reals *w = &spec->width_weight;
    for (int i = 0; i < w->n; i++)
        if (w->value[i] != 1)
            return;
    if (w->n == 1 || w->n == spec->widths.n)
        *w = (struct reals){0};
}

void spec_normalize(struct spec *spec, const struct quantizer *const *table) {
    struct spec start;
    start_of(&start, table, spec->scheme);
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        if (spec_key_matters(spec, table, k))
            continue;
        char text[SPEC_VALUE];
        struct error e = {0};
        spec_print_value(&start, k, text, sizeof text);
        if (k->type == KEY_CHOICE) // "none" and "own" can be had from a scheme only
            memcpy((char *)spec + k->offset, (char *)&start + k->offset, sizeof(int));
        else
            spec_set(spec, table, k, text, &e);
    }
    const struct quantizer *q = quantizer_find(table, spec->scheme);
    if (!q)
        return;
    if (q->alone && spec->widths.n == 1)
        spec->bits = spec->widths;
    else
        normalize_bits(spec, &start, q);
    normalize_weights(spec);
    if (q->min_bits == FLOAT_BITS && spec->act_bits == FLOAT_BITS)
        spec->act_bits = 0; // `same` is 32 at the only width
}

int spec_parent(const struct spec *spec, const struct quantizer *const *table,
                struct spec *parent) {
    const struct quantizer *q = quantizer_find(table, spec->scheme);
    struct error e = {0};
    if (!q || !q->parent)
        return 0;
    *parent = *spec;
    preset(parent, spec_key_find("act_bits"));
    preset(parent, spec_key_find("bits"));
    if (spec_set(parent, table, spec_key_find("scheme"), q->parent, &e)) {
        fprintf(stderr, "truncquant: parent of %s: %s\n", q->name, e.text);
        abort(); // the table of quantizers contradicts itself
    }
    spec_normalize(parent, table);
    return 1;
}

int spec_configuration(const struct spec *spec, const struct quantizer *const *table,
                       struct spec *configuration) {
    const struct quantizer *q = quantizer_find(table, spec->scheme);
    *configuration = *spec;
    if (!q || !q->alone)
        return 0;
    preset(configuration, spec_key_find("widths"));
    preset(configuration, spec_key_find("bits"));
    return 1;
}

int spec_key_is_said(const struct spec *spec, const struct quantizer *const *table,
                     const struct spec_key *key) {
    if (!strcmp(key->section, "grid"))
        return 1;
    struct spec start;
    start_of(&start, table, spec->scheme);
    return !same_value(spec, &start, key);
}
