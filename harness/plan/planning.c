/* From the combinations of a grid to the rows of its runs: data sets and networks are opened once
 * for all of them, and what only they can tell is completed or refused; planning.h is the manual.
 */
#include "plan/planning.h"

#include "base/file.h"
#include "base/nearest.h"
#include "base/text.h"
#include "cfg/find.h"
#include "cfg/shape.h"
#include "data/dataset.h"
#include "plan/paths.h"
#include "plan/recipe.h"
#include "plan/row.h"
#include "spec/init.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct network {
    const char *name; // as in the spec
    const struct dataset *data;
    char *text; // the cfg file's own
    struct cfg cfg;
};

/* ---- data sets and networks ---- */

/* Put the grid's FILE:LINE of a key in front of a message; of the data set's name when the key is
 * at its default. */
static int blame_key(const struct planning *p, int i, const struct spec_key *key, struct error *e) {
    const char *origin = grid_origin(&p->grid, i, key);
    if (!strchr(origin, ':') && strcmp(origin, "--set"))
        origin = grid_origin(&p->grid, i, spec_key_find("dataset"));
    return fail_prefix(e, origin, 0);
}

static int check_data_name(const char *name, struct error *e) {
    struct nearest near = nearest_start(name);
    const char *n;
    if (dataset_is_known(name))
        return 0;
    for (int i = 0; (n = dataset_name(i)); i++)
        nearest_offer(&near, n);
    return dataset_unknown(name, nearest_best(&near), e);
}

static const struct dataset *find_data(struct planning *p, int i, struct error *e) {
    const struct spec *spec = &p->grid.specs[i];
    for (int k = 0; k < p->n_data; k++)
        if (!strcmp(p->data_of[k]->dataset, spec->dataset) &&
            p->data_of[k]->image_size == spec->image_size)
            return &p->data[k];
    if (check_data_name(spec->dataset, e)) {
        blame_key(p, i, spec_key_find("dataset"), e);
        return NULL;
    }
    if (dataset_open_at(&p->data[p->n_data], spec->dataset, (int)spec->image_size, e))
        return NULL;
    p->data_of[p->n_data] = spec;
    return &p->data[p->n_data++];
}

static void print_notes(const struct planning *p, const char *where, const char *notes) {
    for (const char *line = notes; !p->quiet && *line;) {
        int n = (int)strcspn(line, "\n");
        fprintf(stderr, "truncquant: note: %s%s%.*s\n", where, where[0] ? ": " : "", n, line);
        line += n + (line[n] == '\n');
    }
}

/* Notes about a network are printed once, whatever data sets it is trained on. */
static int is_new_network(const struct planning *p, const char *name) {
    for (int k = 0; k < p->n_networks; k++)
        if (!strcmp(p->networks[k].name, name))
            return 0;
    return 1;
}

static int read_network(struct planning *p, int i, struct network *net, struct error *e) {
    enum { CFG_LIMIT = 1 << 20 };
    char path[PATH_MAX];
    size_t size;
    if (network_find(net->name, path, sizeof path, e))
        return blame_key(p, i, spec_key_find("network"), e);
    net->text = file_read(path, CFG_LIMIT, &size, e);
    if (!net->text)
        return -1;
    if (cfg_parse(&net->cfg, net->text, size, path, net->data->shape, net->data->classes, e)) {
        free(net->text);
        return -1;
    }
    if (is_new_network(p, net->name))
        print_notes(p, path, net->cfg.notes);
    return 0;
}

static const struct network *find_network(struct planning *p, int i, const struct dataset *data,
                                          struct error *e) {
    const char *name = p->grid.specs[i].network;
    for (int k = 0; k < p->n_networks; k++)
        if (!strcmp(p->networks[k].name, name) && p->networks[k].data == data)
            return &p->networks[k];
    struct network *net = &p->networks[p->n_networks];
    *net = (struct network){.name = name, .data = data};
    if (read_network(p, i, net, e))
        return NULL;
    p->n_networks++;
    return net;
}

/* ---- the runs ---- */

