/* truncquant run: one run from its specification to its rows in the database, or on from where it
 * was interrupted. The work is in run/session.h. */
#include "verbs/database.h"
#include "verbs/verb.h"

#include "base/file.h"
#include "base/text.h"
#include "model/describe.h"
#include "plan/single.h"
#include "report/export.h"
#include "report/result.h"
#include "run/session.h"
#include "run/stop.h"
#include "run/trial.h"
#include "verbs/runs/computing.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct run_options {
    struct computing how;
    const char *spec, *checkpoint_every, *trial;
    int retry, again, other_numerics, verbose;
};

static int parse_run(struct options *o, struct run_options *r, int *helped, struct error *e) {
    const struct option_row rows[] = {
        {"--spec", "FILE", NULL, "run the specification in FILE ('-': standard input), not an ID",
         &r->spec, NULL},
        COMPUTING_ROWS(&r->how),
        {"--checkpoint-every", "SECONDS", r->checkpoint_every,
         "at most so long between checkpoints; each epoch writes one too", &r->checkpoint_every,
         NULL},
        {"--retry", NULL, NULL, "try a run again that has failed", NULL, &r->retry},
        {"--again", NULL, NULL,
         "run a finished run anew whose quantizer, or whose parent's, is another version now", NULL,
         &r->again},
        {"--other-numerics", NULL, NULL,
         "go on from a checkpoint computed by another engine, machine or version", NULL,
         &r->other_numerics},
        {"--trial", "FILE", NULL,
         "which the runs of one call of a grid share: once the first five that end have all failed "
         "for one reason, no other begins, and ends with status 5",
         &r->trial, NULL},
        {"--verbose", NULL, NULL, "say which layers are quantized, and how it is computed", NULL,
         &r->verbose},
        {0},
    };
    return verb_parse(
        o, "run ID | --spec FILE [options]",
        "Train a planned run (or go on from its checkpoint), freeze it, evaluate every "
        "bit-width,\nand record all of it. A finished run is not run again. A signal "
        "writes a checkpoint and ends\nwith 128 + the signal.",
        rows, helped, e);
}

static int session_options(const struct options *o, const struct run_options *r,
                           struct session_options *s, struct error *e) {
    double every;
    *s = (struct session_options){.quiet = o->quiet, .quantizers = o->quantizers};
    if (computing_options(&r->how, "run", s, e))
        return -1;
    if (text_real(r->checkpoint_every, &every) || every <= 0)
        return fail(e, "run: --checkpoint-every takes seconds above 0, not '%.64s'",
                    r->checkpoint_every);
    s->other_numerics = r->other_numerics;
    s->again = r->again;
    s->checkpoint_every = every;
    s->verbose = r->verbose;
    return 0;
}

/* Which run it is, and where and when it is computed: a log begins with it. */
static void tell_beginning(const struct session *s) {
    char host[256] = "", when[32];
    time_t now = time(NULL);
    gethostname(host, sizeof host - 1);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", gmtime(&now));
    char *line;
    size_t size;
    FILE *out = need_stream(&line, &size);
    spec_write_line(&s->spec, s->options->quantizers, out);
    fclose(out);
    text_say(stdout, "run %s: %s\n", s->row.run_id, line);
    free(line);
    printf("begun at %s UTC on %s, process %ld\n", when, host, (long)getpid());
    fflush(stdout);
}

static void tell_numerics(const struct session *s) {
    const struct numerics *n = &s->numerics;
    printf(
        "computed by engine %s, %s, %d thread(s), %s, %s, sources %.12s, quantizer %.12s, commit "
        "%s%s\n",
        n->engine, n->precision, n->threads, n->isa, n->libraries, n->sources, n->fingerprint,
        n->commit, n->dirty ? " with uncommitted changes" : "");
    fflush(stdout);
}

static void describe_session(const struct session *s) {
    const char *precision = s->numerics.precision;
    if (strcmp(precision, precision_names[s->options->precision]))
        printf("in %s, not %s: nothing here multiplies whole numbers in bf16\n", precision,
               precision_names[s->options->precision]);
    model_describe(s->model, stdout);
    if (s->engine->describe)
        s->engine->describe(s->program, stdout);
    fflush(stdout);
}

static int compute(struct session *s, struct error *e) {
    if (!s->options->quiet)
        tell_beginning(s);
    if (session_begin(s, e))
        return -1;
    if (!s->options->quiet || s->options->verbose)
        tell_numerics(s);
    if (s->engine->computes_nothing)
        return session_pretend(s, e);
    if (s->options->verbose)
        describe_session(s);
    if (session_train(s, e))
        return -1;
    return s->signal ? 0 : session_evaluate(s, e);
}

/* A finished run is run again only when it is asked for, and when its results would be others. */
static int wants_again(const struct session *s, int again, int *wanted, struct error *e) {
    char *why;
    if (store_run_stale(s->store, s->row.run_id, &why, e))
        return -1;
    *wanted = why && again;
    if (!*wanted && !s->options->quiet)
        text_say(stdout,
                 why ? "run %.12s is done already, but %s; --again computes it anew\n"
                     : "run %.12s is done already\n",
                 s->row.run_id, why);
    free(why);
    return 0;
}

/* With the lock held, so that the state cannot change under it. */
static int wants_run(struct session *s, const struct run_options *r, int *wanted, struct error *e) {
    struct run_status status;
    *wanted = 1;
    if (store_run_status(s->store, s->row.run_id, &status, e))
        return -1;
    const enum run_state state = status.state;
    const int failed = state == RUN_FAILED && status.cause != CAUSE_OUTSIDE;
    store_free_status(&status);
    if (failed && !r->retry)
        return fail(e,
                    "run %.12s has failed before ('truncquant status' says why); --retry tries it "
                    "again",
                    s->row.run_id);
    return state == RUN_DONE ? wants_again(s, r->again, wanted, e) : 0;
}

