/* libFuzzer's entry points, for the target that FUZZ_TARGET names. Built by `make fuzz` alone. */
#include "fuzz/target.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    const char *name = getenv("FUZZ_TARGET");
    target = name ? fuzz_target_find(name) : NULL;
    if (target)
        return 0;
    fprintf(stderr, "FUZZ_TARGET names no target; there are:");
    for (const struct fuzz_target *t = fuzz_targets; t->name; t++)
        fprintf(stderr, " %s", t->name);
    fprintf(stderr, "\n");
    exit(2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    target->run(bytes, size);
    return 0;
}
