/* Format and mapping of prepared files; prepared.h is the manual. Making one is in
 * prepare.c. */
#include "data/prepared.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[16] = "truncquant data";

static size_t aligned(size_t n) {
    return (n + 63) / 64 * 64;
}

struct prepared_layout prepared_layout(const struct prepared_header *h) {
    size_t plane = (size_t)h->shape.c * (size_t)h->shape.h * (size_t)h->shape.w;
    size_t at = aligned(sizeof *h);
    struct prepared_layout l;
    for (int s = 0; s < SPLITS; s++) {
        l.pixels[s] = at;
        at = aligned(at + h->n[s] * plane);
        l.labels[s] = at;
        at = aligned(at + h->n[s] * sizeof(uint16_t));
    }
    l.size = at;
    return l;
}

void prepared_seal(char *file) {
    struct prepared_header *h = (struct prepared_header *)file;
    memcpy(h->magic, magic, sizeof magic);
    h->version = PREPARED_VERSION;
    struct prepared_layout l = prepared_layout(h);
    for (int s = 0; s < SPLITS; s++)
        hash_bytes(file + l.labels[s], h->n[s] * sizeof(uint16_t), h->labels[s]);
    hash_bytes(h, offsetof(struct prepared_header, checksum), h->checksum);
}

static int header_fits(const struct prepared_header *h, const struct source *s) {
    unsigned char checksum[HASH_BYTES];
    hash_bytes(h, offsetof(struct prepared_header, checksum), checksum);
    return !memcmp(h->magic, magic, sizeof magic) && h->version == PREPARED_VERSION &&
           !memcmp(h->checksum, checksum, sizeof checksum) &&
           !memcmp(h->fingerprint, s->fingerprint, sizeof h->fingerprint) &&
           !strncmp(h->name, s->set.name, sizeof h->name);
}

/* True when the mapped bytes are a whole prepared file of this source. */
static int valid(const char *file, size_t size, const struct source *s) {
    const struct prepared_header *h = (const struct prepared_header *)file;
    if (size < sizeof *h || !header_fits(h, s))
        return 0;
    struct prepared_layout l = prepared_layout(h);
    if (size != l.size)
        return 0;
    for (int i = 0; i < SPLITS; i++) {
        unsigned char digest[HASH_BYTES];
        hash_bytes(file + l.labels[i], h->n[i] * sizeof(uint16_t), digest);
        if (memcmp(digest, h->labels[i], sizeof digest))
            return 0;
    }
    return 1;
}

static void describe_set(struct dataset *d, const char *file, size_t size) {
    const struct prepared_header *h = (const struct prepared_header *)file;
    struct prepared_layout l = prepared_layout(h);
    *d = (struct dataset){.shape = h->shape,
                          .classes = h->classes,
                          .crop_flip = h->crop_flip,
                          .map = (void *)(uintptr_t)file,
                          .map_size = size};
    memcpy(d->name, h->name, sizeof d->name);
    memcpy(d->hash, h->hash, sizeof d->hash);
    memcpy(d->mean, h->mean, sizeof d->mean);
    memcpy(d->deviation, h->deviation, sizeof d->deviation);
    for (int i = 0; i < SPLITS; i++)
        d->split[i] = (struct images){.n = h->n[i],
                                      .pixels = (const uint8_t *)file + l.pixels[i],
                                      .labels = (const uint16_t *)(file + l.labels[i])};
}

int prepared_is_intact(const struct dataset *d) {
    char hash[HASH_HEX];
    prepared_manifest(d->map, d->map, hash);
    return !strcmp(hash, d->hash);
}

int prepared_map(struct dataset *d, const struct source *s, const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    struct stat st;
    void *file = MAP_FAILED;
    size_t size = 0;
    errno = 0;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0) {
        size = (size_t)st.st_size;
        file = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    }
    close(fd);
    if (file == MAP_FAILED)
        return -1;
    if (!valid(file, size, s)) {
        munmap(file, size);
        errno = 0;
        return -1;
    }
    describe_set(d, file, size);
    return 0;
}
