/* The lines of a grid file: sections and `key = value`, each with its line number. What they mean
 * is draft.c's. */
#ifndef PLAN_GRID_FILE_H
#define PLAN_GRID_FILE_H

#include "base/error.h"

struct file_section {
    char *title; // between the brackets, trimmed; owned
    int line;
};

struct file_entry {
    char *key, *value; // trimmed, without inline comments; owned
    int line;
    int section; // number in sections; -1: before the first
};

struct grid_file {
    int n_sections, n_entries;
    struct file_section *sections;
    struct file_entry *entries;
};

/* -1 with FILE:LINE when a line is not such, or is one that libinih would mangle; there is nothing
 * to free then. */
int grid_file_read(struct grid_file *f, const char *path, struct error *e);
void grid_file_free(struct grid_file *f);

#endif
