/* What is read from outside, as targets of a fuzzer: bytes go in, and whatever they are, the reader
 * either takes them, and then what it gave is consistent, or refuses them by one line. Anything
 * else (a crash, a sanitizer's report, an abort() here, no end, memory without bound) is a finding.
 *
 * tests/fuzz/fuzz.sh lets libFuzzer make the bytes (`make fuzz`); test_fuzz.c runs seeds and old
 * findings through the same functions with the ordinary compiler, so that targets cannot rot. */
#ifndef TESTS_FUZZ_TARGET_H
#define TESTS_FUZZ_TARGET_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
    const char *name;
    /* 1: taken; 0: refused. The bytes are what a file holds, but for what the target's own comment
     * says. */
    int (*run)(const uint8_t *bytes, size_t size);
};

extern const struct fuzz_target fuzz_targets[]; // ended by a NULL name
const struct fuzz_target *fuzz_target_find(const char *name);

int fuzz_idx(const uint8_t *bytes, size_t size);
int fuzz_cifar(const uint8_t *bytes, size_t size);
int fuzz_cifar_archive(const uint8_t *bytes, size_t size);
int fuzz_svhn(const uint8_t *bytes, size_t size);
int fuzz_image(const uint8_t *bytes, size_t size);
int fuzz_grid(const uint8_t *bytes, size_t size);
int fuzz_spec(const uint8_t *bytes, size_t size);
int fuzz_cfg(const uint8_t *bytes, size_t size);
int fuzz_weights(const uint8_t *bytes, size_t size);
int fuzz_checkpoint(const uint8_t *bytes, size_t size);
int fuzz_frozen(const uint8_t *bytes, size_t size);
int fuzz_tqm(const uint8_t *bytes, size_t size);
int fuzz_cells(const uint8_t *bytes, size_t size);

/* ---- for targets ---- */

/* A file that holds these bytes, in memory: its path, the same for each `slot`. */
enum { FUZZ_SLOTS = 4 };
const char *fuzz_file(int slot, const void *bytes, size_t size);

/* The same with the SHA-256 of the bytes behind them: a sealed file (base/sealed.h) whose checksum
 * is right, whatever is in it. */
const char *fuzz_sealed_file(int slot, const void *bytes, size_t size);

/* What a target returns for a reader's status: 0 was success. Aborts unless a failure, and only
 * that, has a message of one line. */
int fuzz_outcome(int rc, const struct error *e);
extern char fuzz_why[sizeof(struct error)]; // the last such message, for the test

/* abort() with the condition as the last words, unless it holds. */
#define FUZZ_HOLDS(condition) fuzz_holds(condition, #condition, __FILE__, __LINE__)
void fuzz_holds(int holds, const char *condition, const char *file, int line);

#endif
