/* One value of a spec from text and back. The text is canonical: equal values print equally, and
 * what is printed reads back as the same value. What several keys say together is validate.c's. */
#include "base/nearest.h"
#include "base/text.h"
#include "spec/spec.h"

#include <stdlib.h>
#include <string.h>

static void *field(struct spec *spec, const struct spec_key *key) {
    return (char *)spec + key->offset;
}

static const void *field_of(const struct spec *spec, const struct spec_key *key) {
    return (const char *)spec + key->offset;
}

static int set_text(char *into, const struct spec_key *key, const char *text, struct error *e) {
    if (strlen(text) >= key->size)
        return fail(e, "%s takes at most %zu bytes; use a shorter name", key->flat, key->size - 1);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == 0x7f || *c == '"' || *c == ',')
            return fail(e,
                        "%s takes a name without quotes, commas and control characters; rename it",
                        key->flat);
    strcpy(into, text);
    return 0;
}

static int set_int(long *into, const struct spec_key *key, const char *text, struct error *e) {
    if (text_int(text, (long)key->lo, (long)key->hi, into))
        return fail(e, "%s takes a whole number from %ld to %ld, not '%s'", key->flat,
                    (long)key->lo, (long)key->hi, text);
    return 0;
}

static int set_count(long *into, const struct spec_key *key, const char *text, struct error *e) {
    *into = 0;
    if (!strcmp(text, "all"))
        return 0;
    if (text_int(text, (long)key->lo, (long)key->hi, into))
        return fail(e, "%s takes 'all' or a whole number from %ld to %ld, not '%s'", key->flat,
                    (long)key->lo, (long)key->hi, text);
    return 0;
}

static int real_in_range(const struct spec_key *key, const char *text, double *x) {
    if (text_real(text, x) || *x < key->lo || *x > key->hi)
        return -1;
    *x += 0.0; // -0 is 0, and prints as such
    return 0;
}

static int set_real(double *into, const struct spec_key *key, const char *text, struct error *e) {
    if (real_in_range(key, text, into))
        return fail(e, "%s takes a number from %g to %g, not '%s'", key->flat, key->lo, key->hi,
                    text);
    return 0;
}

static int set_reals(struct reals *into, const struct spec_key *key, const char *text,
                     struct error *e) {
    char *copy = need_string(text), *rest = NULL;
    int bad = 0;
    *into = (struct reals){0};
    for (char *word = strtok_r(copy, " \t", &rest); word && !bad;
         word = strtok_r(NULL, " \t", &rest))
        bad = into->n == SPEC_REALS || real_in_range(key, word, &into->value[into->n++]);
    free(copy);
    if (bad || !into->n)
        return fail(e, "%s takes 1 to %d numbers from %g to %g, separated by blanks, not '%s'",
                    key->flat, SPEC_REALS, key->lo, key->hi, text);
    return 0;
}

/* "1" stands for 1 at every width, however many there are. */
static int set_factors(struct reals *into, const struct spec_key *key, const char *text,
                       struct error *e) {
    if (set_reals(into, key, text, e))
        return -1;
    if (into->n == 1 && into->value[0] == 1)
        *into = (struct reals){0};
    return 0;
}

static int set_widths(struct widths *into, const struct spec_key *key, const char *text,
                      struct error *e) {
    if (text_widths(text, into))
        return fail(
            e,
            "%s takes different bit-widths of 1 ... 8 and 32, separated by blanks (1..4 for 1 2 3 "
            "4), not '%s'",
            key->flat, text);
    return 0;
}

static int set_act_bits(long *into, const struct spec_key *key, const char *text, struct error *e) {
    *into = 0;
    if (!strcmp(text, "same"))
        return 0;
    if (text_int(text, 1, FLOAT_BITS, into) || (*into > 8 && *into != FLOAT_BITS))
        return fail(e, "%s takes 'same', 1 ... 8 or 32, not '%s'", key->flat, text);
    return 0;
}

