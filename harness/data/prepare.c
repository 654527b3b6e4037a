/* Making the prepared file of a data set: its reader decodes into place; then the statistics of the
 * training split and the manifest hash are taken, and the file is replaced whole. */
#include "data/prepared.h"

#include "base/file.h"
#include "data/formats/reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int reader_check_labels(const char *path, const uint16_t *labels, uint32_t n, int first,
                        int classes, struct error *e) {
    for (uint32_t i = 0; i < n; i++)
        if (labels[i] < first || labels[i] >= first + classes)
            return fail_at(
                e, path, 0,
                "label %u of image %u (the first is 0) is not in %d ... %d; fetch it again",
                labels[i], i, first, first + classes - 1);
    return 0;
}

void channel_statistics(const uint64_t count[256], float *mean, float *deviation) {
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
    if (*deviation == 0) // a colour that no image has: its pixels become 0, not NaN
        *deviation = 1;
}

int channel_is_constant(const uint64_t count[256]) {
    int values = 0;
    for (unsigned v = 0; v < 256; v++)
        values += count[v] > 0;
    return values <= 1;
}

/* -1 where all pixels are equal. */
static int statistics(struct prepared_header *h, const uint8_t *pixels, const struct source *s,
                      struct error *e) {
    size_t plane = (size_t)h->shape.h * (size_t)h->shape.w;
    uint64_t count[DATASET_CHANNELS][256] = {0};
    for (uint32_t i = 0; i < h->n[SPLIT_TRAIN]; i++)
        for (int c = 0; c < h->shape.c; c++, pixels += plane)
            for (size_t x = 0; x < plane; x++)
                count[c][pixels[x]]++;
    int varied = 0;
    for (int c = 0; c < h->shape.c; c++) {
        channel_statistics(count[c], &h->mean[c], &h->deviation[c]);
        varied |= !channel_is_constant(count[c]);
    }
    return varied ? 0
                  : fail_at(e, s->folder, 0,
                            "all pixels of the training images are equal, so nothing can be "
                            "learnt; %s",
                            s->set.get);
}

/* Labels are hashed as bytes where they fit, which is how all sets of up to 256 classes have always
 * been named, else as 16 bits, low byte first. */
static void hash_labels(const uint16_t *labels, uint32_t n, int classes, char hex[HASH_HEX]) {
    size_t width = classes > 256 ? 2 : 1;
    uint8_t *bytes = need(n, width);
    for (uint32_t i = 0; i < n; i++)
        for (size_t b = 0; b < width; b++)
            bytes[i * width + b] = (uint8_t)(labels[i] >> 8 * b);
    hash_hex(bytes, n * width, hex);
    free(bytes);
}

/* What the data are, whatever files they came from. */
void prepared_manifest(const struct prepared_header *h, const char *file, char hash[HASH_HEX]) {
    static const char *const split_names[SPLITS] = {"train", "test"};
    struct prepared_layout l = prepared_layout(h);
    size_t size = (size_t)h->shape.c * (size_t)h->shape.h * (size_t)h->shape.w;
    char text[1024];
    int at = snprintf(text, sizeof text, "shape %d %d %d\nclasses %d\n", h->shape.c, h->shape.h,
                      h->shape.w, h->classes);
    for (int i = 0; i < SPLITS; i++) {
        char pixels[HASH_HEX], labels[HASH_HEX];
        hash_hex(file + l.pixels[i], h->n[i] * size, pixels);
        hash_labels((const uint16_t *)(file + l.labels[i]), h->n[i], h->classes, labels);
        at += snprintf(text + at, sizeof text - (size_t)at, "%s %u %s %s\n", split_names[i],
                       h->n[i], pixels, labels);
    }
    hash_hex(text, (size_t)at, hash);
}

static struct prepared_header start_header(const struct source *s, const struct contents *c) {
    struct prepared_header h;
    memset(&h, 0, sizeof h); // the checksum covers padding too
    h.shape = c->shape;
    h.classes = c->classes;
    h.crop_flip = s->set.crop_flip || c->crop_flip;
    memcpy(h.n, c->n, sizeof h.n);
    memcpy(h.name, s->set.name, sizeof h.name);
    memcpy(h.fingerprint, s->fingerprint, sizeof h.fingerprint);
    return h;
}

static int decode_splits(const struct reader *reader, void *reading,
                         const struct prepared_header *h, char *file, struct error *e) {
    struct prepared_layout l = prepared_layout(h);
    for (enum split i = 0; i < SPLITS; i++)
        if (reader->read(reading, i, (uint8_t *)file + l.pixels[i],
                         (uint16_t *)(file + l.labels[i]), e))
            return -1;
    return 0;
}

static int write_prepared(struct prepared_header *h, const struct source *s, void *reading,
                          const char *path, struct error *e) {
    struct prepared_layout l = prepared_layout(h);
    struct file_draft draft;
    if (file_draft_start(&draft, path, l.size, e))
        return -1;
    if (decode_splits(s->set.reader, reading, h, draft.bytes, e) ||
        statistics(h, (uint8_t *)draft.bytes + l.pixels[SPLIT_TRAIN], s, e)) {
        file_draft_drop(&draft);
        return -1;
    }
    prepared_manifest(h, draft.bytes, h->hash);
    memcpy(draft.bytes, h, sizeof *h);
    prepared_seal(draft.bytes);
    return file_draft_commit(&draft, e);
}

int prepare(const struct source *s, const char *path, struct error *e) {
    struct contents c = {0};
    void *reading = NULL;
    if (s->set.reader->open(s, &c, &reading, e))
        return -1;
    struct prepared_header h = start_header(s, &c);
    int rc = write_prepared(&h, s, reading, path, e);
    s->set.reader->close(reading);
    return rc;
}
