/* Decoding of image files: every kind of JPEG and PNG gives the colours that went in; whatever else
 * a file holds gives one line, in little memory. */
#include "base/random.h"
#include "data/images/image.h"
#include "data/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <png.h>
#include <zlib.h>

enum { W = 37, H = 23, PIXELS = W * H };
enum { JPEG_TOLERANCE = 8 }; // of 255, smooth colours at quality 95

static uint8_t colours[PIXELS * 3];

static int draw(void **state) {
    (void)state;
    picture_draw(colours, W, H, 3);
    return 0;
}

static void expect(const struct picture *p, const uint8_t *rgb, int tolerance) {
    struct image image;
    struct error e = {0};
    if (image_decode(&image, p->at, p->n, "x.jpg", &e))
        fail_msg("%s", e.text);
    assert_int_equal(image.w, W);
    assert_int_equal(image.h, H);
    for (int i = 0; i < PIXELS * 3; i++)
        if (abs(image.rgb[i] - rgb[i]) > tolerance)
            fail_msg("byte %d is %d, not %d", i, image.rgb[i], rgb[i]);
    image_free(&image);
}

static void jpeg_colours(void **state) {
    (void)state;
    for (enum jpeg_kind kind = JPEG_BASELINE; kind <= JPEG_PROGRESSIVE; kind++) {
        struct picture p = picture_jpeg(colours, W, H, 3, kind);
        expect(&p, colours, JPEG_TOLERANCE);
        picture_free(&p);
    }
}

static void jpeg_grey(void **state) {
    (void)state;
    uint8_t grey[PIXELS], rgb[PIXELS * 3];
    for (int i = 0; i < PIXELS; i++)
        rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey[i] = colours[3 * i];
    struct picture p = picture_jpeg(grey, W, H, 1, JPEG_BASELINE);
    expect(&p, rgb, JPEG_TOLERANCE);
    picture_free(&p);
}

static void jpeg_inks(void **state) {
    (void)state;
    uint8_t inks[PIXELS * 4], rgb[PIXELS * 3];
    enum { KEY = 200 }; // light that the black ink leaves
    for (int inverted = 0; inverted < 2; inverted++) {
        for (int i = 0; i < PIXELS; i++) {
            for (int c = 0; c < 3; c++) {
                uint8_t light = colours[3 * i + c];
                inks[4 * i + c] = inverted ? light : (uint8_t)(255 - light);
                rgb[3 * i + c] = (uint8_t)(light * KEY / 255);
            }
            inks[4 * i + 3] = inverted ? KEY : 255 - KEY;
        }
        struct picture p = picture_jpeg(inks, W, H, 4, inverted ? JPEG_BASELINE : JPEG_PLAIN_INKS);
        expect(&p, rgb, JPEG_TOLERANCE);
        picture_free(&p);
    }
}

/* PNG loses nothing, so every kind is exact. `channels`, `depth` and `type` go together. What lets
 * light through is laid over white. */
static void png_kinds(void **state) {
    (void)state;
    static const struct {
        int type, channels, depth;
    } kinds[] = {{PNG_COLOR_TYPE_RGB, 3, 8},        {PNG_COLOR_TYPE_RGB, 3, 16},
                 {PNG_COLOR_TYPE_RGB_ALPHA, 4, 8},  {PNG_COLOR_TYPE_RGB_ALPHA, 4, 16},
                 {PNG_COLOR_TYPE_GRAY, 1, 8},       {PNG_COLOR_TYPE_GRAY, 1, 16},
                 {PNG_COLOR_TYPE_GRAY_ALPHA, 2, 8}, {PNG_COLOR_TYPE_PALETTE, 1, 8}};
    static uint8_t pixels[PIXELS * 8], rgb[PIXELS * 3];
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (int interlaced = 0; interlaced < 2; interlaced++) {
            int channels = kinds[k].channels, bytes = kinds[k].depth / 8;
            int colour = channels >= 3, palette = kinds[k].type == PNG_COLOR_TYPE_PALETTE;
            for (int i = 0; i < PIXELS; i++) {
                int alpha = channels % 2 ? 255 : i % 256;
                for (int c = 0; c < channels; c++)
                    for (int b = 0; b < bytes; b++) // 0x1234 stands for 0x12; here both bytes equal
                        pixels[(i * channels + c) * bytes + b] =
                            channels % 2 == 0 && c == channels - 1 ? (uint8_t)alpha
                                                                   : colours[3 * i + c];
                for (int c = 0; c < 3; c++) {
                    double over = colours[3 * i + (colour ? c : 0)] * alpha / 255.0 + 255 - alpha;
                    rgb[3 * i + c] = (uint8_t)(over + 0.5);
                }
                if (palette) {
                    rgb[3 * i + 1] = 255 - colours[3 * i];
                    rgb[3 * i + 2] = 7;
                }
                if (palette && colours[3 * i] == 0)
                    memset(rgb + 3 * i, 255, 3);
            }
            struct picture p = picture_png(pixels, W, H, kinds[k].type, kinds[k].depth, interlaced);
            expect(&p, rgb, 0);
            picture_free(&p);
        }
}

