/* Databases that are opened by others, and as others. */
#ifndef TESTS_STORE_OPENING_H
#define TESTS_STORE_OPENING_H

#include "store/store.h"

#include <sys/types.h>

/* `path` cannot be opened, with a message that names it and holds `says`. */
void opening_refused(const char *path, enum store_mode mode, const char *says);

void opening_create(const char *path);

void opening_write_text(const char *path, const char *text);

/* SQL from outside, as any other program would. */
void opening_sql(const char *path, const char *sql);

/* Run `body` in a child that is no superuser; it passes when the child exits with 0. */
void opening_as_nobody(const char *path, int (*body)(const char *));

/* For as_nobody: the message, on stderr too when it is another. */
int opening_is_refused(const char *path, enum store_mode mode, const char *says);

void opening_give_to_nobody(const char *path);

void opening_set_folder_mode(const char *path, mode_t mode);

#endif
