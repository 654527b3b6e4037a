/* A network of a test; net.h is the manual. */
#include "model/net.h"

#include "base/file.h"
#include "model/start.h"
#include "registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void net_set(struct spec *spec, const char *key, const char *value) {
    struct error e = {0};
    if (spec_set(spec, quantizer_registry, spec_key_find(key), value, &e))
        fail_msg("%s", e.text);
}

struct spec net_spec(const char *scheme) {
    struct spec spec;
    spec_defaults(&spec);
    net_set(&spec, "scheme", scheme);
    return spec;
}

void net_build(struct net *n, const struct spec *spec, const char *text, const char *name,
               struct shape input, int classes) {
    struct error e = {0};
    *n = (struct net){.spec = *spec};
    if (cfg_parse(&n->cfg, text, strlen(text), name, input, classes, &e))
        fail_msg("%s\n%s", e.text, text);
    n->m = model_build(&n->cfg, &n->spec, quantizer_find(quantizer_registry, spec->scheme), &e);
    if (!n->m)
        fail_msg("%s\n%s", e.text, text);
}

void net_build_file(struct net *n, const struct spec *spec, const char *path, struct shape input,
                    int classes) {
    struct error e = {0};
    size_t size;
    char *text = file_read(path, 1 << 20, &size, &e);
    if (!text)
        fail_msg("%s", e.text);
    net_build(n, spec, text, path, input, classes);
    free(text);
}

void net_free(struct net *n) {
    model_free(n->m);
    cfg_free(&n->cfg);
}
