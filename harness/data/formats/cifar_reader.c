/* Reading CIFAR, record by record, from files or from the archive; cifar_reader.h is the manual.
 * The archive is gone through once for the sizes of its members and once for each split: it is
 * unpacked nowhere, neither on disk nor in memory. */
#include "data/formats/cifar_reader.h"

#include "data/formats/reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIXELS = 3 * 32 * 32, LABEL_BYTES_MAX = 2 };
enum { FILES_MAX = SPLITS * CIFAR_BATCHES };
enum { FILE_LIMIT = 1 << 28 };    // bytes of one file
enum { ARCHIVE_LIMIT = 1 << 30 }; // bytes of the archive unpacked: what a hostile one may cost

const struct cifar_set cifar_10 = {.archive = "cifar-10-binary.tar.gz",
                                   .folder = "cifar-10-batches-bin",
                                   .train = {"data_batch_1.bin", "data_batch_2.bin",
                                             "data_batch_3.bin", "data_batch_4.bin",
                                             "data_batch_5.bin"},
                                   .test = {"test_batch.bin"},
                                   .label_bytes = 1};
const struct cifar_set cifar_100 = {.archive = "cifar-100-binary.tar.gz",
                                    .folder = "cifar-100-binary",
                                    .train = {"train.bin"},
                                    .test = {"test.bin"},
                                    .label_bytes = 2};

struct batch {
    enum split split;
    const char *name; // "data_batch_1.bin"
    char *path;       // for messages, and to open when there is no archive; owned
    int found;
    uint32_t n;     // records
    uint32_t first; // place of its first image in the split
};

struct cifar {
    const struct known_set *set;
    const char *archive; // path, or NULL: files of their own
    int n;
    struct batch batch[FILES_MAX];
};

/* Where records come from: one of the two. */
struct stream {
    FILE *file;
    struct archive *archive;
};

/* ---- finding ---- */

static int is_file(const char *folder, const char *below, const char *name, char path[PATH_MAX]) {
    struct stat st;
    return snprintf(path, PATH_MAX, "%s/%s%s%s", folder, below, below[0] ? "/" : "", name) <
               PATH_MAX &&
           (!stat(path, &st) || errno != ENOENT);
}

static int add_all(struct source *s, const char *folder, const char *below,
                   const char *const *names, struct error *e) {
    char path[PATH_MAX];
    for (; *names; names++) {
        if (!is_file(folder, below, *names, path))
            return fail(e, "%s/%s%s%s: not found; %s", folder, below, below[0] ? "/" : "", *names,
                        s->set.get);
        if (source_add(s, path, e))
            return -1;
    }
    return 0;
}

static int find_cifar(struct source *s, const char *folder, struct error *e) {
    const struct cifar_set *set = s->set.detail;
    const char *const below[] = {"", set->folder};
    char path[PATH_MAX];
    for (int i = 0; i < 2; i++)
        if (is_file(folder, below[i], set->train[0], path))
            return add_all(s, folder, below[i], set->train, e) ||
                           add_all(s, folder, below[i], set->test, e)
                       ? -1
                       : 0;
    if (is_file(folder, "", set->archive, path))
        return source_add(s, path, e);
    return fail(e, "%s/%s: not found there, nor unpacked (%s); %s", folder, set->archive,
                set->train[0], s->set.get);
}

/* ---- sizes ---- */

static int set_size(struct cifar *c, struct batch *b, int64_t size, struct error *e) {
    const struct cifar_set *set = c->set->detail;
    int record = set->label_bytes + PIXELS;
    if (size <= 0)
        return fail_at(e, b->path, 0, "is empty; fetch it again");
    if (size > FILE_LIMIT)
        return fail_at(e, b->path, 0,
                       "has %lld bytes, more than the %d allowed; is it the right file?",
                       (long long)size, FILE_LIMIT);
    if (size % record)
        return fail_at(e, b->path, 0,
                       "has %lld bytes, which is no whole number of records of %d; fetch it again",
                       (long long)size, record);
    if (b->found)
        return fail_at(e, b->path, 0, "is there twice; fetch the archive again");
    b->found = 1;
    b->n = (uint32_t)(size / record);
    return 0;
}

