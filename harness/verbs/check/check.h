/* What `truncquant check` looks at: each function looks at one thing and says what it found, and
 * where something lacks, how to get it. */
#ifndef VERBS_CHECK_CHECK_H
#define VERBS_CHECK_CHECK_H

#include "verbs/verb.h"

#include <limits.h>

enum verdict { VERDICT_OK, VERDICT_MISSING, VERDICT_NOTE }; // missing: the main job needs it

struct report {
    enum verdict verdict;
    char text[PATH_MAX + 1024];
};

void say(struct report *r, enum verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

typedef void look(const struct options *o, const void *detail, struct report *r);

/* Libraries (libraries.c); `detail` is not used but by look_engine: an engine that has `look`. */
look look_darknet, look_openblas, look_engine, look_sqlite, look_images, look_formats;

/* The machine (machine.c). */
look look_processor, look_instructions, look_memory;

/* A program or library from outside, and the first version of it that will do (needed.c, where the
 * table of all is); `detail` is the name of one. */
look look_needed;

struct needed {
    const char *name;
    const char *least;    // numbers parted by dots
    const char *package;  // of Debian 12
    enum verdict without; // it, or with an older one
    const char *command;  // of a program: prints its version
    const char *prefix;   // of the first line, before the version, when it is the right program
    void (*version)(char *text, size_t size); // of a library
};

/* NULL when there is none of this name. */
const struct needed *needed_find(const char *name);

/* Folders, the database and data sets (places.c); `detail` of the last is a set's name. */
look look_cache, look_database, look_data_folder, look_dataset;

/* What lies in $TRUNCQUANT_DATA and is no known set (image_folders.c): folders that are meant as
 * sets of images, by having `train` or a folder for tests in them, and the other ones. No names
 * where there is no such place. The caller frees both. */
struct names;
void find_own_folders(struct names *sets, struct names *others);

/* How many classes and images such a folder has, or what is wrong with it; `detail`: its name. All
 * of them together take a few seconds at most: what they do not get to see then is not counted. */
look look_image_folder;

/* Whether the data sets of the runs of `grid`, in the database of --db, are here, with the content
 * that they were planned with: a line for each. */
int check_grid(const struct options *o, const char *grid, struct error *e);

#endif
