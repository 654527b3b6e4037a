/* What a run leaves beside the database: runs/<id>/ with its lock, checkpoint, frozen model, and evaluations that are not
 * recorded yet. */
#ifndef RUN_FOLDER_H
#define RUN_FOLDER_H

#include "base/error.h"

#include <stddef.h>

struct run_folder {
    char checkpoint[4096], frozen[4096];
    char evaluated[4096]; // evaluations that are not recorded yet (evaluate/cells.h)
    int lock;             // open file with an flock on it; -1: not held
};

/* The folder of a run beside database `db`, made if need be, and locked: two processes cannot have
 * it at once. The lock goes with the process, however it ends. */
int run_folder_open(struct run_folder *f, const char *db, const char *run_id, struct error *e);
/* Where the run's checkpoint is, or would be: for who only reads it. */
int run_folder_checkpoint(char *path, size_t size, const char *db, const char *run_id,
                          struct error *e);
void run_folder_close(struct run_folder *f);

#endif
