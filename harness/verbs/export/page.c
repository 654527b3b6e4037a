/* truncquant page: a database as one page of HTML that stands alone. */
#include "page/page.h"

#include "base/file.h"
#include "base/text.h"
#include "plan/grid_name.h"
#include "verbs/database.h"
#include "verbs/output.h"
#include "verbs/verb.h"

#include <stdlib.h>
#include <string.h>

/* Into memory first: the file is replaced whole or not at all. */
static int write_page(const struct options *o, const struct page_request *request,
                      const char *output, struct error *e) {
    char *text;
    size_t size;
    struct store *s = verb_open_store(o, STORE_READ, e);
    if (!s)
        return -1;
    FILE *out = need_stream(&text, &size);
    int rc = page_write(s, request, out, e);
    fclose(out);
    store_close(s);
    if (!rc)
        rc = file_replace(output, text, size, e);
    free(text);
    return rc;
}

static int check(const struct page_request *request, int operands, const char *output,
                 struct error *e) {
    if (operands < 0)
        return -1;
    if (operands)
        return fail(e, "page: takes no operand; --grid names a grid");
    if (!output || !strcmp(output, "-"))
        return fail(e, "page: needs --output FILE.html");
    if (request->split && text_find(request->split, export_splits) < 0)
        return fail(e, "page: --split %.64s is unknown; take test or val", request->split);
    return 0;
}

int verb_page(struct options *o, struct error *e) {
    struct page_request request = {.quantizers = o->quantizers};
    const char *output = NULL, *grid = NULL;
    const struct option_row rows[] = {
        {"--output", "FILE", NULL, "the page, which is replaced whole", &output, NULL},
        {"--grid", "GRID", NULL, "only the runs of this grid (name or file)", &grid, NULL},
        {"--split", "NAME", NULL, "test or val (held out); else test where there is any, or val",
         &request.split, NULL},
        {"--figures", "FOLDER", NULL, "pictures that figures.sh drew there, NAME.svg with NAME.txt",
         &request.figures, NULL},
        {0},
    };
    int helped;
    int operands = verb_parse(
        o, "page --output FILE.html [options]",
        "Writes one page of HTML with the figures, the table of accuracies, tables of runs "
        "and cells to sort\nand to filter, and each run's own page. It stands alone: nothing "
        "is loaded from elsewhere.",
        rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (check(&request, operands, output, e))
        return EXIT_USAGE;
    char *name = grid_name(grid, e);
    request.grid = name;
    int rc =
        e->text[0] || output_check(output, o->db, grid, e) || write_page(o, &request, output, e);
    free(name);
    return rc ? EXIT_FAILED : EXIT_DONE;
}
