/* A small data set for tests; tiny_set.h is the manual. */
#include "data/tiny_set.h"

#include "base/random.h"
#include "data/cache.h"
#include "data/prepared.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

char tiny_root[FOLDER_PATH];
uint8_t tiny_pixels[SPLITS][TINY_TRAIN][TINY_PLANE];
uint8_t tiny_labels[SPLITS][TINY_TRAIN];
const uint32_t tiny_n[SPLITS] = {TINY_TRAIN, TINY_TEST};

enum { BIGGEST = TINY_TRAIN * TINY_PLANE + (1 << 16) };

static void draw(void) {
    struct random r = random_stream(1, RANDOM_TEST, 0, 30);
    for (int s = 0; s < SPLITS; s++)
        for (uint32_t i = 0; i < TINY_TRAIN; i++) {
            tiny_labels[s][i] = (uint8_t)random_below(&r, 10);
            for (int x = 0; x < TINY_PLANE; x++)
                tiny_pixels[s][i][x] = (uint8_t)random_below(&r, 256);
        }
}

int tiny_start(void **state) {
    (void)state;
    folder_make(tiny_root);
    setenv("TRUNCQUANT_DATA", folder_file(tiny_root, "data"), 1);
    setenv("TRUNCQUANT_CACHE", folder_file(tiny_root, "cache"), 1);
    draw();
    if (mkdir(folder_file(tiny_root, "data"), 0777) ||
        mkdir(folder_file(tiny_root, "data/mnist"), 0777))
        return -1;
    tiny_write_all(0);
    return 0;
}

int tiny_end(void **state) {
    (void)state;
    folder_remove(tiny_root);
    return 0;
}

static void put_big_endian(struct bytes *b, uint32_t x) {
    for (int shift = 24; shift >= 0; shift -= 8)
        b->at[b->n++] = (uint8_t)(x >> shift);
}

struct bytes tiny_idx(int split, int labels) {
    struct bytes b = {malloc(BIGGEST), 0};
    put_big_endian(&b, labels ? 0x801 : 0x803);
    put_big_endian(&b, tiny_n[split]);
    if (!labels) {
        put_big_endian(&b, TINY_SIDE);
        put_big_endian(&b, TINY_SIDE);
    }
    size_t size = labels ? tiny_n[split] : tiny_n[split] * TINY_PLANE;
    memcpy(b.at + b.n, labels ? tiny_labels[split] : tiny_pixels[split][0], size);
    b.n += size;
    return b;
}

struct bytes tiny_gzip(struct bytes plain) {
    struct bytes packed = {malloc(BIGGEST), 0};
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = plain.at;
    z.avail_in = (uInt)plain.n;
    z.next_out = packed.at;
    z.avail_out = BIGGEST;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    packed.n = z.total_out;
    deflateEnd(&z);
    free(plain.at);
    return packed;
}

const char *tiny_path(int split, int labels, int gz) {
    static const char *const names[SPLITS][2] = {
        {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
        {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}};
    char name[64];
    snprintf(name, sizeof name, "data/mnist/%s%s", names[split][labels], gz ? ".gz" : "");
    return folder_file(tiny_root, name);
}

const char *tiny_prepared(void) {
    static char path[FOLDER_PATH];
    struct known_set set;
    struct source source;
    struct error e = {0};
    if (known_set_find(&set, "mnist", &e) || source_find(&source, &set, &e) ||
        cache_path(&source, path, sizeof path, &e))
        fail_msg("%s", e.text);
    source_free(&source);
    return path;
}

int tiny_count_prepared(void) {
    glob_t found;
    int rc = glob(folder_file(tiny_root, "cache/*.prepared"), 0, NULL, &found);
    int n = rc == GLOB_NOMATCH ? 0 : (int)found.gl_pathc;
    assert_true(rc == 0 || rc == GLOB_NOMATCH);
    globfree(&found);
    return n;
}

void tiny_write(int split, int labels, int gz, struct bytes b) {
    unlink(tiny_path(split, labels, !gz));
    FILE *out = fopen(tiny_path(split, labels, gz), "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(b.at, 1, b.n, out), b.n);
    assert_int_equal(fclose(out), 0);
    free(b.at);
}

void tiny_write_all(int gz) {
    for (int i = 0; i < 2 * SPLITS; i++) {
        struct bytes b = tiny_idx(i / 2, i % 2);
        tiny_write(i / 2, i % 2, gz, gz ? tiny_gzip(b) : b);
    }
}

void tiny_hash(char hash[HASH_HEX]) {
    struct dataset d;
    struct error e = {0};
    if (dataset_open(&d, "mnist", &e))
        fail_msg("%s", e.text);
    memcpy(hash, d.hash, HASH_HEX);
    dataset_close(&d);
}
