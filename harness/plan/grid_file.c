/* Reads a grid file through libinih, line by line by a reader of our own.
 *
 * libinih as Debian builds it tells its handler no line numbers, cuts lines at 198 bytes and
 * section titles at 49, ignores what follows a title, and takes an indented line for more of the
 * one above. So the reader counts lines, keeps the titles itself, and refuses lines that would be
 * changed. */
#include "plan/grid_file.h"

#include "base/file.h"
#include "base/text.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 20 };

struct reader {
    struct grid_file *f;
    const char *path;
    const char *at; // the next line
    int line;       // number of the line last read
    struct error *e;
};

static int is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static int is_comment(char c) {
    return c == '#' || c == ';';
}

static int refuse_indented(struct reader *r, const char *line, size_t n) {
    size_t blanks = 0;
    while (blanks < n && is_blank(line[blanks]))
        blanks++;
    if (!blanks || blanks == n || is_comment(line[blanks]))
        return 0;
    return fail_at(r->e, r->path, r->line, "begins with a blank; begin it at the left margin");
}

/* "[title]", behind which only a comment may stand. */
static int take_title(struct reader *r, const char *line, size_t n) {
    const char *end = memchr(line, ']', n);
    if (!end)
        return fail_at(r->e, r->path, r->line, "the section has no ']'; close it");
    for (const char *c = end + 1; c < line + n && !is_comment(*c); c++)
        if (!is_blank(*c))
            return fail_at(r->e, r->path, r->line,
                           "something follows the section's ']'; put it on a line of its own");
    char *title = need((size_t)(end - line), 1);
    memcpy(title, line + 1, (size_t)(end - line) - 1);
    struct file_section *s = &r->f->sections[r->f->n_sections++];
    s->title = need_string(text_trim(title));
    s->line = r->line;
    free(title);
    return 0;
}

/* libinih's ini_reader: one line into `str`, or NULL at the end or after an error. */
static char *read_line(char *str, int room, void *stream) {
    struct reader *r = stream;
    if (r->e->text[0] || !*r->at)
        return NULL;
    const char *line = r->at;
    size_t n = strcspn(line, "\n"), most = (size_t)room - 2;
    r->line++;
    if (n > most) {
        fail_at(r->e, r->path, r->line, "has %zu bytes, but a line may have %zu; shorten it", n,
                most);
        return NULL;
    }
    if (refuse_indented(r, line, n) || (line[0] == '[' && take_title(r, line, n)))
        return NULL;
    memcpy(str, line, n);
    strcpy(str + n, "\n");
    r->at = line + n + (line[n] == '\n');
    return str;
}

/* libinih's ini_handler: 1 goes on. */
static int take_entry(void *user, const char *section, const char *name, const char *value) {
    struct reader *r = user;
    (void)section; // cut; the reader has the whole title
    struct file_entry *entry = &r->f->entries[r->f->n_entries++];
    entry->key = need_string(name);
    entry->value = need_string(value);
    entry->line = r->line;
    entry->section = r->f->n_sections - 1;
    return 1;
}

static int line_of(const char *text, size_t at) {
    int line = 1;
    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return line;
}

/* Returns the number of lines, or -1. */
static int check_bytes(const char *text, size_t size, const char *path, struct error *e) {
    size_t length = strlen(text), carriage = strcspn(text, "\r");
    if (carriage < length)
        return fail_at(
            e, path, line_of(text, carriage),
            "has a carriage return (line ends of Windows); convert the file, for example "
            "with sed -i 's/\\r$//'");
    if (length < size)
        return fail_at(e, path, line_of(text, length), "has a NUL byte; is it a text file?");
    if (strspn(text, " \t\n\v\f") == length)
        return fail_at(e, path, 1, "is empty; begin with [grid]");
    return line_of(text, length);
}

int grid_file_read(struct grid_file *f, const char *path, struct error *e) {
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    *f = (struct grid_file){0};
    size_t size;
    char *text = file_read(path, FILE_LIMIT, &size, e);
    if (!text)
        return -1;
    int lines = check_bytes(text, size, path, e);
    if (lines > 0) {
        f->sections = need((size_t)lines, sizeof *f->sections);
        f->entries = need((size_t)lines, sizeof *f->entries);
        struct reader r = {.f = f, .path = path, .at = text, .e = e};
        if (!strncmp(text, byte_order_mark, 3))
            r.at += 3;
        int bad = ini_parse_stream(read_line, &r, take_entry, &r);
        if (bad > 0)
            fail_at(e, path, bad,
                    "is neither [section] nor key = value; write it so, or as a # "
                    "comment");
    }
    free(text);
    if (!e->text[0])
        return 0;
    grid_file_free(f);
    return -1;
}

void grid_file_free(struct grid_file *f) {
    for (int i = 0; i < f->n_sections; i++)
        free(f->sections[i].title);
    for (int i = 0; i < f->n_entries; i++) {
        free(f->entries[i].key);
        free(f->entries[i].value);
    }
    free(f->sections);
    free(f->entries);
    *f = (struct grid_file){0};
}