/* A shape that is drawn in the alpha channel alone is seen, and said not to be what is stored. */
static void shape_in_alpha(void **state) {
    (void)state;
    static uint8_t rgba[PIXELS * 4], rgb[PIXELS * 3];
    for (int opaque = 0; opaque < 2; opaque++) {
        for (int i = 0; i < PIXELS; i++) {
            rgba[4 * i + 3] = opaque || i % 3 ? 255 : 0;
            memset(rgb + 3 * i, 255 - rgba[4 * i + 3], 3);
        }
        struct picture p = picture_png(rgba, W, H, PNG_COLOR_TYPE_RGB_ALPHA, 8, 0);
        struct image image;
        struct error e = {0};
        expect(&p, rgb, 0);
        assert_int_equal(image_decode(&image, p.at, p.n, "x.png", &e), 0);
        assert_int_equal(image.is_changed, !opaque);
        image_free(&image);
        picture_free(&p);
    }
}

/* ---- upright ---- */

static void put32(uint8_t *at, uint32_t x) {
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(x >> (24 - 8 * i));
}

/* Exif data that name an orientation, in one byte order or the other. */
static size_t exif(uint8_t *to, int orientation, int big) {
    static const uint8_t little[] = {'E',  'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0,
                                     0x12, 1,   3,   0,   1, 0, 0,   0,   0,  0, 0, 0, 0, 0, 0, 0};
    static const uint8_t large[] = {'E', 'x',  'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1,
                                    1,   0x12, 0,   3,   0, 0, 0,   1,   0, 0,  0, 0, 0, 0, 0, 0};
    memcpy(to, big ? large : little, sizeof little);
    to[big ? 25 : 24] = (uint8_t)orientation;
    return sizeof little;
}

static struct picture insert(struct picture p, size_t at, const uint8_t *bytes, size_t n) {
    struct picture q = {malloc(p.n + n), p.n + n};
    memcpy(q.at, p.at, at);
    memcpy(q.at + at, bytes, n);
    memcpy(q.at + at + n, p.at + at, p.n - at);
    picture_free(&p);
    return q;
}

static struct picture jpeg_with_exif(const uint8_t *pixels, int w, int h, const uint8_t *data,
                                     size_t n) {
    uint8_t marker[128] = {0xff, 0xe1, 0, (uint8_t)(n + 2)};
    memcpy(marker + 4, data, n);
    return insert(picture_jpeg(pixels, w, h, 3, JPEG_BASELINE), 2, marker, n + 4);
}

/* Behind the pixels, before the last chunk (12 bytes). */
static struct picture png_with_exif(const uint8_t *pixels, int w, int h, const uint8_t *data,
                                    size_t n) {
    uint8_t chunk[128] = {0, 0, 0, (uint8_t)(n - 6), 'e', 'X', 'I', 'f'};
    memcpy(chunk + 8, data + 6, n - 6); // without "Exif"
    put32(chunk + 8 + n - 6, (uint32_t)crc32(0, chunk + 4, (uInt)(n - 6 + 4)));
    struct picture p = picture_png(pixels, w, h, PNG_COLOR_TYPE_RGB, 8, 0);
    return insert(p, p.n - 12, chunk, n - 6 + 12);
}

/* The upright picture as a camera in that position stores it: Exif 2.3 names the sides of the scene
 * on which the first stored row and the first stored column lie. */
