/* A spec as text, "key = value" lines, and back; spec.h is the manual. */
#include "spec/spec.h"

#include <stdlib.h>
#include <string.h>

void spec_write(const struct spec *spec, const struct quantizer *const *table, FILE *out) {
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        if (!spec_key_is_said(spec, table, k))
            continue;
        char text[SPEC_VALUE];
        spec_print_value(spec, k, text, sizeof text);
        fprintf(out, "%s = %s\n", k->flat, text);
    }
}

void spec_write_line(const struct spec *spec, const struct quantizer *const *table, FILE *out) {
    const char *blank = "";
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        char text[SPEC_VALUE];
        if (!spec_key_is_said(spec, table, k))
            continue;
        spec_print_value(spec, k, text, sizeof text);
        const char *quote = strpbrk(text, " \t") ? "\"" : "";
        fprintf(out, "%s%s=%s%s%s", blank, k->flat, quote, text, quote);
        blank = " ";
    }
}

struct reading {
    const struct quantizer *const *table;
    const char *values[SPEC_KEYS]; // by key; NULL: not said
    int lines[SPEC_KEYS];
};

/* Note "key = value"; blank lines and comments are passed over. */
static int read_line(struct reading *r, char *line, int number, struct error *e) {
    line = text_trim(line);
    if (!line[0] || line[0] == '#')
        return 0;
    char *equals = strchr(line, '=');
    if (!equals)
        return fail(e, "'%s' is not of the form key = value; write it so", line);
    *equals = '\0';
    const char *name = text_trim(line);
    const struct spec_key *key = spec_key_find(name);
    if (!key)
        return spec_key_unknown(NULL, name, e);
    int k = (int)(key - spec_keys);
    if (r->values[k])
        return fail(e, "%s stands twice, first on line %d; remove one", name, r->lines[k]);
    r->values[k] = text_trim(equals + 1);
    r->lines[k] = number;
    return 0;
}

static int read_lines(struct reading *r, char *text, const char *file, struct error *e) {
    int number = 1;
    for (char *line = text; line; number++) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        if (read_line(r, line, number, e))
            return fail_prefix(e, file, number);
        line = end ? end + 1 : NULL;
    }
    return 0;
}

/* The scheme is the first key of the table, so that it sets the axes before others change them. */
static int apply_values(const struct reading *r, struct spec *spec, const char *file,
                        struct error *e) {
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        int i = (int)(k - spec_keys);
        if (!r->values[i] && !k->preset && !strcmp(k->section, "grid"))
            return fail_at(e, file, 0, "has no '%s'; add the line '%s = ...'", k->flat, k->flat);
        if (r->values[i] && spec_set(spec, r->table, k, r->values[i], e))
            return fail_prefix(e, file, r->lines[i]);
    }
    spec_normalize(spec, r->table);
    const struct spec_key *fault = spec_fault(spec, r->table, e);
    return fault ? fail_prefix(e, file, r->lines[fault - spec_keys]) : 0;
}

int spec_read(struct spec *spec, const struct quantizer *const *table, const char *text,
              const char *file, struct error *e) {
    struct reading reading = {.table = table};
    char *copy = need_string(text);
    spec_defaults(spec);
    int rc = read_lines(&reading, copy, file, e);
    if (!rc)
        rc = apply_values(&reading, spec, file, e);
    free(copy);
    return rc;
}
