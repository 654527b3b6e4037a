/* Small random data sets in the forms of EMNIST, CIFAR and SVHN, in a temporary folder that
 * TRUNCQUANT_DATA names, with an empty cache beside it. For the tests of the data room. */
#ifndef TESTS_DATA_MADE_SETS_H
#define TESTS_DATA_MADE_SETS_H

#include <stddef.h>
#include <stdint.h>

#include "base/folder.h"

enum { MADE_PER_FILE = 4, MADE_RECORDS = 6 * MADE_PER_FILE, MADE_PLANES = 3 * 32 * 32 };

extern char made_root[FOLDER_PATH]; // ROOT/data/NAME, ROOT/cache

/* cmocka's set-up and tear-down: empty folders, and the same random bytes each time. */
int made_start(void **state);
int made_end(void **state);

/* What the records are made of, in the order of the files: (record, channel, row, column). */
extern uint8_t made_pixels[MADE_RECORDS][MADE_PLANES];
extern uint8_t made_labels[MADE_RECORDS]; // 0 ... 9

/* "ROOT/data/NAME"; the folders on the way to it are made. */
const char *made_path(const char *name);
void made_write(const char *path, const void *bytes, size_t size);
void *made_read(const char *path, size_t *size); // the caller frees

/* CIFAR in `folder` (below ROOT/data): six files, the last one the test split, or two of 5 : 1
 * where `fine` says CIFAR-100. */
void made_cifar(const char *folder, int fine);

/* The files of ROOT/data/FOLDER as ROOT/data/ARCHIVE, a gzipped tar, below a folder of that name;
 * `twice` puts the last file in again. */
void made_tar(const char *folder, const char *archive, const char *const *names, int twice);

/* The same, not gzipped. */
void made_tar_plain(const char *folder, const char *archive, const char *const *names);

/* SVHN's two files, 20 and 4 images, in ROOT/data/svhn. `doubles`: labels as double. */
struct made_mat {
    const char *X, *y; // names of the variables
    int type;          // of X: MAT_C_UINT8, ...
    size_t side, channels;
    int n_labels; // 0: as many as images
    int label;    // of the second image; 0: as it is
    int doubles, plain;
};
void made_svhn(void);
void made_svhn_file(const char *name, int first, int n, struct made_mat how);

#endif
