/* The data sets that are known by name, and where on this machine their files are. Private to the
 * data room and `truncquant check`. */
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include "data/dataset.h"

enum source_part { PART_IMAGES, PART_LABELS, SOURCE_PARTS };

struct known_set {
    const char *name;
    const char *help; // one line: what it is, where it comes from
    const char *get;  // how to get it, as a command or a place: ends an error message
    struct shape shape;
    int classes;
    int crop_flip;
};

/* By name, or NULL with a message that lists the names. */
const struct known_set *known_set_find(const char *name, struct error *e);

struct source {
    const struct known_set *set;
    char *path[SPLITS][SOURCE_PARTS]; // absolute, without links; owned
    char fingerprint[HASH_HEX];       // over path, size and times of every file
};

/* Find the files of a data set, plain or .gz. The message says which file is missing, where it was
 * looked for and how to get it. On failure there is nothing to free. */
int source_find(struct source *s, const struct known_set *set, struct error *e);
void source_free(struct source *s);

#endif
