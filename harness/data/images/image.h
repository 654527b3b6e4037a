/* One image file, JPEG (libjpeg-turbo) or PNG (libpng), decoded to bytes of red, green and blue.
 *
 * What a file is, its first bytes say, not its name. Everything becomes 8-bit RGB: grey is
 * replicated, palettes are looked up, 16 bits are cut to 8, CMYK and YCCK are converted as print
 * shops' files are (inverted, after Adobe), and what is transparent is laid over white, so that a
 * shape that is drawn in the alpha channel alone is seen. A picture is turned upright as its Exif
 * data say.
 *
 * Nothing a file says is trusted: its header is held against the limits below before memory is
 * taken for pixels, decoders get limits of their own, and data that end early or contradict
 * themselves are an error, never a grey half. Safe to call from several threads at once. */
#ifndef DATA_IMAGES_IMAGE_H
#define DATA_IMAGES_IMAGE_H

#include "base/error.h"

#include <stdint.h>

/* A photograph of 64 megapixels fits. */
enum {
    IMAGE_FILE_MOST = 64 << 20, // bytes of a file
    IMAGE_SIDE_MOST = 65500,    // pixels; what JPEG's 16 bits allow
    IMAGE_PIXELS_MOST = 1 << 26,
    IMAGE_EXIF_MOST = 65535, // bytes; what a marker of a JPEG holds
};

struct image {
    int w, h;
    uint8_t *rgb;   // (h, w, 3); owned
    int is_changed; // laid over white, or turned: not the bytes that are stored
};

/* Decode `size` bytes; `path` is for messages. On failure there is nothing to free. */
int image_decode(struct image *image, const void *bytes, size_t size, const char *path,
                 struct error *e);
void image_free(struct image *image);

/* For the two decoders: take memory for w x h pixels, if these are within the limits. */
int image_take(struct image *image, uint32_t w, uint32_t h, const char *path, struct error *e);

/* For the two decoders: the orientation, 1 (upright) to 8, that Exif data name, which start with
 * "Exif" and two NULs; and the image turned from it, in memory of its own. -1 with a message. */
int image_exif_orientation(const uint8_t *exif, size_t size);
int image_turn(struct image *image, int orientation, const char *path, struct error *e);

int image_decode_jpeg(struct image *image, const uint8_t *bytes, size_t size, const char *path,
                      struct error *e);
int image_decode_png(struct image *image, const uint8_t *bytes, size_t size, const char *path,
                     struct error *e);

#endif
