/* What a grid says of one key: alternatives, which multiply. */
#ifndef PLAN_ALTERNATIVES_H
#define PLAN_ALTERNATIVES_H

#include "spec/spec.h"

/* A key and its alternatives: canonical texts, all different. In a condition, any of them matches.
 */
struct alternatives {
    const struct spec_key *key;
    int line;
    int n;
    char **text; // (n), owned
};

/* From "a, b, c": -1 when one is empty, no value of the key, or there already. Where the key takes
 * a whole number, "1..5" stands for 1, 2, 3, 4, 5; lists of widths have such ranges of members
 * (text_widths). `a` has its key and no text yet. */
int alternatives_read(struct alternatives *a, const struct quantizer *const *table,
                      const char *value, struct error *e);

/* Those of `n` keys. */
void alternatives_free(struct alternatives *a, int n);

/* The alternatives of a key among `n`, or NULL. */
const struct alternatives *alternatives_find(const struct alternatives *a, int n, const char *flat);

#endif
