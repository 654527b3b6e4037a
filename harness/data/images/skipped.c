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

static int compare_lines(const void *a, const void *b) {
    const char *p = *(const char *const *)a, *q = *(const char *const *)b;
    size_t n = strcspn(p, "\n"), m = strcspn(q, "\n");
    int order = memcmp(p, q, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

/* The lines, sorted: images are looked at in the order that is drawn. The caller frees. */
static const char **sorted_lines(const struct skipped *s) {
    const char **lines = need(s->n, sizeof *lines), *line = s->text;
    for (uint32_t i = 0; i < s->n; i++) {
        lines[i] = line;
        line += strcspn(line, "\n") + 1;
    }
    qsort(lines, s->n, sizeof *lines, compare_lines);
    return lines;
}

/* "NAME: reason; NAME: reason; ... and N more", of the first few. Of a long line the end is shown:
 * the reason, and the file's own name. */
static void list_skipped(const struct skipped *s, char *text, size_t size) {
    enum { LINE_SHOWN = 160 };
    const char **lines = sorted_lines(s);
    size_t at = 0;
    for (uint32_t i = 0; i < s->n && i < FOLDER_SKIPPED_SHOWN; i++) {
        int n = (int)strcspn(lines[i], "\n"), left_out = n > LINE_SHOWN ? n - LINE_SHOWN : 0;
        at += (size_t)snprintf(text + at, size - at, "%s%s%.*s", i ? "; " : "",
                               left_out ? "..." : "", n - left_out, lines[i] + left_out);
    }
    if (s->n > FOLDER_SKIPPED_SHOWN)
        snprintf(text + at, size - at, "; and %u more", s->n - FOLDER_SKIPPED_SHOWN);
    free(lines);
}

/* Images, and what is none but should be. */
static unsigned long long files_in(const struct image_folder *f) {
    return (unsigned long long)f->split[SPLIT_TRAIN].n + f->split[SPLIT_TEST].n + f->skipped.n;
}

/* Enough for the end of as many lines as are shown. */
enum { LIST_ROOM = FOLDER_SKIPPED_SHOWN * 180 + 32 };

int image_folder_fault(const struct image_folder *f, struct error *e) {
    const struct skipped *s = &f->skipped;
    char list[LIST_ROOM] = "";
    if ((unsigned long long)s->n * 100 <= files_in(f))
        return 0;
    list_skipped(s, list, sizeof list);
    return fail_at(e, f->root, 0,
                   "%u of its %llu files are no images that can be read, more than 1 in 100; "
                   "remove or mend them: %s",
                   s->n, files_in(f), list);
}

static void note_skipped(const struct image_folder *f) {
    const struct skipped *s = &f->skipped;
    char list[LIST_ROOM] = "";
    if (s->n_left_by_systems)
        fprintf(stderr, "truncquant: note: passed over: %u file%s that systems leave in folders\n",
                s->n_left_by_systems, s->n_left_by_systems == 1 ? "" : "s");
    if (!s->n)
        return;
    list_skipped(s, list, sizeof list);
    fprintf(stderr, "truncquant: note: skipped, as no images that can be read: %u of %llu: %s\n",
            s->n, files_in(f), list);
}

int image_folder_judge(const struct image_folder *f, struct error *e) {
    if (image_folder_fault(f, e))
        return -1;
    note_skipped(f);
    return 0;
}
