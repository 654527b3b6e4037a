/* Who a run is: the text whose SHA-256 is the run's id, and the label of its quantizer.
 *
 *     spec=1
 *     scheme=NAME          where the name says more than the axes (quantizer_is_own)
 *     range=tanh           the axes, always
 *     rounder=floor
 *     dequantizer=endpoint
 *     epochs=3             any other key that matters and is not at its frozen default
 *     seed=1               always; left out for the config_id
 *     data=<manifest hash>
 *     cfg:
 *     <the network in normal form>
 *
 * What cannot change the result does not change the id: names of networks and data sets, keys
 * without effect (spec_key_matters), requests. Two ways of asking for the
 * same with keys that do matter (train.images = all, or all of them by number) are two runs. */
#include "spec/init.h"

#include "quant/fingerprint.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Its name, not its axes alone, says what is computed. */
static int has_own_name(const struct spec *spec, const struct quantizer *const *table) {
    const struct quantizer *q = quantizer_find(table, spec->scheme);
    return q && quantizer_is_own(q);
}

/* A text that grows within the room it was given, which is enough by construction. */
struct text {
    char *bytes;
    size_t n, room;
};

static void text_append(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void text_append(struct text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    t->n += (size_t)vsnprintf(t->bytes + t->n, t->room - t->n, format, args);
    va_end(args);
}

static void add_keys(struct text *t, const struct spec *spec) {
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        char value[SPEC_VALUE];
        if (!strcmp(k->section, "grid") || spec_is_default(spec, k))
            continue;
        spec_print_value(spec, k, value, sizeof value);
        // Of a weights file the content counts, not the name.
        const char *hash = k->type == KEY_FILE ? init_hash(spec) : NULL;
        text_append(t, "%s=%s\n", k->flat, hash ? hash : value);
    }
}

static void hash_identity(const struct spec *spec, const struct quantizer *const *table,
                          int with_seed, const char *cfg_normal, const char *data_hash,
                          char id[HASH_HEX]) {
    enum { LINE = SPEC_VALUE + 64 };
    struct text t = {.room = SPEC_KEYS * LINE + strlen(data_hash) + strlen(cfg_normal)};
    t.bytes = need(t.room, 1);
    text_append(&t, "spec=%d\n", SPEC_VERSION);
    if (has_own_name(spec, table))
        text_append(&t, "scheme=%s\n", spec->scheme);
    add_keys(&t, spec);
    if (with_seed)
        text_append(&t, "seed=%ld\n", spec->seed);
    text_append(&t, "data=%s\ncfg:\n%s", data_hash, cfg_normal);
    hash_hex(t.bytes, t.n, id);
    free(t.bytes);
}

void spec_ids(const struct spec *spec, const struct quantizer *const *table, const char *cfg_normal,
              const char *data_hash, char run_id[HASH_HEX], char config_id[HASH_HEX]) {
    struct spec s = *spec, configuration;
    spec_normalize(&s, table);
    spec_drop_requests(&s);
    hash_identity(&s, table, 1, cfg_normal, data_hash, run_id);
    spec_configuration(&s, table, &configuration);
    hash_identity(&configuration, table, 0, cfg_normal, data_hash, config_id);
}

static int same_axes(const struct axes *a, const struct axes *b) {
    return a->range == b->range && a->rounder == b->rounder && a->dequantizer == b->dequantizer &&
           a->scale == b->scale && a->granularity == b->granularity;
}

static void print_axis(const struct spec *spec, const char *key, char *text, size_t size) {
    spec_print_value(spec, spec_key_find(key), text, size);
}

static void join_axes(const struct spec *spec, int own, char *text, size_t size) {
    char range[SPEC_VALUE], rounder[SPEC_VALUE], dequantizer[SPEC_VALUE];
    print_axis(spec, "range", range, sizeof range);
    print_axis(spec, "rounder", rounder, sizeof rounder);
    print_axis(spec, "dequantizer", dequantizer, sizeof dequantizer);
    snprintf(text, size, "%s%s%s-%s-%s%s%s", own ? spec->scheme : "", own ? "-" : "", range,
             rounder, dequantizer, spec->axes.scale == SCALE_POW2 ? "-pow2" : "",
             spec->axes.granularity == PER_CHANNEL ? "-channel" : "");
}

void spec_scheme_label(const struct spec *spec, const struct quantizer *const *table, char *text,
                       size_t size) {
    const struct quantizer *named = quantizer_find(table, spec->scheme);
    int own = has_own_name(spec, table);
    if (!named || !same_axes(&named->axes, &spec->axes))
        named = own ? NULL : quantizer_with_axes(table, &spec->axes);
    if (named)
        snprintf(text, size, "%s", named->name);
    else
        join_axes(spec, own, text, size);
}

void spec_fingerprint(const struct spec *spec, const struct quantizer *const *table,
                      char hex[HASH_HEX]) {
    quantizer_fingerprint(quantizer_find(table, spec->scheme), &spec->axes, hex);
}
