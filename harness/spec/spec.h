/* A run's specification: every choice that says what is computed (the science), and none that says
 * how (engine, threads, paths). One table of keys serves the grid parser, the canonical text, the
 * identity of a run, `plan --explain` and the help.
 *
 * Identity. run_id = SHA-256 of `spec=<version>`, the axes, the seed, every other key that matters
 * and differs from its frozen default, the parsed cfg in normal form and the data set's manifest
 * hash; of `init`, the file's hash alone. A scheme stands for its axes, so the same combination
 * under two names is the same run; only quantizers that define an axis of their own (OWN), or are
 * not trained jointly (parent, alone), keep their name in it. Names of networks and data sets are
 * left out: content counts. config_id is the same without the seed; for a scheme that trains each
 * width alone it is that of all its widths, so that they are one row of a table and one curve. */
#ifndef SPEC_SPEC_H
#define SPEC_SPEC_H

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "quant/quantizer.h"

#include <stdint.h>
#include <stdio.h>

/* SPEC_VALUE: bytes that hold the text of every value. */
enum { SPEC_VERSION = 1, SPEC_REALS = 9, SPEC_TEXT = 256, SPEC_VALUE = 512 };

struct reals {
    int n;
    double value[SPEC_REALS];
};

enum projections { PROJECTIONS_FLOAT, PROJECTIONS_QUANTIZED };
enum shortcut_norm { NORM_PER_WIDTH, NORM_SHARED };
enum norm_bank { BANK_PER_WIDTH, BANK_SHARED };
enum optimizer_kind { OPTIMIZER_ADAM, OPTIMIZER_SGD };
enum schedule { SCHEDULE_STEP, SCHEDULE_COSINE, SCHEDULE_CONSTANT, SCHEDULE_POLY };
enum from { FROM_GRID, FROM_CFG };
enum augment { AUGMENT_AUTO, AUGMENT_NONE, AUGMENT_CROP_FLIP };
enum distill { DISTILL_RECURSIVE, DISTILL_LABELS, DISTILL_HIGHEST };
enum calibrate_at { CALIBRATE_ALL, CALIBRATE_WIDTHS };
enum evaluated_split { EVALUATE_TEST, EVALUATE_VAL };
enum select { SELECT_FIRST, SELECT_DRAWN };

struct spec {
    // [grid]
    char scheme[64];         // a quantizer's name
    char network[SPEC_TEXT]; // a name in experiments/networks, or a path to a .cfg
    char dataset[SPEC_TEXT]; // a name, or a path to a folder of images
    long seed;
    // [quant]
    struct axes axes;  // from the scheme, unless the grid overrides one
    long act_bits;     // j: 1 ... 8, 32, or 0 for `same`
    long stored_bits;  // N
    int projections;   // enum projections
    int shortcut_norm; // enum shortcut_norm
    int norm_bank;     // enum norm_bank; shared: with bias correction
    // [train]
    struct widths widths; // B; {32} for fp32
    long epochs;
    long val;          // images held out of the training split; 0: none
    long train_images; // per epoch: so many of the training split; 0: all
    int train_select;  // enum select: which (data/selection.h)
    long batch;
    int optimizer;   // enum optimizer_kind
    long image_size; // folders of images: side they are made on the fly; 0: as they are, in memory
    double learning_rate;
    double momentum;           // sgd
    double decay;              // coupled, on all parameters
    int schedule;              // enum schedule
    struct reals milestones;   // step: shares of all steps, ascending
    double gamma;              // step: the factor at a milestone
    double power;              // poly, and of the warm-up
    double warmup;             // share of all steps in which the rate rises from 0
    int from;                  // enum from; FROM_CFG until the plan has read the network
    int augment;               // enum augment; auto: crop-flip for colour photographs
    int distill;               // enum distill
    struct reals width_weight; // one per member of B, ascending widths; n = 0: all 1
    double align;              // weight of the truncation-alignment loss; 0: none
    double kurtosis;           // weight of the kurtosis regulariser; 0: none
    double step_rate;          // factor of the learning rate of learned quantizer parameters
    /* The weights file to start from: spec/init.h. */
    char init[SPEC_TEXT + HASH_HEX];
    long init_layers; // so many of the first layers; 0: all
    // [evaluate]
    struct widths bits; // widths to evaluate
    long calibration;   // batches; 0: never calibrate
    int calibrate_at;   // enum calibrate_at: at every evaluated width, or at those of B only
    int split;          // enum evaluated_split
    long test_images;   // so many of the evaluated split; 0: all
    int test_select;    // enum select: which
    // requests: what else to do while it is computed, no part of who it is (spec_drop_requests)
    long every;      // evaluate after so many epochs of training each, and after the last; 0: never
    int every_split; // enum evaluated_split; of those evaluations
};

