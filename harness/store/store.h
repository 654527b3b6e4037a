/* The database: every spec, attempt, epoch, evaluation and layer statistic, in one SQLite file
 * (WAL, synchronous=FULL, foreign keys, STRICT). The schema is harness/store/schema/NNN-*.sql,
 * applied by PRAGMA user_version; views are harness/store/schema/views.sql, made anew at an opening
 * for writing where the file has others; an opening for reading sets this program's before those,
 * for itself.
 *
 * Every writing call is one BEGIN IMMEDIATE transaction: it is wholly there or not at all. Nothing
 * is ever deleted. Errors name the file and what to do: newer than the program, locked for longer
 * than the timeout, read-only, full disk, not a database. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "spec/point.h"

#include <stdint.h>
#include <stdio.h>

/* Where results go unless --db names another file; the only path whose folder is made when missing.
 */
#define STORE_DEFAULT_PATH "results/results.db"

/* Whether the SQLite that is loaded can run this program's statements; whatever opens a database
 * asks. HAVING without GROUP BY came last of what they use. */
enum { STORE_SQLITE_LEAST = 3039000 };
int store_check_library(struct error *e);

struct sqlite3;
struct store {
    struct sqlite3 *db;
    char path[4096];
    int reads;     // opened for reading only
    int is_copy;   // of an older file, in memory
    int missed;    // the number of a migration that the file lacks though it has later ones, or 0
    int64_t steps; // that SQLite took since a query was begun or ended
    int64_t most_steps; // that one may take; 0: as the file's size has it
    double query_began; // by the processor's time
};

/* STORE_READ does not create, migrate or write, and works on a published file in a read-only
 * folder. Do not keep it open for long there: changes by others may go unseen. A file of an older
 * schema is read as it would be after its migration, from a copy in memory that was made when it
 * was opened. STORE_WRITE makes the file where there is none, STORE_UPDATE does not. */
enum store_mode { STORE_READ, STORE_UPDATE, STORE_WRITE };

/* TRUNCQUANT_BUSY_SECONDS (default 60) bounds the wait for another writer. A query that takes far
 * more than a file of its size can ask for (connection.c) is stopped, or, where that is set, after
 * TRUNCQUANT_QUERY_STEPS steps of SQLite: somebody may have made the file so that none ends. */
struct store *store_open(const char *path, enum store_mode mode, struct error *e);
void store_close(struct store *s);

/* -1 for a name that SQLite would not take for a file's; store_open asks, too. */
int store_check_name(const char *path, struct error *e);

/* Evaluations during training that somebody asks for: after so many epochs each (0: none), and
 * after the last. */
struct curve_request {
    long every;
    int of_test; // of the test split; else of the images that val holds out
};

/* A run as planned. Texts are not owned. */
struct run_row {
    char run_id[HASH_HEX], config_id[HASH_HEX];
    const char *spec; // spec_write's text
    const char *cfg;  // the cfg file's own text: a run needs nothing but the database and the data
    const char *grid; // name of the grid that first asked for it
    const char *scheme;  // label (spec_scheme_label)
    const char *network; // base name without .cfg
    const char *dataset;
    const char *data_hash;
    const char *params; // JSON object of every key that is not at its default, as the
                        // configuration (config_id) has it: {"rounder": "floor", ...}
    long seed;
    const char *widths;         // "1 2 4 8 32"
    long epochs, batch, images; // images: of one epoch
    long act_bits, stored_bits;
    double work;        // multiply-accumulates it will cost, for the time left
    const char *parent; // run whose weights it takes; NULL: trained itself
    const char *group;  // of all widths of one seed where each is a run; NULL: stands for itself
    struct curve_request
        curve; // of who records it, and no part of the run: store_find_run leaves it at 0
};

/* Record runs that are not there yet, and that grid `grid` names each of them (several grids may
 * name one run; NULL: no grid does), and which curves it asks for, in place of what it asked for
 * before. All in one transaction. */
int store_add_runs(struct store *s, const struct run_row *rows, int n, const char *grid,
                   struct error *e);

/* The same, and grid `grid` names exactly these from now on: runs that only an earlier edition of
 * it named stay recorded, but status and export no longer count them as the grid's. */
int store_set_grid(struct store *s, const struct run_row *rows, int n, const char *grid,
                   struct error *e);

/* 0 when `grid` names runs; -1 with the grids that there are. NULL: 0. */
int store_check_grid(struct store *s, const char *grid, struct error *e);

/* A stored run; its texts are owned: free with store_free_run. `id` may be a prefix of at least 6
 * digits if only one run has it. */
