/* Packing tables; packed.h is the manual. */
#include "page/packed.h"

#include "store/sql.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- JSON ---- */

/* Text that is no UTF-8 stays bytes that are none, of which a reader makes replacement marks. */
static void print_string(const char *text, FILE *out) {
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at; at++)
        if (*at < ' ' || *at == '"' || *at == '\\')
            fprintf(out, "\\u%04x", *at);
        else
            fputc(*at, out);
    fputc('"', out);
}

static void print_value(sqlite3_stmt *q, int column, FILE *out) {
    double x = sqlite3_column_double(q, column);
    switch (sqlite3_column_type(q, column)) {
    case SQLITE_INTEGER:
        fprintf(out, "%lld", (long long)sqlite3_column_int64(q, column));
        break;
    case SQLITE_FLOAT:
        fprintf(out, isfinite(x) ? "%.10g" : "null", x);
        break;
    case SQLITE_NULL:
        fputs("null", out);
        break;
    default:
        print_string(sql_text(q, column), out);
    }
}

struct columns {
    FILE **out;
    char **text; // owned, as `size`
    size_t *size;
    int n, rows;
};

static void columns_open(struct columns *c, int n) {
    *c = (struct columns){.n = n};
    c->out = need((size_t)n + 1, sizeof *c->out);
    c->text = need((size_t)n + 1, sizeof *c->text);
    c->size = need((size_t)n + 1, sizeof *c->size);
    for (int i = 0; i < n; i++)
        c->out[i] = need_stream(&c->text[i], &c->size[i]);
}

static void columns_add(struct columns *c, sqlite3_stmt *q) {
    for (int i = 0; i < c->n; i++) {
        if (c->rows)
            fputc(',', c->out[i]);
        print_value(q, i, c->out[i]);
    }
    c->rows++;
}

static void columns_print(struct columns *c, FILE *out) {
    for (int i = 0; i < c->n; i++) {
        fclose(c->out[i]);
        fprintf(out, "%s[%s]", i ? "," : "", c->text[i]);
        free(c->text[i]);
    }
    free(c->out);
    free(c->text);
    free(c->size);
}

static void print_names(sqlite3_stmt *q, FILE *out) {
    for (int i = 0; i < sqlite3_column_count(q); i++) {
        fputs(i ? "," : "", out);
        print_string(sqlite3_column_name(q, i), out);
    }
}

/* The last of a text's statements; those before it are run. NULL with a message. */
static sqlite3_stmt *last_statement(const struct report *r, const char *sql, struct error *e) {
    const char *last = sql, *end;
    sqlite3_stmt *q;
    for (;;) {
        if (sqlite3_prepare_v2(r->store->db, last, -1, &q, &end) != SQLITE_OK) {
            sql_fail(r->store, e);
            return NULL;
        }
        sqlite3_finalize(q);
        if (!end[strspn(end, " \n")])
            return export_prepare(r, last, e);
        char *one = need((size_t)(end - last) + 1, 1);
        memcpy(one, last, (size_t)(end - last));
        int rc = export_run(r, one, e);
        free(one);
        if (rc)
            return NULL;
        last = end;
    }
}

static int print_table(const struct report *r, const struct page_query *query, FILE *out,
                       struct error *e) {
    struct columns c;
    sqlite3_stmt *q = last_statement(r, query->sql, e);
    if (!q)
        return -1;
    int got;
    print_string(query->name, out);
    fputs(":{\"columns\":[", out);
    print_names(q, out);
    fputs("],\"data\":[", out);
    columns_open(&c, sqlite3_column_count(q));
    while ((got = sql_step(r->store, q, e)) == 1)
        columns_add(&c, q);
    columns_print(&c, out);
    fputs("]}", out);
    sqlite3_finalize(q);
    return got;
}

/* ---- packing ---- */

/* As a file of gzip. The caller frees. */
static unsigned char *pack(const char *text, size_t size, size_t *packed, struct error *e) {
    z_stream z = {0};
    enum { GZIP = 15 + 16, MEMORY = 9 };
    if (size > 1u << 31 || deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP, MEMORY,
                                        Z_DEFAULT_STRATEGY) != Z_OK) {
        fail(e, "the data of the page are too large; limit it with --grid");
        return NULL;
    }
    size_t room = deflateBound(&z, size);
    unsigned char *out = need(room, 1);
    z.next_in = (unsigned char *)(uintptr_t)text, z.avail_in = (uInt)size;
    z.next_out = out, z.avail_out = (uInt)room;
    deflate(&z, Z_FINISH); // has room for all
    *packed = z.total_out;
    deflateEnd(&z);
    return out;
}

static void print_base64(const unsigned char *bytes, size_t n, FILE *out) {
    enum { LINE = 3 * 32 };
    unsigned char text[LINE / 3 * 4 + 1];
    for (size_t i = 0; i < n; i += LINE) {
        EVP_EncodeBlock(text, bytes + i, (int)(n - i < LINE ? n - i : LINE));
        fprintf(out, "%s\n", text);
    }
}

int packed_print(const struct report *r, const struct page_query *queries, int n, FILE *out,
                 struct error *e) {
    char *text;
    size_t size, packed;
    FILE *json = need_stream(&text, &size);
    int rc = 0;
    for (int i = 0; i < n && !rc; i++) {
        fputs(i ? "," : "{", json);
        rc = print_table(r, &queries[i], json, e);
    }
    fputs("}", json);
    fclose(json);
    unsigned char *bytes = rc ? NULL : pack(text, size, &packed, e);
    if (bytes)
        print_base64(bytes, packed, out);
    free(bytes);
    free(text);
    return bytes ? 0 : -1;
}
