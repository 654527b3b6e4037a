/* A run by the engine `null`: nothing is computed, and the time that was set goes by. It is
 * recorded as any other, with heartbeats, progress and a row for each epoch and evaluation, so that
 * planner, database, schedulers and status can be tried at any size. The rows say what guessing
 * would come to. There is no checkpoint and no model: the next try goes on from the progress that
 * is recorded of the last. */
#include "run/session.h"

#include "data/selection.h"
#include "run/numerics.h"
#include "run/stop.h"

#include <math.h>
#include <stdlib.h>

static double share(const struct session *s, double start, double seconds) {
    double behind = seconds > 0 ? (progress_clock() - start) / seconds : 1;
    double all = s->begun_at + behind * (1 - s->begun_at);
    return all < 1 ? all : 1;
}

/* Until the rest of the time is over, or a signal asks to stop. */
static void wait_set_time(struct session *s) {
    enum { LOOK = 1 };
    double start = progress_clock(), seconds = s->options->null_seconds * (1 - s->begun_at), left;
    char label[64];
    snprintf(label, sizeof label, "waiting as %.12s", s->row.run_id);
    s->progress = progress_start(label, s->begun_at, s->options->quiet);
    while ((left = start + seconds - progress_clock()) > 0 && !s->signal) {
        s->signal = stop_wait(left < LOOK ? left : LOOK);
        session_beat(s, share(s, start, seconds));
        progress_show(&s->progress, share(s, start, seconds), "nothing is computed");
    }
    progress_end(&s->progress);
}

static int record_epochs(struct session *s, struct error *e) {
    int n = (int)s->spec.epochs * s->spec.widths.n, at = 0;
    struct epoch_row *rows = need((size_t)n, sizeof *rows);
    for (int epoch = 1; epoch <= s->spec.epochs; epoch++)
        for (int b = 0; b < s->spec.widths.n; b++)
            rows[at++] = (struct epoch_row){.epoch = epoch,
                                            .bits = s->spec.widths.bits[b],
                                            .loss = log(s->data.classes),
                                            .accuracy = 100.0 / s->data.classes,
                                            .images = s->row.images};
    int rc = s->row.parent ? 0 : store_add_epochs(s->store, s->attempt, rows, n, e);
    free(rows);
    return rc;
}

/* Of so many images in so many classes, one class guessed, or five. */
static struct evaluation_row guess(const struct session *s, int k, enum cut cut, int calibration) {
    int64_t images = spec_evaluated_images(&s->spec, &s->data), classes = s->data.classes;
    struct evaluation_row row = {.epoch = (int)s->spec.epochs,
                                 .split = split_name(&s->spec),
                                 .point = spec_point(&s->spec, k, cut),
                                 .images = images,
                                 .correct1 = images / classes,
                                 .correct5 = classes > 5 ? 5 * images / classes : images,
                                 .loss_sum = (double)images * log((double)classes)};
    row.point.calibration = calibration;
    return row;
}

static int finish(struct session *s, struct error *e) {
    struct evaluation_row *rows = need((size_t)s->spec.bits.n * 4, sizeof *rows);
    double cpu;
    int64_t peak;
    int n = 0;
    for (int i = 0; i < s->spec.bits.n; i++)
        for (int truncated = 0; truncated < 2; truncated++) {
            int k = s->spec.bits.bits[i];
            enum cut cut = truncated ? CUT_WEIGHTS : CUT_NONE;
            if (!evaluation_exists(&s->spec, s->quantizer, k, truncated))
                continue;
            rows[n++] = guess(s, k, cut, 0);
            if (evaluation_calibrates(&s->spec, s->quantizer, k))
                rows[n++] = guess(s, k, cut, (int)s->spec.calibration);
        }
    usage_now(&cpu, &peak);
    struct run_results r = {.evaluations = rows, .n = n};
    int rc = store_finish(s->store, s->attempt, &r, cpu, peak, e);
    free(rows);
    return rc;
}

int session_pretend(struct session *s, struct error *e) {
    wait_set_time(s);
    if (s->signal)
        return 0;
    return record_epochs(s, e) || finish(s, e) ? -1 : 0;
}
