/* What oneDNN is here, in words: for the record of a run and for who asks what this machine has
 * (engine/engine.h: library, look). */
#include "engine/onednn/primitive.h"

#include <oneapi/dnnl/dnnl_debug.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The version, and the instruction set it uses here: DNNL_MAX_CPU_ISA can lower it. */
void onednn_library(char *text, size_t size) {
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, size, "oneDNN %d.%d.%d isa %#x", v->major, v->minor, v->patch,
             (unsigned)dnnl_get_effective_cpu_isa());
}

/* The oldest that the engine is tested with; 3.0 has another interface. One that is older than what
 * the program was built with may lack something that was found there. */
#if defined(DNNL_VERSION_MAJOR) && (DNNL_VERSION_MAJOR != 2 || DNNL_VERSION_MINOR < 6)
#error "the engine onednn is written for oneDNN 2.6 and newer of 2.x; make ONEDNN_INCLUDE=none"
#endif

int onednn_look(char *text, size_t size) {
    static const char prefix[] = "cpu_isa_";
    const dnnl_version_t *v = dnnl_version();
    if (v->major != DNNL_VERSION_MAJOR || v->minor < DNNL_VERSION_MINOR) {
        snprintf(
            text, size,
            "%d.%d is loaded where the program was built for %d.%d; install that one, or build "
            "again",
            v->major, v->minor, DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR);
        return -1;
    }
    const char *isa = dnnl_cpu_isa2str(dnnl_get_effective_cpu_isa());
    isa += strncmp(isa, prefix, strlen(prefix)) ? 0 : strlen(prefix);
    const char *limit = getenv("ONEDNN_MAX_CPU_ISA");
    limit = limit ? limit : getenv("DNNL_MAX_CPU_ISA");
    snprintf(text, size, "%d.%d.%d: the fast engine, onednn, with kernels up to %s%s%.32s",
             v->major, v->minor, v->patch, isa, limit ? ", limited by MAX_CPU_ISA=" : "",
             limit ? limit : "");
    return 0;
}
