/* The outline of a MATLAB 5 file ("MAT-File Format", MathWorks); mat5.h is the manual. A file is a
 * header and elements: a tag of type and size, then content. An array's content is elements again:
 * flags, dimensions, name, values; a packed one's is a zlib stream of such an element. */
#include "data/formats/mat5.h"

#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { FILE_HEADER = 128, TAG = 8 };
enum { OUTLINE = 256 }; // bytes in which flags, dimensions, name and the values' tag end
enum { CONTENT_MOST = 1 << 30, DEFLATE_MOST = 1032, RANK_MOST = 4, NAME_MOST = 63 };
enum { TYPE_INT8 = 1, TYPE_INT32 = 5, TYPE_UINT32 = 6, TYPE_ARRAY = 14, TYPE_PACKED = 15 };
enum { CLASS_DOUBLE = 6, CLASS_LAST = 15, FLAG_COMPLEX = 0x800 };

/* Bytes of a number, by type; 0: not numbers. */
static const uint8_t number_bytes[] = {0, 1, 1, 2, 2, 4, 4, 4, 0, 8, 0, 0, 8, 8};

struct outline {
    uint8_t bytes[OUTLINE]; // of the array's content; 0 behind its end
    size_t at;
    uint64_t size; // of all its content
    char name[NAME_MOST + 1];
};

struct tag {
    uint32_t type, size;
    size_t padding; // behind the content
};

static uint32_t low_first(const uint8_t *b) {
    return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

/* The tag at o->at, which moves behind it. A small element has its size in the upper half of the
 * type, and its content, up to 4 bytes, in place of the size. */
static int take_tag(struct outline *o, struct tag *t) {
    if (o->at + TAG > OUTLINE)
        return -1;
    uint32_t word = low_first(o->bytes + o->at);
    int small = word >> 16 != 0;
    t->type = small ? word & 0xffff : word;
    t->size = small ? word >> 16 : low_first(o->bytes + o->at + 4);
    if (small && t->size > 4)
        return -1;
    t->padding = small ? 4 - t->size : (8 - t->size % 8) % 8;
    o->at += small ? 4 : TAG;
    return 0;
}

/* Content that has to lie in the outline. */
static const uint8_t *take_content(struct outline *o, const struct tag *t) {
    const uint8_t *content = o->bytes + o->at;
    if (t->size + t->padding > OUTLINE - o->at)
        return NULL;
    o->at += t->size + t->padding;
    return content;
}

static int numbers_are_real(struct outline *o) {
    struct tag t;
    if (take_tag(o, &t) || t.type != TYPE_UINT32 || t.size != 8)
        return 0;
    const uint8_t *flags = take_content(o, &t);
    uint32_t word = flags ? low_first(flags) : 0;
    return (word & 0xff) >= CLASS_DOUBLE && (word & 0xff) <= CLASS_LAST && !(word & FLAG_COMPLEX);
}

/* How many numbers the dimensions make; 0: not sound. */
static uint64_t take_dimensions(struct outline *o) {
    struct tag t;
    uint64_t n = 1;
    if (take_tag(o, &t) || t.type != TYPE_INT32 || t.size % 4 || t.size < 8 ||
        t.size > 4 * RANK_MOST)
        return 0;
    const uint8_t *content = take_content(o, &t);
    for (uint32_t i = 0; content && i < t.size; i += 4) {
        uint32_t extent = low_first(content + i);
        if (extent == 0 || n > CONTENT_MOST / extent)
            return 0;
        n *= extent;
    }
    return content ? n : 0;
}

static int take_name(struct outline *o) {
    struct tag t;
    if (take_tag(o, &t) || t.type != TYPE_INT8 || t.size == 0 || t.size > NAME_MOST)
        return -1;
    const uint8_t *content = take_content(o, &t);
    if (!content)
        return -1;
    memcpy(o->name, content, t.size);
    return 0;
}

/* What there is of an array's content at its start. */
static int outline_is_sound(struct outline *o) {
    struct tag t;
    if (!numbers_are_real(o))
        return 0;
    uint64_t n = take_dimensions(o);
    if (n == 0 || take_name(o) || take_tag(o, &t) || t.type >= sizeof number_bytes)
        return 0;
    return number_bytes[t.type] && n * number_bytes[t.type] == t.size && o->at + t.size <= o->size;
}

/* A packed array: inflate its tag and its outline from what `packed` has of it. */
static int unpack(struct outline *o, uint8_t *packed, size_t n, uint32_t size) {
    uint8_t out[TAG + OUTLINE] = {0};
    z_stream z = {.next_in = packed, .avail_in = (uInt)n, .next_out = out, .avail_out = sizeof out};
    if (inflateInit(&z) != Z_OK)
        return -1;
    int rc = inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    if ((rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) || low_first(out) != TYPE_ARRAY)
        return -1;
    memcpy(o->bytes, out + TAG, OUTLINE);
    o->size = low_first(out + 4);
    return o->size / DEFLATE_MOST <= size ? 0 : -1;
}

/* The array at the place of the stream, whose end, `next`, lies in the file. */
static int read_outline(struct outline *o, FILE *in, long file_size, long *next) {
    uint8_t tag[TAG], packed[4 * OUTLINE];
    *o = (struct outline){0};
    long at = ftell(in);
    if (at < 0 || fread(tag, 1, TAG, in) != TAG)
        return -1;
    uint32_t type = low_first(tag), size = low_first(tag + 4);
    if (size > file_size - at - TAG)
        return -1;
    *next = at + TAG + (long)size;
    o->size = size;
    if (type == TYPE_ARRAY) {
        size_t n = size < OUTLINE ? size : OUTLINE;
        return fread(o->bytes, 1, n, in) == n ? 0 : -1;
    }
    size_t n = size < sizeof packed ? size : sizeof packed;
    return type == TYPE_PACKED && fread(packed, 1, n, in) == n ? unpack(o, packed, n, size) : -1;
}

static int check_variables(FILE *in, const char *path, const char *const *names, struct error *e) {
    int wanted = 0;
    while (names[wanted])
        wanted++;
    if (fseek(in, 0, SEEK_END))
        return fail_system(e, path, "cannot be read", errno);
    long file_size = ftell(in), next = FILE_HEADER;
    for (int i = 1; wanted > 0 && next + TAG <= file_size; i++) {
        struct outline o;
        if (fseek(in, next, SEEK_SET) || read_outline(&o, in, file_size, &next) ||
            !outline_is_sound(&o))
            return fail_at(e, path, 0,
                           "its variable %d is cut short, promises more than the file can hold, or "
                           "is no array of numbers; fetch it again",
                           i);
        wanted -= text_find(o.name, names) >= 0;
    }
    return 0;
}

int mat5_check(const char *path, const char *const *names, struct error *e) {
    FILE *in = fopen(path, "rbe");
    if (!in)
        return fail_system(e, path, "cannot be opened", errno);
    int rc = check_variables(in, path, names, e);
    fclose(in);
    return rc;
}
