/* What is refused before a try of a run is recorded; refusals.h is the manual. */
#include "run/refusals.h"

#include "base/file.h"
#include "train/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What cannot be gone on from is kept beside the run that starts anew; `what`: which it is. */
static int put_aside(const struct session *s, const char *what, struct error *e) {
    char aside[sizeof s->folder.checkpoint + 8];
    snprintf(aside, sizeof aside, "%s.old", s->folder.checkpoint);
    if (rename(s->folder.checkpoint, aside))
        return fail_system(e, s->folder.checkpoint, "cannot be put aside", errno);
    if (!s->options->quiet)
        fprintf(stderr,
                "truncquant: note: %s is of %s; the run starts anew, and it is kept as %s\n",
                s->folder.checkpoint, what, aside);
    return 0;
}

/* No run is trained by two versions of a quantizer, nor trained by one and evaluated by another. Of
 * a checkpoint that does not say what it is of, neither does what goes on from it. */
int refuse_quantizer(struct session *s, struct error *e) {
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
int refuse_numerics(const struct session *s, struct error *e) {
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
int refuse_parent(struct session *s, struct error *e) {
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
    if (s->engine->computes_nothing)
        return 0;
    if (!file_exists(s->weights))
        return fail_at(
            e, s->weights, 0,
            "is missing: the weights of run %.12s that run %.12s takes; copy it from where "
            "that was trained",
            s->row.parent, s->row.run_id);
    return check_weights_file(s, s->row.parent, e);
}

/* What an evaluation of a finished run starts from. That it is missing or is not sound is said once
 * the try is recorded. */
int refuse_finished(struct session *s, struct error *e) {
    struct error ignored = {0};
    if (!s->is_finished || s->row.parent || !file_exists(s->weights))
        return 0;
    char *numerics = checkpoint_numerics(s->weights, s->row.run_id, s->weights_hash, &ignored);
    free(numerics);
    return numerics ? session_check_weights(s, s->row.run_id, e) : 0;
}
