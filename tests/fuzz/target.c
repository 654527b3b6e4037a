/* The table of targets, and what they share; target.h is the manual. */
#include "fuzz/target.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const struct fuzz_target fuzz_targets[] = {
    {"idx", fuzz_idx},
    {"cifar", fuzz_cifar},
    {"cifar-archive", fuzz_cifar_archive},
    {"svhn", fuzz_svhn},
    {"image", fuzz_image},
    {"grid", fuzz_grid},
    {"spec", fuzz_spec},
    {"cfg", fuzz_cfg},
    {"weights", fuzz_weights},
    {"checkpoint", fuzz_checkpoint},
    {"frozen", fuzz_frozen},
    {"cells", fuzz_cells},
    {"tqm", fuzz_tqm},
    {NULL, NULL},
};

const struct fuzz_target *fuzz_target_find(const char *name) {
    for (const struct fuzz_target *t = fuzz_targets; t->name; t++)
        if (!strcmp(t->name, name))
            return t;
    return NULL;
}

void fuzz_holds(int holds, const char *condition, const char *file, int line) {
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

char fuzz_why[sizeof(struct error)];

int fuzz_outcome(int rc, const struct error *e) {
    FUZZ_HOLDS(rc == 0 || rc == -1);
    FUZZ_HOLDS((rc != 0) == (e->text[0] != '\0'));
    FUZZ_HOLDS(!strchr(e->text, '\n'));
    snprintf(fuzz_why, sizeof fuzz_why, "%s", e->text);
    return rc == 0;
}

static void write_all(int fd, const char *bytes, size_t size) {
    for (size_t at = 0; at < size;) {
        ssize_t n = write(fd, bytes + at, size - at);
        FUZZ_HOLDS(n > 0);
        at += (size_t)n;
    }
}

static int empty_file(int slot) {
    static int files[FUZZ_SLOTS]; // 0: not made yet
    if (!files[slot])
        files[slot] = memfd_create("input", MFD_CLOEXEC);
    FUZZ_HOLDS(files[slot] > 0);
    FUZZ_HOLDS(!ftruncate(files[slot], 0) && !lseek(files[slot], 0, SEEK_SET));
    return files[slot];
}

static const char *path_of(int slot, int fd) {
    static char paths[FUZZ_SLOTS][32];
    snprintf(paths[slot], sizeof paths[slot], "/proc/self/fd/%d", fd);
    return paths[slot];
}

const char *fuzz_file(int slot, const void *bytes, size_t size) {
    int fd = empty_file(slot);
    write_all(fd, bytes, size);
    return path_of(slot, fd);
}

const char *fuzz_sealed_file(int slot, const void *bytes, size_t size) {
    unsigned char digest[HASH_BYTES];
    int fd = empty_file(slot);
    hash_bytes(bytes, size, digest);
    write_all(fd, bytes, size);
    write_all(fd, (const char *)digest, sizeof digest);
    return path_of(slot, fd);
}
