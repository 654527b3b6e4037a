/* The data sets that are known by name, and where on this machine their files are. Private to the
 * data room and `truncquant check`. */
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include "data/dataset.h"

struct reader;

/* One row of the table in sets.c. */
struct known_set {
    char name[DATASET_NAME];
    const char *help;   // one line: what it is, where it comes from
    const char *get;    // how to get it, as a command or a place: ends an error message
    const char *files;  // what has to lie in $TRUNCQUANT_DATA/FOLDER, in words
    const char *folder; // NULL: the name; shared by what is released together; with a slash: a path
    const struct reader *reader;
    const void *detail; // what the reader has to know; its own file says what that is
    struct shape shape; // all 0: as the files say
    int classes;        // 0: as the files say
    int crop_flip;      // colour photographs: what augment = auto does
};

/* The row of that name; or of a folder of images (data/images/folder.h): a path, which has a slash
 * in it, or the name of such a folder in $TRUNCQUANT_DATA; `set` then needs `name` to stay. -1 with
 * a message that lists the names. */
int known_set_find(struct known_set *set, const char *name, struct error *e);

/* The i-th row, or NULL behind the last one. */
const struct known_set *known_set_at(int i);

struct source {
    struct known_set set;
    char *folder;               // absolute; owned
    int n;                      // files
    char **file;                // (n) absolute, without links; owned
    char listing[HASH_HEX];     // of a reader that adds no file: its own hash of what there is
    char fingerprint[HASH_HEX]; // over the set's row, and path, size and times of every file
};

/* Find the files of a data set. The message says what is missing, where it was looked for and how
 * to get it. On failure there is nothing to free. */
int source_find(struct source *s, const struct known_set *set, struct error *e);
void source_free(struct source *s);

/* Where Debian's packages put data sets: looked in after $TRUNCQUANT_DATA. */
extern const char source_debian_folder[];

/* True when there is a folder for the set, whatever is in it. */
int source_has_folder(const struct known_set *set);

/* The first place that has a folder for the set: half a set there is an error, not a reason to take
 * another set of the same name silently. */
int source_folder(const struct known_set *set, char *folder, size_t size, struct error *e);

/* For a reader's `find`: one more file (or folder, whose times change with its entries). */
int source_add(struct source *s, const char *path, struct error *e);

/* For a reader's `find`: of the names (ended by NULL) the first that is there, as FOLDER/NAME,
 * FOLDER/NAME.gz, or, as archives are unpacked by some, FOLDER/NAME/NAME or FOLDER/NAME/NAME.gz;
 * added. -1, with a message that names what lies there, when none is, or it is out of reach. */
int source_add_first(struct source *s, const char *folder, const char *const *names,
                     struct error *e);

#endif
