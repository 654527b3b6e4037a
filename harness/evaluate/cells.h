/* The evaluations that a session has done before it could record them: a journal (base/journal.h)
 * beside the checkpoint, so that a session which is interrupted does not evaluate them again. It
 * begins with its origin, a text of all that decides their bits but what the rows say themselves:
 * the run, its weights, how they are computed. What is of another origin, or damaged, is dropped
 * and computed anew; so is all of it once it is recorded. */
#ifndef EVALUATE_CELLS_H
#define EVALUATE_CELLS_H

#include "base/journal.h"
#include "store/store.h"

struct cells {
    struct journal journal;
    char *path, *origin;
    int begun;    // the journal has its origin
    int last;     // epoch: rows of later ones are dropped
    int n, room;  // rows: those that were there, and since then those that were kept
    int n_layers; // -1: the layers are not kept
    struct evaluation_row *rows;
    struct layer_row *layers;
};

/* What is kept at `path` of that origin, up to the first of an epoch behind `last`. Who cannot keep
 * anything there is told so, and goes on without. */
void cells_open(struct cells *c, const char *path, const char *origin, int last);
void cells_close(struct cells *c);

/* Fill in the counts of a row that says what is evaluated, images included: 1, or 0 when it is not
 * kept. */
int cells_recall(const struct cells *c, struct evaluation_row *row);
void cells_keep(struct cells *c, const struct evaluation_row *row);

/* The same for the statistics of all layers: the number of rows, copies that the caller frees
 * (layer_rows_free); -1 when they are not kept. */
int cells_recall_layers(const struct cells *c, struct layer_row **rows);
void cells_keep_layers(struct cells *c, const struct layer_row *rows, int n);

/* Everything is recorded: remove the file. */
void cells_remove(struct cells *c);

#endif