static void store(const uint8_t *upright, int orientation, uint8_t *stored, int *w, int *h) {
    static const char sides[][2] = {{'t', 'l'}, {'t', 'r'}, {'b', 'r'}, {'b', 'l'},
                                    {'l', 't'}, {'r', 't'}, {'r', 'b'}, {'l', 'b'}};
    const char *side = sides[orientation - 1];
    int across = side[0] == 'l' || side[0] == 'r';
    *w = across ? H : W;
    *h = across ? W : H;
    for (int row = 0; row < *h; row++)
        for (int column = 0; column < *w; column++) {
            int at[2] = {row, column}, x = 0, y = 0;
            for (int i = 0; i < 2; i++) {
                if (side[i] == 't' || side[i] == 'b')
                    y = side[i] == 't' ? at[i] : H - 1 - at[i];
                else
                    x = side[i] == 'l' ? at[i] : W - 1 - at[i];
            }
            memcpy(stored + 3 * (row * *w + column), upright + 3 * (y * W + x), 3);
        }
}

static void pictures_are_turned_upright(void **state) {
    (void)state;
    static uint8_t stored[PIXELS * 3];
    for (int orientation = 1; orientation <= 8; orientation++)
        for (int big = 0; big < 2; big++) {
            int w, h;
            uint8_t data[64];
            size_t n = exif(data, orientation, big);
            store(colours, orientation, stored, &w, &h);
            struct picture jpeg = jpeg_with_exif(stored, w, h, data, n);
            struct picture png = png_with_exif(stored, w, h, data, n);
            expect(&jpeg, colours, JPEG_TOLERANCE);
            expect(&png, colours, 0);
            picture_free(&jpeg);
            picture_free(&png);
        }
}

/* Exif data that mean nothing, are cut or damaged leave the picture as it is stored, or turn it;
 * they never hurt. */
static void bad_exif(void **state) {
    (void)state;
    uint8_t data[64], none[] = "Exif\0";
    for (int orientation = 0; orientation < 256; orientation += 9) {
        size_t n = exif(data, orientation, 0);
        struct picture p = jpeg_with_exif(colours, W, H, data, n);
        expect(&p, colours, JPEG_TOLERANCE);
        picture_free(&p);
    }
    assert_int_equal(image_exif_orientation(none, sizeof none), 1);
    struct random r = random_stream(1, RANDOM_TEST, 0, 77);
    for (int round = 0; round < 20000; round++) {
        size_t n = exif(data, 6, round % 2), cut = 6 + random_below(&r, (uint32_t)n - 5);
        for (uint32_t i = 0; i < random_below(&r, 4); i++)
            data[6 + random_below(&r, (uint32_t)n - 6)] = (uint8_t)random_next(&r);
        uint8_t *exact = malloc(cut); // so that a byte read behind it is seen
        memcpy(exact, data, cut);
        assert_in_range(image_exif_orientation(exact, cut), 1, 8);
        free(exact);
    }
}

/* ---- what is no image ---- */

static void expect_error(const void *bytes, size_t n, const char *says) {
    struct image image;
    struct error e = {0};
    assert_int_equal(image_decode(&image, bytes, n, "x.jpg", &e), -1);
    assert_null(image.rgb);
    assert_ptr_equal(strstr(e.text, "x.jpg: "), e.text);
    if (!strstr(e.text, says))
        fail_msg("'%s' does not say '%s'", e.text, says);
}

static void other_files(void **state) {
    (void)state;
    expect_error("", 0, "is empty");
    expect_error("<html>", 6, "neither a JPEG nor a PNG");
    expect_error("GIF89a....", 10, "neither a JPEG nor a PNG");
    expect_error("\xff\xd8", 2, "neither a JPEG nor a PNG");
    expect_error("\xff\xd8\xff", 3, "damaged JPEG");
    expect_error("\x89PNG\r\n\x1a\n", 8, "damaged PNG");
}

/* Other extents in the header of a PNG, with the right checksum. */
static void set_png_size(struct picture *p, uint32_t w, uint32_t h) {
    put32(p->at + 16, w);
    put32(p->at + 20, h);
    put32(p->at + 29, (uint32_t)crc32(0, p->at + 12, 17));
}

static void set_jpeg_size(struct picture *p, unsigned w, unsigned h) {
    size_t at = 0;
    while (p->at[at] != 0xff || (p->at[at + 1] != 0xc0 && p->at[at + 1] != 0xc2))
        at++;
    p->at[at + 5] = (uint8_t)(h >> 8);
    p->at[at + 6] = (uint8_t)h;
    p->at[at + 7] = (uint8_t)(w >> 8);
    p->at[at + 8] = (uint8_t)w;
}

