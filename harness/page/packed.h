/* The data of a page: tables as JSON, a list of values for each column, packed by gzip and written
 * in base 64. */
#ifndef PAGE_PACKED_H
#define PAGE_PACKED_H

#include "report/query.h"

/* {"NAME": {"columns": [...], "data": [[...], ...]}, ...}, of the named queries, each of the
 * statements of a text of its own: those before the last prepare it. */
struct page_query {
    const char *name, *sql;
};
int packed_print(const struct report *r, const struct page_query *queries, int n, FILE *out,
                 struct error *e);

#endif
