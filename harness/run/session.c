/* Opening, beginning and ending a run; session.h is the manual. Training and evaluating are in
 * files of their own. */
#include "run/session.h"

#include "base/file.h"
#include "engine/load.h"
#include "engine/products.h"
#include "evaluate/bounds.h"
#include "model/darknet_weights.h"
#include "model/start.h"
#include "plan/work.h"
#include "run/numerics.h"
#include "spec/init.h"
#include "train/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The run as it is now must be the run that was planned: same data, same meaning of the spec. */
static int check_identity(struct session *s, struct error *e) {
    char run_id[HASH_HEX], config_id[HASH_HEX];
    if (strcmp(s->row.data_hash, s->data.hash))
        return fail(
            e,
            "the data set %s differs from the one run %.12s was planned with; bring that one "
            "back, or plan the grid anew",
            s->data.name, s->row.run_id);
    spec_ids(&s->spec, s->options->quantizers, s->cfg.normal, s->data.hash, run_id, config_id);
    if (strcmp(run_id, s->row.run_id))
        return fail(e,
                    "run %.12s was planned by another version of the program; plan the grid anew",
                    s->row.run_id);
    return 0;
}

/* The bytes count only for who computes with them. */
static int open_data(struct session *s, struct error *e) {
    int size = (int)s->spec.image_size;
    return s->options->reads ? dataset_open_at(&s->data, s->spec.dataset, size, e)
                             : dataset_open_checked(&s->data, s->spec.dataset, size, e);
}

static int open_inputs(struct session *s, struct error *e) {
    const struct session_options *o = s->options;
    char name[SPEC_TEXT + 8];
    snprintf(name, sizeof name, "%s.cfg", s->row.network);
    if (spec_read(&s->spec, o->quantizers, s->row.spec, "specification of the run", e) ||
        open_data(s, e) ||
        cfg_parse(&s->cfg, s->row.cfg, strlen(s->row.cfg), name, s->data.shape, s->data.classes, e))
        return -1;
    s->quantizer = quantizer_find(o->quantizers, s->spec.scheme);
    s->engine = engine_find(o->engine);
    struct work work = work_of(&s->spec, s->quantizer, &s->cfg, &s->data);
    s->training_share = work.training / (work.training + work.evaluation);
    return check_identity(s, e);
}

/* The run's own folder, and that of the weights that the model is read from. */
static int open_folders(struct session *s, struct error *e) {
    const int reads = s->options->reads;
    struct run_folder parent;
    if (reads ? run_folder_find(&s->folder, s->store, s->row.run_id, 0, e)
              : run_folder_open(&s->folder, s->store, s->row.run_id, e))
        return -1;
    if (s->row.parent && run_folder_find(&parent, s->store, s->row.parent, !reads, e))
        return -1;
    strcpy(s->weights, s->row.parent ? parent.checkpoint : s->folder.checkpoint);
    return 0;
}

int session_open(struct session *s, const struct session_options *options, struct store *store,
                 const char *id, struct error *e) {
    *s =
        (struct session){.options = options, .store = store, .attempt = -1, .folder = {.lock = -1}};
    if (!store_find_run(store, id, &s->row, e) && !open_inputs(s, e) && !open_folders(s, e)) {
        numerics_now(&s->numerics, s->engine, options->precision, options->threads);
        spec_fingerprint(&s->spec, options->quantizers, s->numerics.fingerprint);
        return 0;
    }
    session_close(s);
    return -1;
}

void session_close(struct session *s) {
    cells_close(&s->cells);
    cells_close(&s->curve);
    trainer_free(&s->trainer);
    if (s->engine)
        s->engine->free(s->program);
    model_free(s->model);
    cfg_free(&s->cfg);
    dataset_close(&s->data);
    run_folder_close(&s->folder);
    store_free_run(&s->row);
}

