/* The options that say how, not what, a run is computed; they are the same for every verb that
 * computes. */
#ifndef VERBS_RUNS_COMPUTING_H
#define VERBS_RUNS_COMPUTING_H

#include "run/session.h"
#include "verbs/verb.h"

struct computing {
    const char *engine, *threads, *precision;
    const char *arithmetic, *inference; // NULL: not said; the second is an old name of the first
    const char *loaders;                // NULL: as threads
};

#define COMPUTING_DEFAULTS                                                                         \
    { .engine = engine_at(0)->name, .threads = "1", .precision = "fp32" }

/* Rows of an option table. */
#define COMPUTING_ROWS(c)                                                                          \
    {"--engine",                                                                                   \
     "NAME",                                                                                       \
     (c)->engine,                                                                                  \
     "what computes: onednn, or the plain reference; null:SECONDS: nothing, for that long, in "    \
     "databases that hold no other runs",                                                          \
     &(c)->engine,                                                                                 \
     NULL},                                                                                        \
        {"--threads", "N", (c)->threads, "threads of this run", &(c)->threads, NULL},              \
        {"--loaders",   "N", "as --threads", "threads that decode images of a folder ahead",       \
         &(c)->loaders, NULL},                                                                     \
        {"--precision",                                                                            \
         "NAME",                                                                                   \
         (c)->precision,                                                                           \
         "of training: fp32; bf16: exact products of integers where both operands are; "           \
         "bf16-backward: and rounded gradients",                                                   \
         &(c)->precision,                                                                          \
         NULL},                                                                                    \
        {"--arithmetic",   "NAME",                                                                 \
         "int8",           "of exact evaluation: int8, bf16, fp32-exact; or fp32: not exact",      \
         &(c)->arithmetic, NULL},                                                                  \
    {                                                                                              \
        "--inference", "NAME", NULL, NULL, &(c)->inference, NULL                                   \
    }

/* Into the options of a session; a message that begins with the verb's name. */
int computing_options(const struct computing *c, const char *verb, struct session_options *s,
                      struct error *e);

#endif
