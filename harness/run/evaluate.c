/* The evaluations of a session: direct from the latent weights, truncated from the frozen model
 * alone, and the layers; session.h is the manual. */
#include "run/session.h"

#include "base/file.h"
#include "run/numerics.h"
#include "run/stop.h"
#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct results {
    int n, n_layers;
    struct evaluation_row *rows;
    struct layer_row *layers;
};

static void results_free(struct results *r) {
    free(r->rows);
    layer_rows_free(r->layers, r->n_layers);
}

static int count_cells(const struct session *s) {
    int n = 0;
    for (int i = 0; i < s->spec.bits.n; i++)
        for (int truncated = s->is_cleaned; truncated < 2; truncated++) {
            int k = s->spec.bits.bits[i];
            if (evaluation_exists(&s->spec, s->quantizer, k, truncated))
                n += 1 + evaluation_calibrates(&s->spec, s->quantizer, k);
        }
    return n;
}

/* What the rows of cells do not say themselves. Both files hold the weights, of direct and of
 * truncated inference. */
static void describe_origin(const struct session *s, char *text, size_t size) {
    char how[NUMERICS_TEXT], frozen[HASH_HEX];
    numerics_text(&s->numerics, how, sizeof how);
    sealed_name(s->folder.frozen, frozen);
    snprintf(text, size, "run %s, checkpoint %s, frozen model %s: %s", s->row.run_id,
             s->weights_hash, frozen, how);
}

void session_open_cells(struct session *s) {
    char origin[NUMERICS_TEXT + 4 * HASH_HEX];
    describe_origin(s, origin, sizeof origin);
    cells_close(&s->cells);
    cells_open(&s->cells, s->folder.evaluated, origin, (int)s->spec.epochs);
    s->evaluations = count_cells(s);
    s->evaluated = s->cells.n < s->evaluations ? s->cells.n : s->evaluations;
}

static double share_evaluated(const struct session *s) {
    return s->evaluations ? (double)s->evaluated / s->evaluations : 1;
}

double session_progress(const struct session *s) {
    return s->training_share + (1 - s->training_share) * share_evaluated(s);
}

/* The evaluations of one model: where they are. */
struct visit {
    struct session *s;
    struct point point;
};

static void show_visit(const struct visit *v) {
    enum { MOMENT = 2 }; // seconds; what is over in one needs no line
    struct progress *p = &v->s->progress;
    char text[64];
    if (progress_clock() - p->start < MOMENT)
        return;
    snprintf(text, sizeof text, "%d bits, %s", v->point.bits, cut_names[v->point.cut]);
    progress_show(p, share_evaluated(v->s), text);
}

/* Called between two batches. */
static int is_to_stop(void *context) {
    const struct visit *v = context;
    struct session *s = v->s;
    s->signal = stop_signal();
    session_beat(s, session_progress(s));
    show_visit(v);
    return s->signal != 0;
}

/* In doubt it is evaluated. */
static int is_recorded(void *context, const struct evaluation_row *row) {
    struct session *s = ((const struct visit *)context)->s;
    struct error ignored = {0};
    int there = 0;
    if (s->attempt < 0 || store_has_evaluation(s->store, s->attempt, row, &there, &ignored))
        return 0;
    s->evaluated += there;
    return there;
}

static int recall_cell(void *context, struct evaluation_row *row) {
    struct session *s = ((const struct visit *)context)->s;
    int kept = cells_recall(&s->cells, row);
    s->evaluated += kept;
    return kept;
}

static void keep_cell(void *context, const struct evaluation_row *row) {
    struct session *s = ((const struct visit *)context)->s;
    cells_keep(&s->cells, row);
    s->evaluated++;
}

