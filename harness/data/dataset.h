/* Data sets: the bytes of the source, decoded and checked once into one prepared file that every
 * process of the machine maps read-only, so that a data set is in memory once however many runs
 * share it.
 *
 * Where a source is looked for: $TRUNCQUANT_DATA/NAME, then the places Debian's packages use
 * (/usr/share/datasets/NAME). The prepared file goes to the cache (cache.h). It is made when there
 * is none for the source's names, sizes and times as they are, under a lock, and appears whole. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "base/error.h"
#include "base/hash.h"
#include "cfg/cfg.h"

#include <stdint.h>

enum { DATASET_CHANNELS = 3, DATASET_NAME = 64 };

enum split { SPLIT_TRAIN, SPLIT_TEST, SPLITS };

struct images {
    uint32_t n;
    const uint8_t *pixels;  // (n, c, h, w); NULL when they are not in memory
    const uint16_t *labels; // (n), 0 ... classes - 1
};

struct dataset {
    char name[DATASET_NAME];
    struct shape shape; // as stored
    int classes;
    struct images split[SPLITS];
    float mean[DATASET_CHANNELS], deviation[DATASET_CHANNELS]; // of train, of x/255, per channel
    char hash[HASH_HEX]; // manifest: SHA-256 over shape, classes and the hash of every split
    int crop_flip;       // augment = auto means crop-flip (colour photographs), not none
    struct image_stream *stream; // of a folder whose images are not in memory, or NULL; owned
    void *map;                   // the prepared file, if they are
    size_t map_size;
};

/* Open by name (dataset_name), or by the path of a folder of images (data/images/folder.h; a path
 * has a slash in it) or the name of one in $TRUNCQUANT_DATA: prepares it if need be. Errors name
 * the file at fault and how to get it (package or address). */
int dataset_open(struct dataset *d, const char *name, struct error *e);
void dataset_close(struct dataset *d);

/* The same, of a folder of images made image_size x image_size when they are asked for
 * (data/images/stream.h); 0: dataset_open. */
int dataset_open_at(struct dataset *d, const char *name, int image_size, struct error *e);

/* The same for who computes with it. Of a set in memory, what is mapped is hashed (52 MiB: tens of
 * milliseconds), and made anew from its source where it is not what was prepared, as when a bit
 * flipped on the disk. */
int dataset_open_checked(struct dataset *d, const char *name, int image_size, struct error *e);

/* Before something is recorded that was computed with a set which `name` opened: -1, naming a file,
 * when it is not in memory and its images are others now. Files that have other times but the same
 * content are looked at and let pass. */
int dataset_check(const struct dataset *d, const char *name, struct error *e);

/* The i-th known name, or NULL behind the last one, and one line of help for each (what it is,
 * where it comes from). The first is the one that the demo needs. */
const char *dataset_name(int i);
const char *dataset_help(const char *name);

/* Whether it is one of these, or the path or name of a folder. */
int dataset_is_known(const char *name);

/* -1, with the message about a name that is not: what may have been meant (NULL: nothing), and all
 * that are known. */
int dataset_unknown(const char *name, const char *meant, struct error *e);

/* A batch, n images `order[0 ... n-1]` of a split. `channels` is the network's: grey is replicated
 * to three. With `crop_flip`, each image is augmented as drawn from the stream (seed,
 * RANDOM_AUGMENT, epoch, first + i): `first` is the place of order[0] in the epoch. Sets in memory
 * are cropped from a 4-pixel padding of byte 0 and flipped with probability 1/2;
 * data/images/stream.h says what others are. */
struct batch_request {
    enum split split;
    const uint32_t *order;
    uint32_t n;
    int channels;
    int crop_flip;
    uint64_t seed, epoch, first;
};

/* Of a set in memory: the batch as floats (n, channels, h, w), (x/255 - mean)/deviation. Who does
 * not know that it is in memory reads through data/loader.h. */
void dataset_fill(const struct dataset *d, const struct batch_request *r, float *images,
                  uint16_t *labels);

#endif
