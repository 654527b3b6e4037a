/* Reading images for a model; pictures.h is the manual. */
#include "deploy/pictures.h"

#include "base/file.h"
#include "data/formats/idx.h"
#include "data/images/stream.h"

#include <stdlib.h>
#include <string.h>

/* Rec. 601, in whole numbers; grey stays what it is. */
static uint8_t lightness(const uint8_t *rgb, size_t step) {
    return (uint8_t)((299 * rgb[0] + 587 * rgb[step] + 114 * rgb[2 * step] + 500) / 1000);
}

/* Planes (3, h, w) of pixels (h, w, 3). */
static void split_pixels(const struct image *image, uint8_t *planes) {
    size_t plane = (size_t)image->w * (size_t)image->h;
    for (size_t i = 0; i < plane; i++)
        for (size_t c = 0; c < 3; c++)
            planes[c * plane + i] = image->rgb[3 * i + c];
}

static int fit_image(const struct image *image, const struct tq_info *m, const char *path,
                     uint8_t *planes, struct error *e) {
    if (!m->resized && image->w == m->width && image->h == m->height) {
        split_pixels(image, planes);
        return 0;
    }
    if (m->width != m->height)
        return fail_at(e, path, 0, "is %d x %d, and the model takes %d x %d alone", image->w,
                       image->h, m->width, m->height);
    struct crop part = image_stream_test_part(image, m->height);
    image_resize(image, &part, m->height, planes);
    return 0;
}

static int read_image(struct pictures *p, const char *bytes, size_t size, const char *path,
                      const struct tq_info *m, struct error *e) {
    struct image image;
    size_t plane = (size_t)m->height * (size_t)m->width;
    if (image_decode(&image, bytes, size, path, e))
        return -1;
    p->n = 1;
    p->bytes = need(3 * plane, 1);
    int rc = fit_image(&image, m, path, p->bytes, e);
    for (size_t i = 0; !rc && m->channels == 1 && i < plane; i++)
        p->bytes[i] = lightness(p->bytes + i, plane);
    image_free(&image);
    return rc;
}

static int read_idx(struct pictures *p, const char *path, const struct tq_info *m,
                    struct error *e) {
    struct idx f;
    if (idx_open(&f, path, IDX_IMAGES, e))
        return -1;
    int rc = 0;
    if (m->channels != 1 || (int)f.extent[1] != m->height || (int)f.extent[2] != m->width)
        rc = fail_at(e, path, 0,
                     "holds grey images of %u x %u, and the model takes %d channels of %d x %d",
                     f.extent[1], f.extent[2], m->channels, m->height, m->width);
    if (!rc) {
        p->n = f.extent[0];
        p->bytes = need(f.body + 1, 1);
        rc = idx_body(&f, p->bytes, e);
    }
    idx_close(&f);
    return rc;
}

static int is_idx(const char *bytes, size_t size) {
    return size >= 4 && (!memcmp(bytes, "\0\0\x08\x03", 4) || !memcmp(bytes, "\x1f\x8b", 2));
}

int pictures_read(struct pictures *p, const char *path, const struct tq_info *model,
                  struct error *e) {
    size_t size;
    *p = (struct pictures){0};
    char *bytes = file_read(path, IMAGE_FILE_MOST, &size, e);
    if (!bytes)
        return -1;
    int rc = is_idx(bytes, size) ? read_idx(p, path, model, e)
                                 : read_image(p, bytes, size, path, model, e);
    free(bytes);
    if (rc)
        pictures_free(p);
    return rc;
}

void pictures_free(struct pictures *p) {
    free(p->bytes);
    *p = (struct pictures){0};
}
