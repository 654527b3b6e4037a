/* A grid file: an INI file whose commas multiply (experiments/README.md is the user's manual).
 *
 *     [grid]                       name, scheme, network, dataset, seed
 *     [quant] [train] [evaluate]   the other keys of spec/key_rows.h
 *     [when key=value ...]         overrides for the combinations that match
 *     [exclude]                    rule = key=value ...: removes the combinations that match; may
 *                                  stand several times
 *
 * The way of a combination: alternatives multiply; every [when] whose conditions hold for the
 * values so multiplied overrides, later ones over earlier ones; rules of [exclude] see the values
 * that result; what is left is normalized (spec_normalize) and validated. Combinations that have
 * become one, since they differed in nothing but overridden keys and keys without effect, are one
 * run; two schemes that stand for the same axes are an error.
 *
 * Read through libinih's ini_parse_stream with a reader of our own that counts lines and refuses
 * what libinih would mangle (lines over 198 bytes, indented lines, NUL bytes, CR). */
#ifndef PLAN_GRID_H
#define PLAN_GRID_H

#include "spec/spec.h"

struct grid {
    char name[64];
    int n;              // combinations
    struct spec *specs; // normalized, valid; in the order of the file, later keys vary fastest
    char **origins;     // per spec and key, (n, SPEC_KEYS): where the value came from: "default",
                        // "scheme", "no effect", "--set", or "FILE:LINE"; owned
    char *notes;        // one line each, or "": keys that have no effect in any run; owned
};

/* All combinations, validated; -1 with FILE:LINE when a key, value, scheme is unknown, a rule
 * excludes everything, the grid is empty, a [when] or a rule matches nothing, two combinations are
 * the same, ...
 *
 * `set` (NULL: nothing) is what the command line says instead of the file: key=value key="two
 * words" key=a,b as in [when]. It replaces the alternatives of a key, wins over [when], and its
 * values are appended to the grid's name ("demo-cifar10"), so that those runs do not take the place
 * of the file's own. Conditions and rules that match nothing are no mistake then. */
int grid_read(struct grid *g, const struct quantizer *const *table, const char *path,
              const char *set, struct error *e);
void grid_free(struct grid *g);

/* Where the value of `key` in spec number `i` came from. */
const char *grid_origin(const struct grid *g, int i, const struct spec_key *key);

#endif