/* What cannot be gone on from is kept beside the run that starts anew; `what`: which it is. */
static int put_aside(const struct session *s, const char *what, struct error *e) {
    char aside[sizeof s->folder.checkpoint + 8];
    snprintf(aside, sizeof aside, "%s.old", s->folder.checkpoint);
    if (rename(s->folder.checkpoint, aside))
        return fail_at(e, s->folder.checkpoint, 0, "cannot be put aside (%s); remove it",
                       strerror(errno));
    if (!s->options->quiet)
        fprintf(stderr,
                "truncquant: note: %s is of %s; the run starts anew, and it is kept as %s\n",
                s->folder.checkpoint, what, aside);
    return 0;
}

/* No run is trained by two versions of a quantizer, nor trained by one and evaluated by another. Of
 * a checkpoint that does not say what it is of, neither does what goes on from it. */
static int check_quantizer(struct session *s, struct error *e) {
    char digits[QUANTIZER_DIGITS + 1];
    if (s->row.parent || !file_exists(s->weights))
        return 0;
    checkpoint_quantizer(s->weights, s->row.run_id, digits);
    if (!digits[0])
        s->numerics.fingerprint[0] = '\0';
    if (!digits[0] || !strncmp(digits, s->numerics.fingerprint, QUANTIZER_DIGITS))
        return 0;
    if (s->options->again)
        return put_aside(s, "another version of its quantizer", e);
    return fail_at(e, s->weights, 0,
                   "was trained by another version of scheme %s (fingerprint %s, now %.12s); "
                   "'truncquant run --again %.12s' trains the run anew",
                   s->quantizer->name, digits, s->numerics.fingerprint, s->row.run_id);
}

/* A checkpoint that was computed otherwise is no failure of the run: it is refused before a try is
 * recorded, or put aside when this database knows of no try that could have left it. */
static int check_numerics(const struct session *s, struct error *e) {
    struct error otherwise = {0};
    int64_t attempts;
    if (s->options->other_numerics || s->row.parent || !file_exists(s->weights) ||
        !checkpoint_differs(s->weights, s->row.run_id, &s->numerics, &otherwise))
        return 0;
    if (store_count_attempts(s->store, s->row.run_id, &attempts, e))
        return -1;
    return attempts ? fail(e, "%s", otherwise.text)
                    : put_aside(s, "another version and of no try in this database", e);
}

/* Whether the weights are made here, not only read. */
static int session_trains(const struct session *s) {
    return !s->row.parent && !s->is_finished && !s->options->reads;
}

/* A checkpoint has all that the weights file gave, so that it is not needed again. */
static int load_init(const struct session *s, struct error *e) {
    char path[SPEC_TEXT];
    if (!init_is_given(&s->spec) || !session_trains(s) || file_exists(s->folder.checkpoint))
        return 0;
    init_path(&s->spec, path);
    return weights_load(path, init_hash(&s->spec), (int)s->spec.init_layers, s->model, e);
}

static int check_parent_is_current(const struct session *s, struct error *e) {
    char *why;
    if (store_run_stale(s->store, s->row.parent, &why, e))
        return -1;
    if (why)
        fail(e,
             "run %.12s takes the weights of run %.12s (%s), which was %s; 'truncquant run --again "
             "%.12s' first",
             s->row.run_id, s->row.parent, s->quantizer->parent, why, s->row.parent);
    free(why);
    return e->text[0] ? -1 : 0;
}

/* Weights that are not recorded can at least have been left by an attempt from before they were. */
static int was_trained_before(const struct session *s, const char *of, int *was, struct error *e) {
    char *numerics = checkpoint_numerics(s->weights, of, NULL, e);
    int rc = numerics ? store_trained_before(s->store, of, numerics, was, e) : -1;
    free(numerics);
    return rc;
}

int session_check_weights(const struct session *s, const char *of, struct error *e) {
    char counted[HASH_HEX];
    if (store_counted_weights(s->store, of, counted, e))
        return -1;
    int same = !strcmp(counted, s->weights_hash);
    if (!counted[0] && s->row.parent && !strcmp(of, s->row.run_id))
        return 0; // the checkpoint is the parent's, and was compared with what is known of that
    if (!counted[0] && was_trained_before(s, of, &same, e))
        return -1;
    return same ? 0
                : fail_at(e, s->weights, 0,
                          "is not of the attempt of run %.12s that counts in %s; put that one's "
                          "back, or compute it in another database (--db)",
                          of, s->store->path);
}