/* A weights file is read once for all runs of a network that start from it. */
static int pin_init(const struct planning *p, int i, const struct network *net, struct error *e) {
    struct spec *spec = &p->grid.specs[i];
    char path[SPEC_TEXT], other[SPEC_TEXT];
    init_path(spec, path);
    for (int k = 0; k < i && init_is_given(spec); k++) {
        const struct spec *before = &p->grid.specs[k];
        init_path(before, other);
        if (!strcmp(path, other) && before->init_layers == spec->init_layers &&
            !strcmp(before->network, spec->network) && !strcmp(before->dataset, spec->dataset)) {
            strcpy(spec->init, before->init);
            return 0;
        }
    }
    return row_pin_init(spec, &net->cfg, e) ? blame_key(p, i, spec_key_find("init"), e) : 0;
}

/* By the file or by the command line. */
static void find_said(const struct planning *p, int i, int said[SPEC_KEYS]) {
    for (int k = 0; k < SPEC_KEYS; k++) {
        const char *origin = grid_origin(&p->grid, i, &spec_keys[k]);
        said[k] = strchr(origin, ':') || !strcmp(origin, "--set");
    }
}

static void set_origins(const struct planning *p, int i, const int which[SPEC_KEYS],
                        const char *origin) {
    for (int k = 0; k < SPEC_KEYS; k++)
        if (which[k]) {
            char **text = &p->grid.origins[(size_t)i * SPEC_KEYS + (size_t)k];
            free(*text);
            *text = need_string(origin);
        }
}

/* What the cfg says becomes the run's own, with the cfg for its origin. */
static int take_recipe(const struct planning *p, int i, const struct network *net,
                       struct error *e) {
    int said[SPEC_KEYS], taken[SPEC_KEYS] = {0};
    char origin[PATH_MAX + 16];
    find_said(p, i, said);
    if (recipe_from_cfg(&p->grid.specs[i], p->table, &net->cfg, said, taken, e))
        return blame_key(p, i, spec_key_find("from"), e);
    snprintf(origin, sizeof origin, "%s:%d", net->cfg.path, net->cfg.recipe.line);
    set_origins(p, i, taken, origin);
    return 0;
}

/* 1 for a note that was not there before. */
static int remember(struct planning *p, const char *note) {
    const char *before = p->noted ? p->noted : "";
    if (strstr(before, note))
        return 0;
    size_t size = strlen(before) + strlen(note) + 1;
    char *all = need(size, 1);
    snprintf(all, size, "%s%s", before, note);
    free(p->noted);
    p->noted = all;
    return 1;
}

/* What of a split is taken is said once for each place that says how much. */
static void note_classes(struct planning *p, int i, const struct dataset *data) {
    static const char *const keys[][2] = {{"train.select", "train.images"},
                                          {"evaluate.select", "evaluate.images"}};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        char text[256], note[PATH_MAX + 512];
        const char *origin = grid_origin(&p->grid, i, spec_key_find(keys[k][1]));
        if (!row_lacks_classes(&p->grid.specs[i], data, keys[k][0], text, sizeof text))
            continue;
        snprintf(note, sizeof note, "%s: %s %s\n", origin, keys[k][0], data->name);
        if (remember(p, note))
            print_notes(p, origin, text);
    }
}

/* Which layers do not start from the file that the run starts from, by line of the cfg. */
static void note_drawn_layers(struct planning *p, int i, const struct cfg *cfg) {
    const struct spec *spec = &p->grid.specs[i];
    char text[PATH_MAX + 512], lines[256] = "";
    if (!init_is_given(spec) || !spec->init_layers)
        return;
    for (int k = (int)spec->init_layers; k < cfg->n; k++)
        if (cfg_weights(&cfg->layers[k])) {
            char line[64];
            snprintf(line, sizeof line, "[%s] of line %d", layer_type_name(cfg->layers[k].type),
                     cfg->layers[k].line);
            text_list_add(lines, sizeof lines, ", ", line);
        }
    snprintf(text, sizeof text, "init_layers = %ld: as drawn start %s\n", spec->init_layers,
             lines[0] ? lines : "no layers with weights");
    if (remember(p, text))
        print_notes(p, cfg->path, text);
}

static void choose_images(struct planning *p, int i, const struct dataset *data) {
    int said[SPEC_KEYS], chosen[SPEC_KEYS] = {0};
    find_said(p, i, said);
    row_choose_images(&p->grid.specs[i], data, said, chosen);
    set_origins(p, i, chosen, "fewer than all");
}

/* From values of the file, not of the command line, to paths that lead somewhere from here; and
 * from anywhere, where the path is recorded, and not the content as of a cfg. */
