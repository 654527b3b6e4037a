/* The small table at the end of a run; result.h is the manual. What counts in means over seeds is
 * decided elsewhere (views.sql): this is of one attempt. */
#include "report/result.h"

#include "report/print/table.h"
#include "report/query.h"
#include "store/sql.h"

static const char *const titles[] = {"bits",        "batch norms",    "direct", "truncated",
                                     "loss direct", "loss truncated", "n"};

/* A number of the row, or what stands where there is none. */
static void add_number(struct table *t, sqlite3_stmt *row, int column, const char *format) {
    char text[32];
    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        snprintf(text, sizeof text, "n/a");
    else
        snprintf(text, sizeof text, format, sqlite3_column_double(row, column));
    table_add(t, text);
}

/* The columns of the query are those of the table. */
static void add_row(struct table *t, sqlite3_stmt *row) {
    table_add(t, sql_text(row, 0));
    table_add(t, sql_text(row, 1));
    add_number(t, row, 2, "%.2f");
    add_number(t, row, 3, "%.2f");
    add_number(t, row, 4, "%.4f");
    add_number(t, row, 5, "%.4f");
    table_add(t, sql_text(row, 6));
}

int report_result(struct store *s, const char *run_id, const char *split, FILE *out,
                  struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, export_query("result"), e);
    struct table *t = table_new(sizeof titles / sizeof *titles, titles, "rlrrrrr");
    int got = q ? 1 : -1;
    if (q) {
        sqlite3_bind_text(q, 1, run_id, -1, SQLITE_STATIC);
        sqlite3_bind_text(q, 2, split, -1, SQLITE_STATIC);
    }
    while (got == 1 && (got = sql_step(s, q, e)) == 1)
        add_row(t, q);
    sqlite3_finalize(q);
    if (!got && t->rows > 1) {
        fprintf(out, "run %.12s, top-1 in per cent and mean loss on the %s split:\n", run_id,
                split);
        table_print(t, EXPORT_TEXT, out);
    }
    table_free(t);
    return got;
}
