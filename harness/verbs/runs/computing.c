/* How a run is computed, from the command line; computing.h is the manual. */
#include "verbs/runs/computing.h"

#include "base/text.h"

#include <string.h>

enum { NULL_SECONDS_MOST = 1000000 };

/* Of exact evaluation; -1: fp32, by the engine's program; -2: no such name. */
static int arithmetic_of(const char *name) {
    if (!strcmp(name, "fp32"))
        return -1;
    int place = text_find(name, arithmetic_names);
    return place >= 0 ? place : -2;
}

/* The engine's name, and behind a colon the seconds that a run by the null engine takes. */
static int take_engine(const struct computing *c, const char *verb, struct session_options *s,
                       struct error *e) {
    char name[32];
    struct error why = {0};
    const char *colon = strchr(c->engine, ':');
    snprintf(name, sizeof name, "%.*s", (int)strcspn(c->engine, ":") % (int)sizeof name, c->engine);
    const struct engine *engine = engine_find(name);
    if (!engine || (colon && !engine->computes_nothing))
        return fail(e, "%s: there is no engine '%.64s'; 'truncquant run --help' names them", verb,
                    c->engine);
    if (engine_check(engine, &why))
        return fail(e, "%s: %s", verb, why.text);
    if (engine->computes_nothing && strcmp(verb, "run") != 0 && strcmp(verb, "plan") != 0)
        return fail(e, "%s: engine %s computes nothing, so there is nothing of it; name another",
                    verb, engine->name);
    if (colon && (text_real(colon + 1, &s->null_seconds) || s->null_seconds < 0 ||
                  s->null_seconds > NULL_SECONDS_MOST))
        return fail(e, "%s: engine %s takes 0 to %d seconds, not '%.64s'", verb, engine->name,
                    NULL_SECONDS_MOST, colon + 1);
    s->engine = engine->name;
    return 0;
}

int computing_options(const struct computing *c, const char *verb, struct session_options *s,
                      struct error *e) {
    long threads, loaders;
    if (text_int(c->threads, 1, 1024, &threads))
        return fail(e, "%s: --threads takes 1 to 1024, not '%.64s'", verb, c->threads);
    if (text_int(c->loaders ? c->loaders : c->threads, 1, 1024, &loaders))
        return fail(e, "%s: --loaders takes 1 to 1024, not '%.64s'", verb, c->loaders);
    if (take_engine(c, verb, s, e))
        return -1;
    const struct engine *engine = engine_find(s->engine);
    if (text_find(c->precision, precision_names) < 0)
        return fail(e, "%s: --precision takes fp32, bf16 or bf16-backward, not '%.64s'", verb,
                    c->precision);
    if (strcmp(c->precision, precision_names[PRECISION_FP32]) && !engine->use_bf16)
        return fail(e, "%s: engine %s computes in fp32 alone; use --precision fp32", verb,
                    engine->name);
    const char *arithmetic = c->arithmetic ? c->arithmetic : c->inference ? c->inference : "int8";
    if (c->inference && strcmp(c->inference, arithmetic) != 0)
        return fail(
            e, "%s: --arithmetic is %.64s, and --inference, its old name, %.64s; leave that out",
            verb, arithmetic, c->inference);
    if (arithmetic_of(arithmetic) < -1)
        return fail(e, "%s: --arithmetic takes int8, bf16, fp32-exact or fp32, not '%.64s'", verb,
                    arithmetic);
    s->threads = (int)threads;
    s->loaders = (int)loaders;
    s->precision = (enum precision)text_find(c->precision, precision_names);
    s->arithmetic = arithmetic_of(arithmetic);
    return 0;
}
