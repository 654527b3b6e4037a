/* Listing a folder of images; folder.h is the manual. It opens no image. */
#include "data/images/folder.h"

#include "base/progress.h"
#include "base/random.h"
#include "data/images/names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- paths ---- */

static int path_of_image(char *path, size_t size, const char *folder, const char *name,
                         struct error *e) {
    if (snprintf(path, size, "%s/%s", folder, name) < (int)size)
        return 0;
    return fail_at(e, folder, 0, "a name in it is too long; move it to a place with a shorter one");
}

static int is_folder(const char *path) {
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* ---- what is skipped ---- */

static void skip_file(struct image_folder *f, const char *path, const char *why) {
    struct error line = {0};
    fail_at(&line, path, 0, "%s", why); // a name may hold a line end
    skipped_add(&f->skipped, line.text);
}

/* ---- images ---- */

static const char nested[] = "images";

static int has_ending(const char *name) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t length = strlen(endings[i]);
        if (n > length && !strcasecmp(name + n - length, endings[i]))
            return 1;
    }
    return 0;
}

struct listing {
    struct image_folder *folder;
    FILE *fingerprint;
    FILE *names;  // of the split
    uint64_t at;  // bytes written to it
    double until; // by progress_clock; 0: a glance is not enough
    int late;     // something was left out
};

static int is_late(struct listing *l) {
    l->late |= l->until > 0 && progress_clock() > l->until;
    return l->late;
}

static void replace(struct image_files *files, uint64_t *name, uint64_t *stamp, uint16_t *label) {
    free(files->name);
    free(files->stamp);
    free(files->label);
    files->name = name;
    files->stamp = stamp;
    files->label = label;
}

static void grow_files(struct image_files *files) {
    enum { FIRST = 1024 };
    if (files->n && (files->n < FIRST || files->n & (files->n - 1)))
        return; // room is FIRST, then each power of two
    size_t room = files->n ? 2 * (size_t)files->n : FIRST;
    uint64_t *name = need(room, sizeof *name), *stamp = need(room, sizeof *stamp);
    uint16_t *label = need(room, sizeof *label);
    if (files->n) {
        memcpy(name, files->name, files->n * sizeof *name);
        memcpy(stamp, files->stamp, files->n * sizeof *stamp);
        memcpy(label, files->label, files->n * sizeof *label);
    }
    replace(files, name, stamp, label);
}

/* NUL ends a name, since no other byte is sure not to be in it. */
static void print_fingerprint(FILE *out, const char *name, const struct stat *st) {
    fwrite(name, 1, strlen(name) + 1, out);
    fprintf(out, "%lld %lld.%09ld %lld.%09ld", (long long)st->st_size,
            (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec,
            st->st_ctim.tv_nsec);
    fputc('\0', out);
}

static void add_image(struct listing *l, enum split split, int label, const char *name,
                      const struct stat *st) {
    struct image_files *files = &l->folder->split[split];
    grow_files(files);
    files->name[files->n] = l->at;
    files->stamp[files->n] = image_stamp(st);
    files->label[files->n++] = (uint16_t)label;
    size_t size = strlen(name) + 1;
    fwrite(name, 1, size, l->names);
    l->at += size;
}

static int consider(struct listing *l, enum split split, int label, const char *folder,
                    const char *name, struct error *e) {
    char path[PATH_MAX];
    struct stat st = {.st_mode = S_IFREG};
    if (path_of_image(path, sizeof path, folder, name, e))
        return -1;
    if (!has_ending(name))
        skip_file(l->folder, path, "its name does not end in .jpg, .jpeg or .png");
    else if (l->until <= 0 && stat(path, &st))
        skip_file(l->folder, path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        skip_file(l->folder, path, "is not a regular file");
    else if (l->folder->split[split].n == FOLDER_IMAGES_MOST)
        return fail_at(e, folder, 0, "has more than %d images before it; use fewer",
                       FOLDER_IMAGES_MOST);
    else {
        print_fingerprint(l->fingerprint, name, &st);
        add_image(l, split, label, name, &st);
    }
    return 0;
}

static int is_subfolder(const char *folder, const char *name) {
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path && is_folder(path);
}

/* Whether the images of a class are in a folder of their own (folder.h): there is one, and nothing
 * beside it looks like an image. */
static int is_nested(const struct names *names, const char *path) {
    for (size_t i = 0; i < names->n; i++)
        if (has_ending(names->name[i]))
            return 0;
    return is_subfolder(path, nested);
}

/* Put the names of the images there in place of the folder, as "images/NAME". */
static int read_nested(struct names *names, struct image_folder *f, const char *path,
                       struct error *e) {
    char folder[PATH_MAX], name[PATH_MAX];
    struct names inner, all = {0};
    if (path_of_image(folder, sizeof folder, path, nested, e) ||
        names_read(&inner, folder, &f->skipped.n_left_by_systems, e))
        return -1;
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->name[i], nested) != 0)
            names_add(&all, names->name[i]);
    int rc = 0;
    for (size_t i = 0; i < inner.n && !rc; i++)
        if (!(rc = path_of_image(name, sizeof name, nested, inner.name[i], e)))
            names_add(&all, name);
    names_free(&inner);
    names_free(names);
    *names = all;
    return rc;
}

