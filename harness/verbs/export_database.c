/* truncquant export database: a file of one grid. */
#include "verbs/export_database.h"

#include "plan/grid_name.h"
#include "store/merge/extract.h"
#include "verbs/output.h"

#include <stdlib.h>

/* Of the run, where one is asked for, by any part of its id. */
static int extract_of(struct store *s, const char *grid, const char *run, const char *output,
                      int anonymous, struct error *e) {
    struct run_row row;
    if (!run)
        return store_extract(s, grid, NULL, output, anonymous, e);
    if (store_find_run(s, run, &row, e))
        return -1;
    int rc = store_extract(s, grid, row.run_id, output, anonymous, e);
    store_free_run(&row);
    return rc;
}

static int extract(const struct options *o, const char *grid, const char *run, const char *output,
                   int anonymous, struct error *e) {
    if (output_check(output, o->db, grid, e))
        return -1;
    struct store *s = store_open(o->db, STORE_READ, e);
    char *name = s ? grid_name(grid, e) : NULL;
    int rc = name && !e->text[0] ? extract_of(s, name, run, output, anonymous, e) : -1;
    free(name);
    store_close(s);
    return rc;
}

int export_database(const struct options *o, const char *grid, const char *run, const char *output,
                    int anonymous, struct error *e) {
    return extract(o, grid, run, output, anonymous, e) ? EXIT_FAILED : EXIT_DONE;
}