/* Every width that exists, one inference. Stops early when a signal asks for it (s->signal). */
static int evaluate_model(struct session *s, struct model *m, const struct frozen *frozen,
                          struct program *program, struct results *r, struct error *e) {
    struct evaluator ev;
    struct visit v = {.s = s};
    const struct session_options *o = s->options;
    evaluator_start(&ev, &s->spec, &s->data, m, frozen, s->engine, program);
    ev.loaders = s->options->loaders;
    ev.is_to_stop = is_to_stop;
    ev.is_recorded = is_recorded;
    ev.recall = recall_cell;
    ev.keep = keep_cell;
    ev.context = &v;
    int rc = 0;
    if (o->arithmetic >= 0)
        rc = evaluator_use_exact(&ev, o->threads, (enum arithmetic)o->arithmetic, e);
    for (int i = 0; i < s->spec.bits.n && !rc; i++) {
        int k = s->spec.bits.bits[i];
        if ((s->signal = stop_signal()))
            break;
        if (!evaluation_exists(&s->spec, s->quantizer, k, frozen != NULL))
            continue;
        v.point = spec_point(&s->spec, k, frozen ? CUT_WEIGHTS : CUT_NONE);
        rc = evaluator_width(&ev, k, e);
    }
    for (int i = 0; i < ev.n; i++)
        r->rows[r->n++] = ev.rows[i];
    evaluator_free(&ev);
    return rc;
}

static int check_owner(const struct session *s, const struct frozen *f, struct error *e) {
    char run_id[HASH_HEX], config_id[HASH_HEX];
    spec_ids(&f->spec, s->options->quantizers, f->cfg.normal, s->data.hash, run_id, config_id);
    if (!strcmp(run_id, s->row.run_id))
        return 0;
    return fail_at(e, s->folder.frozen, 0,
                   "belongs to run %.12s, not %.12s; put the right one back, or remove it: "
                   "'truncquant evaluate' makes it anew",
                   run_id, s->row.run_id);
}

int session_read_frozen(struct session *s, struct frozen *f, struct error *e) {
    if (frozen_read(f, s->folder.frozen, s->options->quantizers, e))
        return -1;
    if (!check_owner(s, f, e))
        return 0;
    frozen_free(f);
    return -1;
}

/* There is no other way to these weights once the checkpoint is gone. */
static int lost_frozen(const struct session *s, struct error *e) {
    *e = (struct error){0};
    return fail_at(e, s->folder.frozen, 0,
                   "is not the frozen model that was left of run %.12s when its checkpoint was "
                   "removed; bring a copy of that back, or compute the run in another database",
                   s->row.run_id);
}

/* The latent model is out of the way: this sees the file alone. */
static int evaluate_frozen(struct session *s, struct results *r, struct error *e) {
    struct frozen f;
    if (session_read_frozen(s, &f, e))
        return s->is_cleaned ? lost_frozen(s, e) : -1;
    struct program *program = s->engine->compile(f.m, (int)s->spec.batch, s->options->threads, e);
    int rc = program ? evaluate_model(s, f.m, &f, program, r, e) : -1;
    s->engine->free(program);
    frozen_free(&f);
    return rc;
}

/* Direct and truncated evaluation in the same arithmetic: --precision is of training. */
static int program_in_fp32(struct session *s, struct error *e) {
    if (s->options->precision == PRECISION_FP32)
        return 0;
    s->engine->free(s->program);
    s->program = s->engine->compile(s->model, (int)s->spec.batch, s->options->threads, e);
    s->trainer.program = s->program;
    return s->program ? 0 : -1;
}

static int count_layers(struct session *s, struct layer_row **rows) {
    int n = cells_recall_layers(&s->cells, rows);
    if (n >= 0)
        return n;
    n = layer_rows(s->model, &s->spec, rows);
    cells_keep_layers(&s->cells, *rows, n);
    return n;
}

static int evaluate_all(struct session *s, struct results *r, int layers, struct error *e) {
    *r = (struct results){.rows = need((size_t)s->spec.bits.n * 4, sizeof *r->rows)};
    if (s->is_cleaned)
        return evaluate_frozen(s, r, e);
    if (program_in_fp32(s, e) || evaluate_model(s, s->model, NULL, s->program, r, e))
        return -1;
    if (s->signal)
        return 0;
    if (layers) {
        r->n_layers = count_layers(s, &r->layers);
        histograms_add(&s->histograms, s->model, "end");
    }
    s->engine->free(s->program);
    s->program = NULL;
    if (s->quantizer->min_bits == FLOAT_BITS || s->quantizer->alone)
        return 0;
    return evaluate_frozen(s, r, e);
}