/* It is done all the same: that a recipe diverges is a result. */
static void tell_diverged(const struct session *s) {
    char *why;
    struct error ignored = {0}; // it is recorded
    if (!store_run_diverged(s->store, s->row.run_id, &why, &ignored) && why)
        text_say(stderr,
                 "truncquant: note: run %.12s diverged: %s; its numbers say nothing of its "
                 "quantizer: plan it with a lower learning_rate\n",
                 s->row.run_id, why);
    free(why);
}

/* What is kept of a run that takes a parent's weights are evaluations alone. */
static void tell_stopped(const struct session *s) {
    const struct trainer *t = &s->trainer;
    const char *kept = s->row.parent ? s->folder.evaluated : s->folder.checkpoint;
    char where[64] = "while it was evaluated";
    if (s->options->quiet)
        return;
    if (s->engine->computes_nothing)
        return;
    if (!s->row.parent && !trainer_is_done(t))
        snprintf(where, sizeof where, "in epoch %lld of %ld", (long long)t->epoch + 1,
                 s->spec.epochs);
    fprintf(stderr, "truncquant: note: run %.12s was stopped %s; ", s->row.run_id, where);
    if (file_exists(kept))
        fprintf(stderr, "its %s %s, from which the same command goes on\n",
                s->row.parent ? "evaluations are kept in" : "checkpoint is", kept);
    else
        fprintf(stderr, "the same command begins anew\n");
}

/* What the run came to; that it cannot be read is no failure of the run. */
static void tell_result(const struct session *s) {
    struct error e = {0};
    if (!s->options->quiet && !s->engine->computes_nothing &&
        report_result(s->store, s->row.run_id, export_splits[s->spec.split], stdout, &e))
        fprintf(stderr, "truncquant: note: the result cannot be shown: %s\n", e.text);
}

static int run_wanted(struct session *s, struct error *e) {
    stop_catch();
    stop_not_for_pipes();
    int rc = compute(s, e);
    if (rc || s->signal)
        session_end(s, e);
    if (s->signal) {
        tell_stopped(s);
        return 128 + s->signal;
    }
    if (rc)
        return EXIT_FAILED;
    tell_result(s);
    if (!s->engine->computes_nothing)
        tell_diverged(s);
    return EXIT_DONE;
}

/* *end: what it is for the trial that it is on. */
static int run_session(struct session *s, const struct run_options *r, enum trial_end *end,
                       struct error *e) {
    int wanted;
    if (wants_run(s, r, &wanted, e))
        return EXIT_FAILED;
    if (!wanted) {
        tell_result(s);
        return EXIT_DONE;
    }
    int status = run_wanted(s, e);
    *end = status == EXIT_DONE ? TRIAL_DONE : TRIAL_LEFT;
    return status;
}

/* Whether it may begin, as far as its trial says, if it is on one. */
static int check_trial(const struct run_options *r, const char *id, struct error *e) {
    struct error why = {0};
    int stopped = r->trial ? trial_begin(r->trial, id, &why) : 0;
    if (stopped > 0)
        return fail(e, "%s", why.text);
    if (stopped < 0)
        fprintf(stderr, "truncquant: note: the run is on no trial: %s\n", why.text);
    return 0;
}

static int check_operands(int operands, const struct run_options *r, struct error *e) {
    if (operands == 1 && r->spec)
        return fail(e, "run: an ID and --spec exclude each other; give one of them");
    if (operands + (r->spec != NULL) != 1)
        return fail(e, "run: name one run ID ('truncquant plan GRID' prints them), or --spec FILE");
    if (r->trial && r->spec)
        return fail(e, "run: --trial is for runs of a grid, which have an ID; leave out --spec");
    return 0;
}

static int run_one(const struct options *o, const struct run_options *r,
                   const struct session_options *so, struct error *e) {
    char recorded[HASH_HEX];
    const char *id = o->argv[1];
    int status = EXIT_FAILED;
    enum trial_end end = TRIAL_LEFT;
    struct session s;
    if (check_trial(r, id, e))
        return EXIT_STOPPED;
    struct store *store = verb_open_store(o, r->spec ? STORE_WRITE : STORE_UPDATE, e);
    if (store && r->spec) {
        id = recorded;
        if (single_record(r->spec, o->quantizers, store, o->quiet, recorded, e))
            id = NULL;
    }
    if (store && id && !session_open(&s, so, store, id, e)) {
        status = run_session(&s, r, &end, e);
        session_close(&s);
    }
    store_close(store);
    if (r->trial && !r->spec)
        trial_end(r->trial, o->argv[1], status == EXIT_FAILED && !e->is_busy ? TRIAL_FAILED : end,
                  e->text);
    return status;
}

int verb_run(struct options *o, struct error *e) {
    struct run_options r = {.how = COMPUTING_DEFAULTS, .checkpoint_every = "600"};
    struct session_options so;
    int helped, status = EXIT_USAGE;
    char *command = verb_command_line(o->argc, o->argv);
    int operands = parse_run(o, &r, &helped, e);
    if (helped)
        status = EXIT_DONE;
    else if (operands >= 0 && !check_operands(operands, &r, e) && !session_options(o, &r, &so, e)) {
        so.command = command;
        status = run_one(o, &r, &so, e);
    }
    free(command);
    return status;
}
