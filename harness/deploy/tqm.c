/* Putting a model file together; tqm.h is the manual. */
#include "deploy/tqm.h"

#include "base/file.h"
#include "runtime/format.h"
#include "runtime/hash.h"

#include <stdlib.h>
#include <string.h>

uint8_t *bytes_add(struct bytes *b, size_t n) {
    if (b->size + n > b->room) {
        size_t room = 2 * (b->size + n);
        uint8_t *larger = need(room, 1);
        if (b->size)
            memcpy(larger, b->at, b->size);
        free(b->at);
        b->at = larger;
        b->room = room;
    }
    b->size += n;
    return b->at + b->size - n;
}

void bytes_align(struct bytes *b) {
    bytes_add(b, tq_aligned(b->size) - b->size);
}

void tqm_text(struct tqm *t, const char *text) {
    size_t size = strlen(text) + 1;
    memcpy(bytes_add(&t->text, size), text, size);
}

void tqm_u32(uint8_t *at, uint32_t x) {
    memcpy(at, &x, sizeof x);
}

void tqm_u64(uint8_t *at, uint64_t x) {
    memcpy(at, &x, sizeof x);
}

void tqm_f32(uint8_t *at, float x) {
    memcpy(at, &x, sizeof x);
}

uint64_t tqm_floats(struct tqm *t, size_t n, float **x) {
    bytes_align(&t->floats);
    *x = (float *)(void *)bytes_add(&t->floats, n * sizeof **x);
    return t->floats.size - n * sizeof **x;
}

/* The entry of a section, which begins at `offset`; where the next one begins. */
static uint64_t write_entry(uint8_t *entry, uint32_t kind, uint32_t plane, uint64_t offset,
                            const struct bytes *section) {
    tqm_u32(entry + TQ_AT_KIND, kind);
    tqm_u32(entry + TQ_AT_PLANE, plane);
    tqm_u64(entry + TQ_AT_OFFSET, offset);
    tqm_u64(entry + TQ_AT_LENGTH, section->size);
    tqm_u64(entry + TQ_AT_SUM, tq_hash(section->at, section->size, 0));
    return offset + section->size;
}

static void write_header(const struct tqm *t, struct bytes *file, struct bytes *const *sections,
                         int n) {
    uint8_t *at = bytes_add(file, tq_aligned(TQ_HEADER + TQ_ENTRY * (size_t)n));
    uint64_t offset = file->size;
    memcpy(at, TQ_MAGIC, sizeof TQ_MAGIC);
    tqm_u32(at + TQ_AT_VERSION, TQ_VERSION);
    tqm_u32(at + TQ_AT_STORED, (uint32_t)t->stored_bits);
    tqm_u32(at + TQ_AT_PLANES, (uint32_t)t->planes);
    tqm_u32(at + TQ_AT_SECTIONS, (uint32_t)n);
    for (int i = 0; i < n; i++) {
        int plane = i - TQ_FIXED_SECTIONS, is_plane = plane >= 0;
        offset = write_entry(
            at + TQ_HEADER + i * TQ_ENTRY, is_plane ? TQ_PLANE : (uint32_t)(TQ_TEXT + i),
            is_plane ? (uint32_t)(t->stored_bits - 1 - plane) : 0, offset, sections[i]);
    }
    tqm_u64(at + TQ_AT_SIZE, offset);
    tqm_u64(at + TQ_AT_HEADER_SUM,
            tq_hash(at + TQ_HEADER, file->size - TQ_HEADER, tq_hash(at, TQ_AT_HEADER_SUM, 0)));
}

int tqm_write(struct tqm *t, const char *path, struct error *e) {
    struct bytes file = {0},
                 *sections[TQ_FIXED_SECTIONS + TQM_PLANES] = {&t->text, &t->graph, &t->floats};
    int n = TQ_FIXED_SECTIONS + t->planes;
    for (int i = 0; i < t->planes; i++)
        sections[TQ_FIXED_SECTIONS + i] = &t->plane[i];
    for (int i = 0; i < n; i++)
        bytes_align(sections[i]);
    write_header(t, &file, sections, n);
    for (int i = 0; i < n; i++)
        if (sections[i]->size)
            memcpy(bytes_add(&file, sections[i]->size), sections[i]->at, sections[i]->size);
    int rc = file_replace(path, file.at, file.size, e);
    free(file.at);
    return rc;
}

void tqm_free(struct tqm *t) {
    free(t->text.at);
    free(t->graph.at);
    free(t->floats.at);
    for (int i = 0; i < TQM_PLANES; i++)
        free(t->plane[i].at);
}
