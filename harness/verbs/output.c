/* Guards files against --output; output.h is the manual. */
#include "verbs/output.h"

#include "base/hash.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Files that are known by their first bytes, of every version, wherever they lie. */
static const struct kind {
    const char *begins;
    size_t length;
    const char *what;
} kinds[] = {
    {"SQLite format 3", sizeof "SQLite format 3", "is a database"},
    {"TQCKPT", 6, "is a run's checkpoint"},   // train/checkpoint.c
    {"TQFROZ", 6, "is a run's frozen model"}, // model/frozen.c
};

static const char *const beside[] = {"-wal", "-shm", "-journal"};
enum { BESIDE = sizeof beside / sizeof *beside };

static int is_same(const char *a, const char *b) {
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static const struct kind *kind_of(const char *path) {
    char start[16] = "";
    struct stat st;
    if (stat(path, &st) || !S_ISREG(st.st_mode)) // a pipe would be waited for
        return NULL;
    FILE *in = fopen(path, "re");
    size_t n = in ? fread(start, 1, sizeof start, in) : 0;
    if (in)
        fclose(in);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (n >= kinds[i].length && !memcmp(start, kinds[i].begins, kinds[i].length))
            return &kinds[i];
    return NULL;
}

/* Where `path` leads, or would lie if it is not there: without links. -1 when its folder is not
 * there. */
static int resolve_links(const char *path, char place[2 * PATH_MAX]) {
    char copy[PATH_MAX], folder[PATH_MAX];
    if (realpath(path, place))
        return 0;
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy ||
        !realpath(dirname(copy), folder))
        return -1;
    snprintf(copy, sizeof copy, "%s", path);
    snprintf(place, 2 * PATH_MAX, "%s/%s", folder, basename(copy));
    return 0;
}

/* SQLite names these after the database that a link leads to. */
static int is_beside(const char *output, const char *db) {
    char place[2 * PATH_MAX], name[2 * PATH_MAX + 16];
    if (resolve_links(db, place))
        return 0;
    for (int i = 0; i < BESIDE; i++) {
        snprintf(name, sizeof name, "%s%s", place, beside[i]);
        if (is_same(output, name))
            return 1;
    }
    return 0;
}

/* By its name alone, whether it is there or not. */
static int is_named_beside(const char *place) {
    char database[2 * PATH_MAX];
    size_t n = strlen(place);
    for (int i = 0; i < BESIDE; i++) {
        size_t suffix = strlen(beside[i]);
        if (n <= suffix || strcmp(place + n - suffix, beside[i]) != 0)
            continue;
        snprintf(database, sizeof database, "%.*s", (int)(n - suffix), place);
        if (kind_of(database) == &kinds[0])
            return 1;
    }
    return 0;
}

/* "runs" of earlier versions, or NAME.runs: the last name of a path that ends before `end`. */
static int ends_in_runs(const char *place, const char *end) {
    static const char runs[] = "runs";
    size_t n = sizeof runs - 1;
    return end - place > (ptrdiff_t)n && !strncmp(end - n, runs, n) &&
           strchr("./", end[-(int)n - 1]);
}

/* NAME.runs/database: what ties the folder to its database. */
static int is_tie(const char *place) {
    const char *name = strrchr(place, '/');
    return !strcmp(name, "/database") && ends_in_runs(place, name);
}

/* NAME.runs/ID/NAME, as run/folder.h has them; what is put aside or being written has a suffix. */
static int is_in_run_folder(const char *place) {
    static const char *const names[] = {"lock", "checkpoint", "model.frozen", "evaluated"};
    const char *name = strrchr(place, '/'); // as resolve made it
    if (name - place < HASH_HEX + 5)
        return 0;
    const char *id = name - (HASH_HEX - 1);
    if (id[-1] != '/' || !ends_in_runs(place, id - 1) ||
        strspn(id, "0123456789abcdef") != HASH_HEX - 1)
        return 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (!strncmp(name + 1, names[i], n) && (!name[n + 1] || name[n + 1] == '.'))
            return 1;
    }
    return 0;
}

static const char *what_is_lost(const char *output, const char *db, const char *grid) {
    char place[2 * PATH_MAX];
    const struct kind *kind = kind_of(output);
    if (is_same(output, db))
        return "is the database that is read";
    if (kind)
        return kind->what;
    if (grid && is_same(output, grid))
        return "is the grid that is read";
    if (resolve_links(output, place)) // nothing can be written there, either
        return NULL;
    if (is_beside(output, db) || is_named_beside(place))
        return "belongs to a database by its name";
    if (is_tie(place))
        return "belongs to a database";
    return is_in_run_folder(place) ? "belongs to a run" : NULL;
}

int output_check(const char *output, const char *db, const char *grid, struct error *e) {
    const char *what = what_is_lost(output, db, grid);
    return what ? fail_at(e, output, 0, "%s and is not replaced; name another file with --output",
                          what)
                : 0;
}
