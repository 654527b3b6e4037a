/* Exporting models; export_model.h is the manual. The work is in deploy/exporting.h. */
#include "verbs/device/export_model.h"

#include "base/text.h"
#include "deploy/exporting.h"
#include "verbs/database.h"
#include "verbs/output.h"
#include "verbs/runs/computing.h"

#include <string.h>

enum what { ONNX, QONNX, CODES };
static const char *const names[] = {[ONNX] = "onnx", [QONNX] = "qonnx", [CODES] = "codes", NULL};

int export_model_is(const char *what) {
    return text_find(what, names) >= 0;
}

static int check_choice(const struct options *o, const struct model_choice *c, enum what what,
                        struct exporting_options *x, struct error *e) {
    long k = 0;
    if (c->bits && (text_int(c->bits, 1, FLOAT_BITS, &k) || (k > 8 && k != FLOAT_BITS)))
        return fail(e, "export: --bits takes 1 ... 8 or 32, not '%.64s'", c->bits);
    if (k == FLOAT_BITS && c->calibrated)
        return fail(e, "export: at 32 bits norms are as trained; leave --calibrated out");
    if (c->format && (what != CODES || strcmp(c->format, "npz") != 0))
        return fail(e, "export: %s has no format %.64s; leave --format out", names[what],
                    c->format);
    *x = (struct exporting_options){.k = (int)k, .calibrated = c->calibrated};
    return output_check(c->output, o->db, NULL, e);
}

static int export_session(struct session *s, enum what what, const struct exporting_options *x,
                          const char *output, struct error *e) {
    if (verb_check_done(s->store, s->row.run_id, "exported", e))
        return -1;
    if (what == CODES)
        return session_export_codes(s, x->calibrated, output, e);
    return session_export_onnx(s, what == QONNX ? ONNX_QONNX : ONNX_QDQ, x, output, e);
}

static int export_run(const struct options *o, const struct model_choice *c, enum what what,
                      const struct exporting_options *x, struct error *e) {
    struct computing how = COMPUTING_DEFAULTS;
    struct session_options so = {
        .reads = 1, .other_numerics = 1, .quiet = o->quiet, .quantizers = o->quantizers};
    struct session s;
    struct store *store = verb_open_store(o, STORE_READ, e);
    int rc = -1;
    if (store && !computing_options(&how, "export", &so, e) &&
        !session_open(&s, &so, store, c->id, e)) {
        rc = export_session(&s, what, x, c->output, e);
        if (!rc && !o->quiet)
            printf("run %.12s is written to %s\n", s.row.run_id, c->output);
        session_close(&s);
    }
    store_close(store);
    return rc;
}

int export_model(const struct options *o, const struct model_choice *c, struct error *e) {
    enum what what = (enum what)text_find(c->what, names);
    struct exporting_options x;
    if (check_choice(o, c, what, &x, e))
        return EXIT_USAGE;
    return export_run(o, c, what, &x, e) ? EXIT_FAILED : EXIT_DONE;
}
