/* One run from a specification; single.h is the manual. */
#include "plan/single.h"

#include "base/file.h"
#include "cfg/find.h"
#include "data/dataset.h"
#include "plan/recipe.h"
#include "plan/row.h"
#include "spec/spec.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 1 << 20 };

static char *read_input(struct error *e) {
    char *text = need(TEXT_LIMIT + 1, 1);
    size_t size = fread(text, 1, TEXT_LIMIT + 1, stdin);
    if (!ferror(stdin) && size <= TEXT_LIMIT && !memchr(text, '\0', size))
        return text;
    fail(e, "standard input: is no specification; give the lines of key = value");
    free(text);
    return NULL;
}

static char *read_text(const char *path, struct error *e) {
    size_t size;
    if (!strcmp(path, "-"))
        return read_input(e);
    char *text = file_read(path, TEXT_LIMIT, &size, e);
    if (text && memchr(text, '\0', size)) {
        fail_at(e, path, 0, "holds a NUL byte; is it a specification?");
        free(text);
        return NULL;
    }
    return text;
}

/* A specification has no place for what is said and at its default: there the cfg's value counts.
 */
static int take_recipe(struct spec *spec, const struct quantizer *const *table,
                       const struct cfg *cfg, struct error *e) {
    int said[SPEC_KEYS], taken[SPEC_KEYS] = {0};
    for (int k = 0; k < SPEC_KEYS; k++)
        said[k] = !spec_is_default(spec, &spec_keys[k]);
    return recipe_from_cfg(spec, table, cfg, said, taken, e);
}

/* The row of a specification that has been read, with its network's text. */
static int make_row(struct run_row *row, struct spec *spec, const struct dataset *data,
                    const struct quantizer *const *table, struct error *e) {
    char path[PATH_MAX];
    struct cfg cfg = {0};
    size_t size;
    if (network_find(spec->network, path, sizeof path, e))
        return -1;
    char *text = file_read(path, TEXT_LIMIT, &size, e);
    int rc = -1;
    if (text && !cfg_parse(&cfg, text, size, path, data->shape, data->classes, e) &&
        !take_recipe(spec, table, &cfg, e) && !row_fault(spec, data, e) &&
        !row_pin_init(spec, &cfg, e))
        rc = row_make(row, spec, table, &cfg, text, data, "", e);
    cfg_free(&cfg);
    free(text);
    return rc;
}

/* The spec's run, and behind it (*n is 2 then) the one whose weights it takes. */
static int make_rows(struct run_row rows[2], int *n, struct spec *spec, const struct dataset *data,
                     const struct quantizer *const *table, struct error *e) {
    struct spec parent;
    *n = 1;
    if (make_row(&rows[0], spec, data, table, e))
        return -1;
    if (!spec_parent(spec, table, &parent))
        return 0;
    *n = 2;
    return make_row(&rows[1], &parent, data, table, e);
}

static void note_classes(const char *name, const struct spec *spec, const struct dataset *data) {
    static const char *const keys[] = {"train.select", "evaluate.select"};
    char text[256];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (row_lacks_classes(spec, data, keys[i], text, sizeof text))
            fprintf(stderr, "truncquant: note: %s: %s\n", name, text);
}

int single_record(const char *path, const struct quantizer *const *table, struct store *store,
                  int quiet, char run_id[HASH_HEX], struct error *e) {
    const char *name = strcmp(path, "-") ? path : "standard input";
    struct spec spec;
    struct dataset data = {0};
    struct run_row rows[2];
    int n = 0;
    char *text = read_text(path, e);
    if (!text)
        return -1;
    memset(rows, 0, sizeof rows);
    int rc = spec_read(&spec, table, text, name, e);
    if (!rc && spec_validate(&spec, table, e))
        rc = fail_prefix(e, name, 0);
    if (!rc)
        rc = dataset_open_at(&data, spec.dataset, (int)spec.image_size, e);
    if (!rc)
        rc = make_rows(rows, &n, &spec, &data, table, e);
    if (!rc && !quiet)
        note_classes(name, &spec, &data);
    if (!rc) {
        strcpy(run_id, rows[0].run_id);
        rc = store_add_runs(store, rows, n, NULL, e);
    }
    store_free_run(&rows[0]);
    store_free_run(&rows[1]);
    dataset_close(&data);
    free(text);
    return rc;
}