static int finish(struct session *s, const struct results *r, struct error *e) {
    const struct run_results results = {
        r->rows, r->n, r->layers, r->n_layers, s->histograms.rows, s->histograms.n};
    double cpu;
    int64_t peak;
    usage_now(&cpu, &peak);
    return store_finish(s->store, s->attempt, &results, cpu, peak, e);
}

/* All evaluations, and what they are recorded with; completion comes last. `layers`: those, too,
 * and how their weights lie. Then nothing need be kept; should the process end before that is gone,
 * it will be recalled for what it is. */
static int record_evaluations(struct session *s, int layers, struct error *e) {
    struct results r;
    char label[64];
    snprintf(label, sizeof label, "evaluating %.12s", s->row.run_id);
    session_open_cells(s);
    s->progress = progress_start(label, share_evaluated(s), s->options->quiet);
    s->evaluated = 0; // they are counted as they are come to
    int rc = evaluate_all(s, &r, layers, e);
    progress_end(&s->progress);
    s->added = r.n;
    if (!rc && !s->signal)
        rc = dataset_check(&s->data, s->spec.dataset, e);
    if (!rc && !s->signal && s->weights_hash[0])
        rc = store_record_weights(s->store, s->attempt, s->weights_hash, e);
    if (!rc && !s->signal)
        rc = finish(s, &r, e);
    if (!rc && !s->signal)
        cells_remove(&s->cells);
    results_free(&r);
    return rc;
}

/* What is never cut is not frozen. */
static int freeze(const struct session *s, const struct spec *spec, struct error *e) {
    if (s->quantizer->alone)
        return 0;
    return frozen_write(s->folder.frozen, s->model, spec, s->options->quantizers, s->row.cfg,
                        &s->data, e);
}

int session_evaluate(struct session *s, struct error *e) {
    if (freeze(s, &s->spec, e) || session_record_epochs(s, e) || session_record_curve(s, e) ||
        record_evaluations(s, 1, e))
        return -1;
    if (!s->signal)
        session_remove_curve(s);
    return 0;
}

/* As the run itself left it: s->spec may ask for other evaluations than the plan. */
static int freeze_again(const struct session *s, struct error *e) {
    struct spec planned;
    if (spec_read(&planned, s->options->quantizers, s->row.spec, "specification of the run", e))
        return -1;
    return freeze(s, &planned, e);
}

int session_check_finished(const struct session *s, struct error *e) {
    if (!file_exists(s->weights) && !s->row.parent && file_exists(s->folder.head))
        return fail_at(e, s->weights, 0,
                       "was removed by 'truncquant clean': of run %.12s truncated results alone "
                       "can be computed; bring a copy of it back for anything else",
                       s->row.run_id);
    if (!file_exists(s->weights))
        return fail_at(e, s->weights, 0,
                       "is missing: run %.12s was computed elsewhere; evaluate it there, or copy "
                       "its folder from beside the database that it was computed in",
                       s->row.run_id);
    if (!trainer_is_done(&s->trainer))
        return fail_at(e, s->weights, 0,
                       "is of epoch %lld of %ld, though the run is finished; put its last one back",
                       (long long)s->trainer.epoch + 1, s->spec.epochs);
    return session_check_weights(s, s->row.run_id, e);
}

/* Of what is asked for, as much as the frozen model gives, and that is of the right weights. */
static int check_cleaned(const struct session *s, struct error *e) {
    char named[HASH_HEX], there[HASH_HEX];
    sealed_name(s->folder.frozen, there);
    if (checkpoint_read_head(s->weights, s->row.run_id, named, e) ||
        session_check_weights(s, s->row.run_id, e))
        return -1;
    if (strcmp(named, there))
        return lost_frozen(s, e);
    if (!count_cells(s))
        return fail_at(e, s->folder.checkpoint, 0,
                       "was removed by 'truncquant clean', and nothing of what is asked for is "
                       "truncated; name widths below %ld, or bring a copy of it back",
                       s->spec.stored_bits + 1);
    return 0;
}

int session_reevaluate(struct session *s, struct error *e) {
    if (s->is_cleaned)
        return check_cleaned(s, e) ? -1 : record_evaluations(s, 0, e);
    if (session_check_finished(s, e) || (!file_exists(s->folder.frozen) && freeze_again(s, e)))
        return -1;
    return record_evaluations(s, 0, e);
}
