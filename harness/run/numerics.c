/* What this process computes with; numerics.h is the manual. The sources and the commit are those
 * of the build. */
#include "run/numerics.h"

#include "base/hash.h"
#include "model/darknet.h"
#include "version.inc" // VERSION_RELEASE, VERSION_SOURCES, VERSION_COMMIT, VERSION_DIRTY

#include <cblas.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void instruction_set(char *text, size_t size) {
    text[0] = '\0';
#if defined __x86_64__
    __builtin_cpu_init();
    snprintf(text, size, "%s",
             __builtin_cpu_supports("avx512f") ? "x86-64 avx512f"
             : __builtin_cpu_supports("avx2")  ? "x86-64 avx2"
                                               : "x86-64");
#else
    snprintf(text, size, "generic");
#endif
}

/* "OpenBLAS 0.3.21 NO_LAPACKE ..." -> its first two words. */
static void blas_version(char *text, size_t size) {
    snprintf(text, size, "%s", openblas_get_config());
    char *second = strchr(text, ' ');
    char *end = second ? strchr(second + 1, ' ') : NULL;
    if (end)
        *end = '\0';
}

/* The C library has exp, cos and others in kinds that round differently, and takes the processor's,
 * unless a tunable keeps instructions from it: then a hash of that follows. */
static void glibc_version(char *text, size_t size) {
    const char *tunables = getenv("GLIBC_TUNABLES");
    const char *hwcaps = tunables ? strstr(tunables, "glibc.cpu.hwcaps=") : NULL;
    char hex[HASH_HEX] = "";
    if (hwcaps)
        hash_hex(hwcaps, strcspn(hwcaps, ":"), hex);
    snprintf(text, size, "glibc %.16s%s%.12s", gnu_get_libc_version(), hwcaps ? " hwcaps " : "",
             hex);
}

void numerics_now(struct numerics *n, const struct engine *engine, enum precision precision,
                  int threads) {
    char own[64], blas[64], darknet[64], glibc[48];
    *n = (struct numerics){.threads = threads, .dirty = VERSION_DIRTY};
    snprintf(n->engine, sizeof n->engine, "%s", engine->name);
    numerics_set_precision(n, precision);
    snprintf(n->commit, sizeof n->commit, "%s", VERSION_COMMIT);
    snprintf(n->sources, sizeof n->sources, "%s", VERSION_SOURCES);
    instruction_set(n->isa, sizeof n->isa);
    if (engine->computes_nothing) {
        snprintf(n->libraries, sizeof n->libraries, "none");
        return;
    }
    blas_version(blas, sizeof blas);
    darknet_identity(darknet, sizeof darknet);
    engine_library(engine, own, sizeof own);
    glibc_version(glibc, sizeof glibc);
    snprintf(n->libraries, sizeof n->libraries, "%s%s%s %s, %s, %s", own, own[0] ? ", " : "", blas,
             openblas_get_corename(), darknet, glibc);
}

void numerics_set_precision(struct numerics *n, enum precision precision) {
    snprintf(n->precision, sizeof n->precision, "%s", precision_names[precision]);
}

void numerics_program(char *text, size_t size) {
    const char *changes = strchr(VERSION_COMMIT, '+');
    snprintf(text, size, "truncquant %s (commit %.12s%s)", VERSION_RELEASE, VERSION_COMMIT,
             changes ? changes : "");
}

const char *numerics_commit(int *dirty) {
    *dirty = VERSION_DIRTY;
    return VERSION_COMMIT;
}

void usage_now(double *cpu_seconds, int64_t *peak_bytes) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    *cpu_seconds = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                   1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    *peak_bytes = (int64_t)u.ru_maxrss * 1024; // Linux counts in KiB
}