int store_find_run(struct store *s, const char *id, struct run_row *row, struct error *e);
void store_free_run(struct run_row *row);

/* The runs that only an earlier edition of a grid named, in the order in which they were recorded;
 * free in either case. */
int store_former_runs(struct store *s, const char *grid, struct run_row **rows, int *n,
                      struct error *e);
void store_free_runs(struct run_row *rows, int n);

/* What ended an attempt that did not complete: what the run came to itself and would come to again,
 * or a signal, a disk, a machine. Nobody knows of those from before it was recorded. */
enum cause { CAUSE_UNKNOWN, CAUSE_OWN, CAUSE_OUTSIDE, CAUSES };
extern const char *const cause_names[CAUSES]; // as recorded: NULL, "own", "outside"

/* A run that was ended from outside is tried again by itself, so often from the same point on. */
enum { RUN_RETRIES = 3 };

enum run_state { RUN_PENDING, RUN_RUNNING, RUN_DONE, RUN_FAILED, RUN_DEAD, RUN_STATES };
extern const char *const run_state_names[RUN_STATES];

/* pending: no attempt, or the last was interrupted by a signal, or failed from outside and is to be
 * tried again, or store_retry said so; running: the last has no end and a heartbeat within 120 s of
 * now, or its process lives on this host; dead: no end, and a heartbeat further off or no such
 * process on this host; failed: the last ended in failure, or was ended from outside once more than
 * RUN_RETRIES times from the same point on; done: one attempt ended complete. The last is the one
 * that began last, whatever the clocks said (schema/009). */
int store_run_state(struct store *s, const char *run_id, enum run_state *state, struct error *e);

/* Whether a finished run is stale, and why, as text that the caller frees; NULL: it is not. It is
 * when this program's version of its quantizer is another than that which computed it, or when it
 * took the weights of a run of which that is true, or that has been trained again since. The
 * program's versions are those that store_set_fingerprints told the database before. */
int store_run_stale(struct store *s, const char *run_id, char **why, struct error *e);

/* Whether the training of a finished run diverged (view diverged_runs), and how far, as text that
 * the caller frees; NULL: it did not. */
int store_run_diverged(struct store *s, const char *run_id, char **why, struct error *e);

/* The truncated top-1 of a run on its test split, per cent, and of how many images; 0 images: none
 * is recorded. */
int store_run_accuracy(struct store *s, const char *run_id, int bits, int calibrated, double *top1,
                       int64_t *images, struct error *e);

/* The quantizers (runs.scheme) that attempts with fingerprints computed, each with the
 * specification of one of its runs, from which the program can tell the fingerprint that it has
 * itself. Texts are owned: store_free_schemes. */
struct scheme_row {
    char *scheme, *spec;
    // Empty from store_schemes. To be filled in for store_set_fingerprints with the program's own;
    // stays empty where it has no such quantizer any more.
    char fingerprint[HASH_HEX];
};
int store_schemes(struct store *s, struct scheme_row **rows, int *n, struct error *e);
void store_free_schemes(struct scheme_row *rows, int n);

/* Tell the views which fingerprints this program's quantizers have, so that they know which runs
 * are stale. A database that is open for writing records them; in one that is only read they hold
 * for this connection, in place of those that an earlier program recorded. store_begin_attempt
 * records that of its attempt. */
int store_set_fingerprints(struct store *s, const struct scheme_row *rows, int n, struct error *e);

/* Where each run of a grid (NULL: all runs) stands, in the order in which they were recorded. */
struct run_status {
    char run_id[HASH_HEX];
    char *scheme, *network; // owned
    long seed;
    enum run_state state;
    double progress;  // share of the run done, as last heard of
    char *reason;     // why it failed, was interrupted or is called dead; else NULL; owned
    enum cause cause; // of that
    int ends;         // how often it was ended from outside, from the last attempt's start on
    char *host;       // of the last attempt; NULL: there is none; owned
    long pid;
    double work;
    int excluded;   // does not count: marked, or takes the weights of a run that is
    char *diverged; // done, but its training diverged: how far (view diverged_runs); NULL: did not
    char *stale;    // done, but not as it would be now: why (view stale_runs); NULL: is not
    char *settings; // what store_name_statuses found; these three owned
};
int store_statuses(struct store *s, const char *grid, struct run_status **rows, int *n,
                   struct error *e);
void store_free_statuses(struct run_status *rows, int n);

/* The same of one run, by its whole id, but for `diverged`; free in either case. */
int store_run_status(struct store *s, const char *run_id, struct run_status *status,
                     struct error *e);
