/* The keys of a section as a table: what each takes, where its value goes, and what to say when it
 * is wrong. One reader serves [net] and every layer. */
#ifndef CFG_KEYS_H
#define CFG_KEYS_H

#include "cfg/cfg.h"
#include "cfg/lex.h"

enum cfg_value {
    CFG_INT,    // int
    CFG_REAL,   // float
    CFG_ONLY,   // the number `lo` and no other: Darknet has the key, the harness cannot honour it
    CFG_NEVER,  // no value at all, likewise
    CFG_CHOICE, // int: the place in `choices`
    CFG_LAYERS, // struct cfg_list: layer numbers as written, negative ones relative
    CFG_INTS,   // struct cfg_numbers
    CFG_REALS,  // struct cfg_numbers
};

/* Bounds of CFG_REAL that stand for "any". */
#define CFG_ANY 1e30

enum { CFG_KEYS_MAX = 64 };

struct cfg_list {
    int n, line;
    int value[CFG_ROUTES];
};

struct cfg_key {
    const char *name;
    enum cfg_value type;
    size_t offset;              // where the value goes; CFG_NOWHERE: it is only checked
    double lo, hi;              // CFG_INT, CFG_REAL and members of lists: inclusive
    const char *const *choices; // CFG_CHOICE: ended by NULL
    const char *why;            // what to do about a refused value; NULL: "correct the value"
    int ignored;                // [net]: says how to train, which is the grid's business
};
#define CFG_NOWHERE ((size_t)-1)

/* Fill `into` from the options of a section. `keys` and `common` end with a NULL name; `common`
 * (NULL: none) are more keys of the same struct. line_of[i], unless NULL, becomes the line of
 * keys[i], or 0 when it is not given. Reads all of them, whatever is wrong with some (fail_next):
 * -1 where something is. A wrong value of a key that is ignored is a fault of `ignored`, of which
 * the first counts, and no fault here. */
int cfg_read_options(const struct cfg_text *t, const struct cfg_section *s,
                     const struct cfg_key *keys, const struct cfg_key *common, void *into,
                     int line_of[CFG_KEYS_MAX], struct error *ignored, struct error *e);

#endif
