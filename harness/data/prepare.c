/* Making the prepared file of a data set from its IDX files: decode into place, check that the
 * parts belong together, take the statistics of the training split and the manifest hash, write.
 * The file is built in memory (it is as large as the data set, for a second) and replaced whole. */
#include "data/prepared.h"

#include "base/file.h"
#include "data/idx.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parts {
    struct idx idx[SPLITS][SOURCE_PARTS];
    int opened; // in order, so that closing needs no flags
};

static struct idx *part(struct parts *p, int i) {
    return &p->idx[i / SOURCE_PARTS][i % SOURCE_PARTS];
}

static void close_parts(struct parts *p) {
    while (p->opened > 0)
        idx_close(part(p, --p->opened));
}

static int check_images(const struct idx *f, const struct known_set *set, struct error *e) {
    if (f->extent[1] == (uint32_t)set->shape.h && f->extent[2] == (uint32_t)set->shape.w)
        return 0;
    return fail_at(e, f->path, 0,
                   "holds images of %u x %u pixels, %s has %d x %d; fetch the right file",
                   f->extent[1], f->extent[2], set->name, set->shape.h, set->shape.w);
}

static int check_counts(const struct idx split[SOURCE_PARTS], struct error *e) {
    const struct idx *images = &split[PART_IMAGES], *labels = &split[PART_LABELS];
    if (images->extent[0] == labels->extent[0])
        return 0;
    return fail_at(e, labels->path, 0,
                   "has %u labels for the %u images of %s; are two files mixed up?",
                   labels->extent[0], images->extent[0], images->path);
}

static int open_parts(struct parts *p, const struct source *s, struct error *e) {
    static const int ranks[SOURCE_PARTS] = {[PART_IMAGES] = IDX_IMAGES, [PART_LABELS] = IDX_LABELS};
    for (int i = 0; i < SPLITS * SOURCE_PARTS; i++, p->opened++)
        if (idx_open(part(p, i), s->path[i / SOURCE_PARTS][i % SOURCE_PARTS],
                     ranks[i % SOURCE_PARTS], e))
            return -1;
    for (int i = 0; i < SPLITS; i++)
        if (check_images(&p->idx[i][PART_IMAGES], s->set, e) || check_counts(p->idx[i], e))
            return -1;
    return 0;
}

static int check_labels(const struct idx *f, const uint8_t *labels, int classes, struct error *e) {
    for (uint32_t i = 0; i < f->extent[0]; i++)
        if (labels[i] >= classes)
            return fail_at(
                e, f->path, 0,
                "label %u of image %u (the first is 0) is not in 0 ... %d; fetch it again",
                labels[i], i, classes - 1);
    return 0;
}

static int decode(struct parts *p, char *file, const struct prepared_header *h, struct error *e) {
    struct prepared_layout l = prepared_layout(h);
    for (int i = 0; i < SPLITS; i++) {
        struct idx *images = &p->idx[i][PART_IMAGES], *labels = &p->idx[i][PART_LABELS];
        uint8_t *label = (uint8_t *)file + l.labels[i];
        if (idx_body(labels, label, e) || check_labels(labels, label, h->classes, e) ||
            idx_body(images, (uint8_t *)file + l.pixels[i], e))
            return -1;
    }
    return 0;
}

/* Mean and standard deviation of x/255 in one channel, from the histogram of its bytes: exact sums.
 */
static void channel_statistics(const uint64_t count[256], float *mean, float *deviation) {
    uint64_t n = 0, sum = 0;
    for (unsigned v = 0; v < 256; v++) {
        n += count[v];
        sum += count[v] * v;
    }
    double centre = (double)sum / (double)n, squares = 0;
    for (unsigned v = 0; v < 256; v++)
        squares += (double)count[v] * ((double)v - centre) * ((double)v - centre);
    *mean = (float)(centre / 255);
    *deviation = (float)(sqrt(squares / (double)n) / 255);
    if (*deviation == 0) // all pixels equal: they become 0, not NaN
        *deviation = 1;
}

static void statistics(struct prepared_header *h, const uint8_t *pixels) {
    size_t plane = (size_t)h->shape.h * (size_t)h->shape.w;
    uint64_t count[DATASET_CHANNELS][256] = {0};
    for (uint32_t i = 0; i < h->n[SPLIT_TRAIN]; i++)
        for (int c = 0; c < h->shape.c; c++, pixels += plane)
            for (size_t x = 0; x < plane; x++)
                count[c][pixels[x]]++;
    for (int c = 0; c < h->shape.c; c++)
        channel_statistics(count[c], &h->mean[c], &h->deviation[c]);
}

/* The manifest: what the data are, whatever files they came from. */
static void manifest(struct prepared_header *h, const char *file) {
    static const char *const split_names[SPLITS] = {"train", "test"};
    struct prepared_layout l = prepared_layout(h);
    size_t size = (size_t)h->shape.c * (size_t)h->shape.h * (size_t)h->shape.w;
    char text[1024];
    int at = snprintf(text, sizeof text, "shape %d %d %d\nclasses %d\n", h->shape.c, h->shape.h,
                      h->shape.w, h->classes);
    for (int i = 0; i < SPLITS; i++) {
        char pixels[HASH_HEX], labels[HASH_HEX];
        hash_hex(file + l.pixels[i], h->n[i] * size, pixels);
        hash_hex(file + l.labels[i], h->n[i], labels);
        at += snprintf(text + at, sizeof text - (size_t)at, "%s %u %s %s\n", split_names[i],
                       h->n[i], pixels, labels);
    }
    hash_hex(text, (size_t)at, h->hash);
}

static struct prepared_header start_header(const struct source *s, const struct parts *p) {
    struct prepared_header h;
    memset(&h, 0, sizeof h); // the checksum covers padding too
    h.shape = s->set->shape;
    h.classes = s->set->classes;
    h.crop_flip = s->set->crop_flip;
    for (int i = 0; i < SPLITS; i++)
        h.n[i] = p->idx[i][PART_IMAGES].extent[0];
    snprintf(h.name, sizeof h.name, "%s", s->set->name);
    memcpy(h.fingerprint, s->fingerprint, sizeof h.fingerprint);
    return h;
}

int prepare(const struct source *s, const char *path, struct error *e) {
    struct parts parts = {.opened = 0};
    char *file = NULL;
    int rc = open_parts(&parts, s, e);
    if (!rc) {
        struct prepared_header h = start_header(s, &parts);
        struct prepared_layout l = prepared_layout(&h);
        file = need_aligned(l.size, 1);
        rc = decode(&parts, file, &h, e);
        if (!rc) {
            statistics(&h, (uint8_t *)file + l.pixels[SPLIT_TRAIN]);
            manifest(&h, file);
            memcpy(file, &h, sizeof h);
            prepared_seal(file);
            file_remove_orphans(path); // we hold the lock
            rc = file_replace(path, file, l.size, e);
        }
    }
    close_parts(&parts);
    free(file);
    return rc;
}
