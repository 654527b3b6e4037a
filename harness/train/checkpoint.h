/* Checkpoints: all that a run needs to go on to the same bits as one that was never interrupted.
 * Streams are named by seed, purpose and position (base/random.h), so the position stands for them.
 * The rows of finished epochs are in it too, since the database may have lost them. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "train/trainer.h"

/* All that decides the bits of what is computed, but for the run itself, in one line. */
enum { NUMERICS_TEXT = 640 };
void numerics_text(const struct numerics *n, char *text, size_t size);

/* Write the trainer's state for run `run_id`, replacing what is there. `hash` (here and below; may
 * be NULL): the SHA-256 that ends the file, by which one checkpoint is told from any other. */
int checkpoint_write(const char *path, const char *run_id, const struct numerics *numerics,
                     const struct trainer *t, char hash[HASH_HEX], struct error *e);

/* Read it back into a trainer that was started for the same run. Refuses a damaged file, another
 * run's, and, unless `any_numerics`, one computed otherwise (engine, precision, threads,
 * instruction set, libraries, sources, quantizer), since the bits would differ from then on. On
 * failure the file is untouched and the trainer is not to be used. */
int checkpoint_read(const char *path, const char *run_id, const struct numerics *numerics,
                    int any_numerics, struct trainer *t, char hash[HASH_HEX], struct error *e);

/* What is left of a checkpoint that was removed: whose it was and how it was computed, its SHA-256,
 * and that of the frozen model which stands for its weights. Write it at `head` from the sound
 * checkpoint of this run at `path`. The functions below take the path of a head, too: it says what
 * its checkpoint said. */
int checkpoint_write_head(const char *path, const char *head, const char *run_id,
                          const char frozen[HASH_HEX], struct error *e);

/* The SHA-256 of the frozen model that a sound head of this run names. */
int checkpoint_read_head(const char *head, const char *run_id, char frozen[HASH_HEX],
                         struct error *e);

/* Whether a sound checkpoint of this run was computed otherwise than `numerics` says; then the
 * message says how. 0, too, for one that cannot be read or is another run's: that is for
 * checkpoint_read to say. */
int checkpoint_differs(const char *path, const char *run_id, const struct numerics *numerics,
                       struct error *e);

/* How a sound checkpoint of this run was computed, as checkpoint_write put it into words; the
 * caller frees. NULL for one that cannot be read or is another run's. */
char *checkpoint_numerics(const char *path, const char *run_id, char hash[HASH_HEX],
                          struct error *e);

/* The first digits of the fingerprint of the quantizer that computed a sound checkpoint of this
 * run; "" when it does not say, as one from before fingerprints were kept, and where there is none.
 */
enum { QUANTIZER_DIGITS = 12 };
void checkpoint_quantizer(const char *path, const char *run_id, char digits[QUANTIZER_DIGITS + 1]);

#endif
