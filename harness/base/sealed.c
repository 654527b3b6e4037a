/* Checksummed files written whole; sealed.h is the manual. */
#include "base/sealed.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { MAGIC_BYTES = 8 };

int seal_start(struct seal *s, const char magic[8], struct error *e) {
    *s = (struct seal){0};
    s->out = open_memstream(&s->bytes, &s->size);
    if (!s->out)
        return fail(e, "out of memory while a file is written");
    seal_bytes(s, magic, MAGIC_BYTES);
    return 0;
}

int seal_write(struct seal *s, const char *path, char hash[HASH_HEX], struct error *e) {
    unsigned char digest[HASH_BYTES] = {0};
    int bad = fflush(s->out);
    if (!bad) {
        hash_bytes(s->bytes, s->size, digest);
        seal_bytes(s, digest, sizeof digest);
    }
    bad |= ferror(s->out);
    bad |= fclose(s->out);
    int rc = bad ? fail(e, "out of memory while %s is written", path)
                 : file_replace(path, s->bytes, s->size, e);
    if (hash)
        hash_digest_hex(digest, hash);
    free(s->bytes);
    *s = (struct seal){0};
    return rc;
}

void seal_bytes(struct seal *s, const void *bytes, size_t size) {
    fwrite(bytes, 1, size, s->out);
}

void seal_i64(struct seal *s, int64_t value) {
    seal_bytes(s, &value, sizeof value);
}

void seal_f64(struct seal *s, double value) {
    seal_bytes(s, &value, sizeof value);
}

void seal_text(struct seal *s, const char *text) {
    seal_i64(s, (int64_t)strlen(text));
    seal_bytes(s, text, strlen(text));
}

int opened_start(struct opened *o, const char *path, const char magic[8], const char *what,
                 const char *remedy, struct error *e) {
    size_t size;
    *o = (struct opened){0};
    char *bytes = file_read(path, (size_t)1 << 36, &size, e);
    if (!bytes)
        return -1;
    unsigned char digest[HASH_BYTES];
    if (size < MAGIC_BYTES + HASH_BYTES)
        fail_at(e, path, 0, "is truncated (%zu bytes); %s", size, remedy);
    else if (memcmp(bytes, magic, MAGIC_BYTES))
        fail_at(e, path, 0, "is not a %s of this version of the program; %s", what, remedy);
    else {
        hash_bytes(bytes, size - HASH_BYTES, digest);
        if (memcmp(digest, bytes + size - HASH_BYTES, HASH_BYTES))
            fail_at(e, path, 0,
                    "is damaged: its checksum is wrong (a flipped bit, or a lost end); %s", remedy);
    }
    if (e->text[0]) {
        free(bytes);
        return -1;
    }
    *o = (struct opened){bytes, bytes + MAGIC_BYTES, size - MAGIC_BYTES - HASH_BYTES, 0};
    return 0;
}

void opened_free(struct opened *o) {
    free(o->bytes);
    *o = (struct opened){0};
}

void opened_hash(const struct opened *o, char hash[HASH_HEX]) {
    hash_digest_hex((const unsigned char *)o->at + o->left, hash);
}

void opened_bytes(struct opened *o, void *into, size_t size) {
    if (o->bad || size > o->left) {
        o->bad = 1;
        memset(into, 0, size);
        return;
    }
    memcpy(into, o->at, size);
    o->at += size;
    o->left -= size;
}

int64_t opened_i64(struct opened *o) {
    int64_t value;
    opened_bytes(o, &value, sizeof value);
    return value;
}

double opened_f64(struct opened *o) {
    double value;
    opened_bytes(o, &value, sizeof value);
    return value;
}

char *opened_text(struct opened *o) {
    int64_t size = opened_i64(o);
    if (size < 0 || (uint64_t)size > o->left) {
        o->bad = 1;
        size = 0;
    }
    char *text = need((size_t)size + 1, 1);
    opened_bytes(o, text, (size_t)size);
    return text;
}

void sealed_name(const char *path, char hex[HASH_HEX]) {
    unsigned char digest[HASH_BYTES];
    FILE *in = fopen(path, "rb");
    hex[0] = '\0';
    if (!in)
        return;
    if (!fseek(in, -(long)HASH_BYTES, SEEK_END) && fread(digest, HASH_BYTES, 1, in) == 1)
        hash_digest_hex(digest, hex);
    fclose(in);
}
