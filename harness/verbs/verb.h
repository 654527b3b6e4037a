/* The verbs of the command line: main.c is the table of them. */
#ifndef VERBS_VERB_H
#define VERBS_VERB_H

#include "base/error.h"
#include "quant/quantizer.h"

#include <stdio.h>

/* Exit statuses. A signal ends with 128 + its number. NOTHING: of an export that has nothing to
 * print, since no run has such results (yet). BUSY: another process is at what was to be done, and
 * it can be tried again. STOPPED: it was left alone, since the first runs of the grid all failed
 * for one reason. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOTHING = 3,
    EXIT_BUSY = 4,
    EXIT_STOPPED = 5
};

struct options {
    const char *db; // --db
    int quiet;      // --quiet
    int argc;       // what is left for the verb: its own name first, as in main
    char **argv;
    const struct quantizer *const *quantizers; // all schemes, ended by NULL
};

/* One option of a verb, for its parser and its --help alike: names are long and said once. */
struct option_row {
    const char *name;   // "--epochs"
    const char *value;  // what it takes ("N", "FILE"), or NULL for a flag
    const char *preset; // real default, or NULL
    const char *help;   // one line; NULL: an old name, which is taken but not shown
    const char **text;  // where the value goes; or
    int *flag;          // set to 1
};

/* Take options->argv apart into options (set through the rows) and operands, which are left in
 * argv[1 ...] in order; returns the number of operands, or -1 with a message that names the option
 * and what is near it. "--" ends the options. "--name=value" and "--name value" both work; a value
 * that begins with "--" has to be written in the first way. --help prints the usage (synopsis,
 * help, rows with their defaults, and the common --db, --quiet) and sets *helped. */
int verb_parse(struct options *o, const char *synopsis, const char *help,
               const struct option_row *rows, int *helped, struct error *e);

/* The command line as one text, for the record; the caller frees. argv[0] is the verb. */
char *verb_command_line(int argc, char **argv);

/* Each returns an exit status; a message in `e` is printed by main. */
int verb_plan(struct options *o, struct error *e);
int verb_run(struct options *o, struct error *e);
int verb_evaluate(struct options *o, struct error *e);
int verb_status(struct options *o, struct error *e);
int verb_export(struct options *o, struct error *e);
int verb_exclude(struct options *o, struct error *e);
int verb_clean(struct options *o, struct error *e);
int verb_pack(struct options *o, struct error *e);
int verb_info(struct options *o, struct error *e);
int verb_infer(struct options *o, struct error *e);
int verb_page(struct options *o, struct error *e);
int verb_claims(struct options *o, struct error *e);
int verb_latency(struct options *o, struct error *e);
int verb_retry(struct options *o, struct error *e);
int verb_merge(struct options *o, struct error *e);
int verb_check(struct options *o, struct error *e);

#endif
