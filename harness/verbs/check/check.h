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
look look_darknet, look_openblas, look_engine, look_sqlite, look_images;

/* The machine (machine.c); `detail` of the last is a struct tool. */
look look_processor, look_instructions, look_memory, look_tool;

struct tool {
    const char *command; // prints its version
    const char *prefix;  // of the first line, when it is the right program
    const char *get;
};

/* Folders, the database and data sets (places.c); `detail` of the last is a set's name. */
look look_cache, look_database, look_data_folder, look_dataset;

#endif
