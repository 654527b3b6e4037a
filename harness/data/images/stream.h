/* A folder of images of any size and number as a data set (folder.h): nothing is kept of it but
 * names and labels; each image is read, decoded and made `size` x `size` when a batch asks for it.
 *
 *   training, augmented    a part of 8 % to 100 % of the area and of 3:4 to 4:3 (both drawn, in the
 *                          logarithm for the ratio; a part that does not fit is drawn again, ten
 *                            times,
 *                          then the largest in the middle is taken), made size x size, flipped with
 *                          probability 1/2; from the stream (seed, RANDOM_AUGMENT, epoch, place)
 *   otherwise              the shorter side made size * 256/224, then the middle size x size
 *
 * which is what ImageNet networks are trained and tested with (Inception, 1409.4842; torchvision).
 * A file that is not the one that was listed when the folder was opened is an error, not read for
 * it.
 *
 * Resampling is resize.h's. What an image becomes depends on its file and the stream alone.
 *
 * When a folder is first seen, every image is decoded once (scan.h): those that cannot be are left
 * out, and mean and deviation are those of all pixels of train, as stored. This, and the manifest
 * hash, is remembered in the cache until a name, size or time changes. The manifest is the SHA-256
 * over mean and deviation and, of every image in order, its class, name and the SHA-256 of its
 * file. */
#ifndef DATA_IMAGES_STREAM_H
#define DATA_IMAGES_STREAM_H

#include "data/dataset.h"
#include "data/images/folder.h"
#include "data/images/resize.h"

struct image_stream {
    struct image_folder folder;
    int size; // side of the images that it gives
};

/* Open by path, or name in $TRUNCQUANT_DATA. d->stream is owned by d. */
int image_stream_open(struct dataset *d, const char *name, int size, struct error *e);
void image_stream_close(struct image_stream *stream);

/* dataset_check of such a folder. */
int image_stream_check(const struct dataset *d, const char *name, struct error *e);

/* Image i of a request into (3, size, size) floats, (x/255 - mean)/deviation. Several threads may.
 */
int image_stream_fill(const struct dataset *d, const struct batch_request *r, uint32_t i,
                      float *image, struct error *e);

/* The part of an image that is tested: the middle size x size of the image whose shorter side was
 * made size * 256/224. */
struct crop image_stream_test_part(const struct image *image, int size);

#endif