void store_free_status(struct run_status *status);

/* Name the runs that store_statuses found, by the rules of tables and figures, as if all that are
 * recorded were evaluated: "KEY=VALUE ..." of what tells their configurations apart, and what a
 * table has in columns of its own. */
int store_name_statuses(struct store *s, const char *grid, struct run_status *rows, int n,
                        struct error *e);

/* Mark runs (whole ids) as not to count, and why; `reason` NULL: they count again. All of them or
 * none. Views, figures and tables leave them out, and no grid runs them; nothing is deleted. Runs
 * that take the weights of one go with it, but those that are excluded for a reason of their own:
 * others[i] (n) of them changed. Those that are recorded later do not count either (view
 * excluded_runs), so that to count one again while its parent does not is refused; a parent that
 * stands before it in the list counts. */
int store_exclude(struct store *s, const char *const *run_ids, int n, const char *reason,
                  int *others, struct error *e);

/* For tables and figures, in a transaction that is rolled back: from here on, this program's views
 * find only the runs of a grid (NULL: all; so where most runs are of it), or one run, and those
 * whose weights they take, and cost no more than these. What they say of them is the same. */
int store_look_at_grid(struct store *s, const char *grid, struct error *e);
int store_look_at_run(struct store *s, const char *run_id, struct error *e);

/* How a number was computed: belongs to the attempt, not to the run. */
struct numerics {
    char engine[32], precision[16], isa[64], libraries[256];
    int threads;
    char sources[HASH_HEX];     // of the files that compute, the compiler and its flags
    char fingerprint[HASH_HEX]; // of the run's quantizer (quant/fingerprint.h)
    // Where the program comes from; what is equal in all of the above gives the same bits whatever
    // the commit.
    char commit[64];
    int dirty; // uncommitted changes in the harness's source
};

struct attempt_row {
    const char *run_id;
    struct numerics numerics;
    const char *host;
    const char *command; // command line
    const char *log;     // file on the host that its messages go to; NULL: none
    const char *job;     // of a batch system; NULL: none
    long pid;
    double progress; // share of the run already done at the start, 0 ... 1
    // The same for who asks how fast this attempt is; 1, which tells nothing, once all is trained.
    double resumed_at;
    int classes; // of the data set
};

/* The engine that computes nothing (engine/engine.h). What its attempts say is no result: a
 * database holds them alone, or none. The kind of a file is 1 when it holds them, 0 when it holds
 * others, -1 when it holds none; store_check_engine returns -1 unless attempts by `engine` may
 * stand there. */
#define STORE_NULL_ENGINE "null"
int store_null_kind(struct store *s, int *kind, struct error *e);
int store_check_engine(struct store *s, const char *engine, struct error *e);

/* Each call is a try of its own and a row of its own; the run has to be recorded. Refused where its
 * engine and those of the file exclude each other. */
int store_begin_attempt(struct store *s, const struct attempt_row *row, int64_t *attempt,
                        struct error *e);

/* Still alive; `progress` is the share of the whole run done, 0 ... 1. Refused once it has ended.
 */
int store_heartbeat(struct store *s, int64_t attempt, double progress, struct error *e);

struct epoch_row {
    int epoch; // 1, 2, ...
    int bits;
    double loss;     // mean over the epoch's images
    double accuracy; // top-1 on the training batches, per cent
    double learning_rate, seconds;
    int64_t images;
};

/* All widths of one epoch, or of several that a lost database never saw; rows that are there stay.
 */
int store_add_epochs(struct store *s, int64_t attempt, const struct epoch_row *rows, int n,
                     struct error *e);

/* The rows of the last `epochs` epochs that were recorded of a run, as its latest attempts had
 * them, the last first; the caller frees them in either case. */
int store_last_epochs(struct store *s, const char *run_id, int epochs, struct epoch_row **rows,
                      int *n, struct error *e);

struct evaluation_row {
    int epoch;
    const char *split; // "test", "val"
    struct point point;
    double mean_bits; // of a quantized weight, where the point has widths by layer; else not read
    int64_t images, correct1, correct5;
    double loss_sum; // over the images; NaN is stored as NULL
};

struct layer_row {
    int layer; // number in the cfg
    const char *name;
    int bits;
    double quantization_error, truncation_error; // negative: does not exist, stored as NULL
    double codes_differ;                         // share, 0 ... 1; negative: does not exist
    double scale; // mean magnitude of the layer's weights at this width
};

