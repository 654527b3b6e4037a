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

int onednn_look(char *text, size_t size) {
    static const char prefix[] = "cpu_isa_";
    const dnnl_version_t *v = dnnl_version();
    const char *isa = dnnl_cpu_isa2str(dnnl_get_effective_cpu_isa());
    isa += strncmp(isa, prefix, strlen(prefix)) ? 0 : strlen(prefix);
    const char *limit = getenv("ONEDNN_MAX_CPU_ISA");
    limit = limit ? limit : getenv("DNNL_MAX_CPU_ISA");
    snprintf(text, size, "%d.%d.%d: the fast engine, onednn, with kernels up to %s%s%.32s",
             v->major, v->minor, v->patch, isa, limit ? ", limited by MAX_CPU_ISA=" : "",
             limit ? limit : "");
    return 0;
}
