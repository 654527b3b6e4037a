/* Statements about all columns of a table; columns.h is the manual. */
#include "store/merge/columns.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int columns_read(struct columns *columns, struct store *s, const char *table, struct error *e) {
    *columns = (struct columns){0};
    sqlite3_stmt *q = sql_prepare(s,
                                  "SELECT name FROM pragma_table_info(?1) WHERE name NOT IN "
                                  "('attempt', 'evaluation') ORDER BY cid",
                                  e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, table, -1, SQLITE_STATIC);
    int got;
    while ((got = sql_step(s, q, e)) == 1 && columns->n < COLUMNS_MOST) {
        struct column *c = &columns->of[columns->n++];
        snprintf(c->name, sizeof c->name, "%s", sql_text(q, 0));
        c->parameter = columns->n + 1;
    }
    sqlite3_finalize(q);
    return got ? fail_at(e, s->path, 0, "table %s has more than %d columns", table, COLUMNS_MOST)
               : 0;
}

struct columns columns_choose(const struct columns *from, const char *const *names, int in) {
    struct columns chosen = {0};
    for (int i = 0; i < from->n; i++)
        if ((text_find(from->of[i].name, names) >= 0) == in)
            chosen.of[chosen.n++] = from->of[i];
    return chosen;
}

static void print_column(FILE *out, const struct column *c, const char *text, size_t size) {
    for (const char *p = text; p < text + size; p++) {
        if (*p != '$')
            fputc(*p, out);
        else if (*++p == 'c')
            fprintf(out, "\"%s\"", c->name);
        else
            fprintf(out, "?%d", c->parameter);
    }
}

/* What stands between braces; returns where it ends. */
static const char *print_columns(FILE *out, const struct columns *columns, const char *text) {
    size_t size = strcspn(text, "|"), separator = strcspn(text + size + 1, "}");
    for (int i = 0; i < columns->n; i++) {
        if (i)
            fwrite(text + size + 1, 1, separator, out);
        print_column(out, &columns->of[i], text, size);
    }
    return text + size + 1 + separator;
}

char *columns_text(const struct columns *columns, const char *template, struct error *e) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (const char *p = template; out && *p; p++) {
        if (*p == '{')
            p = print_columns(out, columns, p + 1);
        else
            fputc(*p, out);
    }
    if (out && !fclose(out))
        return text;
    fail(e, "out of memory; end other programs");
    free(text);
    return NULL;
}

sqlite3_stmt *columns_prepare(const struct columns *columns, struct store *s, const char *template,
                              struct error *e) {
    char *sql = columns_text(columns, template, e);
    sqlite3_stmt *q = sql ? sql_prepare(s, sql, e) : NULL;
    free(sql);
    return q;
}

void columns_bind(const struct columns *columns, sqlite3_stmt *statement, sqlite3_stmt *row) {
    for (int i = 0; i < columns->n; i++)
        sqlite3_bind_value(statement, columns->of[i].parameter, sqlite3_column_value(row, i));
}