static int measure_files(struct cifar *c, struct error *e) {
    for (int i = 0; i < c->n; i++) {
        struct stat st;
        if (stat(c->batch[i].path, &st) || !S_ISREG(st.st_mode))
            return fail_at(e, c->batch[i].path, 0, "is not a regular file; name a file");
        if (set_size(c, &c->batch[i], (int64_t)st.st_size, e))
            return -1;
    }
    return 0;
}

static int archive_fault(const struct cifar *c, struct archive *a, struct error *e) {
    const char *why = a ? archive_error_string(a) : NULL;
    return fail_at(e, c->archive, 0, "cannot be unpacked (%s); fetch it again",
                   why ? why : "libarchive gives no reason");
}

static int open_archive(const struct cifar *c, struct stream *from, struct error *e) {
    // A pipe of that name would be waited for.
    struct stat st;
    if (stat(c->archive, &st) || !S_ISREG(st.st_mode))
        return fail_at(e, c->archive, 0, "is not a regular file; name a file");
    from->archive = archive_read_new();
    if (from->archive && archive_read_support_filter_gzip(from->archive) == ARCHIVE_OK &&
        archive_read_support_format_tar(from->archive) == ARCHIVE_OK &&
        archive_read_open_filename(from->archive, c->archive, 1 << 16) == ARCHIVE_OK)
        return 0;
    int rc = archive_fault(c, from->archive, e);
    archive_read_free(from->archive);
    return rc;
}

static struct batch *batch_named(struct cifar *c, const char *path) {
    const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? slash + 1 : path;
    for (int i = 0; i < c->n && name; i++)
        if (!strcmp(c->batch[i].name, name))
            return &c->batch[i];
    return NULL;
}

/* Calls `each` with every member that is one of the set's files. */
static int walk_archive(struct cifar *c, void *context, struct error *e,
                        int (*each)(struct cifar *c, struct batch *b, struct stream *from,
                                    int64_t size, void *context, struct error *e)) {
    struct stream from = {0};
    if (open_archive(c, &from, e))
        return -1;
    struct archive_entry *entry;
    int rc = 0, got;
    while (!rc && (got = archive_read_next_header(from.archive, &entry)) == ARCHIVE_OK) {
        struct batch *b = batch_named(c, archive_entry_pathname(entry));
        if (archive_filter_bytes(from.archive, 0) > ARCHIVE_LIMIT)
            rc = fail_at(e, c->archive, 0,
                         "unpacks to more than the %d bytes allowed; is it the right file?",
                         ARCHIVE_LIMIT);
        else if (b && archive_entry_filetype(entry) == AE_IFREG)
            rc = each(c, b, &from, archive_entry_size(entry), context, e);
    }
    if (!rc && got != ARCHIVE_EOF)
        rc = archive_fault(c, from.archive, e);
    archive_read_free(from.archive);
    return rc;
}

static int measure_member(struct cifar *c, struct batch *b, struct stream *from, int64_t size,
                          void *context, struct error *e) {
    (void)from, (void)context;
    return set_size(c, b, size, e);
}

/* ---- records ---- */

/* The next record, whole; 0, or -1 with or without a message from below. */
static int take_from_stream(const struct cifar *c, struct stream *from, void *into, size_t size,
                            struct error *e) {
    if (from->file)
        return fread(into, 1, size, from->file) == size ? 0 : -1;
    la_ssize_t got = archive_read_data(from->archive, into, size);
    if (got < 0)
        return archive_fault(c, from->archive, e);
    return (size_t)got == size ? 0 : -1;
}

struct into {
    enum split split;
    uint8_t *pixels;
    uint16_t *labels;
};

