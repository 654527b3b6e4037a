/* The table of known data sets; source.h says what a row holds. Counts are not here: the files say
 * them, so that a part of a set works as well. */
#include "base/text.h"
#include "data/formats/cifar_reader.h"
#include "data/formats/idx_reader.h"
#include "data/formats/reader.h"
#include "data/images/folder.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EMNIST(split, id, n_classes, n, what)                                                      \
    {                                                                                              \
        .name = "emnist-" split,                                                                   \
        .help = n " grey 28x28 " what ", " #n_classes " classes "                                  \
                  "(https://www.nist.gov/itl/products-and-services/emnist-dataset)",               \
        .get = "run scripts/data.sh emnist",                                                       \
        .files = "the files emnist-" split "-*-ubyte, plain or .gz,", .folder = "emnist",          \
        .reader = &idx_reader, .detail = &idx_emnist_##id, .shape = {1, 28, 28},                   \
        .classes = n_classes                                                                       \
    }

#define CIFAR(title, archive, id, n_classes)                                                       \
    {                                                                                              \
        .name = title,                                                                             \
        .help = "60,000 colour 32x32 photographs, " #n_classes " classes "                         \
                "(https://www.cs.toronto.edu/~kriz/cifar.html)",                                   \
        .get = "run scripts/data.sh " title, .files = archive ", or its files,",                   \
        .reader = &cifar_reader, .detail = &id, .shape = {3, 32, 32}, .classes = n_classes,        \
        .crop_flip = 1                                                                             \
    }

static const struct known_set sets[] = {
    {.name = "fashion-mnist",
     .help =
         "70,000 grey 28x28 pictures of clothes, 10 classes (Debian package dataset-fashion-mnist)",
     .get = "apt-get install dataset-fashion-mnist",
     .files = idx_mnist_files,
     .reader = &idx_reader,
     .detail = &idx_mnist,
     .shape = {1, 28, 28},
     .classes = 10},
    {.name = "mnist",
     .help = "70,000 grey 28x28 handwritten digits, 10 classes (http://yann.lecun.com/exdb/mnist/)",
     .get = "run scripts/data.sh mnist",
     .files = idx_mnist_files,
     .reader = &idx_reader,
     .detail = &idx_mnist,
     .shape = {1, 28, 28},
     .classes = 10},
    {.name = "kmnist",
     .help = "70,000 grey 28x28 cursive Japanese characters, 10 classes "
             "(http://codh.rois.ac.jp/kmnist/)",
     .get = "run scripts/data.sh kmnist",
     .files = idx_mnist_files,
     .reader = &idx_reader,
     .detail = &idx_mnist,
     .shape = {1, 28, 28},
     .classes = 10},
    EMNIST("balanced", balanced, 47, "131,600", "digits and letters, as many of each class"),
    EMNIST("byclass", byclass, 62, "814,255", "digits and letters"),
    EMNIST("bymerge", bymerge, 47, "814,255", "digits and letters, look-alike cases merged"),
    EMNIST("digits", digits, 10, "280,000", "handwritten digits"),
    EMNIST("letters", letters, 26, "145,600", "letters, both cases as one"),
    EMNIST("mnist", mnist, 10, "70,000", "handwritten digits, as many as MNIST has"),
    CIFAR("cifar10", "cifar-10-binary.tar.gz", cifar_10, 10),
    CIFAR("cifar100", "cifar-100-binary.tar.gz", cifar_100, 100),
    {.name = "svhn",
     .help = "99,289 colour 32x32 house numbers, cropped digits, 10 classes "
             "(http://ufldl.stanford.edu/housenumbers/)",
     .get = "run scripts/data.sh svhn",
     .files = "train_32x32.mat and test_32x32.mat",
     .reader = &svhn_reader,
     .shape = {3, 32, 32},
     .classes = 10}, // mirrored digits are none: no crop_flip
};
enum { KNOWN_SETS = sizeof sets / sizeof sets[0] };

const struct known_set *known_set_at(int i) {
    return i < KNOWN_SETS ? &sets[i] : NULL;
}

const char *dataset_name(int i) {
    const struct known_set *set = known_set_at(i);
    return set ? set->name : NULL;
}

static const struct known_set *lookup_set(const char *name) {
    for (int i = 0; i < KNOWN_SETS; i++)
        if (!strcmp(sets[i].name, name))
            return &sets[i];
    return NULL;
}

const char *dataset_help(const char *name) {
    const struct known_set *set = lookup_set(name);
    return set ? set->help : NULL;
}

/* A folder of images in $TRUNCQUANT_DATA. */
static int is_own_folder(const char *name) {
    const char *root = getenv("TRUNCQUANT_DATA");
    char path[PATH_MAX];
    return root && root[0] && name[0] &&
           snprintf(path, sizeof path, "%s/%s", root, name) < (int)sizeof path &&
           image_folder_is(path);
}

int dataset_is_known(const char *name) {
    return lookup_set(name) || strchr(name, '/') || is_own_folder(name);
}

int dataset_unknown(const char *name, const char *meant, struct error *e) {
    char names[512] = "";
    for (int i = 0; i < KNOWN_SETS; i++)
        text_list_add(names, sizeof names, ", ", sets[i].name);
    return fail(e,
                "unknown data set '%s'; %s%s%sknown are %s, or a folder of images "
                "$TRUNCQUANT_DATA/NAME",
                name, meant ? "did you mean " : "", meant ? meant : "", meant ? "? " : "", names);
}

/* It is called by the last part of its path. */
static struct known_set folder_set(const char *name) {
    struct known_set set = {.folder = name,
                            .get = "name the folder that holds train and test",
                            .files = "train/CLASS/*.jpg and test/CLASS/*.jpg",
                            .reader = &folder_reader};
    char *absolute = strchr(name, '/') ? realpath(name, NULL) : NULL;
    snprintf(set.name, sizeof set.name, "%s", basename(absolute ? absolute : name));
    free(absolute);
    return set;
}

int known_set_find(struct known_set *set, const char *name, struct error *e) {
    const struct known_set *found = lookup_set(name);
    if (found || dataset_is_known(name)) {
        *set = found ? *found : folder_set(name);
        return 0;
    }
    return dataset_unknown(name, NULL, e);
}
