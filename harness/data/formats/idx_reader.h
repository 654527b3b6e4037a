/* Data sets of four IDX files, images and labels of both splits, each plain or .gz (reader.h). */
#ifndef DATA_FORMATS_IDX_READER_H
#define DATA_FORMATS_IDX_READER_H

#include "data/dataset.h"

enum idx_part { IDX_PART_IMAGES, IDX_PART_LABELS, IDX_PARTS };

/* `detail` of such a set. */
struct idx_set {
    const char *name[SPLITS][IDX_PARTS]; // of the files, without .gz
    int transposed;                      // the file has columns where rows belong (EMNIST)
    int first_label;                     // in the file; 0 in memory
};

extern const struct idx_set idx_mnist; // train-images-idx3-ubyte, ...
extern const char idx_mnist_files[];   // the same in words

/* EMNIST's six splits, all in one folder (or the folder `gzip` in it, as the release unpacks). */
extern const struct idx_set idx_emnist_balanced, idx_emnist_byclass, idx_emnist_bymerge,
    idx_emnist_digits, idx_emnist_letters, idx_emnist_mnist;

#endif
