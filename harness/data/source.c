/* Where the files of a known data set are; source.h is the manual. */
#include "data/source.h"

#include "base/file.h"
#include "data/formats/reader.h"
#include "data/images/names.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char source_debian_folder[] = "/usr/share/datasets";

static int is_folder(const char *path) {
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* ROOT/NAME, if that is a folder. */
static int in_root(const char *root, const char *name, char *folder, size_t size) {
    return snprintf(folder, size, "%s/%s", root, name) < (int)size && is_folder(folder);
}

static const char *folder_name(const struct known_set *set) {
    return set->folder ? set->folder : set->name;
}

/* The first place that has a folder for the set: half a set there is an error, not a reason to take
 * another set of the same name silently. */
static int first_folder(const struct known_set *set, char *folder, size_t size) {
    const char *own = getenv("TRUNCQUANT_DATA"), *name = folder_name(set);
    if (strchr(name, '/') && snprintf(folder, size, "%s", name) < (int)size)
        return 1;
    return (own && own[0] && in_root(own, name, folder, size)) ||
           in_root(source_debian_folder, name, folder, size);
}

int source_has_folder(const struct known_set *set) {
    char folder[PATH_MAX];
    return first_folder(set, folder, sizeof folder);
}

static int not_found(const struct known_set *set, struct error *e) {
    const char *own = getenv("TRUNCQUANT_DATA"), *name = folder_name(set);
    char looked[PATH_MAX] = "";
    if (own && own[0])
        snprintf(looked, sizeof looked, "%s/%s or ", own, name);
    return fail(e, "data set %s not found in %s%s/%s; %s, or put %s into $TRUNCQUANT_DATA/%s",
                set->name, looked, source_debian_folder, name, set->get, set->files, name);
}

int source_add(struct source *s, const char *path, struct error *e) {
    char *absolute = realpath(path, NULL);
    if (!absolute)
        return fail_system(e, path, "cannot be reached", errno);
    if ((s->n & (s->n - 1)) == 0) { // grows at each power of two
        char **grown = need(s->n ? 2 * (size_t)s->n : 1, sizeof *grown);
        if (s->n)
            memcpy(grown, s->file, (size_t)s->n * sizeof *grown);
        free(s->file);
        s->file = grown;
    }
    s->file[s->n++] = absolute;
    return 0;
}

/* 1 when FOLDER/NAME or FOLDER/NAME.gz is there, which is added; 0 when neither is; -1 with a
 * message. */
static int add_if_there(struct source *s, const char *folder, const char *name, struct error *e) {
    static const char *const suffixes[] = {"", ".gz"};
    for (int i = 0; i < 2; i++) {
        char path[PATH_MAX];
        if (snprintf(path, sizeof path, "%s/%s%s", folder, name, suffixes[i]) >= (int)sizeof path)
            break;
        struct stat st;
        int there = !stat(path, &st) ? !S_ISDIR(st.st_mode) : errno != ENOENT;
        if (there)
            return source_add(s, path, e) ? -1 : 1;
    }
    return 0;
}

static int say_missing(const struct source *s, const char *folder, const char *name,
                       struct error *e) {
    char inner[PATH_MAX], contents[256];
    const char *where = folder;
    if (in_root(folder, name, inner, sizeof inner))
        where = inner;
    names_say(where, contents, sizeof contents);
    return fail(e, "%s/%s: %s (%s%s); %s", folder, name,
                where == inner ? "is a folder, and the file is not in it"
                               : "not found there, nor with .gz",
                contents[0] ? "it holds " : "it is empty", contents, s->set.get);
}

int source_add_first(struct source *s, const char *folder, const char *const *names,
                     struct error *e) {
    for (int i = 0; names[i]; i++) {
        char inner[PATH_MAX];
        int rc = add_if_there(s, folder, names[i], e);
        if (!rc && in_root(folder, names[i], inner, sizeof inner))
            rc = add_if_there(s, inner, names[i], e);
        if (rc)
            return rc > 0 ? 0 : -1;
    }
    return say_missing(s, folder, names[0], e);
}

/* What changes when a file is replaced or edited; the content itself is hashed when it is prepared.
 */
static int print_file(FILE *text, const char *path, struct error *e) {
    struct stat st;
    if (stat(path, &st))
        return fail_system(e, path, "cannot be examined", errno);
    fprintf(text, "%s\n%lld %lld.%09ld %lld.%09ld\n", path, (long long)st.st_size,
            (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
            st.st_ctim.tv_nsec);
    return 0;
}

static void print_set(FILE *text, const struct known_set *set) {
    fprintf(text, "%s %s %d\n%d %d %d %d %d\n", set->name, set->reader->name, set->reader->version,
            set->shape.c, set->shape.h, set->shape.w, set->classes, set->crop_flip);
}

static int take_fingerprint(struct source *s, struct error *e) {
    char *bytes = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&bytes, &size);
    if (!text)
        return fail(e, "out of memory while looking for data set %s", s->set.name);
    print_set(text, &s->set);
    int rc = 0;
    for (int i = 0; i < s->n && !rc; i++)
        rc = print_file(text, s->file[i], e);
    fputs(s->listing, text);
    fclose(text);
    hash_hex(bytes, size, s->fingerprint);
    free(bytes);
    return rc;
}

int source_folder(const struct known_set *set, char *folder, size_t size, struct error *e) {
    return first_folder(set, folder, size) ? 0 : not_found(set, e);
}

int source_find(struct source *s, const struct known_set *set, struct error *e) {
    *s = (struct source){.set = *set};
    char folder[PATH_MAX];
    if (source_folder(set, folder, sizeof folder, e))
        return -1;
    s->folder = need_string(folder);
    if (!set->reader->find(s, folder, e) && !take_fingerprint(s, e))
        return 0;
    source_free(s);
    return -1;
}

void source_free(struct source *s) {
    for (int i = 0; i < s->n; i++)
        free(s->file[i]);
    free(s->file);
    free(s->folder);
    *s = (struct source){0};
}
