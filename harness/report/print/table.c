/* Tables as text, CSV, LaTeX and Markdown; table.h is the manual. */
#include "report/print/table.h"

#include "base/text.h"
#include "report/print/tex.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *const export_format_names[EXPORT_FORMATS] = {[EXPORT_TEXT] = "text",
                                                         [EXPORT_CSV] = "csv",
                                                         [EXPORT_WIDE] = "csv-wide",
                                                         [EXPORT_TEX] = "tex",
                                                         [EXPORT_MD] = "md"};

struct table *table_new(int columns, const char *const *titles, const char *numeric) {
    struct table *t = need(1, sizeof *t);
    t->columns = columns;
    t->numeric = need_string(numeric);
    t->notes = need_string("");
    for (int i = 0; i < columns; i++)
        table_add(t, titles[i]);
    return t;
}

void table_free(struct table *t) {
    if (!t)
        return;
    for (int i = 0; i < t->cell; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t->marks);
    free(t->numeric);
    free(t->notes);
    free(t);
}

static void grow(struct table *t) {
    t->room = t->room ? 2 * t->room : 1024;
    char **more = need((size_t)t->room, sizeof *more);
    if (t->cell)
        memcpy(more, t->cells, (size_t)t->cell * sizeof *more);
    free(t->cells);
    t->cells = more;
    char *marks = need((size_t)t->room, 1);
    if (t->cell)
        memcpy(marks, t->marks, (size_t)t->cell);
    free(t->marks);
    t->marks = marks;
}

void table_add(struct table *t, const char *text) {
    if (t->cell == t->room)
        grow(t);
    char *kept = need_string(text ? text : "");
    text_mask_controls(kept, "\n");
    t->rows += t->cell % t->columns == 0;
    t->cells[t->cell++] = kept;
}

static char *format_text(const char *format, va_list args) {
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        return need_string("");
    text_mask_controls(text, "\n");
    return text;
}

void table_addf(struct table *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = format_text(format, args);
    va_end(args);
    table_add(t, text);
    free(text);
}

void table_add_head(struct table *t, const char *text) {
    table_add(t, text);
    t->marks[t->cell - 1] = TABLE_HEAD;
    while (t->cell % t->columns)
        table_add(t, "");
}

void table_mark_best(struct table *t) {
    t->marks[t->cell - 1] |= TABLE_BEST;
}

void table_note(struct table *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = format_text(format, args);
    va_end(args);
    char *notes = need(strlen(t->notes) + strlen(text) + 2, 1);
    sprintf(notes, "%s%s\n", t->notes, text);
    free(text);
    free(t->notes);
    t->notes = notes;
}

static const char *cell(const struct table *t, int row, int column) {
    return t->cells[row * t->columns + column];
}

/* Characters on the screen: bytes that do not continue a UTF-8 sequence. */
static int width_of(const char *text) {
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* Each line of the notes, behind `prefix`. */
static void print_notes(const struct table *t, const char *prefix, FILE *out) {
    for (const char *line = t->notes; *line; line += strcspn(line, "\n") + 1)
        fprintf(out, "%s%.*s\n", prefix, (int)strcspn(line, "\n"), line);
}

/* ---- text ---- */

static void put_line(const char *text, FILE *out) {
    for (; *text; text++)
        fputc(*text == '\n' ? ' ' : *text, out);
}

static void put_text_row(const struct table *t, int row, const int *widths, FILE *out) {
    int owed = 0; // blanks, written only when something follows
    for (int c = 0; c < t->columns; c++) {
        const char *text = cell(t, row, c);
        int right = t->numeric[c] == 'r', room = widths[c] - width_of(text);
        owed += right ? room : 0;
        if (*text) {
            fprintf(out, "%*s", owed, "");
            put_line(text, out);
            owed = 0;
        }
        owed += right ? 0 : room;
        owed += right && t->numeric[c + 1] == 'r' ? 1 : 2; // behind the last column is a NUL
    }
    fputc('\n', out);
}

static void print_text(const struct table *t, FILE *out) {
    int *widths = need((size_t)t->columns, sizeof *widths);
    for (int i = 0; i < t->cell; i++)
        if (width_of(t->cells[i]) > widths[i % t->columns])
            widths[i % t->columns] = width_of(t->cells[i]);
    for (int r = 0; r < t->rows; r++)
        put_text_row(t, r, widths, out);
    free(widths);
    if (t->notes[0])
        fputc('\n', out);
    print_notes(t, "", out);
}

/* ---- CSV ---- */

static void put_csv(const char *text, FILE *out) {
    if (!text[strcspn(text, ",\"\r\n")] && text[0] != '#') {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void print_csv(const struct table *t, FILE *out) {
    for (int i = 0; i < t->cell; i++) {
        put_csv(t->cells[i], out);
        fputc((i + 1) % t->columns ? ',' : '\n', out);
    }
}

static void print_wide_csv(const struct table *t, FILE *out) {
    print_csv(t, out);
    print_notes(t, "# ", out);
}

/* ---- Markdown ---- */

static void put_md(const char *text, FILE *out) {
    for (; *text; text++) {
        if (strchr("\\|<*_`", *text))
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void print_md(const struct table *t, FILE *out) {
    for (int i = 0; i < t->cell; i++) {
        const char *bold = t->marks[i] & TABLE_BEST ? "**" : "";
        fputs(i % t->columns ? " | " : "| ", out);
        fputs(bold, out);
        put_md(t->cells[i], out);
        fputs(bold, out);
        if ((i + 1) % t->columns)
            continue;
        fputs(" |\n", out);
        if (i + 1 != t->columns)
            continue;
        for (int c = 0; c < t->columns; c++)
            fputs(t->numeric[c] == 'r' ? "| ---: " : "| --- ", out);
        fputs("|\n", out);
    }
    if (t->notes[0])
        fputc('\n', out);
    print_notes(t, "", out);
}

void table_print(const struct table *t, enum export_format format, FILE *out) {
    static void (*const print[EXPORT_FORMATS])(const struct table *, FILE *) = {
        [EXPORT_TEXT] = print_text,     [EXPORT_CSV] = print_csv, [EXPORT_WIDE] = print_wide_csv,
        [EXPORT_TEX] = table_print_tex, [EXPORT_MD] = print_md,
    };
    print[format](t, out);
}

void table_print_notes(const struct table *t, FILE *out) {
    print_notes(t, "", out);
}
