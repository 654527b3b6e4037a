/* Files of images for tests, through the libraries' own writers; picture.h is the manual. */
#include "data/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jpeglib.h>
#include <png.h>

struct picture picture_jpeg(const uint8_t *pixels, int w, int h, int channels,
                            enum jpeg_kind kind) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = (JDIMENSION)w;
    jpeg.image_height = (JDIMENSION)h;
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 95, TRUE);
    if (kind == JPEG_PROGRESSIVE)
        jpeg_simple_progression(&jpeg);
    if (kind == JPEG_PLAIN_INKS)
        jpeg.write_Adobe_marker = FALSE;
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < h; y++) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(pixels + (size_t)y * (size_t)w * (size_t)channels);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    struct picture p = {malloc(size), size};
    memcpy(p.at, bytes, size);
    free(bytes);
    return p;
}

static void grow(png_structp png, png_bytep bytes, size_t n) {
    struct picture *p = png_get_io_ptr(png);
    p->at = realloc(p->at, p->n + n);
    assert_non_null(p->at);
    memcpy(p->at + p->n, bytes, n);
    p->n += n;
}

static void flush(png_structp png) {
    (void)png;
}

static void set_palette(png_structp png, png_infop info, int depth) {
    png_color colours[256];
    png_byte transparent = 0;
    for (int i = 0; i < 256; i++)
        colours[i] = (png_color){(png_byte)i, (png_byte)(255 - i), 7};
    png_set_PLTE(png, info, colours, 1 << depth);
    png_set_tRNS(png, info, &transparent, 1, NULL);
}

struct picture picture_png(const uint8_t *pixels, int w, int h, int type, int depth,
                           int interlaced) {
    struct picture p = {NULL, 0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &p, grow, flush);
    png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, depth, type,
                 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (type == PNG_COLOR_TYPE_PALETTE)
        set_palette(png, info, depth);
    png_write_info(png, info);
    size_t row = png_get_rowbytes(png, info);
    png_bytep *rows = malloc((size_t)h * sizeof *rows);
    for (int y = 0; y < h; y++)
        rows[y] = (png_bytep)(uintptr_t)(pixels + (size_t)y * row);
    png_write_image(png, rows);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    free(rows);
    return p;
}

void picture_draw(uint8_t *pixels, int w, int h, uint32_t number) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++, pixels += 3) {
            pixels[0] = (uint8_t)(number * 37 % 200 + (uint32_t)(40 * y / h));
            pixels[1] = (uint8_t)(number * 101 % 200 + (uint32_t)(40 * x / w));
            pixels[2] = (uint8_t)(number * 59 % 240);
        }
}

void picture_write(const char *path, struct picture p) {
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(p.at, 1, p.n, out), p.n);
    assert_int_equal(fclose(out), 0);
    picture_free(&p);
}

void picture_free(struct picture *p) {
    free(p->at);
    *p = (struct picture){NULL, 0};
}
