/* Reading texts of networks; made_cfg.h is the manual. */
#include "cfg/made_cfg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

int made_parse(struct cfg *cfg, const char *text, struct shape data, struct error *e) {
    *e = (struct error){0};
    return cfg_parse(cfg, text, strlen(text), "x.cfg", data, CLASSES, e);
}

struct cfg made_parsed(const char *text, struct shape data) {
    struct cfg cfg;
    struct error e;
    if (made_parse(&cfg, text, data, &e))
        fail_msg("refused: %s\n%s", e.text, text);
    return cfg;
}
