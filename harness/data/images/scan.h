/* A first look at every image of a folder, in all the processor's threads: each is read and decoded
 * once, so that a training run meets no image that cannot be, and what has to be known of all of
 * them is taken. Nothing of the result depends on the number of threads. At most one image per
 * thread is in memory. */
#ifndef DATA_IMAGES_SCAN_H
#define DATA_IMAGES_SCAN_H

#include "data/images/folder.h"
#include "data/images/image.h"

struct image_scan {
    int w, h;                                    // of all images; 0 where they differ
    int grey;                                    // no image has any colour
    int is_changed;                              // of some image, image.is_changed
    uint64_t count[DATASET_CHANNELS][256];       // of the bytes of train, by channel
    unsigned char (*digest[SPLITS])[HASH_BYTES]; // (n) SHA-256 of each file; owned
    char unequal[512];                           // two of other sizes, in words
};

/* Images that cannot be decoded leave `f` for its list of skipped files; too many
 * (image_folder_judge), and all of a class, are an error, and so are pixels of train that are all
 * equal. On failure there is nothing to free. */
int image_scan(struct image_folder *f, struct image_scan *s, struct error *e);
void image_scan_free(struct image_scan *s);

/* Read and decode image i of a split; `digest` may be NULL. */
int image_folder_read(const struct image_folder *f, enum split split, uint32_t i,
                      struct image *image, unsigned char *digest, struct error *e);

#endif
