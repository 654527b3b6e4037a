/* CLAIMS.md: each claim with its numbers, the query, the rows, the runs with their commits and
 * fingerprints, the command that makes it again and what that costs; and the numbers as macros of
 * LaTeX. The same databases give the same bytes. */
#ifndef CLAIMS_LEDGER_H
#define CLAIMS_LEDGER_H

#include "claims/proof.h"

struct ledger {
    char *page, *macros; // owned; whole after ledger_end
    FILE *page_out, *macros_out;
    size_t page_size, macros_size;
    char *names; // of the macros so far, each ended by a newline
};

void ledger_begin(struct ledger *l);

/* One claim, by the database `path`. -1 where another claim has a number of the same name. */
int ledger_add(struct ledger *l, const struct claim *c, const struct proof *p, const char *path,
               struct error *e);
void ledger_end(struct ledger *l);
void ledger_free(struct ledger *l);

/* The names of claims of which `page` says something else than `old` does, or that only one of the
 * two has, a line each; returns how many. */
int ledger_differences(const char *old, const char *page, FILE *out);

#endif
