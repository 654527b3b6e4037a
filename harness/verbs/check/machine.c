/* The machine: its processor and memory; check.h is the manual. */
#include "base/cores.h"
#include "base/file.h"
#include "base/processor.h"
#include "verbs/check/check.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

static int has_word(const char *words, const char *word) {
    size_t n = strlen(word);
    for (const char *p = words; (p = strstr(p, word)); p += n)
        if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
            return 1;
    return 0;
}

void look_processor(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    static const char *const wanted[] = {"avx2",        "fma",      "avx512f", "avx512_bf16",
                                         "avx512_vnni", "avx_vnni", "amx_bf16"};
    char model[256], flags[8192], found[128] = "";
    file_value("/proc/cpuinfo", "model name", model, sizeof model);
    file_value("/proc/cpuinfo", "flags", flags, sizeof flags);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (has_word(flags, wanted[i])) {
            size_t at = strlen(found);
            snprintf(found + at, sizeof found - at, " %s", wanted[i]);
        }
    int cores = cores_usable();
    say(r, has_word(flags, "avx2") ? VERDICT_OK : VERDICT_NOTE, "%s, %d core%s allowed;%s%s",
        model[0] ? model : "unknown model", cores, cores == 1 ? "" : "s",
        found[0] ? found : " no wide vector instructions",
        has_word(flags, "avx2") ? "" : "; without avx2 training is slow");
}

void look_instructions(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    char built[1024], more[1024];
    processor_built_for(built, sizeof built);
    processor_has_more(more, sizeof more);
    if (!built[0])
        say(r, VERDICT_NOTE, "not looked at: this is no x86-64");
    else
        say(r, VERDICT_OK, "the program is built for %s%s%s", built,
            more[0] ? "; this processor also has " : ", all that this processor has", more);
}

void look_memory(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    char total[64], available[64];
    file_value("/proc/meminfo", "MemTotal", total, sizeof total);
    file_value("/proc/meminfo", "MemAvailable", available, sizeof available);
    double gib = strtod(available, NULL) / (1 << 20); // the file counts in KiB
    if (!total[0])
        say(r, VERDICT_NOTE, "unknown: /proc/meminfo cannot be read");
    else if (gib < 1)
        say(r, VERDICT_NOTE, "%.1f GiB free of %.1f: a run of a small network needs about 0.5", gib,
            strtod(total, NULL) / (1 << 20));
    else
        say(r, VERDICT_OK, "%.1f GiB free of %.1f", gib, strtod(total, NULL) / (1 << 20));
}