static void headers_that_claim_too_much(void **state) {
    (void)state;
    struct picture p = picture_png(colours, W, H, PNG_COLOR_TYPE_RGB, 8, 0);
    set_png_size(&p, 60000, 60000);
    expect_error(p.at, p.n, "60000 x 60000 pixels, more than");
    set_png_size(&p, 65501, 1);
    expect_error(p.at, p.n, "damaged PNG");
    set_png_size(&p, 0, 9);
    expect_error(p.at, p.n, "damaged PNG");
    set_png_size(&p, 0x7fffffff, 0x7fffffff);
    expect_error(p.at, p.n, "PNG");
    set_png_size(&p, W, 8000); // within the limits, and more than the file holds
    expect_error(p.at, p.n, "damaged PNG");
    picture_free(&p);
    for (enum jpeg_kind kind = JPEG_BASELINE; kind <= JPEG_PROGRESSIVE; kind++) {
        p = picture_jpeg(colours, W, H, 3, kind);
        set_jpeg_size(&p, 65500, 65500);
        expect_error(p.at, p.n, "65500 x 65500 pixels, more than");
        set_jpeg_size(&p, 8000, 8000);
        expect_error(p.at, p.n, "damaged JPEG");
        set_jpeg_size(&p, 0, 5);
        expect_error(p.at, p.n, "JPEG");
        picture_free(&p);
    }
}

/* A file cut anywhere is refused. */
static void truncated(void **state) {
    (void)state;
    struct picture files[] = {picture_jpeg(colours, W, H, 3, JPEG_BASELINE),
                              picture_jpeg(colours, W, H, 3, JPEG_PROGRESSIVE),
                              picture_png(colours, W, H, PNG_COLOR_TYPE_RGB, 8, 0),
                              picture_png(colours, W, H, PNG_COLOR_TYPE_RGB, 8, 1)};
    for (int f = 0; f < 4; f++) {

        for (size_t n = 0; n < files[f].n; n++) {
            uint8_t *exact = malloc(n ? n : 1); // so that a byte read behind it is seen
            memcpy(exact, files[f].at, n);
            expect_error(exact, n, "");
            free(exact);
        }
        picture_free(&files[f]);
    }
}

/* Bytes changed at random: an error or some picture, never a crash. */
static void damaged(void **state) {
    (void)state;
    struct picture files[] = {picture_jpeg(colours, W, H, 3, JPEG_BASELINE),
                              picture_jpeg(colours, W, H, 3, JPEG_PROGRESSIVE),
                              picture_jpeg(colours, W, 17, 4, JPEG_BASELINE),
                              picture_png(colours, W, H, PNG_COLOR_TYPE_RGB, 8, 1),
                              picture_png(colours, W, H, PNG_COLOR_TYPE_PALETTE, 8, 0)};
    int refused = 0;
    enum { ROUNDS = 400, FILES = sizeof files / sizeof files[0] };
    for (int f = 0; f < FILES; f++) {
        struct random r = random_stream(1, RANDOM_TEST, 0, (uint64_t)f);
        uint8_t *copy = malloc(files[f].n);
        for (int round = 0; round < ROUNDS; round++) {
            memcpy(copy, files[f].at, files[f].n);
            for (uint32_t i = 0; i <= random_below(&r, 4); i++)
                copy[8 + random_below(&r, (uint32_t)files[f].n - 8)] = (uint8_t)random_next(&r);
            struct image image;
            struct error e = {0};
            int rc = image_decode(&image, copy, files[f].n, "x", &e);
            assert_int_equal(rc == 0, image.rgb != NULL);
            assert_int_equal(rc == 0, e.text[0] == '\0');
            refused += rc != 0;
            image_free(&image);
        }
        free(copy);
        picture_free(&files[f]);
    }
    assert_in_range(refused, FILES * ROUNDS / 10, FILES * ROUNDS - 1);
}

/* ---- little files that want much ---- */

/* The place of the first marker of a scan from `at` on, or of the next marker that ends one. */
static size_t find_marker(const struct picture *p, size_t at, int scan) {
    while (p->at[at] != 0xff || (scan ? p->at[at + 1] != 0xda : p->at[at + 1] == 0))
        at++;
    return at;
}

/* A progressive file whose first scan comes again and again. */
static struct picture many_scans(int times) {
    struct picture p = picture_jpeg(colours, W, H, 3, JPEG_PROGRESSIVE);
    size_t from = find_marker(&p, 0, 1), to = find_marker(&p, from + 2, 0), length = to - from;
    struct picture q = {malloc(p.n + (size_t)times * length), p.n + (size_t)times * length};
    memcpy(q.at, p.at, to);
    for (int i = 0; i < times; i++)
        memcpy(q.at + to + (size_t)i * length, p.at + from, length);
    memcpy(q.at + to + (size_t)times * length, p.at + to, p.n - to);
    picture_free(&p);
    return q;
}

