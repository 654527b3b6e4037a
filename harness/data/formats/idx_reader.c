/* Reading a data set from its IDX files: open all four, check that they belong together, decode. */
#include "data/formats/idx_reader.h"

#include "data/formats/idx.h"
#include "data/formats/reader.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const struct idx_set idx_mnist = {
    .name = {
        [SPLIT_TRAIN] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
        [SPLIT_TEST] = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
    }};
const char idx_mnist_files[] =
    "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
    "t10k-labels-idx1-ubyte, plain or .gz,";

#define EMNIST(split)                                                                              \
    .name = {[SPLIT_TRAIN] = {"emnist-" split "-train-images-idx3-ubyte",                          \
                              "emnist-" split "-train-labels-idx1-ubyte"},                         \
             [SPLIT_TEST] = {"emnist-" split "-test-images-idx3-ubyte",                            \
                             "emnist-" split "-test-labels-idx1-ubyte"}},                          \
    .transposed = 1

const struct idx_set idx_emnist_balanced = {EMNIST("balanced")};
const struct idx_set idx_emnist_byclass = {EMNIST("byclass")};
const struct idx_set idx_emnist_bymerge = {EMNIST("bymerge")};
const struct idx_set idx_emnist_digits = {EMNIST("digits")};
const struct idx_set idx_emnist_letters = {EMNIST("letters"), .first_label = 1};
const struct idx_set idx_emnist_mnist = {EMNIST("mnist")};

enum { FILES = SPLITS * IDX_PARTS };

struct parts {
    const struct known_set *set;
    struct idx file[FILES]; // images and labels of train, of test
    int opened;             // in order, so that closing needs no flags
};

static struct idx *idx_part_of(struct parts *p, enum split split, enum idx_part which) {
    return &p->file[(int)split * IDX_PARTS + (int)which];
}

/* EMNIST's archive unpacks into a folder of its own. */
static const char *path_below(const char *folder, char path[PATH_MAX]) {
    struct stat st;
    int n = snprintf(path, PATH_MAX, "%s/gzip", folder);
    return n < PATH_MAX && !stat(path, &st) && S_ISDIR(st.st_mode) ? path : folder;
}

/* 7-Zip and the archives on Kaggle write a dot where others have the last but one hyphen. */
static int add_file(struct source *s, const char *folder, const char *name, struct error *e) {
    char dotted[NAME_MAX];
    const char *const names[] = {name, dotted, NULL};
    snprintf(dotted, sizeof dotted, "%s", name);
    char *hyphen = strstr(dotted, "-idx");
    if (hyphen)
        *hyphen = '.';
    return source_add_first(s, folder, names, e);
}

static int find_idx(struct source *s, const char *folder, struct error *e) {
    const struct idx_set *set = s->set.detail;
    char path[PATH_MAX];
    if (set->transposed)
        folder = path_below(folder, path);
    for (int i = 0; i < FILES; i++)
        if (add_file(s, folder, set->name[i / IDX_PARTS][i % IDX_PARTS], e))
            return -1;
    return 0;
}

static void close_parts(void *reading) {
    struct parts *p = reading;
    while (p->opened > 0)
        idx_close(&p->file[--p->opened]);
    free(p);
}

static int check_images(const struct idx *f, const struct known_set *set, struct error *e) {
    if (f->extent[1] == (uint32_t)set->shape.h && f->extent[2] == (uint32_t)set->shape.w)
        return 0;
    return fail_at(e, f->path, 0,
                   "holds images of %u x %u pixels, %s has %d x %d; fetch the right file",
                   f->extent[1], f->extent[2], set->name, set->shape.h, set->shape.w);
}

static int check_counts(const struct idx *images, const struct idx *labels, struct error *e) {
    if (images->extent[0] == labels->extent[0])
        return 0;
    return fail_at(e, labels->path, 0,
                   "has %u labels for the %u images of %s; are two files mixed up?",
                   labels->extent[0], images->extent[0], images->path);
}

static int open_all(struct parts *p, const struct source *s, struct error *e) {
    static const int ranks[IDX_PARTS] = {
        [IDX_PART_IMAGES] = IDX_IMAGES, [IDX_PART_LABELS] = IDX_LABELS};
    for (; p->opened < FILES; p->opened++)
        if (idx_open(&p->file[p->opened], s->file[p->opened], ranks[p->opened % IDX_PARTS], e))
            return -1;
    for (enum split i = 0; i < SPLITS; i++) {
        const struct idx *images = idx_part_of(p, i, IDX_PART_IMAGES);
        if (check_images(images, p->set, e) ||
            check_counts(images, idx_part_of(p, i, IDX_PART_LABELS), e))
            return -1;
    }
    return 0;
}

static int open_parts(const struct source *s, struct contents *c, void **reading, struct error *e) {
    struct parts *p = need(1, sizeof *p);
    p->set = &s->set;
    if (open_all(p, s, e)) {
        close_parts(p);
        return -1;
    }
    *c = (struct contents){.shape = s->set.shape, .classes = s->set.classes};
    for (enum split i = 0; i < SPLITS; i++)
        c->n[i] = idx_part_of(p, i, IDX_PART_IMAGES)->extent[0];
    *reading = p;
    return 0;
}

static int read_labels(struct idx *f, uint16_t *labels, const struct known_set *set,
                       struct error *e) {
    uint32_t n = f->extent[0];
    int first = ((const struct idx_set *)set->detail)->first_label;
    uint8_t *bytes = need(n, 1);
    int rc = idx_body(f, bytes, e);
    for (uint32_t i = 0; i < n; i++)
        labels[i] = bytes[i];
    free(bytes);
    if (rc || reader_check_labels(f->path, labels, n, first, set->classes, e))
        return -1;
    for (uint32_t i = 0; i < n; i++)
        labels[i] = (uint16_t)(labels[i] - first);
    return 0;
}

/* Squares, each in place. */
static void transpose_all(uint8_t *pixels, size_t n, size_t side) {
    for (size_t i = 0; i < n; i++, pixels += side * side)
        for (size_t y = 0; y < side; y++)
            for (size_t x = 0; x < y; x++) {
                uint8_t kept = pixels[y * side + x];
                pixels[y * side + x] = pixels[x * side + y];
                pixels[x * side + y] = kept;
            }
}

static int read_split(void *reading, enum split split, uint8_t *pixels, uint16_t *labels,
                      struct error *e) {
    struct parts *p = reading;
    struct idx *images = idx_part_of(p, split, IDX_PART_IMAGES);
    if (idx_body(images, pixels, e))
        return -1;
    if (((const struct idx_set *)p->set->detail)->transposed)
        transpose_all(pixels, images->extent[0], images->extent[1]);
    return read_labels(idx_part_of(p, split, IDX_PART_LABELS), labels, p->set, e);
}

const struct reader idx_reader = {.name = "idx",
                                  .version = 1,
                                  .find = find_idx,
                                  .open = open_parts,
                                  .read = read_split,
                                  .close = close_parts};