struct histogram_row {
    int layer;          // number in the cfg
    const char *stage;  // "start", "end"
    int64_t weights;    // of the layer
    const char *counts; // of its 256 bins: JSON (harness/store/schema/013-histograms.sql)
};

/* Whether this evaluation (all but its counts) of the attempt's run is recorded already: by a
 * complete attempt of the same program (sources, libraries) that computed alike (engine, precision,
 * threads, instruction set), and would count the same again. */
int store_has_evaluation(struct store *s, int64_t attempt, const struct evaluation_row *row,
                         int *there, struct error *e);

/* Points of learning curves: evaluations of the epoch that they say, none calibrated or with widths
 * by layer. Likewise. */
int store_add_curves(struct store *s, int64_t attempt, const struct evaluation_row *rows, int n,
                     struct error *e);

/* What is asked for of a run, by the grids that name it or by a specification alone; all of it is
 * to be done. More than CURVE_REQUESTS different ones are no use to anybody. */
enum { CURVE_REQUESTS = 16 };
int store_curve_requests(struct store *s, const char *run_id,
                         struct curve_request requests[CURVE_REQUESTS], int *n, struct error *e);

/* Of how many runs the grid asks for curves that finished without any. */
int store_count_curveless(struct store *s, const char *grid, int64_t *n, struct error *e);

/* What a run comes to; not owned, and any of it may be none. */
struct run_results {
    const struct evaluation_row *evaluations;
    int n;
    const struct layer_row *layers;
    int n_layers;
    const struct histogram_row *histograms;
    int n_histograms;
};

/* One transaction, completion last: all results, then the attempt's end 'complete'. Again: rows
 * that are there stay. Refused when the attempt ended otherwise. */
int store_finish(struct store *s, int64_t attempt, const struct run_results *results,
                 double cpu_seconds, int64_t peak_bytes, struct error *e);

/* Before store_finish: the SHA-256 that ends the checkpoint whose weights the attempt evaluated. */
int store_record_weights(struct store *s, int64_t attempt, const char hash[HASH_HEX],
                         struct error *e);

/* That of the attempt that counts for a run; "" where it was not recorded, or there is no such
 * attempt. */
int store_counted_weights(struct store *s, const char *run_id, char hash[HASH_HEX],
                          struct error *e);

/* Whether an attempt from before weights were recorded can have left a checkpoint of the run that
 * says it was computed as `numerics` says (NULL: however it was). */
int store_trained_before(struct store *s, const char *run_id, const char *numerics, int *can,
                         struct error *e);

/* What ties the file to the folder of its runs (run/folder.h): drawn once, the same in every copy.
 * "" for an older file that is only read, which has none. */
enum { STORE_IDENTITY = 33 };
int store_identity(struct store *s, char identity[STORE_IDENTITY], struct error *e);

/* The tries of a run, the first first; texts are owned, NULL where there is none. Free in either
 * case. */
struct attempt_status {
    double started_at;
    char *host, *engine, *outcome, *cause, *reason, *log, *job;
    long pid;
    double progress;
};
int store_list_attempts(struct store *s, const char *run_id, struct attempt_status **rows, int *n,
                        struct error *e);
void store_free_attempts(struct attempt_status *rows, int n);

/* How many tries of a run there were. */
int store_count_attempts(struct store *s, const char *run_id, int64_t *n, struct error *e);

/* The attempt ended otherwise: outcome "failed" or "interrupted", with its cause and the reason.
 * The first end stays; another outcome is refused. */
int store_end_attempt(struct store *s, int64_t attempt, const char *outcome, enum cause cause,
                      const char *reason, double cpu_seconds, int64_t peak_bytes, struct error *e);

/* Runs (whole ids) are to be tried again, whatever their attempts came to until now. All or none.
 */
int store_retry(struct store *s, const char *const *run_ids, int n, struct error *e);

/* One width of a packed model that was timed on a device: harness/store/schema/010-latencies.sql
 * says what each column is. */
struct latency_row {
    const char *run_id, *host;
    long pid;
    double measured_at;
    int bits, act_bits;
    const char *processor, *kernels, *compiled, *commit_id;
    int dirty, threads, batch, calls;
    double min_seconds, median_seconds, p95_seconds, switch_seconds;
    int64_t bytes_read, plane_bytes, session_bytes;
    double residual;
};

/* Whether a run is recorded, by its whole id. */
int store_has_run(struct store *s, const char *run_id, int *there, struct error *e);

/* All widths of a measurement, of runs that are recorded; in one transaction. */
int store_add_latencies(struct store *s, const struct latency_row *rows, int n, struct error *e);

#endif
