/* Strict numbers from text; text.h is the manual. */
#include "base/text.h"

#include "base/error.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int text_int(const char *s, long lo, long hi, long *value) {
    if (!isdigit((unsigned char)s[0]) && !(s[0] == '-' && isdigit((unsigned char)s[1])))
        return -1;
    char *end;
    errno = 0;
    long v = strtol(s, &end, 10);
    if (errno || *end || v < lo || v > hi)
        return -1;
    *value = v;
    return 0;
}

int text_range(const char *s, long lo, long hi, long *first, long *last) {
    char start[24];
    const char *dots = strstr(s, "..");
    size_t n = dots ? (size_t)(dots - s) : sizeof start;
    if (n >= sizeof start)
        return -1;
    memcpy(start, s, n);
    start[n] = '\0';
    return text_int(start, lo, hi, first) || text_int(dots + 2, *first, hi, last) ? -1 : 0;
}

int text_real(const char *s, double *value) {
    // Only plain decimals: strtod alone would take "nan", "inf" and "0x1p3" too.
    if (!s[0] || s[strspn(s, "0123456789+-.eE")] != '\0')
        return -1;
    char *end;
    double v = strtod(s, &end);
    if (end == s || *end || !isfinite(v))
        return -1;
    *value = v;
    return 0;
}

int widths_find(const struct widths *w, int k) {
    for (int i = 0; i < w->n; i++)
        if (w->bits[i] == k)
            return i;
    return -1;
}

int widths_bank(const struct widths *w, int k) {
    int at = 0;
    while (at < w->n - 1 && w->bits[at] < k)
        at++;
    return at;
}

static int widths_insert(struct widths *w, int k) {
    if (w->n == WIDTHS_MAX || widths_find(w, k) >= 0)
        return -1;
    int at = w->n++;
    for (; at > 0 && w->bits[at - 1] > k; at--)
        w->bits[at] = w->bits[at - 1];
    w->bits[at] = k;
    return 0;
}

int text_widths(const char *s, struct widths *w) {
    char copy[128];
    if (strlen(s) >= sizeof copy)
        return -1;
    strcpy(copy, s);
    *w = (struct widths){0};
    char *rest = NULL;
    for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        long first, last;
        if (!text_int(word, 1, 8, &first) || !text_int(word, FLOAT_BITS, FLOAT_BITS, &first))
            last = first;
        else if (text_range(word, 1, 8, &first, &last))
            return -1;
        for (long bits = first; bits <= last; bits++)
            if (widths_insert(w, (int)bits))
                return -1;
    }
    return w->n ? 0 : -1;
}

void text_print_real(double x, char *buffer, size_t size) {
    if (fabs(x) < 1e15 && x == trunc(x) && (x != 0 || !signbit(x))) {
        snprintf(buffer, size, "%.0f", x); // 10, not 1e+01
        return;
    }
    // Whoever needs no more than 15 digits reads back from 15, too: most numbers that were computed
    // do not.
    snprintf(buffer, size, "%.15g", x);
    for (int digits = strtod(buffer, NULL) == x ? 1 : 16; digits <= 17; digits++) {
        snprintf(buffer, size, "%.*g", digits, x);
        if (strtod(buffer, NULL) == x)
            return;
    }
}

void text_print_widths(const struct widths *w, char *buffer, size_t size) {
    size_t at = 0;
    buffer[0] = '\0';
    for (int i = 0; i < w->n && at < size; i++)
        at += (size_t)snprintf(buffer + at, size - at, i ? " %d" : "%d", w->bits[i]);
}

int text_find(const char *name, const char *const *names) {
    for (int i = 0; names[i]; i++)
        if (!strcmp(names[i], name))
            return i;
    return -1;
}

char *text_trim(char *s) {
    while (isspace((unsigned char)*s))
        s++;
    size_t n = strlen(s);
    while (n > 0 && isspace((unsigned char)s[n - 1]))
        s[--n] = '\0';
    return s;
}

void text_list_add(char *list, size_t size, const char *separator, const char *word) {
    size_t at = strlen(list), gap = at ? strlen(separator) : 0, n = strlen(word);
    if (at + gap + n >= size)
        return;
    memcpy(list + at, separator, gap);
    memcpy(list + at + gap, word, n + 1);
}

void text_mask_controls(char *s, const char *kept) {
    for (unsigned char *c = (unsigned char *)s; *c; c++) {
        if ((*c < ' ' || *c == 0x7f) && !strchr(kept, *c))
            *c = '?';
        if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f) // U+0080 ... U+009F
            c[0] = c[1] = '?';
    }
}

void text_say(FILE *out, const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        text = need_string("?\n");
    size_t line = strlen(text);
    while (line && text[line - 1] == '\n')
        line--;
    char *ends = need_string(text + line);
    text[line] = '\0';
    text_mask_controls(text, "");
    fprintf(out, "%s%s", text, ends);
    free(ends);
    free(text);
}
