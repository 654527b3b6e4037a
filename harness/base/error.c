/* Error messages and allocations that cannot fail; error.h is the manual. */
#include "base/error.h"

#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SHOWN = 512 }; // bytes of a file's name

/* Names and values are the user's, and may hold a line end or a terminal's escape. */
static int keep_to_one_line(struct error *e) {
    text_mask_controls(e->text, "");
    return -1;
}

int fail(struct error *e, const char *format, ...) {
    if (e->text[0])
        return -1;
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return keep_to_one_line(e);
}

int fail_at(struct error *e, const char *file, int line, const char *format, ...) {
    if (e->text[0])
        return -1;
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return fail_prefix(e, file, line);
}

int fail_outside(struct error *e, const char *file, const char *format, ...) {
    if (e->text[0])
        return -1;
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    e->is_outside = 1;
    return fail_prefix(e, file, 0);
}

const char *error_remedy(int why) {
    switch (why) {
    case ENOSPC:
    case EDQUOT:
        return "free space";
    case EFBIG:
        return "raise the limit on the size of files (ulimit -f)";
    case ENOMEM:
        return "end other programs, or raise the limit on memory (ulimit -v)";
    case EMFILE:
        return "raise the limit on open files (ulimit -n)";
    case EACCES:
    case EPERM:
        return "fix its permissions";
    case EROFS:
        return "name another place, which can be written to";
    case ELOOP:
        return "is it a link? remove it";
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return "check the name";
    case EISDIR:
        return "name a file";
    case ENOLCK:
    case ENOSYS:
    case EOPNOTSUPP:
        return "its file system cannot do that; use another";
    default:
        return "is the disk sound?";
    }
}

int fail_system(struct error *e, const char *file, const char *what, int why) {
    static const int of_names[] = {ENOENT, ENOTDIR, ENAMETOOLONG, EISDIR, ELOOP};
    int is_of_name = 0;
    for (size_t i = 0; i < sizeof of_names / sizeof *of_names; i++)
        is_of_name |= why == of_names[i];
    e->is_outside |= !e->text[0] && !is_of_name;
    if (!why)
        return fail_at(e, file, 0, "%s; %s", what, error_remedy(why));
    return fail_at(e, file, 0, "%s (%s); %s", what, strerror(why), error_remedy(why));
}

int fail_prefix(struct error *e, const char *file, int line) {
    char text[sizeof e->text];
    snprintf(text, sizeof text, "%s", e->text);
    size_t length = strlen(file);
    const char *cut = length > NAME_SHOWN ? "..." : "";
    const char *shown = length > NAME_SHOWN ? file + length - NAME_SHOWN : file;
    int n = line > 0 ? snprintf(e->text, sizeof e->text, "%s%s:%d: ", cut, shown, line)
                     : snprintf(e->text, sizeof e->text, "%s%s: ", cut, shown);
    size_t room = sizeof e->text - (size_t)n - 1;
    memccpy(e->text + n, text, '\0', room);
    e->text[sizeof e->text - 1] = '\0';
    return keep_to_one_line(e);
}

/* One that has no room is left out: the file has to be mended anyway. */
static void put_aside(struct error *e) {
    size_t at = strlen(e->others), n = strlen(e->text);
    if (at + n + 2 <= sizeof e->others) {
        memcpy(e->others + at, e->text, n);
        memcpy(e->others + at + n, "\n", 2);
    }
    e->n_others++;
    e->text[0] = '\0';
}

int fail_next(struct error *e) {
    if (e->text[0])
        put_aside(e);
    return e->n_others < FAULTS_SHOWN ? 0 : -1;
}

int fail_any(struct error *e) {
    if (e->text[0])
        put_aside(e);
    if (!e->n_others)
        return 0;
    size_t n = strcspn(e->others, "\n");
    memcpy(e->text, e->others, n);
    e->text[n] = '\0';
    memmove(e->others, e->others + n + 1, strlen(e->others + n));
    e->n_others--;
    return -1;
}

static void out_of_memory(size_t n, size_t size) {
    fprintf(stderr, "truncquant: out of memory (%zu x %zu bytes wanted); use a smaller batch\n", n,
            size);
    exit(1);
}

void *need(size_t n, size_t size) {
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p)
        out_of_memory(n, size);
    return p;
}

void *need_aligned(size_t n, size_t size) {
    enum { ALIGNED = 64 };
    if (size && n > (SIZE_MAX - NEED_SLACK - ALIGNED) / size)
        out_of_memory(n, size);
    size_t bytes = (n * size + NEED_SLACK + ALIGNED - 1) / ALIGNED * ALIGNED;
    void *p = aligned_alloc(ALIGNED, bytes);
    if (!p)
        out_of_memory(n, size);
    return memset(p, 0, bytes);
}

void *need_room(void *rows, int n, int *room, size_t size) {
    if (n < *room)
        return rows;
    *room = n ? 2 * n : 16;
    void *more = need((size_t)*room, size);
    if (n)
        memcpy(more, rows, (size_t)n * size);
    free(rows);
    return more;
}

char *need_string(const char *s) {
    char *copy = need(strlen(s) + 1, 1);
    return strcpy(copy, s);
}

FILE *need_stream(char **text, size_t *size) {
    FILE *out = open_memstream(text, size);
    if (!out)
        out_of_memory(1, BUFSIZ);
    return out;
}
