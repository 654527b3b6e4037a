/* The key `init`: the Darknet weights file that a run starts from. A grid says its path; once the
 * run is planned, the SHA-256 of the file's bytes is part of the value, and of the run's identity
 * instead of the path:
 *
 *     none        PATH        PATH@0123...cdef (64 digits) */
#ifndef SPEC_INIT_H
#define SPEC_INIT_H

#include "spec/spec.h"

int init_is_given(const struct spec *spec);

/* The path alone. */
void init_path(const struct spec *spec, char path[SPEC_TEXT]);

/* The hash as 64 digits in the spec's own text, or NULL before it is known. */
const char *init_hash(const struct spec *spec);

/* Make the hash part of the value. */
void init_pin(struct spec *spec, const char *hash);

#endif