static int read_records(struct cifar *c, struct batch *b, struct stream *from,
                        const struct into *into, struct error *e) {
    const struct cifar_set *set = c->set->detail;
    uint8_t label[LABEL_BYTES_MAX], *pixels = into->pixels + (size_t)b->first * PIXELS;
    uint16_t *labels = into->labels + b->first;
    for (uint32_t i = 0; i < b->n; i++, pixels += PIXELS) {
        if (take_from_stream(c, from, label, (size_t)set->label_bytes, e) ||
            take_from_stream(c, from, pixels, PIXELS, e))
            return fail_at(e, b->path, 0, "cannot be read behind image %u; fetch it again", i);
        labels[i] = label[set->label_bytes - 1];
    }
    return reader_check_labels(b->path, labels, b->n, 0, c->set->classes, e);
}

static int read_member(struct cifar *c, struct batch *b, struct stream *from, int64_t size,
                       void *context, struct error *e) {
    const struct into *into = context;
    const struct cifar_set *set = c->set->detail;
    if (b->split != into->split)
        return 0;
    if (size != (int64_t)b->n * (set->label_bytes + PIXELS))
        return fail_at(e, c->archive, 0, "changes while it is read; wait until it is complete");
    return read_records(c, b, from, into, e);
}

static int read_file(struct cifar *c, struct batch *b, const struct into *into, struct error *e) {
    struct stream from = {.file = fopen(b->path, "rbe")};
    if (!from.file)
        return fail_system(e, b->path, "cannot be opened", errno);
    int rc = read_records(c, b, &from, into, e);
    fclose(from.file);
    return rc;
}

static int read_split(void *reading, enum split split, uint8_t *pixels, uint16_t *labels,
                      struct error *e) {
    struct cifar *c = reading;
    struct into into = {split, pixels, labels};
    if (c->archive)
        return walk_archive(c, &into, e, read_member);
    for (int i = 0; i < c->n; i++)
        if (c->batch[i].split == split && read_file(c, &c->batch[i], &into, e))
            return -1;
    return 0;
}

/* ---- opening ---- */

static void close_cifar(void *reading) {
    struct cifar *c = reading;
    for (int i = 0; i < c->n; i++)
        free(c->batch[i].path);
    free(c);
}

static char *joined(const char *archive, const char *name) {
    char text[PATH_MAX + 64];
    snprintf(text, sizeof text, "%s:%s", archive, name);
    return need_string(text);
}

/* One file for each name; with an archive, messages say ARCHIVE:NAME. */
static struct cifar *list_batches(const struct source *s) {
    const struct cifar_set *set = s->set.detail;
    struct cifar *c = need(1, sizeof *c);
    c->set = &s->set;
    c->archive = s->n == 1 ? s->file[0] : NULL;
    for (enum split i = 0; i < SPLITS; i++) {
        const char *const *names = i == SPLIT_TRAIN ? set->train : set->test;
        for (; *names; names++, c->n++)
            c->batch[c->n] = (struct batch){.split = i,
                                            .name = *names,
                                            .path = c->archive ? joined(c->archive, *names)
                                                               : need_string(s->file[c->n])};
    }
    return c;
}

/* All batches of a split hold as many images: one that was cut between two records is noticed. */
static int add_up(struct cifar *c, struct contents *contents, struct error *e) {
    for (int i = 0; i < c->n; i++) {
        struct batch *b = &c->batch[i];
        if (!b->found)
            return fail_at(e, c->archive, 0, "has no %s in it; fetch it again", b->name);
        if (i > 0 && b->split == b[-1].split && b->n != b[-1].n)
            return fail_at(e, b->path, 0, "has %u images, %s has %u; fetch the one that is short",
                           b->n, b[-1].name, b[-1].n);
        b->first = contents->n[b->split];
        contents->n[b->split] += b->n;
    }
    return 0;
}

static int open_cifar(const struct source *s, struct contents *contents, void **reading,
                      struct error *e) {
    struct cifar *c = list_batches(s);
    *contents = (struct contents){.shape = s->set.shape, .classes = s->set.classes};
    int rc = c->archive ? walk_archive(c, NULL, e, measure_member) : measure_files(c, e);
    if (rc || add_up(c, contents, e)) {
        close_cifar(c);
        return -1;
    }
    *reading = c;
    return 0;
}

const struct reader cifar_reader = {.name = "cifar",
                                    .version = 1,
                                    .find = find_cifar,
                                    .open = open_cifar,
                                    .read = read_split,
                                    .close = close_cifar};
