/* JPEG and PNG files made in memory, for tests of those who read them. */
#ifndef TESTS_DATA_PICTURE_H
#define TESTS_DATA_PICTURE_H

#include <stddef.h>
#include <stdint.h>

struct picture {
    uint8_t *at; // freed by picture_free
    size_t n;
};

/* `pixels`: (h, w, channels) of 1 grey, 3 RGB or 4 CMYK (inverted, as Adobe's, or not). */
enum jpeg_kind { JPEG_BASELINE, JPEG_PROGRESSIVE, JPEG_PLAIN_INKS };
struct picture picture_jpeg(const uint8_t *pixels, int w, int h, int channels, enum jpeg_kind kind);

/* `pixels`: (h, w, channels), of 2 big-endian bytes each where depth is 16. `type` is libpng's
 * PNG_COLOR_TYPE_*; with a palette, entry i is (i, 255 - i, 7), entry 0 transparent. */
struct picture picture_png(const uint8_t *pixels, int w, int h, int type, int depth,
                           int interlaced);

/* Smooth colours of one number, so that JPEG keeps them: (h, w, 3). */
void picture_draw(uint8_t *pixels, int w, int h, uint32_t number);

void picture_write(const char *path, struct picture p); // and free it
void picture_free(struct picture *p);

#endif