static int set_choice(void *into, const struct spec_key *key, const char *text, struct error *e) {
    char known[128] = "";
    for (int i = (int)key->lo; i <= (int)key->hi; i++) {
        if (!strcmp(key->choices[i], text)) {
            memcpy(into, &i, sizeof i);
            return 0;
        }
        text_list_add(known, sizeof known, ", ", key->choices[i]);
    }
    return fail(e, "%s takes one of %s, not '%s'", key->flat, known, text);
}

static int unknown_scheme(const struct quantizer *const *table, const char *name, struct error *e) {
    struct nearest near = nearest_start(name);
    char known[512] = "";
    for (; *table; table++) {
        nearest_offer(&near, (*table)->name);
        text_list_add(known, sizeof known, ", ", (*table)->name);
    }
    if (nearest_best(&near))
        return fail(e, "unknown scheme '%s'; did you mean %s? known are %s", name,
                    nearest_best(&near), known);
    return fail(e, "unknown scheme '%s'; known are %s", name, known);
}

static int set_scheme(struct spec *spec, const struct quantizer *const *table,
                      const struct spec_key *key, const char *text, struct error *e) {
    const struct quantizer *q = quantizer_find(table, text);
    if (!q)
        return unknown_scheme(table, text, e);
    if (set_text(spec->scheme, key, text, e))
        return -1;
    spec->axes = q->axes;
    if (q->min_bits == FLOAT_BITS || q->parent)
        spec->widths = (struct widths){1, {FLOAT_BITS}};
    if (q->parent)
        spec->act_bits = FLOAT_BITS;
    return 0;
}

int spec_set(struct spec *spec, const struct quantizer *const *table, const struct spec_key *key,
             const char *text, struct error *e) {
    if (!text[0])
        return fail(e, "%s has no value; give it one or remove the line", key->flat);
    void *into = field(spec, key);
    switch (key->type) {
    case KEY_SCHEME:
        return set_scheme(spec, table, key, text, e);
    case KEY_TEXT:
    case KEY_FILE:
        return set_text(into, key, text, e);
    case KEY_INT:
        return set_int(into, key, text, e);
    case KEY_COUNT:
        return set_count(into, key, text, e);
    case KEY_REAL:
        return set_real(into, key, text, e);
    case KEY_CHOICE:
        return set_choice(into, key, text, e);
    case KEY_WIDTHS:
        return set_widths(into, key, text, e);
    case KEY_REALS:
        return set_reals(into, key, text, e);
    case KEY_FACTORS:
        return set_factors(into, key, text, e);
    case KEY_ACT_BITS:
        return set_act_bits(into, key, text, e);
    }
    return -1;
}

static void print_reals(const struct reals *r, char *text, size_t size) {
    if (!r->n)
        snprintf(text, size, "1"); // width_weight left at 1 for all
    size_t at = 0;
    for (int i = 0; i < r->n && at < size; i++) {
        char one[32];
        text_print_real(r->value[i], one, sizeof one);
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? " " : "", one);
    }
}

static void print_long(long value, const char *zero, char *text, size_t size) {
    if (zero && !value)
        snprintf(text, size, "%s", zero);
    else
        snprintf(text, size, "%ld", value);
}

void spec_print_value(const struct spec *spec, const struct spec_key *key, char *text,
                      size_t size) {
    const void *from = field_of(spec, key);
    int choice;
    switch (key->type) {
    case KEY_SCHEME:
    case KEY_TEXT:
    case KEY_FILE:
        snprintf(text, size, "%s", (const char *)from);
        break;
    case KEY_INT:
        print_long(*(const long *)from, NULL, text, size);
        break;
    case KEY_COUNT:
        print_long(*(const long *)from, "all", text, size);
        break;
    case KEY_ACT_BITS:
        print_long(*(const long *)from, "same", text, size);
        break;
    case KEY_REAL:
        text_print_real(*(const double *)from, text, size);
        break;
    case KEY_CHOICE:
        memcpy(&choice, from, sizeof choice);
        snprintf(text, size, "%s", key->choices[choice]);
        break;
    case KEY_WIDTHS:
        text_print_widths(from, text, size);
        break;
    case KEY_REALS:
    case KEY_FACTORS:
        print_reals(from, text, size);
        break;
    }
}
