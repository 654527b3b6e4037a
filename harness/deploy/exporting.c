/* Exporting models of runs; exporting.h is the manual. */
#include "deploy/exporting.h"

#include "deploy/codes.h"
#include "deploy/packing.h"

static struct onnx_export export_of(const struct session *s, enum onnx_dialect dialect, int k) {
    return (struct onnx_export){.dialect = dialect,
                                .m = s->model,
                                .spec = &s->spec,
                                .data = &s->data,
                                .run_id = s->row.run_id,
                                .commit = s->numerics.commit,
                                .k = k};
}

/* Float weights are those of the checkpoint; a frozen model has none. */
static int export_float(struct session *s, enum onnx_dialect dialect, const char *path,
                        struct error *e) {
    if (!evaluation_exists(&s->spec, s->quantizer, FLOAT_BITS, 0))
        return fail(e,
                    "run %.12s of scheme %s has no direct result at 32 bits; export another width",
                    s->row.run_id, s->row.scheme);
    if (session_build(s, e) || session_check_finished(s, e))
        return -1;
    struct onnx_export x = export_of(s, dialect, FLOAT_BITS);
    return onnx_export(&x, path, e);
}

static int export_cut(struct session *s, enum onnx_dialect dialect,
                      const struct exporting_options *o, const char *path, struct error *e) {
    struct deployed d;
    if (deployed_open(&d, s, &maker_of_export, e))
        return -1;
    struct onnx_export x = export_of(s, dialect, o->k ? o->k : d.pack.planes);
    x.m = d.frozen.m;
    x.frozen = &d.frozen;
    x.spec = &d.frozen.spec;
    int rc = onnx_check(&x, e);
    if (!rc && o->calibrated)
        rc = deployed_calibrate(&d, s, x.k, x.k, e);
    x.calibrated = d.pack.calibrated[x.k - 1];
    rc = rc ? rc : onnx_export(&x, path, e);
    deployed_close(&d);
    return rc;
}

int session_export_onnx(struct session *s, enum onnx_dialect dialect,
                        const struct exporting_options *o, const char *path, struct error *e) {
    return o->k == FLOAT_BITS ? export_float(s, dialect, path, e)
                              : export_cut(s, dialect, o, path, e);
}

int session_export_codes(struct session *s, int calibrated, const char *path, struct error *e) {
    struct deployed d;
    if (deployed_open(&d, s, &maker_of_export, e))
        return -1;
    int rc = calibrated
                 ? deployed_calibrate(&d, s, d.frozen.m->quantizer->min_bits, d.pack.planes, e)
                 : 0;
    rc = rc ? rc : codes_write(&d.pack, path, e);
    deployed_close(&d);
    return rc;
}
