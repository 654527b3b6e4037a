/* Writing a model file (runtime/FORMAT.md): its sections are built in memory, then put together and
 * written at once. What the sections hold is deploy/pack.h's. */
#ifndef DEPLOY_TQM_H
#define DEPLOY_TQM_H

#include "base/error.h"

#include <stdint.h>

enum { TQM_PLANES = 8 };

/* Bytes that grow. */
struct bytes {
    uint8_t *at; // owned
    size_t size, room;
};

struct tqm {
    int stored_bits, planes;
    struct bytes text, graph, floats;
    struct bytes plane[TQM_PLANES]; // from the most significant one on
};

/* Append `n` zeros; where they begin. Valid until the next. */
uint8_t *bytes_add(struct bytes *b, size_t n);

/* Fill up with zeros to a multiple of the file's alignment. */
void bytes_align(struct bytes *b);

void tqm_text(struct tqm *t, const char *text);
void tqm_u32(uint8_t *at, uint32_t x);
void tqm_u64(uint8_t *at, uint64_t x);
void tqm_f32(uint8_t *at, float x);

/* Room for n floats in the section of floats; its place there. The floats are at *x until the next
 * is asked for. */
uint64_t tqm_floats(struct tqm *t, size_t n, float **x);

/* Replace `path` by the file. */
int tqm_write(struct tqm *t, const char *path, struct error *e);
void tqm_free(struct tqm *t);

#endif
