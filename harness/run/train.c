/* The training loop of a session: steps, rows, checkpoints, signals; session.h is the manual. */
#include "run/session.h"

#include "run/stop.h"
#include "train/checkpoint.h"

#include <stdio.h>

static int checkpoint(struct session *s, struct error *e) {
    s->checkpointed = progress_clock();
    return checkpoint_write(s->folder.checkpoint, s->row.run_id, &s->numerics, &s->trainer,
                            s->weights_hash, e);
}

int session_record_epochs(struct session *s, struct error *e) {
    int n = s->trainer.n_rows - s->recorded_rows;
    if (n <= 0)
        return 0;
    if (store_add_epochs(s->store, s->attempt, s->trainer.rows + s->recorded_rows, n, e))
        return -1;
    s->recorded_rows = s->trainer.n_rows;
    return 0;
}

/* A database that is busy for long must not end a run: the checkpoint has the rows, and they are
 * written with the next ones, or before the evaluations. */
static void record_rows(struct session *s) {
    struct error e = {0};
    if (session_record_epochs(s, &e))
        fprintf(stderr, "truncquant: note: epochs are recorded later: %s\n", e.text);
}

static void show_step(struct session *s) {
    const struct trainer *t = &s->trainer;
    char text[96];
    snprintf(text, sizeof text, "epoch %lld/%ld, step %lld/%lld", (long long)t->epoch + 1,
             s->spec.epochs, (long long)t->step, (long long)t->steps_per_epoch);
    progress_show(&s->progress, trainer_progress(t), text);
}

int session_train(struct session *s, struct error *e) {
    struct trainer *t = &s->trainer;
    char label[64];
    snprintf(label, sizeof label, "training %.12s", s->row.run_id);
    s->progress = progress_start(label, trainer_progress(t), s->options->quiet);
    record_rows(s);
    if (session_open_curve(s, e) || session_curve(s, e))
        return -1;
    while (!trainer_is_done(t) && !s->signal) {
        int64_t epoch = t->epoch;
        if (trainer_step(t, e))
            return -1;
        s->signal = stop_signal();
        int due = progress_clock() - s->checkpointed >= s->options->checkpoint_every;
        if ((due || s->signal || t->epoch != epoch) && checkpoint(s, e))
            return -1;
        if (t->epoch != epoch) {
            record_rows(s);
            if (!s->signal && session_curve(s, e))
                return -1;
        }
        session_beat(s, s->training_share * trainer_progress(t));
        if (s->signal)
            break;
        show_step(s);
    }
    progress_end(&s->progress);
    return 0;
}
