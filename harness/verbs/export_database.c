/* truncquant export database: a file of one grid. */
#include "verbs/export_database.h"

#include "plan/grid_name.h"
#include "store/merge/extract.h"
#include "verbs/output.h"

#include <stdlib.h>

static int extract(const struct options *o, const char *grid, const char *output, int anonymous,
                   struct error *e) {
    if (output_check(output, o->db, grid, e))
        return -1;
    struct store *s = store_open(o->db, STORE_READ, e);
    char *name = s ? grid_name(grid, e) : NULL;
    int rc = name && !e->text[0] ? store_extract(s, name, output, anonymous, e) : -1;
    free(name);
    store_close(s);
    return rc;
}

int export_database(const struct options *o, const char *grid, const char *output, int anonymous,
                    struct error *e) {
    return extract(o, grid, output, anonymous, e) ? EXIT_FAILED : EXIT_DONE;
}
