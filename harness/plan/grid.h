/* A grid file: an INI file whose commas multiply (experiments/README.md is the user's manual).
 *
 *     [grid] name, scheme, network, dataset, seed   [quant] [train] [evaluate]   keys of
 * plan/spec.h [when key=value ...]   overrides for the combinations that match [exclude] rule =
 * key=value ...   removes the combinations that match; may stand several times
 *
 * Read through libinih's ini_parse_stream with a reader of our own that counts lines and refuses
 * what libinih would mangle (lines over 198 bytes, indented lines, NUL bytes, CR). */
#ifndef PLAN_GRID_H
#define PLAN_GRID_H

#include "plan/spec.h"

struct grid {
    char name[64];
    int n;              // combinations
    struct spec *specs; // in the order of the file, later keys vary fastest
    char **origins; // for --explain: per spec and key, n x (number of keys), where the value came
                    // from: "default", "scheme", or "FILE:LINE"; owned
};

/* All combinations, validated; -1 with FILE:LINE when a key, value, scheme is unknown, a rule
 * excludes everything, the grid is empty, a [when] matches nothing, two combinations are the same,
 * ... */
int grid_read(struct grid *g, const struct quantizer *const *table, const char *path,
              struct error *e);
void grid_free(struct grid *g);

#endif
