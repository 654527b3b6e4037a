/* Folders of images that change while they are used; data/images/folder.h is the manual. */
#include "data/images/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void image_files_move(struct image_files *files, uint32_t to, uint32_t i) {
    files->name[to] = files->name[i];
    files->stamp[to] = files->stamp[i];
    files->label[to] = files->label[i];
}

static uint32_t hash_32(const void *bytes, size_t size) {
    unsigned char digest[HASH_BYTES];
    uint32_t first;
    hash_bytes(bytes, size, digest);
    memcpy(&first, digest, sizeof first);
    return first;
}

uint64_t image_stamp(const struct stat *st) {
    const int64_t all[] = {st->st_size, st->st_mtim.tv_sec, st->st_mtim.tv_nsec, st->st_ctim.tv_sec,
                           st->st_ctim.tv_nsec};
    return (uint64_t)hash_32(all, 3 * sizeof *all) << 32 | hash_32(all, sizeof all);
}

/* Rights and names of a file may change under a run: only size and time of the content count. */
int image_folder_check_image(const struct image_folder *f, enum split split, uint32_t i,
                             struct error *e) {
    char path[PATH_MAX];
    struct stat st;
    if (image_folder_path(f, split, i, path, sizeof path, e))
        return -1;
    if (stat(path, &st))
        return fail_system(e, path, "went away while it was read", errno);
    if (image_stamp(&st) >> 32 == f->split[split].stamp[i] >> 32)
        return 0;
    return fail_at(e, path, 0,
                   "has changed since the run began to read its folder; put the old one back, or "
                   "plan the grid anew");
}

/* ---- which one ---- */

/* The images of a split in the order of classes, and of names in each. */
struct sorted {
    const struct image_folder *f;
    enum split split;
    uint32_t at, *order;
};

static const char *class_at(const struct sorted *s) {
    return s->f->class_names[s->f->split[s->split].label[s->order[s->at]]];
}

static const char *name_at(const struct sorted *s) {
    const struct image_files *files = &s->f->split[s->split];
    return files->names + files->name[s->order[s->at]];
}

static int by_offset(const void *a, const void *b, void *files) {
    const uint64_t *name = ((const struct image_files *)files)->name;
    uint64_t x = name[*(const uint32_t *)a], y = name[*(const uint32_t *)b];
    return (x > y) - (x < y);
}

/* Names stand in the order in which they were listed. */
static struct sorted sort_files(const struct image_folder *f, enum split split) {
    struct image_files files = f->split[split];
    struct sorted s = {f, split, 0, need(files.n, sizeof *s.order)};
    for (uint32_t i = 0; i < files.n; i++)
        s.order[i] = i;
    qsort_r(s.order, files.n, sizeof *s.order, by_offset, &files);
    return s;
}

static int say_changes(const struct sorted *s, const char *what, struct error *e) {
    char path[PATH_MAX];
    return image_folder_path(s->f, s->split, s->order[s->at], path, sizeof path, e)
               ? -1
               : fail_at(e, path, 0,
                         "%s since the run began; put the folder back as it was, or plan the grid "
                         "anew",
                         what);
}

/* 0: none in this split. `edited`: of those that are in both listings, else of the others, which
 * cannot have been touched alone. */
static int say_in_split(struct sorted *a, struct sorted *b, int edited, struct error *e) {
    const struct image_files *before = &a->f->split[a->split], *now = &b->f->split[b->split];
    while (a->at < before->n || b->at < now->n) {
        int order = a->at == before->n ? 1
                    : b->at == now->n  ? -1
                                       : strcmp(class_at(a), class_at(b));
        if (!order)
            order = strcmp(name_at(a), name_at(b));
        if (order && !edited)
            return order < 0 ? say_changes(a, "went away, or cannot be read any more,", e)
                             : say_changes(b, "is new", e);
        if (!order && edited && before->stamp[a->order[a->at]] != now->stamp[b->order[b->at]])
            return say_changes(b, "has changed", e);
        a->at += order <= 0;
        b->at += order >= 0;
    }
    return 0;
}

int image_folder_say_change(const struct image_folder *before, const struct image_folder *now,
                            struct error *e) {
    int said = 0;
    for (int pass = 0; pass < 2 * SPLITS && !said; pass++) {
        enum split split = (enum split)(pass % SPLITS);
        struct sorted a = sort_files(before, split), b = sort_files(now, split);
        said = say_in_split(&a, &b, pass / SPLITS, e);
        free(a.order);
        free(b.order);
    }
    return said ? -1
                : fail_at(e, before->root, 0,
                          "its images are others since the run began; put it back as it was, or "
                          "plan the grid anew");
}
