/* Arrays into a zip archive, through libarchive; npz.h is the manual. */
#include "deploy/npz.h"

#include "base/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

enum { PREAMBLE = 10, ALIGNED = 64 }; // bytes of an .npy file

struct npz {
    struct archive *archive;
    FILE *out; // of what the archive makes
    char *bytes;
    size_t size;
    struct error error; // the first
};

/* ---- the archive ---- */

static la_ssize_t write_bytes(struct archive *a, void *context, const void *bytes, size_t n) {
    struct npz *z = context;
    (void)a;
    return (la_ssize_t)fwrite(bytes, 1, n, z->out);
}

static void expect(struct npz *z, int result) {
    if (result < ARCHIVE_WARN)
        fail(&z->error, "the archive cannot be written: %s", archive_error_string(z->archive));
}

struct npz *npz_start(void) {
    struct npz *z = need(1, sizeof *z);
    z->out = need_stream(&z->bytes, &z->size);
    z->archive = archive_write_new();
    expect(z, archive_write_set_format_zip(z->archive));
    expect(z, archive_write_set_bytes_in_last_block(z->archive, 1)); // no padding behind
    expect(z, archive_write_open(z->archive, z, NULL, write_bytes, NULL));
    return z;
}

static void put(struct npz *z, const void *bytes, size_t n) {
    if (n && !z->error.text[0] && archive_write_data(z->archive, bytes, n) != (la_ssize_t)n)
        expect(z, ARCHIVE_FATAL);
}

static void start_member(struct npz *z, const char *name, size_t size) {
    char file[160];
    struct archive_entry *entry = archive_entry_new();
    snprintf(file, sizeof file, "%s.npy", name);
    archive_entry_set_pathname(entry, file);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)size);
    archive_entry_set_mtime(entry, 315532800, 0); // as early as zip has: the same bytes each time
    if (!z->error.text[0])
        expect(z, archive_write_header(z->archive, entry));
    archive_entry_free(entry);
}

int npz_write(struct npz *z, const char *path, struct error *e) {
    expect(z, archive_write_close(z->archive));
    archive_write_free(z->archive);
    fclose(z->out);
    int rc =
        z->error.text[0] ? fail(e, "%s", z->error.text) : file_replace(path, z->bytes, z->size, e);
    free(z->bytes);
    free(z);
    return rc;
}

/* ---- arrays ---- */

/* (3, 4), (3,), (): a tuple of Python. */
static void print_shape(FILE *out, int n_dims, const size_t *dims) {
    fputc('(', out);
    for (int i = 0; i < n_dims; i++)
        fprintf(out, i ? ", %zu" : "%zu", dims[i]);
    fputs(n_dims == 1 ? ",)" : ")", out);
}

/* The line before the elements, filled up with blanks so that they begin at an even place. */
static char *header(const char *kind, int n_dims, const size_t *dims, size_t *size) {
    char *line;
    size_t used;
    FILE *out = need_stream(&line, size);
    fprintf(out, "\x93NUMPY%c%c  {'descr': '%s', 'fortran_order': False, 'shape': ", 1, 0, kind);
    print_shape(out, n_dims, dims);
    fputs(", }", out);
    fflush(out);
    for (used = *size + 1; used % ALIGNED; used++)
        fputc(' ', out);
    fputc('\n', out);
    fclose(out);
    line[PREAMBLE - 2] = (char)((*size - PREAMBLE) & 255); // its length without these, in two bytes
    line[PREAMBLE - 1] = (char)((*size - PREAMBLE) >> 8);
    return line;
}

static void put_array(struct npz *z, const char *name, const char *kind, size_t element, int n_dims,
                      const size_t *dims, const void *elements) {
    size_t size, bytes = element;
    char *line = header(kind, n_dims, dims, &size);
    for (int i = 0; i < n_dims; i++)
        bytes *= dims[i];
    start_member(z, name, size + bytes);
    put(z, line, size);
    put(z, elements, bytes);
    free(line);
}

void npz_array(struct npz *z, const char *name, enum npz_type type, int n_dims, const size_t *dims,
               const void *elements) {
    static const char *const kinds[] = {[NPZ_I8] = "|i1", [NPZ_I32] = "<i4", [NPZ_F32] = "<f4"};
    put_array(z, name, kinds[type], type == NPZ_I8 ? 1 : 4, n_dims, dims, elements);
}

void npz_number(struct npz *z, const char *name, int32_t x) {
    npz_array(z, name, NPZ_I32, 0, NULL, &x);
}

/* ---- texts ---- */

/* One character of UTF-8, behind which *text leads then; a byte that begins none stands for itself.
 */
static uint32_t next_character(const char **text) {
    const uint8_t *s = (const uint8_t *)*text;
    int more = s[0] >= 0xf8 ? 0 : s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc0;
    uint32_t c = more ? s[0] & (0x3fU >> more) : s[0];
    for (int i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            (*text)++;
            return s[0];
        }
        c = c << 6 | (s[i] & 0x3f);
    }
    *text += 1 + more;
    return c;
}

static size_t characters(const char *text) {
    size_t n = 0;
    for (; *text; n++)
        next_character(&text);
    return n;
}

void npz_texts(struct npz *z, const char *name, int n, const char *const *texts) {
    size_t longest = 1, count = n < 0 ? 1 : (size_t)n;
    char kind[32];
    for (size_t i = 0; i < count; i++)
        longest = characters(texts[i]) > longest ? characters(texts[i]) : longest;
    uint32_t *all = need(count * longest + 1, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        const char *text = texts[i];
        for (uint32_t *to = all + i * longest; *text; to++)
            *to = next_character(&text);
    }
    snprintf(kind, sizeof kind, "<U%zu", longest);
    put_array(z, name, kind, longest * sizeof *all, n < 0 ? 0 : 1, &count, all);
    free(all);
}
