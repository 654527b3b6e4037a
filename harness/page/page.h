/* The database as one page of HTML that stands alone: figures, the table of accuracies, tables of
 * runs and cells to sort and to filter, and a page for each run, with nothing loaded from
 * elsewhere. page.html is its frame, page.css and page.js travel in it, as does the data: the rows
 * of queries/NAME.sql, as JSON, packed. */
#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H

#include "report/export.h"

struct page_request {
    const struct quantizer *const *quantizers;
    const char *grid;    // only the runs of this grid; NULL: all
    const char *split;   // NULL: test where a run was evaluated on it, else val
    const char *figures; // folder with NAME.svg and NAME.txt of `export figures`; NULL: none
};

/* Each part of it is of one state of the database, whoever writes meanwhile. -1 with a message. */
int page_write(struct store *s, const struct page_request *request, FILE *out, struct error *e);

#endif
