/* Decoding every image of a folder once; scan.h is the manual. */
#include "data/images/scan.h"

#include "base/cores.h"
#include "base/file.h"
#include "base/progress.h"
#include "data/prepared.h"

#include <limits.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct look {
    int w, h;
    int grey, is_changed;
    char *fault; // why it cannot be decoded; owned
};

int image_folder_read(const struct image_folder *f, enum split split, uint32_t i,
                      struct image *image, unsigned char *digest, struct error *e) {
    char path[PATH_MAX];
    size_t size;
    if (image_folder_path(f, split, i, path, sizeof path, e))
        return -1;
    char *bytes = file_read(path, IMAGE_FILE_MOST, &size, e);
    if (!bytes)
        return -1;
    if (digest)
        hash_bytes(bytes, size, digest);
    int rc = image_decode(image, bytes, size, path, e);
    free(bytes);
    return rc;
}

static int is_grey(const struct image *image) {
    size_t n = (size_t)image->w * (size_t)image->h;
    for (const uint8_t *p = image->rgb; n--; p += 3)
        if (p[0] != p[1] || p[0] != p[2])
            return 0;
    return 1;
}

static void count_bytes(const struct image *image, uint64_t count[DATASET_CHANNELS][256]) {
    size_t n = (size_t)image->w * (size_t)image->h;
    for (const uint8_t *p = image->rgb; n--; p += DATASET_CHANNELS)
        for (int c = 0; c < DATASET_CHANNELS; c++)
            count[c][p[c]]++;
}

static struct look look_at(const struct image_folder *f, enum split split, uint32_t i,
                           unsigned char *digest, uint64_t count[DATASET_CHANNELS][256]) {
    struct image image;
    struct error e = {0};
    if (image_folder_read(f, split, i, &image, digest, &e))
        return (struct look){.fault = need_string(e.text)};
    struct look look = {
        .w = image.w, .h = image.h, .grey = is_grey(&image), .is_changed = image.is_changed};
    if (split == SPLIT_TRAIN)
        count_bytes(&image, count);
    image_free(&image);
    return look;
}

static void show_scan(struct progress *p, uint32_t done, uint32_t n, const char *split) {
    char text[64];
    snprintf(text, sizeof text, "image %u of %u of %s", done, n, split);
    progress_show(p, (double)done / n, text);
}

/* Sums of whole numbers: the order in which threads add theirs does not matter. */
static struct look *look_at_all(const struct image_folder *f, enum split split,
                                struct image_scan *s) {
    uint32_t n = f->split[split].n, done = 0;
    struct look *looks = need(n, sizeof *looks);
    struct progress progress = progress_start("looking at images", 0, 0);
    progress.printed = progress_clock(); // nothing to be said of small folders
#pragma omp parallel num_threads(cores_usable())
    {
        uint64_t count[DATASET_CHANNELS][256] = {0};
#pragma omp for schedule(dynamic, 16)
        for (uint32_t i = 0; i < n; i++) {
            looks[i] = look_at(f, split, i, s->digest[split][i], count);
            uint32_t now = __atomic_add_fetch(&done, 1, __ATOMIC_RELAXED);
            if (omp_get_thread_num() == 0)
                show_scan(&progress, now, n, f->split_name[split]);
        }
#pragma omp critical
        for (int c = 0; c < DATASET_CHANNELS; c++)
            for (int v = 0; v < 256; v++)
                s->count[c][v] += count[c][v];
    }
    progress_end(&progress);
    return looks;
}

/* Keep what could be decoded, in order. */
static void drop_faults(struct image_folder *f, enum split split, struct look *looks,
                        struct image_scan *s) {
    struct image_files *files = &f->split[split];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < files->n; i++) {
        if (looks[i].fault) {
            skipped_add(&f->skipped, looks[i].fault);
            free(looks[i].fault);
            continue;
        }
        image_files_move(files, kept, i);
        looks[kept] = looks[i];
        memmove(s->digest[split][kept++], s->digest[split][i], HASH_BYTES);
    }
    files->n = kept;
}

static void compare_size(const struct image_folder *f, enum split split, uint32_t i,
                         const struct look *look, struct image_scan *s) {
    if (!s->w && !s->unequal[0]) {
        s->w = look->w;
        s->h = look->h;
    } else if (s->w && (look->w != s->w || look->h != s->h)) {
        const struct image_files *files = &f->split[split];
        snprintf(s->unequal, sizeof s->unequal, "%d x %d pixels, %s/%.200s/%.200s has %d x %d",
                 s->w, s->h, f->split_name[split], f->class_names[files->label[i]],
                 files->names + files->name[i], look->w, look->h);
        s->w = s->h = 0;
    }
}

/* A class that decoding emptied is one that has no image (folder.c). */
static int check_classes(const struct image_folder *f, enum split split, struct error *e) {
    const struct image_files *files = &f->split[split];
    uint32_t *count = need((size_t)f->classes, sizeof *count);
    int empty = 0;
    for (uint32_t i = 0; i < files->n; i++)
        count[files->label[i]]++;
    while (empty < f->classes && count[empty])
        empty++;
    free(count);
    if (empty == f->classes)
        return 0;
    return fail_at(e, f->root, 0,
                   "none of the images in %s/%s can be read, so the class cannot be %s; mend them, "
                   "or remove it from every split",
                   f->split_name[split], f->class_names[empty],
                   split == SPLIT_TRAIN ? "learnt" : "tested");
}

static int check_pixels(const struct image_folder *f, const struct image_scan *s, struct error *e) {
    for (int c = 0; c < DATASET_CHANNELS; c++)
        if (!channel_is_constant(s->count[c]))
            return 0;
    return fail_at(e, f->root, 0,
                   "all pixels of the images in train are equal, so nothing can be learnt; are "
                   "they whole?");
}

static int scan_split(struct image_folder *f, enum split split, struct image_scan *s,
                      struct error *e) {
    s->digest[split] = need(f->split[split].n, HASH_BYTES);
    struct look *looks = look_at_all(f, split, s);
    drop_faults(f, split, looks, s);
    for (uint32_t i = 0; i < f->split[split].n; i++) {
        compare_size(f, split, i, &looks[i], s);
        s->grey &= looks[i].grey;
        s->is_changed |= looks[i].is_changed;
    }
    free(looks);
    return check_classes(f, split, e);
}

int image_scan(struct image_folder *f, struct image_scan *s, struct error *e) {
    *s = (struct image_scan){.grey = 1};
    int rc = 0;
    for (int split = 0; split < SPLITS && !rc; split++)
        rc = scan_split(f, (enum split)split, s, e);
    if (rc || image_folder_judge(f, e) || check_pixels(f, s, e)) {
        image_scan_free(s);
        return -1;
    }
    return 0;
}

void image_scan_free(struct image_scan *s) {
    for (int split = 0; split < SPLITS; split++)
        free(s->digest[split]);
    *s = (struct image_scan){0};
}
