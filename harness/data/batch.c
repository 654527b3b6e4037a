/* Batches as floats from the bytes of a data set: look-up tables for the normalisation, row copies
 * for crop and flip, so that the inner loops are free of branches. What an image becomes depends on
 * its name (seed, epoch, place) alone, never on the batch it is in. */
#include "data/dataset.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

enum { PADDING = 4 }; // pixels of byte 0 on each side

struct crop {
    uint32_t y, x; // 0 ... 2 * PADDING, place of the crop in the padded image
    int flip;
};

static struct crop draw_crop(const struct batch_request *r, uint32_t i) {
    struct random stream = random_stream(r->seed, RANDOM_AUGMENT, r->epoch, r->first + i);
    struct crop crop;
    crop.y = random_below(&stream, 2 * PADDING + 1);
    crop.x = random_below(&stream, 2 * PADDING + 1);
    crop.flip = (int)random_below(&stream, 2);
    return crop;
}

/* Columns [left, right) of the crop lie on the image, the others on the padding. */
static void crop_row(const uint8_t *from, uint8_t *to, int w, int shift) {
    int left = shift < 0 ? -shift : 0, right = shift > 0 ? w - shift : w;
    if (right > left)
        memcpy(to + left, from + left + shift, (size_t)(right - left));
}

static void flip_rows(uint8_t *plane, int h, int w) {
    for (int y = 0; y < h; y++, plane += w)
        for (int a = 0, b = w - 1; a < b; a++, b--) {
            uint8_t kept = plane[a];
            plane[a] = plane[b];
            plane[b] = kept;
        }
}

static void crop_plane(const uint8_t *from, uint8_t *to, int h, int w, struct crop crop) {
    int down = (int)crop.y - PADDING, across = (int)crop.x - PADDING;
    memset(to, 0, (size_t)h * (size_t)w);
    for (int y = 0; y < h; y++)
        if (y + down >= 0 && y + down < h)
            crop_row(from + (size_t)(y + down) * (size_t)w, to + (size_t)y * (size_t)w, w, across);
    if (crop.flip)
        flip_rows(to, h, w);
}

static void fill_tables(const struct dataset *d, float table[DATASET_CHANNELS][256]) {
    for (int c = 0; c < d->shape.c; c++)
        for (int x = 0; x < 256; x++)
            table[c][x] = ((float)x / 255.0f - d->mean[c]) / d->deviation[c];
}

static void look_up(const float table[256], const uint8_t *from, float *to, size_t n) {
    for (size_t i = 0; i < n; i++)
        to[i] = table[from[i]];
}

void dataset_fill(const struct dataset *d, const struct batch_request *r, float *images,
                  uint16_t *labels) {
    float table[DATASET_CHANNELS][256];
    fill_tables(d, table);
    const struct images *split = &d->split[r->split];
    size_t plane = (size_t)d->shape.h * (size_t)d->shape.w, stored = (size_t)d->shape.c;
    uint8_t *cropped = need(plane, 1);
    for (uint32_t i = 0; i < r->n; i++) {
        struct crop crop = r->crop_flip ? draw_crop(r, i) : (struct crop){0};
        const uint8_t *pixels = split->pixels + r->order[i] * stored * plane;
        labels[i] = split->labels[r->order[i]];
        for (size_t c = 0; c < stored; c++, pixels += plane, images += plane) {
            if (r->crop_flip)
                crop_plane(pixels, cropped, d->shape.h, d->shape.w, crop);
            look_up(table[c], r->crop_flip ? cropped : pixels, images, plane);
        }
        // Grey feeds a network of three channels as three equal planes.
        for (size_t c = stored; c < (size_t)r->channels; c++, images += plane)
            memcpy(images, images - plane, plane * sizeof *images);
    }
    free(cropped);
}
