/* From a spec to its row in the database: ids, canonical text, typed columns, estimated work. */
#include "plan/row.h"

#include "cfg/find.h"
#include "data/selection.h"
#include "model/darknet_weights.h"
#include "model/model.h"
#include "plan/work.h"
#include "spec/init.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const struct spec_key *row_fault(const struct spec *spec, const struct dataset *data,
                                 struct error *e) {
    long train = (long)data->split[SPLIT_TRAIN].n - spec->val;
    long evaluated = spec->split == EVALUATE_VAL ? spec->val : (long)data->split[SPLIT_TEST].n;
    const char *key = NULL;
    if (train <= 0) {
        fail(e, "val takes %ld images out of the %ld training images of %s; use fewer", spec->val,
             train + spec->val, data->name);
        key = "val";
    } else if (spec->train_images > train) {
        fail(e, "%ld training images are asked for, but %s has %ld; use at most that, or all",
             spec->train_images, data->name, train);
        key = "train.images";
    } else if (spec->test_images > evaluated) {
        fail(e, "%ld %s images are asked for, but %s has %ld; use at most that, or all",
             spec->test_images, split_name(spec), data->name, evaluated);
        key = "evaluate.images";
    } else if (spec->batch > train) {
        fail(
            e,
            "a batch of %ld cannot be filled from the %ld training images of %s; use a smaller one",
            spec->batch, train, data->name);
        key = "batch";
    }
    return key ? spec_key_find(key) : NULL;
}

/* Where the images of a select key are, and how many of how many. */
struct selection {
    int *select;
    long asked; // 0: all
    uint32_t n;
    enum split split;
    const char *name; // of the split
};

static struct selection selection_of(struct spec *spec, const struct dataset *data,
                                     const char *key) {
    struct spec all = *spec;
    if (!strcmp(key, "train.select")) {
        all.train_images = 0;
        return (struct selection){&spec->train_select, spec->train_images,
                                  spec_training_images(&all, data), SPLIT_TRAIN, "training"};
    }
    all.test_images = 0;
    return (struct selection){&spec->test_select, spec->test_images,
                              spec_evaluated_images(&all, data), split_source(spec),
                              split_name(spec)};
}

void row_choose_images(struct spec *spec, const struct dataset *data, const int said[SPEC_KEYS],
                       int chosen[SPEC_KEYS]) {
    static const char *const keys[] = {"train.select", "evaluate.select"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct selection s = selection_of(spec, data, keys[i]);
        long k = spec_key_find(keys[i]) - spec_keys;
        if (said[k] || !s.asked || s.asked >= (long)s.n)
            continue;
        *s.select = SELECT_DRAWN;
        chosen[k] = 1;
    }
}

/* Of n images, at `places` (NULL: the first so many). */
static int count_classes(const struct images *images, int classes, const uint32_t *places,
                         uint32_t n) {
    char *seen = need((size_t)classes, 1);
    int count = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t label = images->labels[places ? places[i] : i];
        count += !seen[label];
        seen[label] = 1;
    }
    free(seen);
    return count;
}

int row_lacks_classes(const struct spec *spec, const struct dataset *data, const char *key,
                      char *text, size_t size) {
    struct spec copy = *spec;
    struct selection s = selection_of(&copy, data, key);
    if (*s.select != SELECT_FIRST || !s.asked || s.asked >= (long)s.n)
        return 0;
    const struct images *images = &data->split[s.split];
    int train = !strcmp(key, "train.select");
    uint32_t *places = train ? split_training(spec, data) : split_evaluated(spec, data);
    int some = count_classes(images, data->classes, places, (uint32_t)s.asked);
    int all = count_classes(images, data->classes, NULL, images->n);
    free(places);
    if (some < all)
        snprintf(text, size,
                 "the first %ld %s images of %s are of %d of its %d classes; %s = drawn takes some "
                 "of all",
                 s.asked, s.name, data->name, some, all, key);
    return some < all;
}

int row_pin_init(struct spec *spec, const struct cfg *cfg, struct error *e) {
    char path[SPEC_TEXT], hash[HASH_HEX];
    const char *said = init_hash(spec);
    if (!init_is_given(spec))
        return 0;
    init_path(spec, path);
    if (weights_check(path, cfg, (int)spec->init_layers, hash, e))
        return -1;
    if (said && strcmp(said, hash))
        return fail_at(
            e, path, 0,
            "has other content than init says (SHA-256 %.12s, not %.12s); leave out what "
            "stands behind '@', or bring that file back",
            hash, said);
    init_pin(spec, hash);
    return 0;
}

