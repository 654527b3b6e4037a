/* truncquant evaluate: more evaluations of finished runs: other widths, more test images,
 * calibration. Nothing is trained, and nothing that is recorded changes. */
#include "verbs/database.h"
#include "verbs/verb.h"

#include "plan/row.h"
#include "run/session.h"
#include "run/stop.h"
#include "verbs/runs/computing.h"

#include <stdlib.h>
#include <string.h>

/* Keys of [evaluate] that replace those of the run's specification; NULL: as planned. */
struct evaluate_options {
    const char *bits, *split, *images, *calibration, *calibrate_at;
    struct computing how;
    int other_numerics;
};

static int parse_evaluate(struct options *o, struct evaluate_options *v, int *helped,
                          struct error *e) {
    const struct option_row rows[] = {
        {"--bits", "\"K ...\"", "as planned", "widths to evaluate", &v->bits, NULL},
        {"--split", "NAME", "as planned", "test, or val (the images that the run held out)",
         &v->split, NULL},
        {"--images", "N", "as planned",
         "so many of the split, as the run selects them (drawn, if it was evaluated on all); all: "
         "every "
         "one",
         &v->images, NULL},
        {"--calibration", "N", "as planned", "batches that re-estimate batch-norm statistics",
         &v->calibration, NULL},
        {"--calibrate-at", "WHERE", "as planned", "all widths, or widths (those trained)",
         &v->calibrate_at, NULL},
        COMPUTING_ROWS(&v->how),
        {"--other-numerics", NULL, NULL, "accept a model trained by another engine or version",
         NULL, &v->other_numerics},
        {0},
    };
    return verb_parse(o, "evaluate ID ... [options]",
                      "Evaluate finished runs again from what they left beside the database. What "
                      "this program (commit, engine\n"
                      "and libraries) has recorded already is not evaluated again.",
                      rows, helped, e);
}

static int set_key(struct spec *spec, const struct options *o, const char *name, const char *text,
                   struct error *e) {
    return text ? spec_set(spec, o->quantizers, spec_key_find(name), text, e) : 0;
}

static int override_spec(struct spec *spec, const struct options *o,
                         const struct evaluate_options *v, struct error *e) {
    // Who planned all said nothing of which to take: not the first, which may be of one class.
    if (!spec->test_images)
        spec->test_select = SELECT_DRAWN;
    if (set_key(spec, o, "bits", v->bits, e) || set_key(spec, o, "split", v->split, e) ||
        set_key(spec, o, "evaluate.images", v->images, e) ||
        set_key(spec, o, "calibration", v->calibration, e) ||
        set_key(spec, o, "calibrate_at", v->calibrate_at, e))
        return -1;
    return 0;
}

/* What can be told to be wrong before a run is opened. */
static int check_options(const struct options *o, const struct evaluate_options *v, int operands,
                         struct session_options *so, struct error *e) {
    struct spec any;
    spec_defaults(&any);
    if (computing_options(&v->how, "evaluate", so, e))
        return -1;
    if (!operands)
        return fail(e, "evaluate: name at least one run ID; 'truncquant status' lists them");
    if (override_spec(&any, o, v, e))
        return fail_prefix(e, "evaluate", 0);
    return 0;
}

/* What the run asks for now, against the rules of plans. Bounds of activations come from the
 * batches of the plan, however many are asked for now. */
static int validate(const struct spec *asked, const struct options *o, long planned_calibration,
                    struct error *e) {
    struct spec spec = *asked;
    spec.calibration = planned_calibration;
    return spec_validate(&spec, o->quantizers, e);
}

/* What the database alone can tell to be wrong. */
static int check_run(struct store *store, const char *id, const struct options *o,
                     const struct evaluate_options *v, struct error *e) {
    struct run_row row;
    struct spec spec;
    if (store_find_run(store, id, &row, e))
        return -1;
    int rc = verb_check_done(store, row.run_id, "evaluated again", e) ||
             spec_read(&spec, o->quantizers, row.spec, "specification of the run", e);
    if (!rc) {
        long planned = spec.calibration;
        rc = override_spec(&spec, o, v, e) || validate(&spec, o, planned, e);
    }
    store_free_run(&row);
    return rc ? -1 : 0;
}

static int evaluate_run(struct session *s, const struct options *o,
                        const struct evaluate_options *v, struct error *e) {
    long planned = s->spec.calibration;
    if (verb_check_done(s->store, s->row.run_id, "evaluated again", e) ||
        override_spec(&s->spec, o, v, e) || validate(&s->spec, o, planned, e) ||
        row_fault(&s->spec, &s->data, e))
        return -1;
    s->is_finished = 1;
    int rc = session_begin(s, e);
    rc = rc ? rc : session_reevaluate(s, e);
    if (rc || s->signal)
        session_end(s, e);
    return rc;
}

static int evaluate_all(const struct options *o, const struct evaluate_options *v,
                        const struct session_options *so, struct store *store, int n,
                        struct error *e) {
    // Nothing is computed where one of them is mistyped.
    for (int i = 1; i <= n; i++)
        if (check_run(store, o->argv[i], o, v, e))
            return EXIT_FAILED;
    for (int i = 1; i <= n; i++) {
        struct session s;
        if (session_open(&s, so, store, o->argv[i], e))
            return EXIT_FAILED;
        int rc = evaluate_run(&s, o, v, e);
        int signal = s.signal;
        if (!rc && !signal && !o->quiet)
            printf(s.added ? "run %.12s is evaluated%s\n"
                           : "run %.12s: all of that is recorded already%s\n",
                   s.row.run_id,
                   s.is_cleaned ? ", truncated alone: its checkpoint was removed" : "");
        session_close(&s);
        if (rc || signal)
            return rc ? EXIT_FAILED : 128 + signal;
    }
    return EXIT_DONE;
}

static int evaluate_ids(const struct options *o, const struct evaluate_options *v, int operands,
                        const char *command, struct error *e) {
    struct session_options so = {.other_numerics = v->other_numerics,
                                 .quiet = o->quiet,
                                 .command = command,
                                 .quantizers = o->quantizers};
    if (operands < 0 || check_options(o, v, operands, &so, e))
        return EXIT_USAGE;
    struct store *store = verb_open_store(o, STORE_UPDATE, e);
    if (!store)
        return EXIT_FAILED;
    stop_catch();
    stop_not_for_pipes();
    int status = evaluate_all(o, v, &so, store, operands, e);
    store_close(store);
    return status;
}

int verb_evaluate(struct options *o, struct error *e) {
    struct evaluate_options v = {.how = COMPUTING_DEFAULTS};
    char *command = verb_command_line(o->argc, o->argv);
    int helped, operands = parse_evaluate(o, &v, &helped, e);
    int status = helped ? EXIT_DONE : evaluate_ids(o, &v, operands, command, e);
    free(command);
    return status;
}
