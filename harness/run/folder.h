/* What a run leaves beside its database: DIR/NAME.runs/ID/ for DIR/NAME.db, with its lock,
 * checkpoint, frozen model, and evaluations that are not recorded yet. The folder NAME.runs is tied
 * to the database: its file `database` holds the database's identity (store.h), so that a database
 * that is renamed together with its folder goes on, and one that took the name of another is
 * refused. A copy has a name of its own and thereby a folder of its own. Links to a database lead
 * to the folder beside the file.
 *
 * Earlier versions left the same in DIR/runs/ID/, which all databases of a folder shared. What lies
 * there is taken over (moved, run by run, when it is first asked for) if its checkpoint was
 * computed as an attempt says that the database recorded at that time. */
#ifndef RUN_FOLDER_H
#define RUN_FOLDER_H

#include "store/store.h"

struct run_folder {
    char checkpoint[4096], frozen[4096];
    char head[4096];      // of a checkpoint that was removed (train/checkpoint.h)
    char evaluated[4096]; // evaluations that are not recorded yet (evaluate/cells.h)
    char curve[4096], epoch_frozen[4096]; // those of a learning curve, and the model frozen for one
    int lock;                             // open file with an flock on it; -1: not held
};

/* The folder of a run of database `s`, made if need be, and locked: two processes cannot have it at
 * once. The lock goes with the process, however it ends. */
int run_folder_open(struct run_folder *f, struct store *s, const char *run_id, struct error *e);

/* For who only reads what is there, without a lock: where it is, or would be. `writes` 0: nothing
 * is made or moved, and what an earlier version left is found where it lies. */
int run_folder_find(struct run_folder *f, struct store *s, const char *run_id, int writes,
                    struct error *e);
void run_folder_close(struct run_folder *f);

/* Whether a process has the lock of a folder that was found. */
int run_folder_is_locked(const struct run_folder *f);

/* -1 when the folder that has the database's name belongs to another one. */
int run_folder_check(struct store *s, struct error *e);

#endif
