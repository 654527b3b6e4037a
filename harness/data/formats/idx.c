/* Reader of IDX files through zlib; idx.h is the manual. Inflates by hand rather than by gzread,
 * which takes a damaged tail for the end of the file. */
#include "data/formats/idx.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { IDX_TYPE_BYTE = 0x08 };

/* No deflate stream expands by more than this (zlib's technical details). */
enum { DEFLATE_MOST = 1032 };

static uint32_t big_endian(const uint8_t *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int start_gzip(struct idx *f, struct error *e) {
    f->z.next_in = (Bytef *)f->file;
    f->z.avail_in = (uInt)f->size;
    if (inflateInit2(&f->z, 15 + 16) != Z_OK) // largest window, gzip wrapper
        return fail_at(e, f->path, 0, "zlib cannot start; is there memory left?");
    return 0;
}

static int gzip_fault(const struct idx *f, int rc, struct error *e) {
    if (rc == Z_BUF_ERROR)
        return fail_at(e, f->path, 0, "the gzip file is cut short; fetch it again");
    return fail_at(e, f->path, 0, "the gzip file is damaged (%s); fetch it again",
                   f->z.msg ? f->z.msg : "no detail");
}

static int take_gzip(struct idx *f, void *into, size_t n, size_t *got, struct error *e) {
    f->z.next_out = into;
    f->z.avail_out = (uInt)n;
    while (f->z.avail_out > 0) {
        int rc = inflate(&f->z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END && f->z.avail_in == 0)
            break;
        if (rc == Z_STREAM_END) // a gzip file may have several members
            rc = inflateReset(&f->z);
        if (rc != Z_OK)
            return gzip_fault(f, rc, e);
    }
    *got = n - f->z.avail_out;
    return 0;
}

/* The next `n` bytes of the content; `got` is less at its end. */
static int take_bytes(struct idx *f, void *into, size_t n, size_t *got, struct error *e) {
    if (f->gzip)
        return take_gzip(f, into, n, got, e);
    size_t left = f->size - f->taken;
    *got = n < left ? n : left;
    memcpy(into, f->file + f->taken, *got);
    f->taken += *got;
    return 0;
}

static const char *rank_name(int rank) {
    return rank == IDX_LABELS ? "labels (idx1)" : "images (idx3)";
}

static int check_magic(const struct idx *f, const uint8_t *b, struct error *e) {
    uint32_t magic = big_endian(b);
    if (magic == (IDX_TYPE_BYTE << 8 | (uint32_t)f->rank))
        return 0;
    if (magic == (IDX_TYPE_BYTE << 8 | IDX_LABELS) || magic == (IDX_TYPE_BYTE << 8 | IDX_IMAGES))
        return fail_at(e, f->path, 0, "holds %s where %s are wanted; are two files mixed up?",
                       rank_name(b[3]), rank_name(f->rank));
    if (b[0] == 0 && b[1] == 0 && b[2] >= IDX_TYPE_BYTE && b[2] <= 0x0e)
        return fail_at(
            e, f->path, 0,
            "is an IDX file of element type 0x%02x and rank %d, where bytes (0x08) of rank "
            "%d are wanted; fetch the right file",
            b[2], b[3], f->rank);
    return fail_at(e, f->path, 0,
                   "is no IDX file (it starts with 0x%08x, %s start with 0x%08x); fetch it again",
                   (unsigned)magic, rank_name(f->rank), IDX_TYPE_BYTE << 8 | (unsigned)f->rank);
}

/* Hold the header's claim against what the file can contain. */
static int check_claim(struct idx *f, size_t header, struct error *e) {
    uint64_t body = 1;
    for (int i = 0; i < f->rank; i++) {
        if (f->extent[i] == 0)
            return fail_at(e, f->path, 0, "its header says that it is empty; fetch it again");
        if (body > IDX_LIMIT / f->extent[i])
            return fail_at(e, f->path, 0, "its header claims more than %d bytes; fetch it again",
                           IDX_LIMIT);
        body *= f->extent[i];
    }
    f->body = (size_t)body;
    if (!f->gzip && f->body != f->size - header)
        return fail_at(e, f->path, 0, "has %zu bytes where its header promises %zu; fetch it again",
                       f->size, f->body + header);
    if (f->gzip && f->body / DEFLATE_MOST > f->size)
        return fail_at(
            e, f->path, 0,
            "its header promises %zu bytes, more than %zu of gzip can hold; fetch it again",
            f->body, f->size);
    return 0;
}

static int read_header(struct idx *f, struct error *e) {
    uint8_t b[4 + 4 * IDX_IMAGES];
    size_t header = 4 + 4 * (size_t)f->rank, got;
    if (take_bytes(f, b, header, &got, e))
        return -1;
    if (got >= 4 && check_magic(f, b, e))
        return -1;
    if (got < header)
        return fail_at(e, f->path, 0, "ends inside its header of %zu bytes; fetch it again",
                       header);
    for (int i = 0; i < f->rank; i++)
        f->extent[i] = big_endian(b + 4 + 4 * i);
    return check_claim(f, header, e);
}

int idx_open(struct idx *f, const char *path, int rank, struct error *e) {
    *f = (struct idx){.path = path, .rank = rank};
    f->file = file_read(path, IDX_LIMIT, &f->size, e);
    if (!f->file)
        return -1;
    f->gzip = f->size >= 2 && !memcmp(f->file, "\x1f\x8b", 2);
    int rc = f->size == 0 ? fail_at(e, path, 0, "is empty; fetch it again")
             : f->gzip    ? start_gzip(f, e)
                          : 0;
    if (!rc)
        rc = read_header(f, e);
    if (rc)
        idx_close(f);
    return rc;
}

int idx_body(struct idx *f, uint8_t *into, struct error *e) {
    size_t got;
    if (take_bytes(f, into, f->body, &got, e))
        return -1;
    if (got < f->body)
        return fail_at(
            e, f->path, 0,
            "its content ends after %zu of the %zu bytes that its header promises; fetch it "
            "again",
            got, f->body);
    uint8_t more;
    if (take_bytes(f, &more, 1, &got, e)) // also reads gzip's checksum
        return -1;
    if (got)
        return fail_at(e, f->path, 0,
                       "goes on behind the %zu bytes that its header promises; fetch it again",
                       f->body);
    return 0;
}

void idx_close(struct idx *f) {
    if (f->gzip)
        inflateEnd(&f->z);
    free(f->file);
    f->file = NULL;
    f->gzip = 0;
}
