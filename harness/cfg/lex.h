/* The text of a cfg as sections of options, each with its line.
 *
 * Darknet strips all blanks, takes `#` and `;` for comments only at the start of a line, and
 * silently accepts what is neither a section nor an option. Here everything that it would read
 * otherwise than it looks is refused: CR line ends, NUL and other control bytes, inline comments,
 * blanks inside a value
 * (`1 6` would be 16), an option without a value, one before the first section. What sections and
 * keys mean is not known here. */
#ifndef CFG_LEX_H
#define CFG_LEX_H

#include "base/error.h"

enum { CFG_BYTES_MAX = 1 << 20 };

struct cfg_option {
    const char *key, *value; // not empty; value without blanks
    int line;
};

struct cfg_section {
    const char *name; // without the brackets
    int line;
    int first, n; // its options
};

struct cfg_text {
    const char *path; // for messages; not owned
    char *copy;
    int n_sections, n_options;
    struct cfg_section *sections;
    struct cfg_option *options;
};

/* At least one section on success. To be freed after failure too. */
int cfg_lex(struct cfg_text *t, const char *text, size_t size, const char *path, struct error *e);
void cfg_text_free(struct cfg_text *t);

/* The start of `s`, fit for a message of one line: bytes that do not print become '?'. */
struct excerpt {
    char text[44];
};
struct excerpt cfg_excerpt(const char *s);

#endif
