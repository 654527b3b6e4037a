/* Removing what a finished run does not need any more: its checkpoint, where the frozen model,
 * which is what a device keeps, stands for its weights. What was evaluated is recorded, truncated
 * results can still be computed, and the run can be packed; direct results and exported weights
 * cannot. */
#ifndef RUN_CLEAN_H
#define RUN_CLEAN_H

#include "quant/quantizer.h"
#include "store/store.h"

/* Why a checkpoint stays. */
enum clean_kept {
    KEPT_NOT, // it is removed, or would be
    KEPT_NONE,
    KEPT_UNFINISHED,
    KEPT_BUSY,
    KEPT_TAKEN,
    KEPT_UNCUT,
    KEPT_OTHER_WEIGHTS,
    KEPT_NO_FROZEN,
    CLEAN_KEPT,
};
extern const char *const clean_kept_names[CLEAN_KEPT]; // "not finished", ...

/* Remove the checkpoint of one run (whole id), with the run's lock, after a head of it
 * (train/checkpoint.h) is on the disk; killed at any instant, it leaves the one or the other.
 * `dry`: only say what would be done; nothing is made, moved or removed. `*bytes`: of the
 * checkpoint, freed or to be. -1 when the database or a file cannot be read or written. */
int run_clean(struct store *s, const struct quantizer *const *table, const char *run_id, int dry,
              enum clean_kept *kept, int64_t *bytes, struct error *e);

#endif
