/* From a database's schemes to this program's fingerprints; declare.h is the manual. */
#include "plan/declare.h"

#include "spec/spec.h"

/* A scheme that this program does not know, or reads otherwise, has none to compare with. */
static void find_fingerprint(struct scheme_row *row, const struct quantizer *const *table) {
    struct spec spec;
    struct error ignored = {0};
    if (!spec_read(&spec, table, row->spec, "specification of the run", &ignored))
        spec_fingerprint(&spec, table, row->fingerprint);
}

int fingerprints_declare(struct store *s, const struct quantizer *const *table, struct error *e) {
    struct scheme_row *rows;
    int n;
    if (store_schemes(s, &rows, &n, e))
        return -1;
    for (int i = 0; i < n; i++)
        find_fingerprint(&rows[i], table);
    int rc = store_set_fingerprints(s, rows, n, e);
    store_free_schemes(rows, n);
    return rc;
}
