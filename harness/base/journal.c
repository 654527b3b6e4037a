/* Records appended to a file; journal.h is the manual. On disk each is the number of its bytes, and
 * those: a magic, the payload, the SHA-256 of both. */
#include "base/journal.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char magic[8] = "TQJRNL01";
enum { LENGTH = sizeof(int64_t), FRAME = sizeof magic + HASH_BYTES };

/* The payload of the record at `at`, or NULL where none is whole; `size` is that of the whole
 * record. */
static char *record_at(char *at, size_t left, size_t *size) {
    int64_t length;
    unsigned char digest[HASH_BYTES];
    if (left < LENGTH)
        return NULL;
    memcpy(&length, at, LENGTH);
    if (length < FRAME || (uint64_t)length > left - LENGTH ||
        memcmp(at + LENGTH, magic, sizeof magic))
        return NULL;
    hash_bytes(at + LENGTH, (size_t)length - HASH_BYTES, digest);
    if (memcmp(digest, at + LENGTH + length - HASH_BYTES, HASH_BYTES))
        return NULL;
    *size = LENGTH + (size_t)length;
    return at + LENGTH + sizeof magic;
}

static int64_t take_records(char *bytes, size_t size, int (*take)(void *, struct opened *),
                            void *context) {
    size_t at = 0, length;
    char *payload;
    while ((payload = record_at(bytes + at, size - at, &length))) {
        struct opened o = {.at = payload, .left = length - LENGTH - FRAME};
        if (take(context, &o))
            break;
        at += length;
    }
    return (int64_t)at;
}

int journal_open(struct journal *j, const char *path, int (*take)(void *context, struct opened *o),
                 void *context, struct error *e) {
    size_t size;
    *j = (struct journal){.fd = file_open_own(path, e)};
    if (j->fd < 0)
        return -1;
    char *bytes = file_read(path, (size_t)1 << 30, &size, e);
    if (bytes)
        j->end = take_records(bytes, size, take, context);
    free(bytes);
    if (bytes && ftruncate(j->fd, j->end))
        fail_system(e, path, "cannot be cut to its whole records", errno);
    if (!e->text[0])
        return 0;
    journal_close(j);
    return -1;
}

void journal_close(struct journal *j) {
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
}

int journal_start(struct seal *s, struct error *e) {
    return seal_start(s, magic, e);
}

/* Returns 0, or what went wrong as an errno. */
static int write_at(int fd, const char *bytes, size_t size, int64_t at) {
    while (size) {
        ssize_t n = pwrite(fd, bytes, size, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? errno : ENOSPC;
        bytes += n;
        size -= (size_t)n;
        at += n;
    }
    return 0;
}

/* The whole record of a seal, which is freed; NULL when memory was out. */
static char *record_of(struct seal *s, size_t *size) {
    int bad = fflush(s->out) || ferror(s->out);
    bad |= fclose(s->out);
    int64_t length = (int64_t)(s->size + HASH_BYTES);
    char *record = NULL;
    if (!bad) {
        *size = LENGTH + (size_t)length;
        record = need(*size, 1);
        memcpy(record, &length, LENGTH);
        memcpy(record + LENGTH, s->bytes, s->size);
        hash_bytes(s->bytes, s->size, (unsigned char *)record + LENGTH + s->size);
    }
    free(s->bytes);
    *s = (struct seal){0};
    return record;
}

/* A record that took long to come to is worth the wait for the disk. */
static void sync_sometimes(struct journal *j) {
    enum { SECOND = 1 };
    double now = progress_clock();
    if (now - j->synced < SECOND)
        return;
    fdatasync(j->fd);
    j->synced = now;
}

/* In one write: a process that is killed leaves all of it or nothing. */
int journal_append(struct journal *j, struct seal *s, struct error *e) {
    size_t size;
    char *record = record_of(s, &size);
    if (!record)
        return fail(e, "out of memory while a record is written");
    int why = write_at(j->fd, record, size, j->end);
    free(record);
    if (!why) {
        j->end += (int64_t)size;
        sync_sometimes(j);
        return 0;
    }
    fail(e, "a record is not kept (%s); %s", strerror(why), error_remedy(why));
    if (ftruncate(j->fd, j->end)) // then what is there of it ends the file at the next opening
        j->synced = 0;
    return -1;
}
