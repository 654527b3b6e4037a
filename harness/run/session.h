/* One run being computed: everything it needs, opened in order and closed in reverse. A run whose
 * scheme has a parent trains nothing: the parent run's last checkpoint takes the place of training,
 * and has to be there.
 *
 *     session_open      spec, data set, cfg, folder and lock; nothing is recorded yet
 *     session_begin     an attempt in the database; model, engine, trainer; the checkpoint, if any
 *     session_train     to the last epoch: rows, checkpoints, heartbeats, learning curves
 *     session_evaluate  freeze; every width, direct and truncated; layers
 *     session_end       how it ended, and why
 *
 * By an engine that computes nothing, session_pretend stands for training and evaluating.
 */
#ifndef RUN_SESSION_H
#define RUN_SESSION_H

#include "base/progress.h"
#include "evaluate/cells.h"
#include "evaluate/evaluator.h"
#include "evaluate/histograms.h"
#include "run/folder.h"
#include "train/trainer.h"

struct session_options {
    // nothing is computed or written beside the database: its folders are only looked into
    int reads;
    const char *engine;
    int threads;
    int loaders; // threads that decode images of a folder ahead
    enum precision precision;
    int arithmetic;     // enum arithmetic of exact evaluation; -1: float weights, by the program
    int other_numerics; // resume a checkpoint that was computed otherwise
    int again;          // start anew where a checkpoint is of another version of the quantizer
    double checkpoint_every; // seconds, at most, between checkpoints
    double null_seconds;     // that a run takes by an engine which computes nothing
    int quiet, verbose;
    const char *command; // the command line, for the record
    const struct quantizer *const *quantizers;
};

struct session {
    const struct session_options *options;
    struct store *store;
    struct run_row row; // owned texts
    struct spec spec;
    struct dataset data;
    struct cfg cfg;
    struct run_folder folder;
    char weights[4096]; // checkpoint that the model is read from: the run's own, or its parent's
    char weights_hash[HASH_HEX]; // of that checkpoint as it was last read or written
    struct numerics numerics;
    const struct engine *engine;
    const struct quantizer *quantizer;
    struct model *model;
    struct program *program;
    struct trainer trainer;
    double training_share; // of all the run's work; what is left goes to evaluation
    int evaluations,
        evaluated;      // cells (width, inference, calibrated or not): all, and those that are done
    struct cells cells; // those that an earlier try did, or this one, and nobody recorded
    struct histograms histograms; // of the start and, once it is reached, of the end; owned
    int is_finished;              // was so before: this evaluates again
    int is_cleaned;  // and its checkpoint was removed: `weights` is the head of that (run/clean.h)
    int added;       // evaluations that were not recorded before
    int64_t attempt; // -1: none begun
    double begun_at; // the share of the run's work that was behind at its start
    int recorded_rows;                             // epoch rows that the database has
    struct curve_request requests[CURVE_REQUESTS]; // learning curves that are asked for
    int n_requests;
    struct cells curve;          // their points so far
    int recorded_points;         // that the database has
    double checkpointed, beaten; // when, by progress_clock
    struct progress progress;
    int signal; // the signal that asks it to stop; 0: none
};

/* The run `id` of the database. On failure everything is closed again. */
int session_open(struct session *s, const struct session_options *options, struct store *store,
                 const char *id, struct error *e);
void session_close(struct session *s);

/* Model, engine and trainer, and the checkpoint when there is one; part of session_begin. */
int session_build(struct session *s, struct error *e);

int session_begin(struct session *s, struct error *e);

/* 0: trained, or interrupted (s->signal is set, and the checkpoint written). */
int session_train(struct session *s, struct error *e);

/* Rows of finished epochs that this attempt has not written. */
int session_record_epochs(struct session *s, struct error *e);

int session_evaluate(struct session *s, struct error *e);

/* Let the set time go by, and record rows as if something had been computed (null.c). 0: they are
 * recorded, or interrupted (s->signal is set). */
int session_pretend(struct session *s, struct error *e);

/* Look for what an interrupted evaluation of these weights, computed as here, has done; once the
 * weights are final. It need not be done again (s->cells). */
void session_open_cells(struct session *s);

/* The share of the run's work that is behind, once its weights are final. */
double session_progress(const struct session *s);

/* To be called often: records that the run lives and its progress (0 ... 1), when the last
 * heartbeat is ten seconds old or a signal is about to end the run. */
void session_beat(struct session *s, double progress);

/* Learning curves (curve.c). Once the trainer is there, what is asked for and what is kept of it;
 * at the end of an epoch what is due, which stops early when a signal asks for it (s->signal); all
 * that the database lacks; and when the run is recorded, nothing need be kept. */
int session_open_curve(struct session *s, struct error *e);
int session_curve(struct session *s, struct error *e);
int session_record_curve(struct session *s, struct error *e);
void session_remove_curve(struct session *s);

/* Record how it ended when it did not end complete: interrupted or failed with e's message. */
void session_end(struct session *s, const struct error *why);

/* Evaluate again from the checkpoint and the frozen model of a finished run, at the widths, images
 * and calibration of s->spec, what is not recorded (store_has_evaluation). Nothing is trained.
 * Where the checkpoint was removed, what the frozen model gives, truncated inference, alone. The
 * rows belong to an attempt of their own (session_begin), since another version of the program may
 * compute them. */
int session_reevaluate(struct session *s, struct error *e);

/* The frozen model of the run that session_open opened, and no other's. The caller frees. */
int session_read_frozen(struct session *s, struct frozen *f, struct error *e);

/* The float model of one width, norms of that width's bank, as Darknet's weights file
 * (model/darknet_weights.h) at `path`, and the cfg that goes with it at `path`.cfg. Of a finished
 * run that session_open opened. */
int session_export_weights(struct session *s, int k, const char *path, struct error *e);

/* -1 unless the checkpoint is there, at the end, and the one that the recorded numbers are of;
 * after session_build. */
int session_check_finished(const struct session *s, struct error *e);

/* -1 unless the weights that were read are those of the attempt of run `of` (this one or its
 * parent) that counts in this database. One from before they were recorded is known by how its
 * checkpoint was computed. */
int session_check_weights(const struct session *s, const char *of, struct error *e);

#endif
