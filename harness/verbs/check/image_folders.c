/* Folders of images in $TRUNCQUANT_DATA: which there are, and what they hold by the names in them,
 * or what is wrong with those; check.h is the manual. Images are not opened: `check --data NAME`
 * does. */
#include "base/progress.h"
#include "data/images/folder.h"
#include "data/images/names.h"
#include "data/source.h"
#include "verbs/check/check.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int is_folder_in(const char *folder, const char *name) {
    char path[PATH_MAX];
    struct stat st;
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int is_known(const char *name) {
    const struct known_set *set;
    for (int i = 0; (set = known_set_at(i)); i++)
        if (!strcmp(name, set->folder ? set->folder : set->name))
            return 1;
    return 0;
}

static int is_meant_as_set(const char *root, const char *name) {
    static const char *const parts[] = {"train", "test", "val", "valid"};
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (is_folder_in(path, parts[i]))
            return 1;
    return 0;
}

void find_own_folders(struct names *sets, struct names *others) {
    const char *root = getenv("TRUNCQUANT_DATA");
    struct error ignored = {0}; // look_data_folder says it
    struct names all;
    uint32_t left = 0;
    *sets = *others = (struct names){0};
    if (!root || !root[0] || names_read(&all, root, &left, &ignored))
        return;
    for (size_t i = 0; i < all.n; i++)
        if (is_folder_in(root, all.name[i]) && !is_known(all.name[i]))
            names_add(is_meant_as_set(root, all.name[i]) ? sets : others, all.name[i]);
    names_free(&all);
}

/* The seconds that are left for looking at folders, from the first look on. */
static double seconds_left(void) {
    enum { SECONDS = 3 };
    static double start;
    if (start <= 0)
        start = progress_clock();
    return start + SECONDS - progress_clock();
}

static void say_contents(const struct image_folder *f, int whole, struct report *r) {
    char others[64] = "";
    if (f->skipped.n)
        snprintf(others, sizeof others, "; %u other file%s", f->skipped.n,
                 f->skipped.n == 1 ? "" : "s");
    say(r, VERDICT_OK, "%s, %d classes, %s%u training and %u test images by their names%s%s",
        f->root, f->classes, whole ? "" : "at least ", f->split[SPLIT_TRAIN].n,
        f->split[SPLIT_TEST].n, others, whole ? "" : "; counting all takes longer");
}

void look_image_folder(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    const char *root = getenv("TRUNCQUANT_DATA"), *name = detail;
    char path[PATH_MAX];
    struct image_folder f;
    struct error e = {0};
    int whole;
    snprintf(path, sizeof path, "%s/%s", root ? root : "", name);
    if (image_folder_glance(&f, path, seconds_left(), &whole, &e)) {
        say(r, VERDICT_NOTE, "%s", e.text);
        return;
    }
    if (whole && image_folder_fault(&f, &e))
        say(r, VERDICT_NOTE, "%s", e.text);
    else
        say_contents(&f, whole, r);
    image_folder_free(&f);
}
