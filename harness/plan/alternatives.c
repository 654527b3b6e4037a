/* The alternatives of a key, from "a, b, c..d" to texts that all differ; alternatives.h is the
 * manual. */
#include "plan/alternatives.h"

#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

const struct alternatives *alternatives_find(const struct alternatives *a, int n,
                                             const char *flat) {
    for (int i = 0; i < n; i++)
        if (!strcmp(a[i].key->flat, flat))
            return &a[i];
    return NULL;
}

void alternatives_free(struct alternatives *a, int n) {
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < a[i].n; k++)
            free(a[i].text[k]);
        free(a[i].text);
    }
}

static void add_text(struct alternatives *a, const char *text) {
    char **more = need((size_t)a->n + 1, sizeof *more);
    if (a->n)
        memcpy(more, a->text, (size_t)a->n * sizeof *more);
    free(a->text);
    a->text = more;
    a->text[a->n++] = need_string(text);
}

/* One alternative, checked and brought to its canonical text. */
static int add_alternative(struct alternatives *a, const struct quantizer *const *table,
                           const char *text, struct error *e) {
    struct spec scratch;
    char canonical[SPEC_VALUE];
    if (!text[0])
        return fail(e, "%s has an empty alternative; remove the comma or give a value",
                    a->key->flat);
    spec_defaults(&scratch);
    if (spec_set(&scratch, table, a->key, text, e))
        return -1;
    spec_print_value(&scratch, a->key, canonical, sizeof canonical);
    for (int i = 0; i < a->n; i++)
        if (!strcmp(a->text[i], canonical))
            return fail(e, "%s has the alternative %s twice; remove one", a->key->flat, canonical);
    add_text(a, canonical);
    return 0;
}

/* Keys of whole numbers, of which "1..5" are five alternatives. Lists of widths have ranges of
 * members, which they read themselves. */
static int takes_ranges(const struct spec_key *key) {
    return key->type == KEY_INT || key->type == KEY_COUNT || key->type == KEY_ACT_BITS;
}

static int add_range(struct alternatives *a, const struct quantizer *const *table, const char *text,
                     struct error *e) {
    enum { MOST = 1000 };
    long first, last;
    int rc = 0;
    if (text_range(text, LONG_MIN, LONG_MAX, &first, &last))
        return fail(e,
                    "%s has '%s', which is no range; write whole numbers, the smaller one first, "
                    "without blanks, such as 1..5",
                    a->key->flat, text);
    if ((unsigned long)last - (unsigned long)first >= MOST)
        return fail(e, "%s has %s, which are more than %d values; take a smaller range",
                    a->key->flat, text, MOST);
    for (long value = first; value <= last && !rc; value++) {
        char one[24];
        snprintf(one, sizeof one, "%ld", value);
        rc = add_alternative(a, table, one, e);
    }
    return rc;
}

static int add_one_or_range(struct alternatives *a, const struct quantizer *const *table,
                            const char *text, struct error *e) {
    return takes_ranges(a->key) && strstr(text, "..") ? add_range(a, table, text, e)
                                                      : add_alternative(a, table, text, e);
}

int alternatives_read(struct alternatives *a, const struct quantizer *const *table,
                      const char *value, struct error *e) {
    if (!value[0])
        return fail(e, "%s has no value; give it one or remove it", a->key->flat);
    char *copy = need_string(value);
    int rc = 0;
    for (char *at = copy; at && !rc;) {
        char *comma = strchr(at, ',');
        if (comma)
            *comma = '\0';
        rc = add_one_or_range(a, table, text_trim(at), e);
        at = comma ? comma + 1 : NULL;
    }
    free(copy);
    return rc;
}
