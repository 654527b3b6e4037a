/* Specs for tests; made_spec.h is the manual. */
#include "spec/made_spec.h"

#include "spec/schemes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void made_set(struct spec *spec, const char *key, const char *text) {
    struct error e = {0};
    const struct spec_key *k = spec_key_find(key);
    assert_non_null(k);
    if (spec_set(spec, test_schemes, k, text, &e))
        fail_msg("%s", e.text);
}

struct spec made_spec(const char *scheme, ...) {
    struct spec spec;
    spec_defaults(&spec);
    made_set(&spec, "scheme", scheme);
    made_set(&spec, "network", "lenet");
    made_set(&spec, "dataset", "fashion-mnist");
    va_list args;
    va_start(args, scheme);
    for (const char *key; (key = va_arg(args, const char *));)
        made_set(&spec, key, va_arg(args, const char *));
    va_end(args);
    spec_normalize(&spec, test_schemes);
    return spec;
}

char *made_text(const struct spec *spec) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    spec_write(spec, test_schemes, out);
    fclose(out);
    return text;
}

void assert_spec_value(const struct spec *spec, const char *key, const char *expected) {
    char text[SPEC_VALUE];
    spec_print_value(spec, spec_key_find(key), text, sizeof text);
    assert_string_equal(text, expected);
}
