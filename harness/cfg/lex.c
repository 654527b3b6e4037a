/* Lines, sections and options of a cfg; lex.h is the manual. */
#include "cfg/lex.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static int check_byte(unsigned char c, const char *path, int line, struct error *e) {
    if (c == '\r')
        return fail_at(
            e, path, line,
            "has a carriage return (CR LF line ends?), which Darknet takes for a part of "
            "the value; convert the file, as by `sed -i 's/\\r$//'`");
    if (c == '\0')
        return fail_at(e, path, line, "has a NUL byte; this is no text file, or a damaged one");
    if ((c < ' ' && c != '\t' && c != '\n') || c == 0x7f)
        return fail_at(e, path, line, "has the control byte 0x%02x; delete it", c);
    return 0;
}

static int check_bytes(const char *text, size_t size, const char *path, struct error *e) {
    if (size == 0)
        return fail_at(e, path, 1, "is empty; a network starts with [net]");
    if (size > CFG_BYTES_MAX)
        return fail_at(e, path, 0, "has %zu bytes, more than the %d allowed; is it a cfg?", size,
                       CFG_BYTES_MAX);
    if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
        return fail_at(e, path, 1, "starts with a byte-order mark; save it as UTF-8 without one");
    int line = 1;
    for (size_t i = 0; i < size; i++) {
        if (check_byte((unsigned char)text[i], path, line, e))
            return -1;
        line += text[i] == '\n';
    }
    return 0;
}

static int inline_comment(const struct cfg_text *t, const char *s, int line, struct error *e) {
    return fail_at(e, t->path, line,
                   "'%s' has a comment behind it, which Darknet takes for a part of the line; put "
                   "the comment on a line of its own",
                   cfg_excerpt(s).text);
}

static int lex_section(struct cfg_text *t, char *s, int line, struct error *e) {
    if (strpbrk(s, "#;"))
        return inline_comment(t, s, line, e);
    char *end = strchr(s, ']');
    if (!end || end[1])
        return fail_at(e, t->path, line, "'%s' is no section; write [name] and nothing else",
                       cfg_excerpt(s).text);
    *end = '\0';
    t->sections[t->n_sections++] =
        (struct cfg_section){.name = text_trim(s + 1), .line = line, .first = t->n_options};
    return 0;
}

static int is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Drop the blanks around commas, in place. */
static void join_list(char *s) {
    char *to = s;
    for (const char *from = s; *from; from++) {
        if (is_blank(*from)) {
            const char *next = from + strspn(from, " \t");
            if (*next == ',' || (to > s && to[-1] == ','))
                continue;
        }
        *to++ = *from;
    }
    *to = '\0';
}

static int lex_option(struct cfg_text *t, char *s, int line, struct error *e) {
    if (t->n_sections == 0)
        return fail_at(e, t->path, line, "'%s' stands before the first section; start with [net]",
                       cfg_excerpt(s).text);
    if (strpbrk(s, "#;"))
        return inline_comment(t, s, line, e);
    char *equals = strchr(s, '=');
    if (!equals || equals == s)
        return fail_at(e, t->path, line,
                       "'%s' is neither [section] nor key=value nor a comment; correct the line",
                       cfg_excerpt(s).text);
    *equals = '\0';
    char *key = text_trim(s), *value = text_trim(equals + 1);
    join_list(value);
    if (!value[0])
        return fail_at(e, t->path, line, "%s has no value; give one or delete the line",
                       cfg_excerpt(key).text);
    if (strpbrk(value, " \t"))
        return fail_at(
            e, t->path, line,
            "%s=%s has a blank inside, which Darknet drops ('1 6' is read as 16); remove "
            "it",
            cfg_excerpt(key).text, cfg_excerpt(value).text);
    t->options[t->n_options++] = (struct cfg_option){key, value, line};
    t->sections[t->n_sections - 1].n++;
    return 0;
}

static int lex_line(struct cfg_text *t, char *s, int line, struct error *e) {
    s = text_trim(s);
    if (!s[0] || s[0] == '#' || s[0] == ';')
        return 0;
    return s[0] == '[' ? lex_section(t, s, line, e) : lex_option(t, s, line, e);
}

static size_t count_lines(const char *text, size_t size) {
    size_t n = 1;
    for (size_t i = 0; i < size; i++)
        n += text[i] == '\n';
    return n;
}

int cfg_lex(struct cfg_text *t, const char *text, size_t size, const char *path, struct error *e) {
    *t = (struct cfg_text){.path = path};
    if (check_bytes(text, size, path, e))
        return -1;
    t->copy = need(size + 1, 1);
    memcpy(t->copy, text, size);
    size_t lines = count_lines(text, size);
    t->sections = need(lines, sizeof *t->sections);
    t->options = need(lines, sizeof *t->options);
    int line = 1;
    for (char *s = t->copy, *next; s; s = next, line++) {
        next = strchr(s, '\n');
        if (next)
            *next++ = '\0';
        if (lex_line(t, s, line, e) && fail_next(e))
            break;
    }
    if (fail_any(e))
        return -1;
    if (t->n_sections == 0)
        return fail_at(e, path, 1, "has no sections, only comments; a network starts with [net]");
    return 0;
}

void cfg_text_free(struct cfg_text *t) {
    free(t->copy);
    free(t->sections);
    free(t->options);
    *t = (struct cfg_text){0};
}

struct excerpt cfg_excerpt(const char *s) {
    struct excerpt x = {""};
    size_t n = 0;
    for (; n < sizeof x.text - 4 && s[n]; n++)
        x.text[n] = s[n] >= ' ' && s[n] <= '~' ? s[n] : '?';
    strcpy(x.text + n, s[n] ? "..." : "");
    return x;
}