static int has_no_image(const struct names *names, enum split split, const char *path,
                        struct error *e) {
    char found[128] = "", held[64];
    if (names->n && snprintf(held, sizeof held, "%s", names->name[0]) > 0)
        snprintf(found, sizeof found, " (it holds %s%s)", held, names->n > 1 ? " and more" : "");
    return fail_at(e, path, 0,
                   "has no image%s, so the class cannot be %s; put images there, or remove it "
                   "from every split",
                   found, split == SPLIT_TRAIN ? "learnt" : "tested");
}

static int list_class(struct listing *l, enum split split, int label, const char *path,
                      struct error *e) {
    struct names names;
    uint32_t before = l->folder->split[split].n;
    if (names_read(&names, path, &l->folder->skipped.n_left_by_systems, e))
        return -1;
    fprintf(l->fingerprint, "class %d\n", label);
    int rc = is_nested(&names, path) ? read_nested(&names, l->folder, path, e) : 0;
    for (size_t i = 0; i < names.n && !rc; i++)
        rc = consider(l, split, label, path, names.name[i], e);
    if (!rc && l->folder->split[split].n == before)
        rc = has_no_image(&names, split, path, e);
    names_free(&names);
    return rc;
}

/* Draw the order of a split's images; folder.h says why. */
static void reorder(struct image_files *files, enum split split) {
    struct random r = random_stream(0, RANDOM_FOLDER, 0, split);
    uint32_t *order = need(files->n, sizeof *order);
    uint64_t *name = need(files->n, sizeof *name), *stamp = need(files->n, sizeof *stamp);
    uint16_t *label = need(files->n, sizeof *label);
    random_permutation(&r, order, files->n);
    for (uint32_t i = 0; i < files->n; i++) {
        name[i] = files->name[order[i]];
        stamp[i] = files->stamp[order[i]];
        label[i] = files->label[order[i]];
    }
    free(order);
    replace(files, name, stamp, label);
}

static int list_split(struct listing *l, enum split split, struct error *e) {
    struct image_folder *f = l->folder;
    struct image_files *files = &f->split[split];
    char folder[PATH_MAX], path[PATH_MAX];
    l->names = open_memstream(&files->names, &files->size);
    l->at = 0;
    int rc = l->names ? path_of_image(folder, sizeof folder, f->root, f->split_name[split], e)
                      : fail_at(e, f->root, 0, "no memory for its list");
    for (int c = 0; c < f->classes && !rc && !is_late(l); c++)
        if (!(rc = path_of_image(path, sizeof path, folder, f->class_names[c], e)))
            rc = list_class(l, split, c, path, e);
    if (l->names && fclose(l->names) && !rc)
        rc = fail_at(e, f->root, 0, "no memory for its list");
    if (!rc && files->n)
        reorder(files, split);
    return rc;
}

/* ---- classes ---- */

/* The folders among the names; other things are noted and skipped. */
static int read_classes(struct image_folder *f, enum split split, struct names *classes,
                        struct error *e) {
    char folder[PATH_MAX], path[PATH_MAX];
    struct names names;
    *classes = (struct names){0};
    if (path_of_image(folder, sizeof folder, f->root, f->split_name[split], e) ||
        names_read(&names, folder, &f->skipped.n_left_by_systems, e))
        return -1;
    int rc = 0;
    for (size_t i = 0; i < names.n && !rc; i++) {
        rc = path_of_image(path, sizeof path, folder, names.name[i], e);
        if (!rc && is_folder(path))
            names_add(classes, names.name[i]);
        else if (!rc)
            skip_file(f, path, "is not the folder of a class");
    }
    names_free(&names);
    if (rc)
        names_free(classes);
    return rc;
}

static int lacks(const struct image_folder *f, enum split split, const char *name,
                 struct error *e) {
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", f->root, f->split_name[split]);
    return fail_at(e, path, 0,
                   "has no class '%s', which %s has; both need the same classes, by the same names",
                   name, f->split_name[split == SPLIT_TRAIN ? SPLIT_TEST : SPLIT_TRAIN]);
}

