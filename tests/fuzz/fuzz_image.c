/* Target of the decoder of images. A PNG file's chunks carry checksums, behind which changed bytes
 * would never come: it is decoded a second time with checksums that are right. */
#include "data/images/image.h"
#include "fuzz/target.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SIGNATURE = 8, CHUNK = 12 }; // length, type, (data,) CRC

static uint32_t big_endian(const uint8_t *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The checksum stands behind type and data. */
static void right_checksums(uint8_t *png, size_t size) {
    for (size_t at = SIGNATURE; at + CHUNK <= size;) {
        uint32_t data = big_endian(png + at);
        if (data > size - at - CHUNK)
            return;
        uLong crc = crc32(crc32(0, NULL, 0), png + at + 4, data + 4);
        for (int i = 0; i < 4; i++)
            png[at + 8 + data + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += CHUNK + (size_t)data;
    }
}

static int decode(const uint8_t *bytes, size_t size) {
    struct image image;
    struct error e = {0};
    unsigned sum = 0;
    int rc = image_decode(&image, bytes, size, "image", &e);
    if (!rc) {
        FUZZ_HOLDS(image.w > 0 && image.h > 0);
        size_t n = (size_t)image.w * (size_t)image.h * 3;
        for (size_t i = 0; i < n; i++) // all of it is there
            sum += image.rgb[i];
        FUZZ_HOLDS(sum <= 255 * n);
    }
    image_free(&image);
    return fuzz_outcome(rc, &e);
}

int fuzz_image(const uint8_t *bytes, size_t size) {
    int taken = decode(bytes, size);
    if (size <= SIGNATURE || bytes[0] != 0x89)
        return taken;
    uint8_t *copy = need(size, 1);
    memcpy(copy, bytes, size);
    right_checksums(copy, size);
    taken |= decode(copy, size);
    free(copy);
    return taken;
}
