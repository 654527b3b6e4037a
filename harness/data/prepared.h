/* The prepared file: one data set, decoded and checked, as every process maps it. Private to the
 * data room and `truncquant check`.
 *
 *     header | pixels of train | labels of train | pixels of test | labels of test
 *
 * each part starting at a multiple of 64 bytes; labels have 16 bits. The header carries its own
 * checksum and that of the labels (an index made of a damaged label would leave its array); pixels
 * are hashed by who computes with them (prepared_is_intact), not by who only asks what there is,
 * which has to take milliseconds. Numbers are in the machine's own order: on another kind of
 * machine the version does not match, and the file is made anew. */
#ifndef DATA_PREPARED_H
#define DATA_PREPARED_H

#include "data/dataset.h"
#include "data/source.h"

enum { PREPARED_VERSION = 2 };

struct prepared_header {
    char magic[16];
    uint32_t version;
    uint32_t n[SPLITS]; // images
    struct shape shape;
    int32_t classes, crop_flip;
    float mean[DATASET_CHANNELS], deviation[DATASET_CHANNELS];
    char name[DATASET_NAME];
    char fingerprint[HASH_HEX]; // of the source
    char hash[HASH_HEX];        // manifest
    unsigned char labels[SPLITS][HASH_BYTES];
    unsigned char checksum[HASH_BYTES]; // of all above; last
};

struct prepared_layout {
    size_t pixels[SPLITS], labels[SPLITS]; // offsets in the file
    size_t size;                           // of the file
};
struct prepared_layout prepared_layout(const struct prepared_header *h);

/* Fill in magic, version and checksums; `labels` of both splits lie at their places in `file`,
 * which starts with the header. */
void prepared_seal(char *file);

/* The manifest: SHA-256 over shape, classes and the hash of every split, as they lie in `file`. */
void prepared_manifest(const struct prepared_header *h, const char *file, char hash[HASH_HEX]);

/* Whether pixels and labels of a mapped set are those that its manifest names: hashes them all. */
int prepared_is_intact(const struct dataset *d);

/* Map a prepared file that is whole and made from this source; -1, without a message, when there is
 * none. errno says what the system refused, 0: nothing, the file is not that. */
int prepared_map(struct dataset *d, const struct source *s, const char *path);

/* Decode and check the source, and write the prepared file. The caller holds the lock. */
int prepare(const struct source *s, const char *path, struct error *e);

/* Mean and standard deviation of x/255 in one channel, from the histogram of its bytes: exact sums.
 */
void channel_statistics(const uint64_t count[256], float *mean, float *deviation);

/* Whether there is one value alone. */
int channel_is_constant(const uint64_t count[256]);

#endif