static int place_paths(struct planning *p, int i, struct error *e) {
    static const char *const keys[] = {"network", "dataset", "init"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const struct spec_key *key = spec_key_find(keys[k]);
        int is_set = !strcmp(grid_origin(&p->grid, i, key), "--set");
        if ((!is_set && path_beside_grid(&p->grid.specs[i], key, p->path, e)) ||
            (k > 0 && path_to_record(&p->grid.specs[i], key, e)))
            return blame_key(p, i, key, e);
    }
    return 0;
}

static int make_row(struct planning *p, int i, struct error *e) {
    const struct spec *spec = &p->grid.specs[i];
    if (place_paths(p, i, e))
        return -1;
    const struct dataset *data = find_data(p, i, e);
    const struct network *net = data ? find_network(p, i, data, e) : NULL;
    if (!net || take_recipe(p, i, net, e))
        return -1;
    choose_images(p, i, data);
    const struct spec_key *fault = row_fault(spec, data, e);
    if (fault)
        return blame_key(p, i, fault, e);
    note_classes(p, i, data);
    if (pin_init(p, i, net, e))
        return -1;
    note_drawn_layers(p, i, &net->cfg);
    p->works[i] = work_of(spec, quantizer_find(p->table, spec->scheme), &net->cfg, data);
    return row_make(&p->rows[i], spec, p->table, &net->cfg, net->text, data, p->grid.name, e);
}

static int row_by_id(const void *a, const void *b) {
    const struct run_row *l = *(const struct run_row *const *)a;
    const struct run_row *r = *(const struct run_row *const *)b;
    int order = strcmp(l->run_id, r->run_id);
    return order ? order : (l > r) - (l < r);
}

/* grid_read has found what is the same by name; networks and data sets may be so by content. */
static int check_different(const struct planning *p, struct error *e) {
    const struct run_row **sorted = need((size_t)p->grid.n, sizeof *sorted);
    for (int i = 0; i < p->grid.n; i++)
        sorted[i] = &p->rows[i];
    qsort(sorted, (size_t)p->grid.n, sizeof *sorted, row_by_id);
    int rc = 0;
    for (int i = 1; i < p->grid.n && !rc; i++) {
        if (strcmp(sorted[i - 1]->run_id, sorted[i]->run_id))
            continue;
        const struct spec *a = &p->grid.specs[sorted[i - 1] - p->rows];
        const struct spec *b = &p->grid.specs[sorted[i] - p->rows];
        fail(e,
             "%s on %s and %s on %s are the same by content, so they make the same run; remove one",
             a->network, a->dataset, b->network, b->dataset);
        rc = blame_key(p, (int)(sorted[i] - p->rows), spec_key_find("network"), e);
    }
    free(sorted);
    return rc;
}

static int make_rows(struct planning *p, struct error *e) {
    size_t n = (size_t)p->grid.n;
    p->data = need(n, sizeof *p->data);
    p->data_of = need(n, sizeof *p->data_of);
    p->networks = need(n, sizeof *p->networks);
    p->rows = need(n, sizeof *p->rows);
    p->works = need(n, sizeof *p->works);
    for (int i = 0; i < p->grid.n; i++)
        if (make_row(p, i, e))
            return -1;
    return check_different(p, e);
}

int planning_make(struct planning *p, const struct quantizer *const *table, const char *path,
                  const char *set, int quiet, struct error *e) {
    *p = (struct planning){.table = table, .path = path, .quiet = quiet};
    if (grid_read(&p->grid, table, path, set, e))
        return -1;
    print_notes(p, "", p->grid.notes);
    return make_rows(p, e);
}

void planning_free(struct planning *p) {
    for (int i = 0; p->rows && i < p->grid.n; i++)
        store_free_run(&p->rows[i]);
    for (int i = 0; i < p->n_networks; i++) {
        cfg_free(&p->networks[i].cfg);
        free(p->networks[i].text);
    }
    for (int i = 0; i < p->n_data; i++)
        dataset_close(&p->data[i]);
    free(p->rows);
    free(p->networks);
    free(p->data);
    free(p->data_of);
    free(p->works);
    free(p->noted);
    store_free_statuses(p->known, p->n_known);
    store_free_runs(p->former, p->n_former);
    grid_free(&p->grid);
}
