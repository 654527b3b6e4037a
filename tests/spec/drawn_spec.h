/* Specs by chance, of the table test_schemes. */
#ifndef TESTS_SPEC_DRAWN_SPEC_H
#define TESTS_SPEC_DRAWN_SPEC_H

#include "base/random.h"
#include "spec/spec.h"

/* A value that the key takes. */
void drawn_value(struct random *r, const struct spec_key *key, char *text, size_t size);

/* A third of the keys at their defaults, the others drawn; normalized, and often at fault. */
struct spec drawn_spec(struct random *r);

#endif