/* The same before the model is built, of the file: weights that are not this database's are no
 * failure of the run. */
static int check_weights_file(struct session *s, const char *of, struct error *e) {
    char *numerics = checkpoint_numerics(s->weights, of, s->weights_hash, e);
    free(numerics);
    return numerics ? session_check_weights(s, of, e) : -1;
}

/* Nothing is recorded of a run that cannot begin: it goes on once its parent is done. */
static int check_parent(struct session *s, struct error *e) {
    enum run_state state;
    if (!s->row.parent)
        return 0;
    if (store_run_state(s->store, s->row.parent, &state, e))
        return -1;
    if (state != RUN_DONE)
        return fail(
            e,
            "run %.12s takes the weights of run %.12s (%s), which is %s; 'truncquant run %.12s' "
            "first",
            s->row.run_id, s->row.parent, s->quantizer->parent, run_state_names[state],
            s->row.parent);
    if (check_parent_is_current(s, e))
        return -1;
    if (!file_exists(s->weights))
        return fail_at(
            e, s->weights, 0,
            "is missing: the weights of run %.12s that run %.12s takes; copy it from where "
            "that was trained",
            s->row.parent, s->row.run_id);
    return check_weights_file(s, s->row.parent, e);
}

/* The checkpoint of a finished run may have been removed, and its frozen model be what is left. */
static void find_head(struct session *s) {
    if (!s->is_finished || s->row.parent || file_exists(s->weights) || !file_exists(s->folder.head))
        return;
    s->is_cleaned = 1;
    strcpy(s->weights, s->folder.head);
}

/* What an evaluation of a finished run starts from. That it is missing or is not sound is said once
 * the try is recorded. */
static int check_finished(struct session *s, struct error *e) {
    struct error ignored = {0};
    if (!s->is_finished || s->row.parent || !file_exists(s->weights))
        return 0;
    char *numerics = checkpoint_numerics(s->weights, s->row.run_id, s->weights_hash, &ignored);
    free(numerics);
    return numerics ? session_check_weights(s, s->row.run_id, e) : 0;
}

/* Of the clips, on the batches that were planned: an evaluation may ask for another number to
 * calibrate with. */
static int measure_bounds(struct session *s, struct error *e) {
    struct spec planned;
    if (spec_read(&planned, s->options->quantizers, s->row.spec, "specification of the run", e))
        return -1;
    if (planned.act_bits == FLOAT_BITS)
        return 0;
    if (bounds_measure(s->model, &planned, &s->data, s->engine, s->program, s->options->loaders, e))
        return -1;
    s->engine->free(s->program);
    s->program = s->engine->compile(s->model, (int)s->spec.batch, s->options->threads, e);
    s->trainer.program = s->program;
    return s->program ? 0 : -1;
}

/* The parent's weights as it ended. How they were computed is recorded with the parent's attempt.
 */
static int read_parent(struct session *s, struct error *e) {
    struct trainer *t = &s->trainer;
    if (checkpoint_read(s->weights, s->row.parent, &s->numerics, 1, t, s->weights_hash, e) ||
        session_check_weights(s, s->row.parent, e))
        return -1;
    t->n_rows = 0; // epochs are the parent's
    if (!trainer_is_done(t))
        return fail_at(e, s->weights, 0,
                       "is of epoch %lld of %ld, though its run is finished; put its last one back",
                       (long long)t->epoch + 1, s->spec.epochs);
    return measure_bounds(s, e);
}

/* Model and program, and with them what the run is in fact computed in. Who takes a parent's
 * weights trains nothing. */
static int build_program(struct session *s, struct error *e) {
    enum precision precision = s->row.parent ? PRECISION_FP32 : s->options->precision;
    s->model = session_trains(s) ? model_build(&s->cfg, &s->spec, s->quantizer, e)
                                 : model_lay_out(&s->cfg, &s->spec, s->quantizer);
    if (!s->model)
        return -1;
    s->program = s->engine->compile(s->model, (int)s->spec.batch, s->options->threads, e);
    if (!s->program || load_precision(&s->spec, s->model, s->engine, s->program, &precision, e))
        return -1;
    numerics_set_precision(&s->numerics, precision);
    return 0;
}

