/* How the files of a data set become bytes: one reader for each form that data sets come in.
 * Private to the data room.
 *
 * A new form is one file that ends in a `const struct reader`, declared below; a new data set of a
 * known form is one entry in sets.c. Whatever a reader is given, it ends in a message that names
 * the file: it takes memory only for what it has held against the file's real size. */
#ifndef DATA_FORMATS_READER_H
#define DATA_FORMATS_READER_H

#include "data/source.h"

/* Nothing that a reader says may be larger; the product of them all fits 64 bits. */
enum { READER_SIDE = 16384, READER_CLASSES = 65536 };

/* What the files hold, as far as can be said before they are decoded. */
struct contents {
    struct shape shape; // 1 or 3 channels, equal for all images, sides up to READER_SIDE
    int classes;        // 2 ... READER_CLASSES
    int crop_flip;      // the files say that these are colour photographs
    uint32_t n[SPLITS]; // images, each at least 1
};

struct reader {
    const char *name;
    int version; // to be raised when the same files come to give other bytes

    /* Find the files of s->set in `folder`, which exists, and name each that matters to
     * source_add, in an order that depends on nothing but the files. Looks at names only, as it is
     * done at every opening. -1: the message says what is missing and how to get it (set.get). */
    int (*find)(struct source *s, const char *folder, struct error *e);

    /* Fill in `c` from the files' headers or sizes, held against what s->set says. `reading` is
     * handed to the slots below; on failure there is nothing to close. */
    int (*open)(const struct source *s, struct contents *c, void **reading, struct error *e);

    /* Decode a split, once each, in the order of enum split: every image as bytes (n, c, h, w),
     * upright, and every label, 0 ... classes - 1; both are checked here, where the file at fault
     * is known. The memory is a mapped file, zeroed. */
    int (*read)(void *reading, enum split split, uint8_t *pixels, uint16_t *labels,
                struct error *e);

    void (*close)(void *reading);
};

extern const struct reader idx_reader;    // MNIST and its kin: four IDX files
extern const struct reader cifar_reader;  // CIFAR-10, CIFAR-100: batches of records, or the archive
extern const struct reader svhn_reader;   // SVHN: two MATLAB files
extern const struct reader folder_reader; // small folders of images (data/images/folder.h)

/* For readers: refuse the first label that is not in first ... first + classes - 1, by the place of
 * its image in the file. */
int reader_check_labels(const char *path, const uint16_t *labels, uint32_t n, int first,
                        int classes, struct error *e);

#endif
