/* Which decoder, and the limits that hold for both; image.h is the manual. */
#include "data/images/image.h"

#include <stdlib.h>
#include <string.h>

static int starts_with(const void *bytes, size_t size, const char *magic, size_t length) {
    return size >= length && !memcmp(bytes, magic, length);
}

int image_decode(struct image *image, const void *bytes, size_t size, const char *path,
                 struct error *e) {
    *image = (struct image){0};
    int rc;
    if (size == 0)
        rc = fail_at(e, path, 0, "is empty; remove it or fetch it again");
    else if (starts_with(bytes, size, "\xff\xd8\xff", 3))
        rc = image_decode_jpeg(image, bytes, size, path, e);
    else if (starts_with(bytes, size, "\x89PNG\r\n\x1a\n", 8))
        rc = image_decode_png(image, bytes, size, path, e);
    else
        rc = fail_at(e, path, 0, "is neither a JPEG nor a PNG file; remove it or convert it");
    if (rc)
        image_free(image);
    return rc;
}

int image_take(struct image *image, uint32_t w, uint32_t h, const char *path, struct error *e) {
    if (w == 0 || h == 0)
        return fail_at(e, path, 0, "says that it is %u x %u pixels; fetch it again", w, h);
    if (w > IMAGE_SIDE_MOST || h > IMAGE_SIDE_MOST || (uint64_t)w * h > IMAGE_PIXELS_MOST)
        return fail_at(e, path, 0,
                       "says that it is %u x %u pixels, more than the %d million that are read; "
                       "make it smaller",
                       w, h, IMAGE_PIXELS_MOST / 1000000);
    image->w = (int)w;
    image->h = (int)h;
    image->rgb = malloc((size_t)w * h * 3);
    return image->rgb ? 0 : fail_at(e, path, 0, "no memory for its %u x %u pixels", w, h);
}

void image_free(struct image *image) {
    free(image->rgb);
    *image = (struct image){0};
}