/* Names and values need no escapes: names of keys and choices, digits and blanks is all there is
 * outside of [grid]. */
void row_print_param(FILE *out, const struct spec *spec, const struct spec_key *key) {
    char text[SPEC_VALUE];
    spec_print_value(spec, key, text, sizeof text);
    double number;
    int bare = (key->type == KEY_INT || key->type == KEY_REAL || key->type == KEY_COUNT ||
                key->type == KEY_ACT_BITS) &&
               !text_real(text, &number);
    fprintf(out, bare ? "\"%s\": %s" : "\"%s\": \"%s\"", key->flat, text);
}

static void print_params(FILE *out, const struct spec *spec) {
    const char *separator = "";
    fputc('{', out);
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        if (!strcmp(k->section, "grid") || spec_is_default(spec, k))
            continue;
        fputs(separator, out);
        row_print_param(out, spec, k);
        separator = ", ";
    }
    fputc('}', out);
}

static int make_texts(struct run_row *row, const struct spec *spec,
                      const struct quantizer *const *table, struct error *e) {
    char *spec_text = NULL, *params = NULL;
    size_t spec_size, params_size;
    FILE *spec_out = open_memstream(&spec_text, &spec_size);
    FILE *params_out = open_memstream(&params, &params_size);
    if (spec_out)
        spec_write(spec, table, spec_out);
    struct spec configuration;
    spec_configuration(spec, table, &configuration);
    if (params_out)
        print_params(params_out, &configuration);
    int bad = !spec_out || fclose(spec_out);
    bad |= !params_out || fclose(params_out);
    row->spec = spec_text;
    row->params = params;
    return bad ? fail(e, "out of memory; end other programs") : 0;
}

static void make_names(struct run_row *row, const struct spec *spec,
                       const struct quantizer *const *table) {
    char label[256], network[SPEC_TEXT], widths[64];
    spec_scheme_label(spec, table, label, sizeof label);
    network_label(spec->network, network, sizeof network);
    text_print_widths(&spec->widths, widths, sizeof widths);
    row->scheme = need_string(label);
    row->network = need_string(network);
    row->widths = need_string(widths);
}

static void make_relatives(struct run_row *row, const struct spec *spec,
                           const struct quantizer *const *table, const struct cfg *cfg,
                           const struct dataset *data) {
    char id[HASH_HEX], config[HASH_HEX];
    struct spec other;
    if (spec_parent(spec, table, &other)) {
        spec_ids(&other, table, cfg->normal, data->hash, id, config);
        row->parent = need_string(id);
    }
    if (spec_configuration(spec, table, &other)) {
        spec_ids(&other, table, cfg->normal, data->hash, id, config);
        row->group = need_string(id);
    }
}

int row_make(struct run_row *row, const struct spec *asked, const struct quantizer *const *table,
             const struct cfg *cfg, const char *cfg_text, const struct dataset *data,
             const char *grid, struct error *e) {
    struct spec run = *asked, *spec = &run;
    spec_drop_requests(spec);
    *row = (struct run_row){.cfg = need_string(cfg_text),
                            .grid = need_string(grid),
                            .dataset = need_string(data->name),
                            .data_hash = need_string(data->hash),
                            .seed = spec->seed,
                            .epochs = spec->epochs,
                            .batch = spec->batch,
                            .images = (long)spec_training_images(spec, data),
                            .act_bits = spec->act_bits,
                            .stored_bits = spec->stored_bits,
                            .curve = {asked->every, asked->every_split == EVALUATE_TEST}};
    spec_ids(spec, table, cfg->normal, data->hash, row->run_id, row->config_id);
    struct work work = work_of(spec, quantizer_find(table, spec->scheme), cfg, data);
    row->work = work.training + work.evaluation;
    make_relatives(row, spec, table, cfg, data);
    make_names(row, spec, table);
    return make_texts(row, spec, table, e);
}

void row_file_name(const struct run_row *row, char name[ROW_FILE_NAME]) {
    snprintf(name, ROW_FILE_NAME, "%.50s-%.50s-%.50s-%ld-%.12s", row->scheme, row->network,
             row->dataset, row->seed, row->run_id);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            *c = '-';
}
