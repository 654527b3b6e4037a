/* The names in a folder; names.h is the manual. */
#include "data/images/names.h"

#include "base/text.h"
#include "data/images/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void names_add(struct names *l, const char *name) {
    if (l->n == l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        char **grown = need(room, sizeof *grown);
        if (l->n)
            memcpy(grown, l->name, l->n * sizeof *grown);
        free(l->name);
        l->name = grown;
        l->room = room;
    }
    l->name[l->n++] = need_string(name);
}

void names_free(struct names *l) {
    for (size_t i = 0; i < l->n; i++)
        free(l->name[i]);
    free(l->name);
    *l = (struct names){0};
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int names_read(struct names *l, const char *path, uint32_t *left_by_systems, struct error *e) {
    *l = (struct names){0};
    DIR *entries = opendir(path);
    if (!entries)
        return fail_system(e, path, "the folder cannot be read", errno);
    struct dirent *entry;
    for (errno = 0; (entry = readdir(entries)); errno = 0)
        if (skipped_is_left_by_system(entry->d_name))
            ++*left_by_systems;
        else if (entry->d_name[0] != '.')
            names_add(l, entry->d_name);
    int why = errno;
    closedir(entries);
    if (why) {
        names_free(l);
        return fail_system(e, path, "the folder cannot be read to its end", why);
    }
    if (l->n)
        qsort(l->name, l->n, sizeof *l->name, by_bytes);
    return 0;
}

void names_say(const char *folder, char *text, size_t size) {
    enum { SHOWN = 3 };
    struct names names;
    uint32_t left = 0;
    struct error ignored = {0};
    text[0] = '\0';
    if (names_read(&names, folder, &left, &ignored))
        return;
    for (size_t i = 0; i < names.n && i < SHOWN; i++)
        text_list_add(text, size, ", ", names.name[i]);
    if (names.n > SHOWN)
        text_list_add(text, size, ", ", "...");
    names_free(&names);
}
