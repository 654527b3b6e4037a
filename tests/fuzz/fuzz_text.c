/* Targets of what people write: grids, specs, networks. Of networks the harness's own checker; what
 * it lets through is Darknet's to read, which is not fuzzed. */
#include "cfg/cost.h"
#include "fuzz/target.h"
#include "model/model.h"
#include "plan/grid.h"
#include "registry.h"

#include <stdlib.h>
#include <string.h>

static char *spec_text(const struct spec *spec) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    FUZZ_HOLDS(out != NULL);
    spec_write(spec, quantizer_registry, out);
    fclose(out);
    return text;
}

/* What was taken can be written, and taken back as the same. */
static void check_spec(const struct spec *spec) {
    struct spec back;
    struct error e = {0};
    char *text = spec_text(spec);
    FUZZ_HOLDS(!spec_read(&back, quantizer_registry, text, "spec", &e));
    char *again = spec_text(&back);
    FUZZ_HOLDS(!strcmp(text, again));
    free(text);
    free(again);
}

int fuzz_spec(const uint8_t *bytes, size_t size) {
    struct spec spec;
    struct error e = {0};
    char *text = need(size + 1, 1);
    memcpy(text, bytes, size);
    int rc = spec_read(&spec, quantizer_registry, text, "spec", &e);
    if (!rc)
        check_spec(&spec);
    free(text);
    return fuzz_outcome(rc, &e);
}

/* Alternatives multiply: no fewer than the runs of a grid, were each comma one between
 * alternatives. */
static double most_runs(const uint8_t *bytes, size_t size) {
    double product = 1, alternatives = 1;
    int comment = 0;
    for (size_t i = 0; i < size; i++) {
        comment |= bytes[i] == '#' && (i == 0 || bytes[i - 1] == '\n');
        alternatives += bytes[i] == ',' && !comment;
        if (bytes[i] != '\n' && i + 1 < size)
            continue;
        product *= alternatives;
        alternatives = 1;
        comment = 0;
    }
    return product;
}

/* A grid of 100,000 runs is a sound one that takes its time, so only smaller ones are tried. */
int fuzz_grid(const uint8_t *bytes, size_t size) {
    enum { RUNS_MOST = 4096, SPECS_MOST = 16 };
    struct grid g;
    struct error e = {0};
    if (most_runs(bytes, size) > RUNS_MOST)
        return 0;
    int rc = grid_read(&g, quantizer_registry, fuzz_file(0, bytes, size), NULL, &e);
    for (int i = 0; !rc && i < g.n && i < SPECS_MOST; i++) {
        check_spec(&g.specs[i]);
        for (const struct spec_key *k = spec_keys; k->name; k++)
            FUZZ_HOLDS(grid_origin(&g, i, k) != NULL);
    }
    FUZZ_HOLDS(rc || g.n > 0);
    if (!rc)
        grid_free(&g);
    return fuzz_outcome(rc, &e);
}

static void check_layers(const struct cfg *cfg) {
    for (int i = 0; i < cfg->n; i++) {
        const struct cfg_layer *l = &cfg->layers[i];
        FUZZ_HOLDS(l->out.c > 0 && l->out.h > 0 && l->out.w > 0);
        for (int k = 0; k < l->n_from; k++)
            FUZZ_HOLDS(l->from[k] >= 0 && l->from[k] < i);
    }
    FUZZ_HOLDS(cfg_parameters(cfg) > 0 && cfg_macs(cfg) > 0);
}

int fuzz_cfg(const uint8_t *bytes, size_t size) {
    static const struct shape colour = {3, 32, 32};
    struct cfg cfg;
    struct error e = {0};
    int rc = cfg_parse(&cfg, (const char *)bytes, size, "net.cfg", colour, 10, &e);
    if (!rc) {
        check_layers(&cfg);
        cfg_free(&cfg);
    }
    return fuzz_outcome(rc, &e);
}
