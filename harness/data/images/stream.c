/* Images of a folder, one at a time; stream.h is the manual. What is remembered of a folder is in
 * index.c. */
#include "data/images/stream.h"

#include "base/random.h"
#include "data/formats/reader.h"
#include "data/images/index.h"
#include "data/images/resize.h"
#include "data/images/scan.h"
#include "data/source.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int image_stream_open(struct dataset *d, const char *name, int size, struct error *e) {
    struct known_set set;
    char path[PATH_MAX];
    *d = (struct dataset){0};
    if (known_set_find(&set, name, e))
        return -1;
    if (set.reader != &folder_reader)
        return fail(e, "image_size is for folders of images; leave it out for %s", name);
    if (source_folder(&set, path, sizeof path, e))
        return -1;
    struct image_stream *stream = need(1, sizeof *stream);
    stream->size = size;
    if (image_folder_list(&stream->folder, path, e) ||
        image_index_apply(d, &set, &stream->folder, e)) {
        image_stream_close(stream);
        return -1;
    }
    memcpy(d->name, set.name, sizeof d->name);
    d->stream = stream;
    d->shape = (struct shape){DATASET_CHANNELS, size, size};
    d->classes = stream->folder.classes;
    d->crop_flip = 1;
    for (int s = 0; s < SPLITS; s++)
        d->split[s] = (struct images){.n = stream->folder.split[s].n,
                                      .labels = stream->folder.split[s].label};
    return 0;
}

void image_stream_close(struct image_stream *stream) {
    if (stream)
        image_folder_free(&stream->folder);
    free(stream);
}

/* A folder whose names, sizes or times are others is looked at as when it is opened: its content
 * decides. */
int image_stream_check(const struct dataset *d, const char *name, struct error *e) {
    const struct image_folder *before = &d->stream->folder;
    struct image_folder now;
    struct dataset other = {0};
    struct known_set set;
    if (known_set_find(&set, name, e) || image_folder_list(&now, before->root, e))
        return -1;
    int rc = 0;
    if (strcmp(now.fingerprint, before->fingerprint) != 0)
        rc = image_index_apply(&other, &set, &now, e);
    if (!rc && other.hash[0] && strcmp(other.hash, d->hash) != 0)
        rc = image_folder_say_change(before, &now, e);
    image_folder_free(&now);
    return rc;
}

static double uniform_between(struct random *r, double lo, double hi) {
    return lo + (hi - lo) * (double)random_unit(r);
}

static struct crop crop_within(int x, int y, int w, int h) {
    return (struct crop){x, y, w, h, x, y, x + w, y + h};
}

/* The largest part in the middle whose sides are not more unequal than 3:4. */
static struct crop middle(const struct image *image) {
    const double most = 4.0 / 3;
    int w = image->w, h = image->h;
    if ((double)w / h > most)
        w = (int)lround(h * most);
    else if ((double)h / w > most)
        h = (int)lround(w * most);
    return crop_within((image->w - w) / 2, (image->h - h) / 2, w, h);
}

static struct crop draw_part(const struct image *image, struct random *r) {
    enum { TRIES = 10 };
    const double area = (double)image->w * image->h;
    for (int i = 0; i < TRIES; i++) {
        double wanted = area * uniform_between(r, 0.08, 1);
        double ratio = exp(uniform_between(r, log(3.0 / 4), log(4.0 / 3)));
        int w = (int)lround(sqrt(wanted * ratio)), h = (int)lround(sqrt(wanted / ratio));
        if (w < 1 || h < 1 || w > image->w || h > image->h)
            continue;
        int y = (int)random_below(r, (uint32_t)(image->h - h + 1));
        int x = (int)random_below(r, (uint32_t)(image->w - w + 1));
        return crop_within(x, y, w, h);
    }
    return middle(image);
}

/* Both steps are one: sides in the image made smaller are lengths in the source times a factor. */
struct crop image_stream_test_part(const struct image *image, int size) {
    int shorter = (int)lround(size * 256.0 / 224);
    int least = image->w < image->h ? image->w : image->h;
    int w = (int)((int64_t)shorter * image->w / least),
        h = (int)((int64_t)shorter * image->h / least);
    double across = (double)image->w / w, down = (double)image->h / h;
    return (struct crop){lround((w - size) / 2.0) * across,
                         lround((h - size) / 2.0) * down,
                         size * across,
                         size * down,
                         0,
                         0,
                         image->w,
                         image->h};
}

static void flip(uint8_t *planes, int size) {
    for (int row = 0; row < DATASET_CHANNELS * size; row++, planes += size)
        for (int a = 0, b = size - 1; a < b; a++, b--) {
            uint8_t kept = planes[a];
            planes[a] = planes[b];
            planes[b] = kept;
        }
}

static void transform(const struct image *image, const struct batch_request *r, uint32_t i,
                      int size, uint8_t *planes) {
    if (!r->crop_flip) {
        struct crop crop = image_stream_test_part(image, size);
        image_resize(image, &crop, size, planes);
        return;
    }
    struct random stream = random_stream(r->seed, RANDOM_AUGMENT, r->epoch, r->first + i);
    struct crop crop = draw_part(image, &stream);
    image_resize(image, &crop, size, planes);
    if (random_below(&stream, 2))
        flip(planes, size);
}

static void normalise(const struct dataset *d, const uint8_t *planes, size_t plane, float *to) {
    for (int c = 0; c < DATASET_CHANNELS; c++) {
        float table[256];
        for (int x = 0; x < 256; x++)
            table[x] = ((float)x / 255.0f - d->mean[c]) / d->deviation[c];
        for (size_t p = 0; p < plane; p++)
            *to++ = table[*planes++];
    }
}

int image_stream_fill(const struct dataset *d, const struct batch_request *r, uint32_t i,
                      float *image, struct error *e) {
    int size = d->stream->size;
    size_t plane = (size_t)size * (size_t)size;
    struct image decoded;
    if (image_folder_read(&d->stream->folder, r->split, r->order[i], &decoded, NULL, e))
        return -1;
    if (image_folder_check_image(&d->stream->folder, r->split, r->order[i], e)) {
        image_free(&decoded);
        return -1;
    }
    uint8_t *planes = need(plane, DATASET_CHANNELS);
    transform(&decoded, r, i, size, planes);
    normalise(d, planes, plane, image);
    free(planes);
    image_free(&decoded);
    return 0;
}
