/* Reader of small folders of images (reader.h): all of one size, kept as bytes like every other
 * data set. They are decoded twice when the set is prepared, first to learn which can be
 * (data/images/scan.h), then into place, so that no more is in memory than the set itself. */
#include "base/cores.h"
#include "data/formats/reader.h"
#include "data/images/scan.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Larger sets are for `image_size`, which keeps nothing. */
static const uint64_t bytes_most = (uint64_t)2 << 30;

struct reading {
    struct image_folder folder;
    int w, h, channels;
};

static int find_folder(struct source *s, const char *folder, struct error *e) {
    struct image_folder f;
    if (image_folder_list(&f, folder, e))
        return -1;
    memcpy(s->listing, f.fingerprint, sizeof s->listing);
    image_folder_free(&f);
    return 0;
}

static int check_scan(const struct image_folder *f, const struct image_scan *scan,
                      struct error *e) {
    uint64_t images = (uint64_t)f->split[SPLIT_TRAIN].n + f->split[SPLIT_TEST].n;
    uint64_t size = (uint64_t)scan->w * (uint64_t)scan->h * (scan->grey ? 1 : DATASET_CHANNELS);
    if (!scan->w)
        return fail_at(e, f->root, 0,
                       "its images differ in size (one has %s); say image_size = 224 (or another "
                       "size) in [train]",
                       scan->unequal);
    if (scan->w > READER_SIDE || scan->h > READER_SIDE || images * size > bytes_most)
        return fail_at(e, f->root, 0,
                       "its %llu images of %d x %d pixels take more than %llu MiB; say image_size "
                       "= %d in [train], which reads them when they are needed",
                       (unsigned long long)images, scan->w, scan->h,
                       (unsigned long long)bytes_most >> 20, scan->h < 224 ? scan->h : 224);
    return 0;
}

static void close_reading(void *reading) {
    struct reading *r = reading;
    image_folder_free(&r->folder);
    free(r);
}

static struct contents contents_of(const struct reading *r) {
    return (struct contents){.shape = {r->channels, r->h, r->w},
                             .classes = r->folder.classes,
                             .n = {r->folder.split[SPLIT_TRAIN].n, r->folder.split[SPLIT_TEST].n},
                             .crop_flip = r->channels == DATASET_CHANNELS};
}

static int open_reading(const struct source *s, struct contents *c, void **reading,
                        struct error *e) {
    struct reading *r = need(1, sizeof *r);
    struct image_scan scan;
    int rc = image_folder_list(&r->folder, s->folder, e);
    if (!rc && !(rc = image_scan(&r->folder, &scan, e))) {
        rc = check_scan(&r->folder, &scan, e);
        r->w = scan.w;
        r->h = scan.h;
        r->channels = scan.grey ? 1 : DATASET_CHANNELS;
        image_scan_free(&scan);
    }
    if (rc) {
        close_reading(r);
        return -1;
    }
    *c = contents_of(r);
    *reading = r;
    return 0;
}

/* (h, w, 3) to (channels, h, w). */
static void to_planes(const struct image *image, int channels, uint8_t *planes) {
    size_t n = (size_t)image->w * (size_t)image->h;
    for (int c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            *planes++ = image->rgb[3 * i + (size_t)c];
}

static int read_one(const struct reading *r, enum split split, uint32_t i, uint8_t *planes,
                    struct error *e) {
    struct image image;
    if (image_folder_read(&r->folder, split, i, &image, NULL, e))
        return -1;
    int rc = 0;
    if (image.w == r->w && image.h == r->h)
        to_planes(&image, r->channels, planes);
    else
        rc = fail_at(e, r->folder.root, 0, "changes while it is read; wait, then try again");
    image_free(&image);
    return rc;
}

static int read_split(void *reading, enum split split, uint8_t *pixels, uint16_t *labels,
                      struct error *e) {
    const struct reading *r = reading;
    const struct image_files *files = &r->folder.split[split];
    size_t size = (size_t)r->channels * (size_t)r->w * (size_t)r->h;
    memcpy(labels, files->label, files->n * sizeof *labels);
    int failed = 0;
#pragma omp parallel for schedule(dynamic, 16) num_threads(cores_usable())
    for (uint32_t i = 0; i < files->n; i++) {
        struct error own = {0};
        if (!read_one(r, split, i, pixels + i * size, &own))
            continue;
#pragma omp critical
        failed = fail(e, "%s", own.text);
    }
    return failed;
}

const struct reader folder_reader = {.name = "folder",
                                     .version = 2,
                                     .find = find_folder,
                                     .open = open_reading,
                                     .read = read_split,
                                     .close = close_reading};
