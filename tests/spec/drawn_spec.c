/* Specs by chance; drawn_spec.h is the manual. */
#include "spec/drawn_spec.h"

#include "spec/made_spec.h"
#include "spec/schemes.h"

#include <stdio.h>

void drawn_value(struct random *r, const struct spec_key *key, char *text, size_t size) {
    static const int widths[] = {1, 2, 3, 4, 5, 6, 7, 8, 32};
    uint32_t span = (uint32_t)(key->hi - key->lo) + 1;
    size_t at = 0;
    text[0] = '\0';
    switch (key->type) {
    case KEY_SCHEME:
        snprintf(text, size, "%s", test_schemes[random_below(r, TEST_SCHEMES)]->name);
        break;
    case KEY_TEXT:
    case KEY_FILE:
        snprintf(text, size, "name-%u", random_below(r, 1000));
        break;
    case KEY_CHOICE:
        snprintf(text, size, "%s", key->choices[(uint32_t)key->lo + random_below(r, span)]);
        break;
    case KEY_COUNT:
    case KEY_INT:
        snprintf(text, size, "%ld", (long)key->lo + (long)random_below(r, span));
        break;
    case KEY_REAL:
        snprintf(text, size, "%.17g", key->lo + (key->hi - key->lo) * random_unit(r));
        break;
    case KEY_ACT_BITS:
        snprintf(text, size, "%d", widths[random_below(r, 9)]);
        break;
    case KEY_WIDTHS:
        for (int i = 0; i < 9; i++)
            if (random_below(r, 2) || i == 8)
                at += (size_t)snprintf(text + at, size - at, "%d ", widths[i]);
        break;
    case KEY_REALS:
    case KEY_FACTORS:
        for (int i = 0; i < 9; i++)
            at +=
                (size_t)snprintf(text + at, size - at, "%.17g ", (i + random_unit(r)) / 10 + 1e-3);
        break;
    }
}

struct spec drawn_spec(struct random *r) {
    struct spec spec;
    spec_defaults(&spec);
    for (const struct spec_key *k = spec_keys; k->name; k++) { // the scheme is the first of them
        char text[SPEC_VALUE];
        if (k->type != KEY_SCHEME && random_below(r, 3) == 0)
            continue;
        drawn_value(r, k, text, sizeof text);
        made_set(&spec, k->flat, text);
    }
    spec_normalize(&spec, test_schemes);
    return spec;
}
