/* A whole spec: its defaults, and what it is once the keys that do not matter are back at theirs.
 * Which matter is said in key_rows.h; single values are value.c's, faults between keys
 * validate.c's, its text text.c's, the hash of it all identity.c's. */
#include "spec/spec.h"

#include <stdlib.h>
#include <string.h>

/* `e` is of the caller, who presets many: to clear one for each key took most of a plan's time. */
static void preset_in(struct spec *spec, const struct spec_key *key, struct error *e) {
    if (key->preset && spec_set(spec, NULL, key, key->preset, e)) {
        fprintf(stderr, "truncquant: default of %s: %s\n", key->flat, e->text);
        abort(); // the table contradicts itself
    }
}

static void preset(struct spec *spec, const struct spec_key *key) {
    struct error e = {0};
    preset_in(spec, key, &e);
}

void spec_defaults(struct spec *spec) {
    struct error e = {0};
    memset(spec, 0, sizeof *spec);
    for (const struct spec_key *k = spec_keys; k->name; k++)
        preset_in(spec, k, &e);
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
    spec_defaults(start);
    spec_set(start, table, spec_key_find("scheme"), scheme, &e);
}

void spec_drop_requests(struct spec *spec) {
    for (const struct spec_key *k = spec_keys; k->name; k++)
        if (k->request)
            preset(spec, k);
}

int spec_key_matters(const struct spec *spec, const struct quantizer *const *table,
                     const struct spec_key *key) {
    return !key->matters_if || key->matters_if(spec, quantizer_find(table, spec->scheme));
}

int evaluation_exists(const struct spec *spec, const struct quantizer *quantizer, int k,
                      int truncated) {
    return quantizer_exists(quantizer, &spec->widths, (int)spec->stored_bits, k, truncated);
}

int evaluation_calibrates(const struct spec *spec, const struct quantizer *quantizer, int k) {
    return spec->calibration > 0 && (spec->calibrate_at == CALIBRATE_ALL || quantizer->parent ||
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