static int build_trainer(struct session *s, struct error *e) {
    if (load_init(s, e) ||
        trainer_start(&s->trainer, &s->spec, &s->data, s->model, s->engine, s->program, e))
        return -1;
    s->trainer.loaders = s->options->loaders;
    if (s->row.parent)
        return read_parent(s, e);
    if (!file_exists(s->folder.checkpoint))
        return 0;
    return checkpoint_read(s->folder.checkpoint, s->row.run_id, &s->numerics,
                           s->options->other_numerics, &s->trainer, s->weights_hash, e);
}

int session_build(struct session *s, struct error *e) {
    return build_program(s, e) || build_trainer(s, e) ? -1 : 0;
}

/* The share of the run's work that is behind; `rc`: of building the trainer. */
static double progress_of(struct session *s, int rc) {
    if (s->is_finished)
        return 1;
    if (rc)
        return 0;
    if (!trainer_is_done(&s->trainer))
        return s->training_share * trainer_progress(&s->trainer);
    session_open_cells(s);
    return session_progress(s);
}

/* Once all is trained nothing is left that tells how fast this machine works: the attempt must not
 * count for that. */
static double resumed_at(const struct session *s, int rc, double progress) {
    return !rc && !s->row.parent && trainer_is_done(&s->trainer) ? 1 : progress;
}

/* The attempt is recorded even when the model cannot be built: a failed run has a reason. That a
 * checkpoint was computed otherwise is known once there is a program, and is said rather than that
 * there is none. */
int session_begin(struct session *s, struct error *e) {
    char host[256] = "";
    struct error otherwise = {0};
    find_head(s);
    if (check_parent(s, e) || check_finished(s, e) || check_quantizer(s, e))
        return -1;
    int rc = build_program(s, e);
    if (check_numerics(s, &otherwise)) {
        *e = otherwise;
        return -1;
    }
    // Nothing is recorded of a machine that multiplies wrongly. With the program's threads.
    if (!rc && products_check(&s->cfg, (int)s->spec.batch, e))
        return -1;
    gethostname(host, sizeof host - 1);
    rc = rc ? rc : build_trainer(s, e);
    double progress = progress_of(s, rc);
    struct attempt_row row = {.run_id = s->row.run_id,
                              .numerics = s->numerics,
                              .host = host,
                              .command = s->options->command,
                              .pid = (long)getpid(),
                              .progress = progress,
                              .resumed_at = resumed_at(s, rc, progress),
                              .classes = s->data.classes};
    struct error store_error = {0};
    if (store_begin_attempt(s->store, &row, &s->attempt, &store_error)) {
        s->attempt = -1;
        return fail(e, "%s", store_error.text);
    }
    s->checkpointed = s->beaten = progress_clock();
    return rc;
}

void session_beat(struct session *s, double progress) {
    enum { SECONDS = 10 };
    struct error e = {0};
    double now = progress_clock();
    if (s->attempt < 0 || (now - s->beaten < SECONDS && !s->signal))
        return;
    s->beaten = now;
    if (store_heartbeat(s->store, s->attempt, progress, &e))
        fprintf(stderr, "truncquant: note: no heartbeat: %s\n", e.text);
}

void session_end(struct session *s, const struct error *why) {
    if (s->attempt < 0)
        return;
    double cpu;
    int64_t peak;
    char reason[1024];
    struct error ignored = {0}; // the caller's message is about the run, and comes first
    usage_now(&cpu, &peak);
    if (s->signal)
        snprintf(reason, sizeof reason, "signal %d (%s)", s->signal, strsignal(s->signal));
    else
        snprintf(reason, sizeof reason, "%s", why->text);
    if (store_end_attempt(s->store, s->attempt, s->signal ? "interrupted" : "failed", reason, cpu,
                          peak, &ignored))
        fprintf(stderr, "truncquant: the end of the attempt is not recorded: %s\n", ignored.text);
}
