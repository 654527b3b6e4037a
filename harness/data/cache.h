/* The folder of prepared files: $TRUNCQUANT_CACHE, else $XDG_CACHE_HOME/truncquant, else
 * ~/.cache/truncquant. Two sources of one name (a set in two places, or before and after a change)
 * have a file each, so that runs that alternate between them do not make them anew each time; of
 * each name the few that were used last are kept. Removing a file takes nothing from a process that
 * has it open. Private to the data room and `truncquant check`. */
#ifndef DATA_CACHE_H
#define DATA_CACHE_H

#include "data/source.h"

enum { CACHE_KEPT = 4 }; // prepared files of one name

int cache_folder(char *folder, size_t size, struct error *e);

/* FOLDER/NAME-FINGERPRINT.prepared */
int cache_path(const struct source *s, char *path, size_t size, struct error *e);

/* FOLDER/NAME.prepared.lock: who holds it may write and remove prepared files of that name. */
int cache_lock_path(const struct source *s, char *path, size_t size, struct error *e);

/* Make the folder and wait for that lock; the caller closes what it returns. -1 with a message. */
int cache_lock(const struct source *s, struct error *e);

/* Note that a prepared file is in use (its time of access); harmless where that may not be set. */
void cache_touch(const char *path);

/* Remove, of one name, the drafts of processes that were killed, files of programs before this one,
 * and all but the CACHE_KEPT - 1 files that were used last, so that one more can be made. The
 * caller holds the lock. */
void cache_tidy(const struct source *s);

/* Bytes and number of all prepared files in the folder; 0 when there is no folder. */
long long cache_bytes(const char *folder, int *files);

#endif
