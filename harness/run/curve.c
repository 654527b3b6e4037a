/* Evaluations during training, for learning curves; session.h is the manual. They see the model as
 * it is after an epoch and leave nothing behind in it: programs of their own, the truncated
 * inference from a file that was frozen for it alone, no calibration. What was evaluated is kept
 * beside the checkpoint until the run is recorded, as epochs are in it: the database may have lost
 * it, and training does not come by again. */
#include "run/session.h"

#include "run/stop.h"
#include "train/checkpoint.h"

#include <stdio.h>
#include <unistd.h>

static void describe_origin(const struct session *s, char *text, size_t size) {
    char how[NUMERICS_TEXT];
    numerics_text(&s->numerics, how, sizeof how);
    snprintf(text, size, "learning curve of run %s: %s", s->row.run_id, how);
}

int session_open_curve(struct session *s, struct error *e) {
    char origin[NUMERICS_TEXT + 2 * HASH_HEX];
    if (s->row.parent ||
        store_curve_requests(s->store, s->row.run_id, s->requests, &s->n_requests, e))
        return s->row.parent ? 0 : -1;
    if (!s->n_requests)
        return 0;
    describe_origin(s, origin, sizeof origin);
    cells_open(&s->curve, s->folder.curve, origin, (int)s->trainer.epoch);
    return 0;
}

void session_remove_curve(struct session *s) {
    cells_close(&s->curve);
    unlink(s->folder.curve);
    unlink(s->folder.epoch_frozen);
}

static int is_due(const struct session *s, int of_test) {
    long epoch = (long)s->trainer.epoch;
    for (int i = 0; i < s->n_requests; i++)
        if (s->requests[i].of_test == of_test &&
            (epoch % s->requests[i].every == 0 || epoch == s->spec.epochs))
            return 1;
    return 0;
}

static int is_to_stop(void *context) {
    struct session *s = context;
    s->signal = stop_signal();
    session_beat(s, s->training_share * trainer_progress(&s->trainer));
    return s->signal != 0;
}

static int recall_point(void *context, struct evaluation_row *row) {
    return cells_recall(&((struct session *)context)->curve, row);
}

static void keep_point(void *context, const struct evaluation_row *row) {
    cells_keep(&((struct session *)context)->curve, row);
}

/* Every width that exists, one inference. `f` NULL: direct. */
static int evaluate_with(struct session *s, const struct spec *spec, struct model *m,
                         const struct frozen *f, struct program *program, struct error *e) {
    struct evaluator ev;
    evaluator_start(&ev, spec, &s->data, m, f, s->engine, program);
    ev.epoch = (int)s->trainer.epoch;
    ev.any_loss = 1;
    ev.loaders = s->options->loaders;
    ev.is_to_stop = is_to_stop;
    ev.recall = recall_point;
    ev.keep = keep_point;
    ev.context = s;
    int rc = 0;
    if (s->options->arithmetic >= 0)
        rc = evaluator_use_exact(&ev, s->options->threads, (enum arithmetic)s->options->arithmetic,
                                 e);
    for (int i = 0; i < spec->bits.n && !rc && !s->signal; i++)
        if (evaluation_exists(spec, s->quantizer, spec->bits.bits[i], f != NULL))
            rc = evaluator_width(&ev, spec->bits.bits[i], e);
    evaluator_free(&ev);
    return rc;
}

static int evaluate_model(struct session *s, const struct spec *spec, struct model *m,
                          const struct frozen *f, struct error *e) {
    struct program *program = s->engine->compile(m, (int)spec->batch, s->options->threads, e);
    int rc = program ? evaluate_with(s, spec, m, f, program, e) : -1;
    s->engine->free(program);
    return rc;
}

static int evaluate_truncated(struct session *s, const struct spec *spec, struct error *e) {
    struct frozen f;
    const char *path = s->folder.epoch_frozen;
    if (frozen_write(path, s->model, spec, s->options->quantizers, s->row.cfg, &s->data, e) ||
        frozen_read(&f, path, s->options->quantizers, e))
        return -1;
    int rc = evaluate_model(s, spec, f.m, &f, e);
    frozen_free(&f);
    return rc;
}

static int evaluate_split(struct session *s, int of_test, struct error *e) {
    struct spec spec = s->spec;
    spec.split = of_test ? EVALUATE_TEST : EVALUATE_VAL;
    spec.calibration = 0;
    if (evaluate_model(s, &spec, s->model, NULL, e))
        return -1;
    if (s->signal || s->quantizer->min_bits == FLOAT_BITS || s->quantizer->alone)
        return 0;
    return evaluate_truncated(s, &spec, e);
}

int session_record_curve(struct session *s, struct error *e) {
    int n = s->curve.n - s->recorded_points;
    if (n <= 0)
        return 0;
    if (store_add_curves(s->store, s->attempt, s->curve.rows + s->recorded_points, n, e))
        return -1;
    s->recorded_points = s->curve.n;
    return 0;
}

int session_curve(struct session *s, struct error *e) {
    struct error later = {0};
    if (!s->n_requests || !s->trainer.epoch || s->trainer.step)
        return 0;
    for (int of_test = 0; of_test < 2 && !s->signal; of_test++)
        if (is_due(s, of_test) && evaluate_split(s, of_test, e))
            return -1;
    if (session_record_curve(s, &later))
        fprintf(stderr, "truncquant: note: points of the learning curve are recorded later: %s\n",
                later.text);
    return 0;
}
