/* JPEG through libjpeg; image.h is the manual. libjpeg reports an error by a function that must not
 * return, so ours jumps back to decode(). All that is owned lies in a structure outside of that
 * frame, and is freed whichever way decode() ends. */
#include "data/images/image.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

/* A progressive file may hold scans without end over a picture that is large: what libjpeg-turbo's
 * own fuzzers allow. Real ones have about ten. */
enum { SCANS_MOST = 500 };

enum { EXIF_MARKER = JPEG_APP0 + 1 };

/* Of libjpeg itself; the largest progressive picture within the limits takes 6 bytes a pixel, 8 in
 * CMYK. */
static const long decoder_memory = 640L << 20;

struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    int damage; // code of the first warning that means lost data; 0: none
    int orientation;
    uint8_t *cmyk; // (w, 4): a row; owned
};

static void give_up(j_common_ptr jpeg) {
    longjmp(((struct reader *)jpeg->client_data)->back, 1);
}

/* Warnings of lost data are errors here; oddities that change no pixel are not. */
static void hear(j_common_ptr jpeg, int level) {
    struct reader *r = jpeg->client_data;
    static const int harmless[] = {JWRN_ADOBE_XFORM, JWRN_BOGUS_PROGRESSION, JWRN_EXTRANEOUS_DATA,
                                   JWRN_JFIF_MAJOR, JWRN_TOO_MUCH_DATA};
    if (level >= 0 || r->damage)
        return;
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (jpeg->err->msg_code == harmless[i])
            return;
    r->damage = jpeg->err->msg_code;
    give_up(jpeg);
}

static void count_scans(j_common_ptr jpeg) {
    struct reader *r = jpeg->client_data;
    if (r->jpeg.input_scan_number <= SCANS_MOST)
        return;
    r->errors.msg_code = JERR_BAD_PROGRESSION;
    give_up(jpeg);
}

static void start_jpeg(struct reader *r, const uint8_t *bytes, size_t size) {
    r->jpeg.err = jpeg_std_error(&r->errors);
    r->errors.error_exit = give_up;
    r->errors.emit_message = hear;
    r->jpeg.client_data = r;
    r->progress.progress_monitor = count_scans;
    jpeg_create_decompress(&r->jpeg);
    r->jpeg.progress = &r->progress;
    r->jpeg.mem->max_memory_to_use = decoder_memory;
    jpeg_mem_src(&r->jpeg, bytes, size);
    jpeg_save_markers(&r->jpeg, EXIF_MARKER, IMAGE_EXIF_MOST);
}

/* Adobe's files hold 255 minus the ink, so a product gives the light; others hold the ink. */
static void convert_row(const uint8_t *cmyk, uint8_t *rgb, int w, int inverted) {
    for (int x = 0; x < w; x++, cmyk += 4)
        for (int c = 0; c < 3; c++) {
            int light = inverted ? cmyk[c] : 255 - cmyk[c],
                key = inverted ? cmyk[3] : 255 - cmyk[3];
            *rgb++ = (uint8_t)((light * key + 127) / 255);
        }
}

static void read_rows(struct reader *r, struct image *image) {
    size_t stride = (size_t)image->w * 3;
    while (r->jpeg.output_scanline < r->jpeg.output_height) {
        uint8_t *to = image->rgb + r->jpeg.output_scanline * stride;
        JSAMPROW row = r->cmyk ? r->cmyk : to;
        jpeg_read_scanlines(&r->jpeg, &row, 1);
        if (r->cmyk)
            convert_row(r->cmyk, to, image->w, r->jpeg.saw_Adobe_marker);
    }
    jpeg_finish_decompress(&r->jpeg);
}

static int choose_colours(struct reader *r, const char *path, struct error *e) {
    int inks = r->jpeg.num_components == 4;
    r->jpeg.out_color_space = inks ? JCS_CMYK : JCS_RGB;
    r->jpeg.dct_method = JDCT_ISLOW;
    if (!inks)
        return 0;
    r->cmyk = malloc((size_t)r->jpeg.image_width * 4);
    return r->cmyk ? 0 : fail_at(e, path, 0, "no memory for a row of it");
}

static int explain_jpeg(struct reader *r, const char *path, struct error *e) {
    char why[JMSG_LENGTH_MAX];
    r->errors.format_message((j_common_ptr)&r->jpeg, why);
    return fail_at(e, path, 0, "is a damaged JPEG file (%s); fetch it again", why);
}

/* The first Exif data decide; other programs put other things behind the same marker. */
static int jpeg_orientation(const struct reader *r) {
    for (jpeg_saved_marker_ptr m = r->jpeg.marker_list; m; m = m->next)
        if (m->marker == EXIF_MARKER && m->data_length > 6 && !memcmp(m->data, "Exif\0", 6))
            return image_exif_orientation(m->data, m->data_length);
    return 1;
}

/* No variable of this frame changes after setjmp. */
static int decode_jpeg(struct reader *r, struct image *image, const uint8_t *bytes, size_t size,
                       const char *path, struct error *e) {
    if (setjmp(r->back))
        return explain_jpeg(r, path, e);
    start_jpeg(r, bytes, size);
    jpeg_read_header(&r->jpeg, TRUE);
    if (image_take(image, r->jpeg.image_width, r->jpeg.image_height, path, e) ||
        choose_colours(r, path, e))
        return -1;
    r->orientation = jpeg_orientation(r); // finishing forgets the markers
    jpeg_start_decompress(&r->jpeg);
    read_rows(r, image);
    return image_turn(image, r->orientation, path, e);
}

int image_decode_jpeg(struct image *image, const uint8_t *bytes, size_t size, const char *path,
                      struct error *e) {
    struct reader r;
    memset(&r, 0, sizeof r);
    int rc = decode_jpeg(&r, image, bytes, size, path, e);
    jpeg_destroy_decompress(&r.jpeg);
    free(r.cmyk);
    return rc;
}
