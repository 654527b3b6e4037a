/* What is remembered of a folder of images that is not kept (stream.h), in the cache folder: which
 * images cannot be decoded, mean and deviation, the manifest hash. Private to stream.c. */
#ifndef DATA_IMAGES_INDEX_H
#define DATA_IMAGES_INDEX_H

#include "data/images/folder.h"
#include "data/source.h"

/* Set mean, deviation and hash of `d`, and take the images that cannot be decoded out of `f`: from
 * the cache, or by looking at all of them. */
int image_index_apply(struct dataset *d, const struct known_set *set, struct image_folder *f,
                      struct error *e);

#endif
