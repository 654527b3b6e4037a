/* Packing a run; packing.h is the manual. */
#include "deploy/packing.h"

#include <stdlib.h>

static int calibrate_widths(struct evaluator *ev, struct pack *p, int from, int to,
                            struct error *e) {
    for (int k = from; k <= to; k++) {
        if (evaluator_calibrate(ev, k, e))
            return -1;
        p->calibrated[k - 1] = pack_copy_norms(ev->m, ev->m->spare);
    }
    return 0;
}

int deployed_calibrate(struct deployed *d, struct session *s, int from, int to, struct error *e) {
    struct model *m = d->frozen.m;
    struct evaluator ev;
    if (!s->spec.calibration)
        return fail(e, "run %.12s was planned without calibration; leave --calibrated out",
                    s->row.run_id);
    struct program *program = s->engine->compile(m, (int)s->spec.batch, s->options->threads, e);
    if (!program)
        return -1;
    evaluator_start(&ev, &s->spec, &s->data, m, &d->frozen, s->engine, program);
    ev.loaders = s->options->loaders;
    int rc = calibrate_widths(&ev, &d->pack, from, to, e);
    evaluator_free(&ev);
    s->engine->free(program);
    return rc;
}

int deployed_open(struct deployed *d, struct session *s, const struct maker *by, struct error *e) {
    if (refuse_scheme(by, s->quantizer, e) || session_read_frozen(s, &d->frozen, e))
        return -1;
    d->pack = (struct pack){.frozen = &d->frozen,
                            .data = &s->data,
                            .run_id = s->row.run_id,
                            .commit = s->numerics.commit,
                            .planes = (int)d->frozen.spec.stored_bits};
    return 0;
}

void deployed_close(struct deployed *d) {
    for (int k = 0; k < 8; k++)
        free(d->pack.calibrated[k]);
    frozen_free(&d->frozen);
}

int session_pack(struct session *s, const struct packing_options *o, const char *path,
                 struct error *e) {
    struct deployed d;
    if (deployed_open(&d, s, &maker_of_pack, e))
        return -1;
    if (o->planes)
        d.pack.planes = o->planes;
    int rc = pack_check(&d.frozen, e);
    if (!rc && o->calibrated)
        rc = deployed_calibrate(&d, s, d.frozen.m->quantizer->min_bits, d.pack.planes, e);
    if (!rc)
        rc = pack_write(&d.pack, path, e);
    deployed_close(&d);
    return rc;
}
