/* PNG through libpng; image.h is the manual. As with JPEG, an error jumps back to decode(), and all
 * that is owned lies outside of its frame. (libpng's simplified interface, which returns its
 * errors, mixes up the rows of interlaced files of 16 bits in the releases that are about.) Colours
 * are taken as stored: a gamma or a profile in the file is not applied, as by image loaders of
 * other frameworks. */
#include "data/images/image.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    png_structp png;
    png_infop info;
    const uint8_t *at; // what is not read yet
    size_t left;
    png_bytep *rows; // owned
    uint8_t *rgba;   // (h, w, 4), of an image that has transparency; owned
    char why[128];
};

static void give_up(png_structp png, png_const_charp why) {
    struct reader *r = png_get_error_ptr(png);
    snprintf(r->why, sizeof r->why, "%s", why);
    png_longjmp(png, 1);
}

static void be_quiet(png_structp png, png_const_charp why) {
    (void)png;
    (void)why;
}

static void read_bytes(png_structp png, png_bytep into, size_t n) {
    struct reader *r = png_get_io_ptr(png);
    if (n > r->left)
        png_error(png, "it ends early");
    memcpy(into, r->at, n);
    r->at += n;
    r->left -= n;
}

/* Everything to 8-bit RGB, or RGBA where the file has transparency. */
static void set_transforms(struct reader *r) {
    png_set_expand(r->png); // palettes, fewer than 8 bits, transparent colours
    png_set_scale_16(r->png);
    png_set_gray_to_rgb(r->png);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
}

static int set_rows(struct reader *r, struct image *image, const char *path, struct error *e) {
    size_t channels = png_get_channels(r->png, r->info), stride = (size_t)image->w * channels;
    if ((channels != 3 && channels != 4) || png_get_rowbytes(r->png, r->info) != stride)
        return fail_at(e, path, 0, "is a PNG file of an unknown kind; convert it");
    r->rows = malloc((size_t)image->h * sizeof *r->rows);
    if (channels == 4)
        r->rgba = malloc((size_t)image->h * stride);
    if (!r->rows || (channels == 4 && !r->rgba))
        return fail_at(e, path, 0, "no memory for its rows");
    for (int y = 0; y < image->h; y++)
        r->rows[y] = (r->rgba ? r->rgba : image->rgb) + (size_t)y * stride;
    return 0;
}

/* Where the image lets light through, white is behind it. */
static void lay_over_white(const uint8_t *rgba, struct image *image) {
    size_t n = (size_t)image->w * (size_t)image->h;
    uint8_t *rgb = image->rgb;
    for (; n--; rgba += 4)
        for (int c = 0; c < 3; c++) {
            int alpha = rgba[3], over = (rgba[c] * alpha + 255 * (255 - alpha) + 127) / 255;
            image->is_changed |= over != rgba[c];
            *rgb++ = (uint8_t)over;
        }
}

static int png_orientation(const struct reader *r) {
    static const char header[6] = "Exif\0"; // libpng gives what stands behind it
    png_uint_32 n = 0;
    png_bytep exif = NULL;
    if (!png_get_eXIf_1(r->png, r->info, &n, &exif) || !n || n > IMAGE_EXIF_MOST - sizeof header)
        return 1;
    uint8_t *bytes = malloc(n + sizeof header);
    if (!bytes)
        return 1;
    memcpy(bytes, header, sizeof header);
    memcpy(bytes + sizeof header, exif, n);
    int found = image_exif_orientation(bytes, n + sizeof header);
    free(bytes);
    return found;
}

/* No variable of this frame changes after setjmp. */
static int decode_png(struct reader *r, struct image *image, const char *path, struct error *e) {
    if (setjmp(png_jmpbuf(r->png)))
        return fail_at(e, path, 0, "is a damaged PNG file (%s); fetch it again", r->why);
    png_set_user_limits(r->png, IMAGE_SIDE_MOST, IMAGE_SIDE_MOST);
    png_set_read_fn(r->png, r, read_bytes);
    png_read_info(r->png, r->info);
    if (image_take(image, png_get_image_width(r->png, r->info),
                   png_get_image_height(r->png, r->info), path, e))
        return -1;
    set_transforms(r);
    if (set_rows(r, image, path, e))
        return -1;
    png_read_image(r->png, r->rows);
    png_read_end(r->png, r->info); // Exif data may stand behind the pixels
    if (r->rgba)
        lay_over_white(r->rgba, image);
    return image_turn(image, png_orientation(r), path, e);
}

int image_decode_png(struct image *image, const uint8_t *bytes, size_t size, const char *path,
                     struct error *e) {
    struct reader r = {.at = bytes, .left = size};
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, give_up, be_quiet);
    r.info = r.png ? png_create_info_struct(r.png) : NULL;
    int rc = r.info ? decode_png(&r, image, path, e)
                    : fail_at(e, path, 0, "no memory for a PNG decoder");
    png_destroy_read_struct(&r.png, &r.info, NULL);
    free(r.rows);
    free(r.rgba);
    return rc;
}
