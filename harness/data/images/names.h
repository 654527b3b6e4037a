/* The names in a folder, sorted by their bytes. Private to the data room and `truncquant check`. */
#ifndef DATA_IMAGES_NAMES_H
#define DATA_IMAGES_NAMES_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct names {
    char **name; // (n), owned each
    size_t n, room;
};

/* All but those that start with a dot, and those that systems leave (folder.h), which are counted:
 * added to. -1 with a message, and then there is nothing to free. */
int names_read(struct names *l, const char *path, uint32_t *left_by_systems, struct error *e);

/* What lies in a folder, for a message: up to three names; "" where it cannot be read. */
void names_say(const char *folder, char *text, size_t size);

/* A copy of it, at the end. */
void names_add(struct names *l, const char *name);
void names_free(struct names *l);

#endif