static int same_classes(const struct image_folder *f, const struct names *other, struct error *e) {
    size_t a = 0, b = 0, n = (size_t)f->classes;
    for (; a < n || b < other->n; a++, b++) {
        int order = a == n ? 1 : b == other->n ? -1 : strcmp(f->class_names[a], other->name[b]);
        if (order < 0)
            return lacks(f, SPLIT_TEST, f->class_names[a], e);
        if (order > 0)
            return lacks(f, SPLIT_TRAIN, other->name[b], e);
    }
    return 0;
}

static int find_classes(struct image_folder *f, struct error *e) {
    struct names train, other;
    if (read_classes(f, SPLIT_TRAIN, &train, e))
        return -1;
    f->class_names = train.name;
    f->classes = (int)train.n;
    if (train.n < 2 || train.n > FOLDER_CLASSES_MOST)
        return fail_at(e, f->root, 0,
                       "has %zu class folders in train, where 2 to %d are wanted; put the images "
                       "of each class into a folder train/CLASS",
                       train.n, FOLDER_CLASSES_MOST);
    if (read_classes(f, SPLIT_TEST, &other, e))
        return -1;
    int rc = same_classes(f, &other, e);
    names_free(&other);
    return rc;
}

/* ---- the folder ---- */

int image_folder_is(const char *path) {
    return is_subfolder(path, "train");
}

static int find_splits(struct image_folder *f, struct error *e) {
    static const char *const tests[] = {"test", "val", "valid"};
    char contents[256];
    f->split_name[SPLIT_TRAIN] = "train";
    for (int i = 2; i >= 0; i--)
        if (is_subfolder(f->root, tests[i]))
            f->split_name[SPLIT_TEST] = tests[i];
    int has_train = is_subfolder(f->root, "train");
    if (has_train && f->split_name[SPLIT_TEST])
        return 0;
    names_say(f->root, contents, sizeof contents);
    return fail_at(e, f->root, 0,
                   "has no folder '%s'%s%s%s; images belong in train/CLASS and in test/CLASS or "
                   "val/CLASS",
                   has_train ? "test" : "train", contents[0] ? " (it holds " : "", contents,
                   contents[0] ? ")" : "");
}

static int list_all(struct image_folder *f, struct listing *l, struct error *e) {
    char *bytes = NULL;
    size_t size = 0;
    l->folder = f;
    l->fingerprint = open_memstream(&bytes, &size);
    if (!l->fingerprint)
        return fail_at(e, f->root, 0, "no memory for its list");
    fwrite(f->root, 1, strlen(f->root) + 1, l->fingerprint);
    int rc = 0;
    for (int c = 0; c < f->classes; c++)
        fwrite(f->class_names[c], 1, strlen(f->class_names[c]) + 1, l->fingerprint);
    for (int s = 0; s < SPLITS && !rc; s++)
        rc = list_split(l, (enum split)s, e);
    if (fclose(l->fingerprint) && !rc)
        rc = fail_at(e, f->root, 0, "no memory for its list");
    if (!rc)
        hash_hex(bytes, size, f->fingerprint);
    free(bytes);
    return rc;
}

static int list(struct image_folder *f, const char *path, struct listing *l, struct error *e) {
    *f = (struct image_folder){.root = realpath(path, NULL)};
    if (!f->root)
        return fail_system(e, path, "cannot be reached", errno);
    int rc = find_splits(f, e) || find_classes(f, e) || list_all(f, l, e) ? -1 : 0;
    if (rc)
        image_folder_free(f);
    return rc;
}

int image_folder_list(struct image_folder *f, const char *path, struct error *e) {
    struct listing whole = {0};
    return list(f, path, &whole, e);
}

int image_folder_glance(struct image_folder *f, const char *path, double seconds, int *whole,
                        struct error *e) {
    struct listing l = {.until = progress_clock() + seconds};
    int rc = list(f, path, &l, e);
    *whole = !l.late;
    return rc;
}

void image_folder_free(struct image_folder *f) {
    for (int c = 0; c < f->classes; c++)
        free(f->class_names[c]);
    free(f->class_names);
    for (int s = 0; s < SPLITS; s++) {
        free(f->split[s].name);
        free(f->split[s].stamp);
        free(f->split[s].label);
        free(f->split[s].names);
    }
    free(f->skipped.text);
    free(f->root);
    *f = (struct image_folder){0};
}

int image_folder_path(const struct image_folder *f, enum split split, uint32_t i, char *path,
                      size_t size, struct error *e) {
    const struct image_files *files = &f->split[split];
    int n = snprintf(path, size, "%s/%s/%s/%s", f->root, f->split_name[split],
                     f->class_names[files->label[i]], files->names + files->name[i]);
    return n < (int)size ? 0
                         : fail_at(e, f->root, 0,
                                   "a name in it is too long; move it to a place "
                                   "with a shorter one");
}
