/* Targets of the readers of data sets (harness/data/formats/reader.h), driven as
 * harness/data/prepare.c does. */
#include "data/formats/cifar_reader.h"
#include "data/formats/idx_reader.h"
#include "data/formats/reader.h"
#include "fuzz/target.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void check_contents(const struct contents *c) {
    FUZZ_HOLDS(c->shape.c == 1 || c->shape.c == 3);
    FUZZ_HOLDS(c->shape.h > 0 && c->shape.h <= READER_SIDE);
    FUZZ_HOLDS(c->shape.w > 0 && c->shape.w <= READER_SIDE);
    FUZZ_HOLDS(c->classes >= 2 && c->classes <= READER_CLASSES);
    for (int s = 0; s < SPLITS; s++)
        FUZZ_HOLDS(c->n[s] > 0);
}

/* Exactly as much memory as the reader said, so that a sanitizer sees a byte too many. */
static int read_split(const struct reader *reader, void *reading, const struct contents *c,
                      enum split split, struct error *e) {
    size_t n = c->n[split], plane = (size_t)(c->shape.c * c->shape.h * c->shape.w);
    uint8_t *pixels = need(n, plane);
    uint16_t *labels = need(n, sizeof *labels);
    int rc = reader->read(reading, split, pixels, labels, e);
    for (size_t i = 0; !rc && i < n; i++)
        FUZZ_HOLDS(labels[i] < c->classes);
    free(pixels);
    free(labels);
    return rc;
}

static int read_set(const struct known_set *set, char **files, int n) {
    struct source source = {.set = *set, .n = n, .file = files};
    struct contents c = {0};
    struct error e = {0};
    void *reading = NULL;
    int rc = set->reader->open(&source, &c, &reading, &e);
    if (!rc) {
        check_contents(&c);
        rc = read_split(set->reader, reading, &c, SPLIT_TRAIN, &e) ||
                     read_split(set->reader, reading, &c, SPLIT_TEST, &e)
                 ? -1
                 : 0;
        set->reader->close(reading);
    }
    return fuzz_outcome(rc, &e);
}

/* ---- IDX ---- */

static const char *gzipped_file(int slot, const uint8_t *bytes, size_t size) {
    size_t room = size + 1024;
    uint8_t *packed = need(room, 1);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes,
                  .avail_in = (uInt)size,
                  .next_out = packed,
                  .avail_out = (uInt)room};
    FUZZ_HOLDS(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    FUZZ_HOLDS(deflate(&z, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&z);
    const char *path = fuzz_file(slot, packed, room - z.avail_out);
    free(packed);
    return path;
}

static char *idx_file(int slot, int gzip, const uint8_t *bytes, size_t size) {
    return need_string(gzip ? gzipped_file(slot, bytes, size) : fuzz_file(slot, bytes, size));
}

/* One byte, whose bits 0 and 1 say which of two files is to be gzipped first; two bytes, how long
 * the first file is, low byte first; the file of images, that of labels. Both splits are made of
 * these two. */
int fuzz_idx(const uint8_t *bytes, size_t size) {
    static const struct idx_set letters = {
        .name = {{"i", "l"}, {"i", "l"}}, .transposed = 1, .first_label = 1};
    static const struct known_set set = {.name = "fuzz",
                                         .reader = &idx_reader,
                                         .detail = &letters,
                                         .shape = {1, 4, 4},
                                         .classes = 10};
    if (size < 3)
        return 0;
    size_t left = size - 3, images = (size_t)(bytes[1] | bytes[2] << 8);
    images = images < left ? images : left;
    char *files[4];
    files[0] = files[2] = idx_file(0, bytes[0] & 1, bytes + 3, images);
    files[1] = files[3] = idx_file(1, bytes[0] & 2, bytes + 3 + images, left - images);
    int taken = read_set(&set, files, 4);
    free(files[0]);
    free(files[1]);
    return taken;
}

/* ---- CIFAR and SVHN ---- */

static const struct known_set cifar_set = {.name = "fuzz",
                                           .reader = &cifar_reader,
                                           .detail = &cifar_100,
                                           .shape = {3, 32, 32},
                                           .classes = 100};

/* One byte: how many of both files' records, of two labels and 3072 bytes each, are in the first;
 * then how many bytes more; then both files. */
int fuzz_cifar(const uint8_t *bytes, size_t size) {
    if (size < 2)
        return 0;
    size_t left = size - 2, train = bytes[0] * (size_t)3074 + bytes[1];
    train = train < left ? train : left;
    char *files[2] = {need_string(fuzz_file(0, bytes + 2, train)),
                      need_string(fuzz_file(1, bytes + 2 + train, left - train))};
    int taken = read_set(&cifar_set, files, 2);
    free(files[0]);
    free(files[1]);
    return taken;
}

/* The archive, which may be gzipped or not. */
int fuzz_cifar_archive(const uint8_t *bytes, size_t size) {
    char *file = need_string(fuzz_file(0, bytes, size));
    int taken = read_set(&cifar_set, &file, 1);
    free(file);
    return taken;
}

/* A file that stands for both splits'. */
int fuzz_svhn(const uint8_t *bytes, size_t size) {
    static const struct known_set set = {
        .name = "fuzz", .reader = &svhn_reader, .shape = {3, 32, 32}, .classes = 10};
    char *files[2];
    files[0] = files[1] = need_string(fuzz_file(0, bytes, size));
    int taken = read_set(&set, files, 2);
    free(files[0]);
    return taken;
}
