/* The views know every key of a spec: its default, and when it matters, as the program does. */
#include "store/fixture.h"

#include "plan/row.h"
#include "registry.h"
#include "spec/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int is_no_recipe(const struct spec_key *key) {
    return !strcmp(key->section, "grid") || key->request;
}

/* A key that is missing here belongs in recipe_keys (harness/store/schema/views.sql), in its place.
 */
static void keys_and_defaults_are_those_of_the_program(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    char *expected = NULL;
    size_t size;
    FILE *out = open_memstream(&expected, &size);
    for (const struct spec_key *k = spec_keys; k->name; k++)
        if (!is_no_recipe(k))
            fprintf(out, "%s=%s;", k->flat, k->preset ? k->preset : "");
    fclose(out);
    assert_string_equal(
        store_fixture_text(s, "SELECT group_concat(key || '=' || coalesce(preset, ''), ';') || ';' "
                              "FROM (SELECT * FROM recipe_keys ORDER BY place)"),
        expected);
    free(expected);
    store_close(s);
}

/* As the program says but for what has no default, which always stands there, keys that only one
 * range has, and the width of a dedicated model: the configuration has models of all. */
static int view_shows(const struct spec *spec, const struct quantizer *q,
                      const struct spec_key *key) {
    if (!key->preset)
        return 1;
    if (!strcmp(key->flat, "layer_scale"))
        return spec->axes.range == RANGE_TANH;
    if (!strcmp(key->flat, "granularity"))
        return spec->axes.range == RANGE_MINMAX;
    if (q->alone && !strcmp(key->flat, "widths"))
        return 0;
    return spec_key_matters(spec, quantizer_registry, key);
}

static char *params_of(const struct spec *spec) {
    char *text = NULL;
    size_t size;
    const char *separator = "{";
    FILE *out = open_memstream(&text, &size);
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        if (is_no_recipe(k) || spec_is_default(spec, k))
            continue;
        fputs(separator, out);
        row_print_param(out, spec, k);
        separator = ", ";
    }
    fputc('}', out);
    fclose(out);
    return text;
}

static void set(struct spec *spec, const char *key, const char *value) {
    struct error e = {0};
    if (spec_set(spec, quantizer_registry, spec_key_find(key), value, &e))
        fail_msg("%s", e.text);
}

static void add_run(struct store *s, const struct spec *spec, const struct quantizer *q, int i) {
    struct spec whole;
    struct run_row run = store_fixture_run(i, i, 1);
    spec_configuration(spec, quantizer_registry, &whole);
    char *params = params_of(&whole);
    run.scheme = q->name, run.params = params;
    run.parent = q->parent ? run.run_id : NULL;
    run.group = q->alone ? run.run_id : NULL;
    store_fixture_add(s, &run);
    free(params);
}

/* Every key of run `i`, in the order of the table. */
static void check_keys(struct store *s, const struct spec *spec, const struct quantizer *q, int i) {
    struct spec whole;
    char sql[256], value[SPEC_VALUE], *expected = NULL;
    size_t size;
    FILE *out = open_memstream(&expected, &size);
    spec_configuration(spec, quantizer_registry, &whole);
    for (const struct spec_key *k = spec_keys; k->name; k++)
        if (!is_no_recipe(k) && view_shows(spec, q, k)) {
            spec_print_value(&whole, k, value, sizeof value);
            fprintf(out, "%s=%s;", k->flat, value);
        }
    fclose(out);
    snprintf(sql, sizeof sql,
             "SELECT group_concat(key || '=' || value || ';', '') FROM (SELECT * FROM kept WHERE "
             "config_id = '%s' ORDER BY place)",
             store_fixture_run(i, i, 1).config_id);
    assert_string_equal(store_fixture_text(s, sql), expected);
    free(expected);
}

enum { SCHEMES_MAX = 32 };

static void a_key_is_shown_where_it_matters(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const char *const changes[][2] = {
        {"epochs", "200"},      {"optimizer", "sgd"},     {"schedule", "cosine"},
        {"schedule", "poly"},   {"warmup", "0.1"},        {"norm_bank", "shared"},
        {"act_bits", "4"},      {"act_bits", "32"},       {"calibration", "0"},
        {"kurtosis", "0.5"},    {"align", "1"},           {"learning_rate", "1e-05"},
        {"stored_bits", "6"},   {"decay", "0.0001"},      {"momentum", "0.5"},
        {"train.images", "64"}, {"distill", "labels"},    {"shortcut_norm", "shared"},
        {"bits", "2 8"},        {"evaluate.images", "9"}, {"init", "a.weights"},
    };
    enum { CHANGES = sizeof changes / sizeof *changes };
    static struct spec specs[SCHEMES_MAX][CHANGES];
    store_fixture_sql(s, "PRAGMA synchronous = OFF");
    for (int i = 0; quantizer_registry[i]; i++)
        for (int c = 0; c < CHANGES; c++) {
            struct spec *spec = &specs[i][c];
            spec_defaults(spec);
            set(spec, "scheme", quantizer_registry[i]->name);
            set(spec, changes[c][0], changes[c][1]);
            if (quantizer_registry[i]->alone)
                set(spec, "widths", "8");
            spec_normalize(spec, quantizer_registry);
            add_run(s, spec, quantizer_registry[i], 1 + i * CHANGES + c);
        }
    store_fixture_sql(s, "CREATE TEMP TABLE kept AS SELECT * FROM config_settings");
    for (int i = 0; quantizer_registry[i]; i++)
        for (int c = 0; c < CHANGES; c++)
            check_keys(s, &specs[i][c], quantizer_registry[i], 1 + i * CHANGES + c);
    store_close(s);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(keys_and_defaults_are_those_of_the_program),
        TEST(a_key_is_shown_where_it_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
