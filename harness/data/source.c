/* Known data sets and their files; source.h is the manual. */
#include "data/source.h"

#include "base/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Counts are not here: the files' headers say them, so that a part of a set works as well. */
static const struct known_set known_sets[] = {
    {.name = "fashion-mnist",
     .help =
         "70,000 grey 28x28 pictures of clothes, 10 classes (Debian package dataset-fashion-mnist)",
     .get = "apt-get install dataset-fashion-mnist",
     .shape = {1, 28, 28},
     .classes = 10},
    {.name = "mnist",
     .help = "70,000 grey 28x28 handwritten digits, 10 classes (http://yann.lecun.com/exdb/mnist/)",
     .get = "get its four files from http://yann.lecun.com/exdb/mnist/",
     .shape = {1, 28, 28},
     .classes = 10},
    {.name = "kmnist",
     .help = "70,000 grey 28x28 cursive Japanese characters, 10 classes "
             "(http://codh.rois.ac.jp/kmnist/)",
     .get = "get its four files from http://codh.rois.ac.jp/kmnist/",
     .shape = {1, 28, 28},
     .classes = 10},
};
enum { KNOWN_SETS = sizeof known_sets / sizeof known_sets[0] };

const char *const dataset_names[] = {"fashion-mnist", "mnist", "kmnist", NULL};
_Static_assert(sizeof dataset_names / sizeof dataset_names[0] == KNOWN_SETS + 1,
               "dataset_names lists known_sets");

static const char *const file_names[SPLITS][SOURCE_PARTS] = {
    [SPLIT_TRAIN] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
    [SPLIT_TEST] = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
};

static const char debian_folder[] = "/usr/share/datasets";

static const struct known_set *lookup(const char *name) {
    for (int i = 0; i < KNOWN_SETS; i++)
        if (!strcmp(known_sets[i].name, name))
            return &known_sets[i];
    return NULL;
}

const char *dataset_help(const char *name) {
    const struct known_set *set = lookup(name);
    return set ? set->help : NULL;
}

const struct known_set *known_set_find(const char *name, struct error *e) {
    const struct known_set *set = lookup(name);
    if (set)
        return set;
    char names[256] = "";
    for (int i = 0; i < KNOWN_SETS; i++) {
        size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "", known_sets[i].name);
    }
    fail(e, "unknown data set '%s'; known are %s", name, names);
    return NULL;
}

static int is_folder(const char *path) {
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* ROOT/NAME, if that is a folder. */
static int in_root(const char *root, const char *name, char *folder, size_t size) {
    return snprintf(folder, size, "%s/%s", root, name) < (int)size && is_folder(folder);
}

/* The first place that has a folder for the set: half a set there is an error, not a reason to take
 * another set of the same name silently. */
static int find_folder(const struct known_set *set, char *folder, size_t size, struct error *e) {
    const char *own = getenv("TRUNCQUANT_DATA");
    if (own && own[0] && in_root(own, set->name, folder, size))
        return 0;
    if (in_root(debian_folder, set->name, folder, size))
        return 0;
    char looked[PATH_MAX] = "";
    if (own && own[0])
        snprintf(looked, sizeof looked, "%s/%s or ", own, set->name);
    return fail(e,
                "%s of data set %s not found in %s%s/%s; %s, or put the four files into "
                "$TRUNCQUANT_DATA/%s",
                file_names[SPLIT_TRAIN][PART_IMAGES], set->name, looked, debian_folder, set->name,
                set->get, set->name);
}

static char *find_file(const struct known_set *set, const char *folder, const char *name,
                       struct error *e) {
    static const char *const suffixes[] = {"", ".gz"};
    for (int i = 0; i < 2; i++) {
        char path[PATH_MAX];
        if (snprintf(path, sizeof path, "%s/%s%s", folder, name, suffixes[i]) >= (int)sizeof path)
            break;
        char *absolute = realpath(path, NULL);
        if (absolute)
            return absolute;
        if (errno != ENOENT) {
            fail_at(e, path, 0, "cannot be reached (%s); check its permissions", strerror(errno));
            return NULL;
        }
    }
    fail(e, "%s/%s: not found there, nor with .gz; %s", folder, name, set->get);
    return NULL;
}

/* What changes when a file is replaced or edited; the content itself is hashed when it is prepared.
 */
static int append_fingerprint(FILE *text, const char *path, struct error *e) {
    struct stat st;
    if (stat(path, &st))
        return fail_at(e, path, 0, "cannot be examined (%s)", strerror(errno));
    fprintf(text, "%s\n%lld %lld.%09ld %lld.%09ld\n", path, (long long)st.st_size,
            (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
            st.st_ctim.tv_nsec);
    return 0;
}

static int take_fingerprint(struct source *s, struct error *e) {
    char *bytes = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&bytes, &size);
    if (!text)
        return fail(e, "out of memory while looking for data set %s", s->set->name);
    int rc = 0;
    for (int i = 0; i < SPLITS * SOURCE_PARTS && !rc; i++)
        rc = append_fingerprint(text, s->path[i / SOURCE_PARTS][i % SOURCE_PARTS], e);
    fclose(text);
    hash_hex(bytes, size, s->fingerprint);
    free(bytes);
    return rc;
}

int source_find(struct source *s, const struct known_set *set, struct error *e) {
    *s = (struct source){.set = set};
    char folder[PATH_MAX];
    int rc = find_folder(set, folder, sizeof folder, e);
    for (int i = 0; i < SPLITS * SOURCE_PARTS && !rc; i++) {
        int split = i / SOURCE_PARTS, part = i % SOURCE_PARTS;
        s->path[split][part] = find_file(set, folder, file_names[split][part], e);
        rc = s->path[split][part] ? 0 : -1;
    }
    if (!rc)
        rc = take_fingerprint(s, e);
    if (rc)
        source_free(s);
    return rc;
}

void source_free(struct source *s) {
    for (int i = 0; i < SPLITS * SOURCE_PARTS; i++) {
        free(s->path[i / SOURCE_PARTS][i % SOURCE_PARTS]);
        s->path[i / SOURCE_PARTS][i % SOURCE_PARTS] = NULL;
    }
}
