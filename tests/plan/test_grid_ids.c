/* The runs that the grids of experiments/ name keep their ids: results/published, and everybody's
 * databases, know them by those. Data sets are those of the table below, with made-up hashes;
 * networks are read as they are. Run from the repository's root. */
#include "base/file.h"
#include "base/hash.h"
#include "cfg/find.h"
#include "plan/grid.h"
#include "plan/row.h"
#include "registry.h"

#include <glob.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct known {
    const char *name;
    struct shape shape;
    int classes;
    uint32_t train, test;
} known[] = {
    {"fashion-mnist", {1, 28, 28}, 10, 60000, 10000},
    {"cifar10", {3, 32, 32}, 10, 50000, 10000},
    {"cifar10-jpeg", {3, 32, 32}, 10, 50000, 10000},
    {"imagenet", {3, 224, 224}, 1000, 1281167, 50000},
};

static const struct known *find_known(const char *name) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, name))
            return &known[i];
    fail_msg("%s: a data set that this test has no line for", name);
    return NULL;
}

static struct dataset open_known(const char *name) {
    const struct known *k = find_known(name);
    struct dataset d = {.shape = k->shape, .classes = k->classes};
    snprintf(d.name, sizeof d.name, "%s", k->name);
    d.split[SPLIT_TRAIN].n = k->train;
    d.split[SPLIT_TEST].n = k->test;
    hash_hex(k->name, strlen(k->name), d.hash);
    return d;
}

static void read_network(const struct spec *spec, const struct dataset *data, struct cfg *cfg) {
    struct error e = {0};
    char path[PATH_MAX];
    size_t size;
    char *text = network_find(spec->network, path, sizeof path, &e)
                     ? NULL
                     : file_read(path, 1 << 20, &size, &e);
    if (!text || cfg_parse(cfg, text, size, path, data->shape, data->classes, &e))
        fail_msg("%s", e.text);
    free(text);
}

/* Both ids of one run, as `plan` makes them. */
static void print_ids(const struct grid *g, int i, FILE *out) {
    struct spec spec = g->specs[i];
    struct dataset data = open_known(spec.dataset);
    struct cfg cfg = {0};
    char run_id[HASH_HEX], config_id[HASH_HEX];
    int said[SPEC_KEYS], chosen[SPEC_KEYS] = {0};
    assert_int_equal(spec.from, FROM_GRID);
    for (int k = 0; k < SPEC_KEYS; k++)
        said[k] = strchr(grid_origin(g, i, &spec_keys[k]), ':') != NULL;
    row_choose_images(&spec, &data, said, chosen);
    read_network(&spec, &data, &cfg);
    spec_ids(&spec, quantizer_registry, cfg.normal, data.hash, run_id, config_id);
    fprintf(out, "%s %s\n", run_id, config_id);
    cfg_free(&cfg);
}

/* "NAME RUNS SHA-256 of their ids". */
static void print_grid(const char *path, FILE *out) {
    struct error e = {0};
    struct grid g;
    char *ids = NULL, hash[HASH_HEX];
    size_t size;
    if (grid_read(&g, quantizer_registry, path, NULL, &e))
        fail_msg("%s", e.text);
    FILE *list = open_memstream(&ids, &size);
    for (int i = 0; i < g.n; i++)
        print_ids(&g, i, list);
    fclose(list);
    hash_hex(ids, size, hash);
    fprintf(out, "%s %d %s\n", g.name, g.n, hash);
    grid_free(&g);
    free(ids);
}

static void grids_name_the_runs_that_they_always_did(void **state) {
    (void)state;
    struct error e = {0};
    glob_t grids;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(glob("experiments/*.grid", 0, NULL, &grids), 0);
    for (size_t i = 0; i < grids.gl_pathc; i++)
        print_grid(grids.gl_pathv[i], out);
    fclose(out);
    globfree(&grids);
    char *expected = file_read("tests/plan/grid_ids.txt", 1 << 20, &size, &e);
    assert_non_null(expected);
    // A line that is new belongs to a new grid; one that changed means that finished runs are not
    // found again.
    if (strcmp(text, expected)) {
        fprintf(stderr, "%s", text);
        fail_msg("these are not what tests/plan/grid_ids.txt has");
    }
    free(expected);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grids_name_the_runs_that_they_always_did),
    };
    return cmocka_run_group_tests_name("grid ids", tests, NULL, NULL);
}
