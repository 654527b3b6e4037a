/* One file of the IDX format (MNIST and its kin), plain or gzip: big-endian magic 0x0000 08 rank,
 * one 32-bit extent per dimension, then the bytes. Only unsigned bytes of rank 1 (labels) and 3
 * (images).
 *
 * The file is trusted with nothing: the header's claim is held against the file's real size before
 * any memory is taken for it, and the content must end exactly where the header says. */
#ifndef DATA_FORMATS_IDX_H
#define DATA_FORMATS_IDX_H

#include "base/error.h"

#include <stdint.h>
#include <zlib.h>

enum { IDX_LABELS = 1, IDX_IMAGES = 3 }; // ranks
enum { IDX_LIMIT = 1 << 30 };            // bytes of a file and of its content

struct idx {
    const char *path; // not owned
    int rank;
    uint32_t extent[IDX_IMAGES]; // [0]: number of labels or images
    size_t body;                 // bytes behind the header, as the header claims
    char *file;                  // the file as it is; owned
    size_t size, taken;          // of the file; plain: bytes already taken
    int gzip;
    z_stream z;
};

/* Read the header of `path`, which should have this rank. On failure there is nothing to close. */
int idx_open(struct idx *f, const char *path, int rank, struct error *e);

/* The bytes behind the header into `into` (f->body bytes); once. */
int idx_body(struct idx *f, uint8_t *into, struct error *e);

void idx_close(struct idx *f);

#endif