enum key_type {
    KEY_SCHEME, // the name of a quantizer
    KEY_TEXT,
    KEY_FILE, // a path, and what is there once that is known (spec/init.h)
    KEY_INT,
    KEY_COUNT, // a whole number, or `all`, which is 0
    KEY_REAL,
    KEY_CHOICE,
    KEY_WIDTHS,
    KEY_REALS,
    KEY_FACTORS,  // reals, one per width; `1` is 1 for all, which is n = 0
    KEY_ACT_BITS, // a width, or `same`, which is 0
};

/* Names are said as they stand in their section of a grid (`images`), or in texts without sections
 * as `flat` (`train.images`): the name alone where only one section has it. */
struct spec_key {
    const char *section; // "grid", "quant", "train", "evaluate"
    const char *name;    // unique in its section
    const char *flat;    // unique over all sections
    enum key_type type;
    size_t offset;      // in struct spec
    size_t size;        // of texts: of the array
    const char *preset; // default, canonical text; NULL: must be said, or comes from the scheme
    const char *const *choices; // KEY_CHOICE: by value, ended by NULL
    double lo, hi;              // inclusive range of the number, of each of several reals, or of
                                // the choices that can be made (some are for schemes alone)
    /* Whether the value can change the result, in a spec of the scheme `q` (NULL: none of the known
     * ones); NULL: always. Momentum does not without SGD, nor the axes with fp32. */
    int (*matters_if)(const struct spec *spec, const struct quantizer *q);
    int request; // what else to do while it is computed: runs that differ in it are the same run
    const char *help; // one line
};

/* How many rows spec/key_rows.h has. */
enum {
    SPEC_KEYS = 0
#define SPEC_KEY(...) +1
#define SPEC_SHARED_KEY(...) +1
#include "spec/key_rows.h"
#undef SPEC_KEY
#undef SPEC_SHARED_KEY
};

/* All keys in order of section; ended by a NULL name. */
extern const struct spec_key spec_keys[SPEC_KEYS + 1];

/* The key of that flat name (`epochs`, `train.images`; `train.epochs` is understood too), or NULL.
 */
const struct spec_key *spec_key_find(const char *name);

/* The key of that name in a section, or NULL. */
const struct spec_key *spec_key_in(const char *section, const char *name);

/* The message for a name that is no key, in a section or (NULL) in a text without sections: what
 * may have been meant. Returns -1. */
int spec_key_unknown(const char *section, const char *name, struct error *e);

/* Every key at its default. */
void spec_defaults(struct spec *spec);

/* Set one key from text. -1 says what the key takes. Setting `scheme` sets the axes it stands for
 * (and B = {32} for fp32 and ptq, whose activations stay float), so set it first; `table` are the
 * known quantizers. */
int spec_set(struct spec *spec, const struct quantizer *const *table, const struct spec_key *key,
             const char *text, struct error *e);

/* The canonical text of one value, in SPEC_VALUE bytes. */
void spec_print_value(const struct spec *spec, const struct spec_key *key, char *text, size_t size);

/* True when the value is the default. Range, rounder and dequantizer are never "at the default". */
int spec_is_default(const struct spec *spec, const struct spec_key *key);

