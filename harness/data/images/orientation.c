/* Images turned upright as their Exif data say; image.h is the manual. Reading Exif is libexif's
 * work; what it cannot make sense of leaves the image as it is stored, as viewers do. */
#include "data/images/image.h"

#include <stdlib.h>
#include <string.h>

#include <libexif/exif-data.h>

/* Exif 2.3, section 4.6.4: how the stored rows and columns lie in the scene. */
enum { UPRIGHT = 1, LAST_ORIENTATION = 8 };

int image_exif_orientation(const uint8_t *exif, size_t size) {
    ExifData *data = exif_data_new();
    if (!data || size > IMAGE_EXIF_MOST)
        return exif_data_unref(data), UPRIGHT;
    exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION); // nothing is added to it
    exif_data_load_data(data, exif, (unsigned)size);
    ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    int found = UPRIGHT;
    if (entry && entry->format == EXIF_FORMAT_SHORT && entry->components == 1 && entry->size >= 2)
        found = exif_get_short(entry->data, exif_data_get_byte_order(data));
    exif_data_unref(data);
    return found >= UPRIGHT && found <= LAST_ORIENTATION ? found : UPRIGHT;
}

/* Where the pixel of a place in the upright image is stored: orientations of 5 and more are
 * transposed, and then 2, 3, 7, 8 mirrored across, and 3, 4, 6, 7 from top to bottom. */
static size_t stored_at(int orientation, int x, int y, int w, int h) {
    if (orientation >= 5) {
        int kept = x;
        x = y;
        y = kept;
    }
    if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
        x = w - 1 - x;
    if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
        y = h - 1 - y;
    return (size_t)y * (size_t)w + (size_t)x;
}

int image_turn(struct image *image, int orientation, const char *path, struct error *e) {
    if (orientation == UPRIGHT)
        return 0;
    int across = orientation >= 5, w = across ? image->h : image->w,
        h = across ? image->w : image->h;
    uint8_t *rgb = malloc((size_t)w * (size_t)h * 3), *to = rgb;
    if (!rgb)
        return fail_at(e, path, 0, "no memory for turning its %d x %d pixels", w, h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++, to += 3)
            memcpy(to, image->rgb + 3 * stored_at(orientation, x, y, image->w, image->h), 3);
    free(image->rgb);
    *image = (struct image){w, h, rgb, 1};
    return 0;
}
