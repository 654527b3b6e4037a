/* Tables as LaTeX; tex.h is the manual. */
#include "report/print/tex.h"

#include <stdlib.h>
#include <string.h>

/* Letters of 8 points; between columns twice \tabcolsep. A column of broken lines is at least so
 * wide that a word finds room, and a word is broken behind so many letters. */
static const double type_size = 8, column_gap = 6, narrowest = 44;
enum { WORD = 5 };

static const struct {
    const char *from, *to;
    int width; // of the character, in thousandths of the type size
    int ends;  // a line may end behind it
} escapes[] = {
    {"\\", "\\textbackslash{}", 500, 1},
    {"{", "\\{", 500, 0},
    {"}", "\\}", 500, 0},
    {"$", "\\$", 500, 0},
    {"&", "\\&", 778, 0},
    {"#", "\\#", 500, 0},
    {"_", "\\_", 500, 1},
    {"%", "\\%", 833, 0},
    {"^", "\\textasciicircum{}", 500, 0},
    {"~", "\\textasciitilde{}", 500, 0},
    {"\"", "\\char34{}", 444, 0},
    {"<", "$<$", 850, 0},
    {">", "$>$", 850, 0},
    {"|", "$|$", 300, 0},
    {"±", "$\\pm$", 850, 0},
    {"−", "$-$", 850, 0},
    {"\n", " ", 250, 0},
};
enum { ESCAPES = sizeof escapes / sizeof *escapes };

/* Times Roman, from blank to '~', in thousandths (Adobe's metrics). */
static const short times[] = {
    250, 333, 408, 500, 500, 833, 778, 333, 333, 333, 500, 564, 250, 333, 250, 278, 500, 500, 500,
    500, 500, 500, 500, 500, 500, 500, 278, 278, 564, 564, 564, 444, 921, 722, 667, 667, 722, 611,
    556, 722, 722, 333, 389, 722, 611, 889, 722, 722, 556, 722, 667, 556, 611, 722, 722, 944, 722,
    722, 611, 333, 278, 333, 469, 500, 333, 444, 500, 444, 500, 444, 333, 500, 500, 278, 278, 500,
    278, 778, 500, 500, 500, 500, 333, 389, 278, 500, 500, 722, 500, 500, 444, 480, 200, 480, 541};

static int find_escape(const char *at) {
    for (int i = 0; i < ESCAPES; i++)
        if (!strncmp(at, escapes[i].from, strlen(escapes[i].from)))
            return i;
    return -1;
}

