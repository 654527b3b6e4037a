/* Packing a run; packing.h is the manual. */
#include "deploy/packing.h"

#include "deploy/pack.h"

#include <stdlib.h>

static int calibrate_widths(struct evaluator *ev, struct pack *p, struct error *e) {
    for (int k = p->frozen->m->quantizer->min_bits; k <= p->planes; k++) {
        if (evaluator_calibrate(ev, k, e))
            return -1;
        p->calibrated[k - 1] = pack_copy_norms(ev->m, ev->m->spare);
    }
    return 0;
}

/* With the batches, the engine and the threads of an evaluation. */
static int calibrate(struct session *s, struct pack *p, struct error *e) {
    struct model *m = p->frozen->m;
    struct evaluator ev;
    if (!s->spec.calibration)
        return fail(e, "run %.12s was planned without calibration; pack it without --calibrated",
                    s->row.run_id);
    struct program *program = s->engine->compile(m, (int)s->spec.batch, s->options->threads, e);
    if (!program)
        return -1;
    evaluator_start(&ev, &s->spec, &s->data, m, p->frozen, s->engine, program);
    ev.loaders = s->options->loaders;
    int rc = calibrate_widths(&ev, p, e);
    evaluator_free(&ev);
    s->engine->free(program);
    return rc;
}

int session_pack(struct session *s, const struct packing_options *o, const char *path,
                 struct error *e) {
    struct frozen f;
    if (pack_check_scheme(s->quantizer, e) || session_read_frozen(s, &f, e))
        return -1;
    struct pack p = {.frozen = &f,
                     .data = &s->data,
                     .run_id = s->row.run_id,
                     .commit = s->numerics.commit,
                     .planes = o->planes ? o->planes : (int)f.spec.stored_bits};
    int rc = pack_check(&f, e);
    if (!rc && o->calibrated)
        rc = calibrate(s, &p, e);
    if (!rc)
        rc = pack_write(&p, path, e);
    for (int k = 0; k < 8; k++)
        free(p.calibrated[k]);
    frozen_free(&f);
    return rc;
}