/* True when the value can change the result: what the key's row says (matters_if). */
int spec_key_matters(const struct spec *spec, const struct quantizer *const *table,
                     const struct spec_key *key);

/* True when a text has to say the key to name this spec: [grid] keys, and those whose value is not
 * what the scheme and the defaults say. */
int spec_key_is_said(const struct spec *spec, const struct quantizer *const *table,
                     const struct spec_key *key);

/* Whether the (k, inference) exists (quantizer_exists). */
int evaluation_exists(const struct spec *spec, const struct quantizer *quantizer, int k,
                      int truncated);

/* Whether width k is evaluated with calibration, too. Where a run trains nothing, no width is its
 * own, and "those trained" would leave out all that it is for: it is calibrated at all. */
int evaluation_calibrates(const struct spec *spec, const struct quantizer *quantizer, int k);

/* j at width k: `same` is k itself. */
int spec_act_bits(const struct spec *spec, int k);

/* True when there is a result at k bits, direct or truncated. */
int spec_has_bits(const struct spec *spec, const struct quantizer *q, int k);

/* Once all keys are set: put back to scheme and default every key that does not matter, so that
 * specs which compute the same are equal. spec_read, grid_read and spec_ids do it. */
void spec_normalize(struct spec *spec, const struct quantizer *const *table);

/* The run, without what is asked for besides: requests at their defaults. What is recorded of a run
 * has none. */
void spec_drop_requests(struct spec *spec);

/* What one key cannot see alone: width_weight's length, pow2 with minmax, a bit-width below the
 * scheme's smallest, milestones out of order, ... `spec` is normalized. spec_fault returns the key
 * to change, or NULL when nothing is wrong; spec_validate returns -1 or 0. */
const struct spec_key *spec_fault(const struct spec *spec, const struct quantizer *const *table,
                                  struct error *e);
int spec_validate(const struct spec *spec, const struct quantizer *const *table, struct error *e);

/* "key = value" lines: scheme, network, dataset, seed, then every key that differs from what the
 * scheme and the defaults say. spec_read takes exactly this back, in any order (blank lines and '#'
 * lines allowed; seed may be left out), normalized and validated; errors name `file` and the line.
 * Values are one each: commas belong to grids. */
void spec_write(const struct spec *spec, const struct quantizer *const *table, FILE *out);
int spec_read(struct spec *spec, const struct quantizer *const *table, const char *text,
              const char *file, struct error *e);

/* The same in one line, as `plan` prints it and conditions of a grid are written: key=value, quoted
 * where there are blanks, with a blank between. */
void spec_write_line(const struct spec *spec, const struct quantizer *const *table, FILE *out);

/* The name under which figures show the scheme: the registered name with these axes, or the axes
 * joined ("tanh-floor-midpoint"). */
void spec_scheme_label(const struct spec *spec, const struct quantizer *const *table, char *text,
                       size_t size);

/* The run whose weights the spec's scheme takes: its spec, normalized. 0 when the scheme has no
 * parent. */
int spec_parent(const struct spec *spec, const struct quantizer *const *table, struct spec *parent);

/* What names the configuration that the spec belongs to: for a scheme that trains each width alone
 * all its widths (the default's, whichever are run), which returns 1; otherwise the spec itself. */
int spec_configuration(const struct spec *spec, const struct quantizer *const *table,
                       struct spec *configuration);

/* The two identities, from the spec, the cfg's normal form and the data set's manifest hash. */
void spec_ids(const struct spec *spec, const struct quantizer *const *table, const char *cfg_normal,
              const char *data_hash, char run_id[HASH_HEX], char config_id[HASH_HEX]);

/* The fingerprint (quant/fingerprint.h) of the spec's scheme with the spec's axes, as this program
 * has it. */
void spec_fingerprint(const struct spec *spec, const struct quantizer *const *table,
                      char hex[HASH_HEX]);

#endif
