/* Checksummed files written whole; sealed.h is the manual. */
#include "base/sealed.h"

#include "base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* -1 of what is no file that could be sealed; nothing is waited for, as a pipe would be. */
static int open_sealed(const char *path, off_t *size) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
        st.st_size >= MAGIC_BYTES + HASH_BYTES) {
        *size = st.st_size;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* What two reads tell, before memory is taken for all of it: a file of another kind, and one that
 * was made longer than it was written, as after a crash, and ends in zeros, however large it is. */
static int check_ends(const char *path, const char magic[8], const char *what, const char *remedy,
                      struct error *e) {
    char first[MAGIC_BYTES], last[HASH_BYTES];
    static const char zeros[HASH_BYTES];
    off_t size;
    int fd = open_sealed(path, &size), rc = 0;
    if (fd < 0)
        return 0; // file_read says why, or who looks at its size
    if (pread(fd, first, sizeof first, 0) == sizeof first &&
        memcmp(first, magic, sizeof first) != 0)
        rc = fail_at(e, path, 0, "is not a %s of this version of the program; %s", what, remedy);
    else if (pread(fd, last, sizeof last, size - HASH_BYTES) == sizeof last &&
             !memcmp(last, zeros, sizeof last))
        rc = fail_at(e, path, 0, "is damaged: it ends in zeros, not in its checksum; %s", remedy);
    close(fd);
    return rc;
}

int opened_start(struct opened *o, const char *path, const char magic[8], const char *what,
                 const char *remedy, struct error *e) {
    size_t size;
    *o = (struct opened){0};
    if (check_ends(path, magic, what, remedy, e))
        return -1;
    char *bytes = file_read(path, (size_t)1 << 36, &size, e);
    if (!bytes)
        return -1;
    unsigned char digest[HASH_BYTES];
    if (size < MAGIC_BYTES + HASH_BYTES)
        fail_at(e, path, 0, "is truncated (%zu bytes); %s", size, remedy);
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
    off_t size;
    int fd = open_sealed(path, &size);
    hex[0] = '\0';
    if (fd < 0)
        return;
    if (pread(fd, digest, sizeof digest, size - HASH_BYTES) == sizeof digest)
        hash_digest_hex(digest, hex);
    close(fd);
}
