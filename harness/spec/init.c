/* The key `init`; init.h is the manual. */
#include "spec/init.h"

#include <stdio.h>
#include <string.h>

int init_is_given(const struct spec *spec) {
    return strcmp(spec->init, "none") != 0;
}

const char *init_hash(const struct spec *spec) {
    const char *at = strrchr(spec->init, '@');
    if (!at || strlen(at + 1) != HASH_HEX - 1 || strspn(at + 1, "0123456789abcdef") != HASH_HEX - 1)
        return NULL;
    return at + 1;
}

void init_path(const struct spec *spec, char path[SPEC_TEXT]) {
    const char *hash = init_hash(spec);
    int n = (int)(hash ? hash - 1 - spec->init : (long)strlen(spec->init));
    snprintf(path, SPEC_TEXT, "%.*s", n, spec->init);
}

void init_pin(struct spec *spec, const char *hash) {
    char path[SPEC_TEXT];
    init_path(spec, path);
    snprintf(spec->init, sizeof spec->init, "%s@%s", path, hash);
}
