/* Claims: what a text says and a database has to bear out. Each is a file NAME.sql of one folder,
 * such as paper/claims. It opens with comments: what is claimed, in words, and what it is made
 * from,
 *
 *     -- Points of top-1 that truncation costs a network trained by QAT at two bits.
 *     -- database = headline-cifar10-jpeg
 *     -- grid = headline-cifar10-jpeg
 *
 * where `database` is a file of the folder of databases (without .db), `grid` may be left out
 * (all runs) and `split` as well (test). What is claimed is either numbers, by two queries that
 * follow. The first has the rows that they are made from, each with its run_id; the second reads
 * these as the table `claim` and has two columns: the name of a number, of letters alone since it
 * becomes a macro of LaTeX, and the number, a real one printed with one digit, as in tables, any
 * other as it is; a third may have its deviation. Both read the views of store/schema/views.sql
 * and what queries of figures have (plots/README.md), with :grid and :split. "-- like = NAME" takes
 * the queries of another claim. Or it is a picture or a table, by one more comment and no query:
 *
 *     -- figure = gap
 *     -- width = 7in
 *     -- table = accuracy
 */
#ifndef CLAIMS_CLAIM_H
#define CLAIMS_CLAIM_H

#include "base/error.h"

enum claim_kind { CLAIM_NUMBERS, CLAIM_FIGURE, CLAIM_TABLE };
/* "numbers", "figure", "table". */
extern const char *const claim_kind_names[];

/* Texts are owned. */
struct claim {
    enum claim_kind kind;
    char *name, *path, *says;
    char *database, *grid, *split; // grid: NULL where it is left out
    char *what;                    // the figure or table; NULL of numbers
    char *width;         // at which a figure is printed, as figures.sh takes it; NULL: unsaid
    char *like;          // the claim whose queries it takes; NULL: its own
    char *text;          // the file, whole
    const char *queries; // what follows the comments, there or in that claim's text
};

struct claims {
    struct claim *all; // by name
    int n;
};

/* Every claim of a folder. -1 with a message that names file and line. */
int claims_read(const char *folder, struct claims *c, struct error *e);
void claims_free(struct claims *c);

#endif
