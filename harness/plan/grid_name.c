/* The name in a grid file. Nothing else of the file is looked at: that takes data sets and
 * networks, which those who only ask for a grid's state need not have. */
#include "plan/grid_name.h"

#include "plan/grid_file.h"

#include <string.h>

static int is_file_name(const char *operand) {
    size_t n = strlen(operand), suffix = strlen(".grid");
    return strchr(operand, '/') || (n > suffix && !strcmp(operand + n - suffix, ".grid"));
}

static char *name_in(const struct grid_file *f) {
    for (int i = 0; i < f->n_entries; i++) {
        const struct file_entry *entry = &f->entries[i];
        if (entry->section >= 0 && !strcmp(f->sections[entry->section].title, "grid") &&
            !strcmp(entry->key, "name"))
            return need_string(entry->value);
    }
    return NULL;
}

char *grid_name(const char *operand, struct error *e) {
    if (!operand)
        return NULL;
    if (!is_file_name(operand))
        return need_string(operand);
    struct grid_file f;
    if (grid_file_read(&f, operand, e))
        return NULL;
    char *name = name_in(&f);
    if (!name)
        fail_at(e, operand, 0, "[grid] has no name; add the line 'name = ...'");
    grid_file_free(&f);
    return name;
}
