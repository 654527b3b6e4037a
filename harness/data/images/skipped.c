/* Files of a folder that are no images: which, and whether they are too many; data/images/folder.h
 * is the manual. */
#include "data/images/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* By Windows, macOS, and what stores and archives files for them. */
int skipped_is_left_by_system(const char *name) {
    static const char *const names[] = {
        "Thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini",
        "Icon\r",    "__MACOSX",    "$RECYCLE.BIN",      "System Volume Information",
        "@eaDir",    "#recycle",    "lost+found"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcasecmp(name, names[i]))
            return 1;
    return 0;
}

void skipped_add(struct skipped *s, const char *line) {
    size_t n = strlen(line) + 1; // its line end
    char *text = realloc(s->text, s->size + n + 1);
    if (!text)
        return; // the count is what matters
    memcpy(text + s->size, line, n - 1);
    memcpy(text + s->size + n - 1, "\n", 2);
    s->text = text;
    s->size += n;
    s->n++;
}

static void note_skipped(const struct skipped *s) {
    const char *line = s->text;
    for (uint32_t i = 0; i < s->n && i < FOLDER_SKIPPED_SHOWN; i++) {
        int n = (int)strcspn(line, "\n");
        fprintf(stderr, "truncquant: note: skipped: %.*s\n", n, line);
        line += n + 1;
    }
    if (s->n > FOLDER_SKIPPED_SHOWN)
        fprintf(stderr, "truncquant: note: skipped: %u more\n", s->n - FOLDER_SKIPPED_SHOWN);
}

int image_folder_fault(const struct image_folder *f, struct error *e) {
    const struct skipped *s = &f->skipped;
    uint64_t all = (uint64_t)f->split[SPLIT_TRAIN].n + f->split[SPLIT_TEST].n + s->n;
    if ((uint64_t)s->n * 100 <= all)
        return 0;
    return fail_at(
        e, f->root, 0,
        "%u of its %llu files are no images that can be read, more than 1 in 100; remove "
        "or mend them (the first is %.*s)",
        s->n, (unsigned long long)all, (int)strcspn(s->text, "\n"), s->text);
}

int image_folder_judge(const struct image_folder *f, struct error *e) {
    const struct skipped *s = &f->skipped;
    if (s->n_left_by_systems)
        fprintf(stderr, "truncquant: note: passed over: %u file%s that systems leave in folders\n",
                s->n_left_by_systems, s->n_left_by_systems == 1 ? "" : "s");
    note_skipped(s);
    return image_folder_fault(f, e);
}
