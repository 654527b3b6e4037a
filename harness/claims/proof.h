/* What a database says to a claim: its numbers, the rows that they are made from, and the runs
 * behind these, each with the commits and the version of the quantizer that computed it, and with
 * what it cost. */
#ifndef CLAIMS_PROOF_H
#define CLAIMS_PROOF_H

#include "claims/claim.h"
#include "report/print/table.h"
#include "store/store.h"

struct proof {
    struct table *numbers, *rows; // of a claim of numbers: name and value; what they come from
    struct table *runs;
    double core_hours; // of all their attempts
    int stale;         // runs that this program would compute otherwise
    char *text;        // of a figure, its numbers as CSV; of a table, LaTeX
    char *caption;     // of a figure
};

/* Of an open database that knows this program's quantizers. -1 with a message that names the
 * claim's file: where a query fails, or there is no row, or a number is none. The caller frees. */
int proof_make(struct store *s, const struct quantizer *const *quantizers, const struct claim *c,
               struct proof *p, struct error *e);
void proof_free(struct proof *p);

#endif