static void scans_without_end(void **state) {
    (void)state;
    struct picture few = many_scans(20), many = many_scans(2000);
    expect(&few, colours, JPEG_TOLERANCE);
    expect_error(many.at, many.n, "damaged JPEG");
    picture_free(&few);
    picture_free(&many);
}

#ifndef __SANITIZE_ADDRESS__ // whose shadow memory is not bounded

/* A compressed comment of `mib` MiB, all blanks, behind the header. */
static struct picture swollen_comment(size_t mib) {
    struct picture p = picture_png(colours, W, H, PNG_COLOR_TYPE_RGB, 8, 0);
    size_t plain = mib << 20;
    uLongf packed = compressBound(plain);
    uint8_t *blanks = malloc(plain), *chunk = malloc(packed + 64);
    memset(blanks, ' ', plain);
    memcpy(chunk + 4, "zTXtnote\0\0", 10);
    assert_int_equal(compress2(chunk + 14, &packed, blanks, plain, 9), Z_OK);
    put32(chunk, (uint32_t)packed + 6);
    put32(chunk + 14 + packed, (uint32_t)crc32(0, chunk + 4, (uInt)packed + 10));
    struct picture q = {malloc(p.n + packed + 18), p.n + packed + 18};
    memcpy(q.at, p.at, 33);
    memcpy(q.at + 33, chunk, packed + 18);
    memcpy(q.at + 33 + packed + 18, p.at + 33, p.n - 33);
    free(blanks);
    free(chunk);
    picture_free(&p);
    return q;
}

/* Decode in a process that may take `mib` more than it has; its peak in MiB, and whether it
 * succeeded.
 */
static long peak_of(const struct picture *p, long mib, int *ok) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {(rlim_t)mib << 20, (rlim_t)mib << 20};
        setrlimit(RLIMIT_AS, &limit);
        struct image image;
        struct error e = {0};
        struct rusage before, after;
        getrusage(RUSAGE_SELF, &before);
        int rc = image_decode(&image, p->at, p->n, "x", &e);
        getrusage(RUSAGE_SELF, &after);
        long said[2] = {rc == 0, (after.ru_maxrss - before.ru_maxrss) >> 10};
        _exit(write(ends[1], said, sizeof said) != sizeof said);
    }
    int status;
    long said[2];
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(read(ends[0], said, sizeof said), sizeof said);
    close(ends[0]);
    close(ends[1]);
    *ok = (int)said[0];
    return said[1];
}

static void memory_is_bounded(void **state) {
    (void)state;
    enum { ADDRESSES = 1024, LITTLE = 24 }; // MiB
    struct picture comment = swollen_comment(200), huge[2];
    huge[0] = picture_png(colours, W, H, PNG_COLOR_TYPE_RGB, 8, 0);
    set_png_size(&huge[0], 60000, 60000);
    huge[1] = picture_jpeg(colours, W, H, 3, JPEG_PROGRESSIVE);
    set_jpeg_size(&huge[1], 65500, 65500);
    int ok;
    assert_in_range(peak_of(&comment, ADDRESSES, &ok), 0, LITTLE);
    for (int i = 0; i < 2; i++) {
        assert_in_range(peak_of(&huge[i], ADDRESSES, &ok), 0, LITTLE);
        assert_int_equal(ok, 0);
        picture_free(&huge[i]);
    }
    picture_free(&comment);
}

/* The largest that is read, where the system has no memory for it: an error, not the end. */
static void no_memory_is_an_error(void **state) {
    (void)state;
    struct picture p = picture_png(colours, W, H, PNG_COLOR_TYPE_RGB, 8, 0);
    set_png_size(&p, 8192, 8192);
    int ok = 1;
    peak_of(&p, 128, &ok);
    assert_int_equal(ok, 0);
    picture_free(&p);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpeg_colours),
        cmocka_unit_test(jpeg_grey),
        cmocka_unit_test(jpeg_inks),
        cmocka_unit_test(png_kinds),
        cmocka_unit_test(shape_in_alpha),
        cmocka_unit_test(pictures_are_turned_upright),
        cmocka_unit_test(bad_exif),
        cmocka_unit_test(other_files),
        cmocka_unit_test(headers_that_claim_too_much),
        cmocka_unit_test(truncated),
        cmocka_unit_test(damaged),
        cmocka_unit_test(scans_without_end),
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(no_memory_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, draw, NULL);
}