/* Bytes of the character that begins there: of UTF-8, with those that continue it. */
static size_t length_of(const char *at) {
    size_t n = 1;
    while (((unsigned char)at[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* Bold letters are a little wider. */
static double width_of(const char *text, int bold) {
    double width = 0;
    for (size_t n; *text; text += n) {
        int i = find_escape(text);
        n = i >= 0 ? strlen(escapes[i].from) : length_of(text);
        width += i >= 0                         ? escapes[i].width
                 : *text >= ' ' && *text <= '~' ? times[*text - ' ']
                                                : 900;
    }
    return width * type_size / 1000 * (bold ? 1.08 : 1);
}

/* ---- widths of columns ---- */

static int is_head(const struct table *t, int row) {
    return t->marks[row * t->columns] & TABLE_HEAD;
}

static double natural_width(const struct table *t, int column) {
    double most = 0;
    for (int r = 0; r < t->rows; r++) {
        int i = r * t->columns + column;
        double width = is_head(t, r) ? 0 : width_of(t->cells[i], t->marks[i] & TABLE_BEST);
        most = width > most ? width : most;
    }
    return most;
}

double table_tex_width(const struct table *t) {
    double width = 0;
    for (int c = 0; c < t->columns; c++)
        width += natural_width(t, c) + 2 * column_gap / 2;
    return width;
}

/* Of each column of texts: what it gets where all together are too wide, or 0, as it is. The widest
 * give way first, until all fit. */
static double *broken_widths(const struct table *t) {
    double *widths = need((size_t)t->columns, sizeof *widths);
    double over = table_tex_width(t) - TEX_WIDTH;
    while (over > 0) {
        int widest = -1;
        double most = narrowest;
        for (int c = 0; c < t->columns; c++) {
            double width = widths[c] ? widths[c] : natural_width(t, c);
            if (t->numeric[c] == 'l' && width > most) {
                most = width;
                widest = c;
            }
        }
        if (widest < 0)
            break;
        double step = most - narrowest < 4 ? most - narrowest : 4;
        step = step > over ? over : step;
        widths[widest] = most - step;
        over -= step > 1e-9 ? step : over;
    }
    return widths;
}

/* ---- texts ---- */

/* `breaks`: a line may end behind signs, and within words that are too long for one. */
static void put_tex(const char *text, int breaks, FILE *out) {
    int run = 0;
    for (size_t n; *text; text += n) {
        int i = find_escape(text);
        n = i >= 0 ? strlen(escapes[i].from) : length_of(text);
        if (i >= 0)
            fputs(escapes[i].to, out);
        else
            fwrite(text, 1, n, out);
        int ends = i >= 0 ? escapes[i].ends : strchr("-/=.,;:", *text) != NULL;
        run = ends || *text == ' ' ? 0 : run + 1;
        if (breaks && text[n] && text[n] != ' ' && (ends || run == WORD)) {
            fputs("\\allowbreak{}", out);
            run = 0;
        }
    }
}

static void put_cell(const struct table *t, int i, int breaks, FILE *out) {
    const char *text = t->cells[i];
    int bold = t->marks[i] & TABLE_BEST;
    if (breaks && *text)
        fputs("\\raggedright ", out);
    fputs(bold ? "\\textbf{" : "", out);
    put_tex(text, breaks, out);
    fputs(bold ? "}" : "", out);
}

static void put_row(const struct table *t, int row, const double *broken, FILE *out) {
    for (int c = 0; c < t->columns; c++) {
        fputs(c ? " & " : "", out);
        put_cell(t, row * t->columns + c, broken[c] > 0, out);
    }
    fputs(" \\tabularnewline\n", out);
}

/* Across the table: what the rows below it are of. */
static void put_head(const struct table *t, int row, FILE *out) {
    const char *text = t->cells[row * t->columns];
    int breaks = width_of(text, 0) > TEX_WIDTH;
    fprintf(out, "%s\\multicolumn{%d}{@{}", row > 1 ? "\\addlinespace\n" : "", t->columns);
    if (breaks)
        fprintf(out, "p{%dpt}", TEX_WIDTH);
    else
        fputc('l', out);
    fputs(breaks ? "@{}}{\\raggedright\\emph{" : "@{}}{\\emph{", out);
    put_tex(text, breaks, out);
    fputs("}} \\tabularnewline\n", out);
}

/* Above some of the titles: what they are. */
static void put_span(const struct table *t, FILE *out) {
    int from = t->span[0], to = t->span[1];
    if (to - from < 2)
        return;
    for (int c = 0; c < from; c++)
        fputs(" & ", out);
    fprintf(out, "\\multicolumn{%d}{c}{", to - from);
    put_tex(t->span_title, 0, out);
    fputs("}", out);
    for (int c = to; c < t->columns; c++)
        fputs(" & ", out);
    fprintf(out, " \\tabularnewline\n\\cmidrule(lr){%d-%d}\n", from + 1, to);
}

static void put_columns(const struct table *t, const double *broken, FILE *out) {
    fputs("\\begin{tabular}{@{}", out);
    for (int c = 0; c < t->columns; c++) {
        if (broken[c] > 0)
            fprintf(out, "p{%.1fpt}", broken[c]);
        else
            fputc(t->numeric[c], out);
    }
    fputs("@{}}\n\\toprule\n", out);
}

static void put_notes(const struct table *t, FILE *out) {
    for (const char *line = t->notes; *line; line += strcspn(line, "\n") + 1)
        fprintf(out, "%% %.*s\n", (int)strcspn(line, "\n"), line);
}

void table_print_tex(const struct table *t, FILE *out) {
    double *broken = broken_widths(t);
    fprintf(out, "{\\fontsize{%.0f}{%.0f}\\selectfont\\setlength{\\tabcolsep}{%.0fpt}%%\n",
            type_size, type_size + 1.5, column_gap / 2);
    put_columns(t, broken, out);
    put_span(t, out);
    for (int r = 0; r < t->rows; r++) {
        if (is_head(t, r))
            put_head(t, r, out);
        else
            put_row(t, r, broken, out);
        if (!r)
            fputs("\\midrule\n", out);
    }
    fputs("\\bottomrule\n\\end{tabular}}\n", out);
    put_notes(t, out);
    free(broken);
}
