/* truncquant pack: a finished run as the model file that a device reads. */
#include "verbs/database.h"
#include "verbs/verb.h"

#include "base/text.h"
#include "deploy/packing.h"
#include "verbs/output.h"
#include "verbs/runs/computing.h"

struct pack_options {
    const char *output, *planes;
    struct packing_options packing;
    struct computing how;
};

static int parse(struct options *o, struct pack_options *v, int *helped, struct error *e) {
    const struct option_row rows[] = {
        {"--output", "FILE", NULL, "where to write the model, such as model.tqm", &v->output, NULL},
        {"--planes", "K", "all", "so many of its bits, the most significant ones", &v->planes,
         NULL},
        {"--calibrated", NULL, NULL,
         "also norms that are calibrated for each width, on the run's calibration batches", NULL,
         &v->packing.calibrated},
        {"--engine", "NAME", v->how.engine, "what calibrates: onednn, or the plain reference",
         &v->how.engine, NULL},
        {"--threads", "N", v->how.threads, "threads of that", &v->how.threads, NULL},
        {0},
    };
    return verb_parse(
        o, "pack ID --output FILE [options]",
        "Write a finished run as one file of bit-planes, which the device library (runtime/) "
        "computes at any of\n"
        "its widths. Every part of the file that ends behind a plane is a model of fewer bits.",
        rows, helped, e);
}

static int check_options(const struct options *o, struct pack_options *v, int operands,
                         struct session_options *so, struct error *e) {
    long planes;
    if (operands != 1)
        return fail(e, "pack: name one run ID; 'truncquant status' lists them");
    if (!v->output)
        return fail(e, "pack: say where to write the model: --output FILE");
    if (v->planes && text_int(v->planes, 1, 8, &planes))
        return fail(e, "pack: --planes takes 1 ... 8, not '%.64s'", v->planes);
    v->packing.planes = v->planes ? (int)planes : 0;
    return computing_options(&v->how, "pack", so, e) || output_check(v->output, o->db, NULL, e);
}

static int pack(struct store *store, const struct options *o, const struct pack_options *v,
                const struct session_options *so, struct error *e) {
    struct session s;
    if (session_open(&s, so, store, o->argv[1], e))
        return EXIT_FAILED;
    int rc = verb_check_done(store, s.row.run_id, "packed", e);
    rc = rc ? rc : session_pack(&s, &v->packing, v->output, e);
    if (!rc && !o->quiet)
        printf("run %.12s is packed into %s; 'truncquant info %s' says what is in it\n",
               s.row.run_id, v->output, v->output);
    session_close(&s);
    return rc ? EXIT_FAILED : EXIT_DONE;
}

int verb_pack(struct options *o, struct error *e) {
    struct pack_options v = {.how = COMPUTING_DEFAULTS};
    struct session_options so = {
        .reads = 1, .other_numerics = 1, .quiet = o->quiet, .quantizers = o->quantizers};
    int helped, operands = parse(o, &v, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands < 0 || check_options(o, &v, operands, &so, e))
        return EXIT_USAGE;
    struct store *store = verb_open_store(o, STORE_READ, e);
    int status = store ? pack(store, o, &v, &so, e) : EXIT_FAILED;
    store_close(store);
    return status;
}
