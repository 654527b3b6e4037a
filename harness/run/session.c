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
#include "run/refusals.h"
#include "spec/init.h"
#include "train/checkpoint.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
    int computes = !s->options->reads && !s->engine->computes_nothing;
    return !computes ? dataset_open_at(&s->data, s->spec.dataset, size, e)
                     : dataset_open_checked(&s->data, s->spec.dataset, size, e);
}

static int open_inputs(struct session *s, struct error *e) {
    const struct session_options *o = s->options;
    char name[SPEC_TEXT + 8];
    snprintf(name, sizeof name, "%s.cfg", s->row.network);
    s->engine = engine_find(o->engine);
    if (spec_read(&s->spec, o->quantizers, s->row.spec, "specification of the run", e) ||
        open_data(s, e) ||
        cfg_parse(&s->cfg, s->row.cfg, strlen(s->row.cfg), name, s->data.shape, s->data.classes, e))
        return -1;
    s->quantizer = quantizer_find(o->quantizers, s->spec.scheme);
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
    if (s->engine->computes_nothing)
        return 0;
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
        if (!s->engine->computes_nothing)
            spec_fingerprint(&s->spec, options->quantizers, s->numerics.fingerprint);
        return 0;
    }
    session_close(s);
    return -1;
}

void session_close(struct session *s) {
    cells_close(&s->cells);
    cells_close(&s->curve);
    histograms_free(&s->histograms);
    trainer_free(&s->trainer);
    if (s->program)
        s->engine->free(s->program);
    model_free(s->model);
    cfg_free(&s->cfg);
    dataset_close(&s->data);
    run_folder_close(&s->folder);
    store_free_run(&s->row);
}

/* Whether the weights are made here, not only read. */
static int session_trains(const struct session *s) {
    return !s->row.parent && !s->is_finished && !s->options->reads;
}

static int load_init(const struct session *s, struct error *e) {
    char path[SPEC_TEXT];
    if (!init_is_given(&s->spec))
        return 0;
    init_path(&s->spec, path);
    return weights_load(path, init_hash(&s->spec), (int)s->spec.init_layers, s->model, e);
}

/* The checkpoint of a finished run may have been removed, and its frozen model be what is left. */
static void find_head(struct session *s) {
    if (!s->is_finished || s->row.parent || file_exists(s->weights) || !file_exists(s->folder.head))
        return;
    s->is_cleaned = 1;
    strcpy(s->weights, s->folder.head);
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
    if (!s->is_finished)
        histograms_add(&s->histograms, s->model, "start");
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

/* The weights that training begins with. A checkpoint has all that the weights file gave, so that
 * it is not needed again: where it is gone, how they lay is not recorded. */
static int start_weights(struct session *s, struct error *e) {
    struct error ignored = {0};
    int resumes = file_exists(s->folder.checkpoint);
    if (!session_trains(s))
        return 0;
    int rc = load_init(s, resumes ? &ignored : e);
    if (!rc)
        histograms_add(&s->histograms, s->model, "start");
    return resumes ? 0 : rc;
}

static int build_trainer(struct session *s, struct error *e) {
    if (start_weights(s, e) ||
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

/* The file that messages go to, whole; "" where they go elsewhere. */
static void find_log(char path[PATH_MAX]) {
    struct stat st;
    int is_file = !fstat(STDERR_FILENO, &st) && S_ISREG(st.st_mode);
    ssize_t n = is_file ? readlink("/proc/self/fd/2", path, PATH_MAX - 1) : 0;
    path[n > 0 ? n : 0] = '\0';
}

/* Slurm's: JOB, or ARRAY_TASK, which stays the same when it is queued again; "" outside of one. */
static void find_job(char *job, size_t size) {
    const char *array = getenv("SLURM_ARRAY_JOB_ID"), *task = getenv("SLURM_ARRAY_TASK_ID");
    const char *single = getenv("SLURM_JOB_ID");
    if (array && task)
        snprintf(job, size, "%.40s_%.40s", array, task);
    else
        snprintf(job, size, "%.80s", single ? single : "");
}

static int begin_attempt(struct session *s, double progress, double resumed, struct error *e) {
    char host[256] = "", log[PATH_MAX], job[128];
    find_log(log);
    find_job(job, sizeof job);
    gethostname(host, sizeof host - 1);
    struct attempt_row row = {.run_id = s->row.run_id,
                              .numerics = s->numerics,
                              .host = host,
                              .command = s->options->command,
                              .pid = (long)getpid(),
                              .progress = progress,
                              .resumed_at = resumed,
                              .classes = s->data.classes,
                              .log = log[0] ? log : NULL,
                              .job = job[0] ? job : NULL};
    struct error store_error = {0};
    if (store_begin_attempt(s->store, &row, &s->attempt, &store_error)) {
        s->attempt = -1;
        return fail(e, "%s", store_error.text);
    }
    s->begun_at = progress;
    s->checkpointed = s->beaten = progress_clock();
    return 0;
}

/* Nothing is built, and nothing is kept but what is recorded. */
static int begin_nothing(struct session *s, struct error *e) {
    struct run_status status;
    int rc = store_run_status(s->store, s->row.run_id, &status, e);
    double progress = status.progress;
    store_free_status(&status);
    return rc ? -1 : begin_attempt(s, progress, progress, e);
}

/* The attempt is recorded even when the model cannot be built: a failed run has a reason. That a
 * checkpoint was computed otherwise is known once there is a program, and is said rather than that
 * there is none. */
int session_begin(struct session *s, struct error *e) {
    struct error otherwise = {0};
    find_head(s);
    if (store_check_engine(s->store, s->engine->name, e) || refuse_parent(s, e))
        return -1;
    if (s->engine->computes_nothing)
        return begin_nothing(s, e);
    if (refuse_finished(s, e) || refuse_quantizer(s, e))
        return -1;
    int rc = build_program(s, e);
    if (refuse_numerics(s, &otherwise)) {
        *e = otherwise;
        return -1;
    }
    // Nothing is recorded of a machine that multiplies wrongly. With the program's threads.
    if (!rc && products_check(&s->cfg, (int)s->spec.batch, e))
        return -1;
    rc = rc ? rc : build_trainer(s, e);
    double progress = progress_of(s, rc);
    return begin_attempt(s, progress, resumed_at(s, rc, progress), e) ? -1 : rc;
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
    enum cause cause = s->signal || why->is_outside ? CAUSE_OUTSIDE : CAUSE_OWN;
    if (store_end_attempt(s->store, s->attempt, s->signal ? "interrupted" : "failed", cause, reason,
                          cpu, peak, &ignored))
        fprintf(stderr, "truncquant: the end of the attempt is not recorded: %s\n", ignored.text);
}
