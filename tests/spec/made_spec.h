/* Specs as tests say them, of the table test_schemes. Each stops the test with a message where it
 * cannot. */
#ifndef TESTS_SPEC_MADE_SPEC_H
#define TESTS_SPEC_MADE_SPEC_H

#include "spec/spec.h"

void made_set(struct spec *spec, const char *key, const char *text);

/* A spec of the scheme, then "key", "value", ...; normalized. */
#define make(...) made_spec(__VA_ARGS__, (const char *)NULL)
struct spec made_spec(const char *scheme, ...);

/* Its text; the caller frees. */
char *made_text(const struct spec *spec);

void assert_spec_value(const struct spec *spec, const char *key, const char *expected);

#endif
