/* Reading the reference of a comparison; against.h is the manual. */
#include "report/against.h"

#include "plan/row.h"
#include "spec/spec.h"

#include <stdlib.h>
#include <string.h>

/* The word that begins at *at: to a blank outside of double quotes, which are dropped; NULL at the
 * end. */
static char *take_word(char **at) {
    char *start = *at + strspn(*at, " \t"), *to = start, *from = start;
    if (!*start)
        return NULL;
    for (int quoted = 0; *from && (quoted || !strchr(" \t", *from)); from++) {
        if (*from == '"')
            quoted = !quoted;
        else
            *to++ = *from;
    }
    *at = *from ? from + 1 : from;
    *to = '\0';
    return start;
}

/* KEY=VALUE as a member of the object: null for a value that is left out of a run's parameters. */
static int add_setting(FILE *out, struct spec *spec, const struct quantizer *const *table,
                       char *word, int first, struct error *e) {
    char *equals = strchr(word, '=');
    if (!equals)
        return fail(e, "'%.64s' is no KEY=VALUE", word);
    *equals = '\0';
    const struct spec_key *key = spec_key_find(word);
    if (!key)
        return spec_key_unknown(NULL, word, e);
    if (!strcmp(key->section, "grid"))
        return fail(e, "%s cannot be chosen; the pairs share it", key->flat);
    if (spec_set(spec, table, key, equals + 1, e))
        return -1;
    if (!first)
        fputs(", ", out);
    if (spec_is_default(spec, key))
        fprintf(out, "\"%s\": null", key->flat);
    else
        row_print_param(out, spec, key);
    return 0;
}

static int read_settings(struct against *a, const struct quantizer *const *table, char *at,
                         struct error *e) {
    struct spec spec;
    size_t size;
    int n = 0, rc = 0;
    spec_defaults(&spec);
    FILE *out = open_memstream(&a->settings, &size);
    if (!out)
        return fail(e, "out of memory; end other programs");
    fputc('{', out);
    for (char *word; !rc && (word = take_word(&at)); n++)
        rc = add_setting(out, &spec, table, word, n == 0, e);
    fputc('}', out);
    if (fclose(out) && !rc)
        rc = fail(e, "out of memory; end other programs");
    if (n)
        return rc;
    free(a->settings);
    a->settings = NULL;
    return rc;
}

int against_read(struct against *a, const struct quantizer *const *table, const char *text,
                 struct error *e) {
    *a = (struct against){0};
    char *copy = need_string(text), *at = copy, *scheme = take_word(&at);
    int rc = scheme ? 0 : fail(e, "names no scheme");
    if (!rc) {
        a->scheme = need_string(scheme);
        rc = read_settings(a, table, at, e);
    }
    free(copy);
    return rc ? fail_prefix(e, "--against", 0) : 0;
}

void against_free(struct against *a) {
    free(a->scheme);
    free(a->settings);
    *a = (struct against){0};
}
