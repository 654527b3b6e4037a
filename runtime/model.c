/* Opening a model: the bytes, the header and its sections, the texts. Nothing that the file says is
 * used before it is checked; graph.c reads the network. */
#include "model.h"

#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "model files are used in place, and are little-endian"
#endif

int tq_model_fail(struct tq_model *m, int code, const char *format, ...) {
    va_list args;
    if (m->code)
        return m->code;
    va_start(args, format);
    vsnprintf(m->message, sizeof m->message, format, args);
    va_end(args);
    return m->code = code;
}

static int damaged(struct tq_model *m, const char *what) {
    return tq_model_fail(m, TQ_DAMAGED, "the model file is damaged: %s", what);
}

/* ---- header and sections ---- */

struct header {
    uint32_t sections, planes;
    uint64_t size, table; // of the whole file; of header and section table
};

static int check_header(struct tq_model *m, struct header *h) {
    const uint8_t *b = m->bytes;
    if (m->size < 8 || memcmp(b, TQ_MAGIC, 8) != 0)
        return tq_model_fail(m, TQ_NOT_MODEL, "this is no model file of truncquant");
    if (m->size < TQ_HEADER)
        return tq_model_fail(m, TQ_TRUNCATED, "the model file ends within its header");
    if (tq_u32(b + TQ_AT_VERSION) != TQ_VERSION)
        return tq_model_fail(m, TQ_NOT_MODEL,
                             "the model file is of version %u, this library reads version %d",
                             (unsigned)tq_u32(b + TQ_AT_VERSION), TQ_VERSION);
    h->sections = tq_u32(b + TQ_AT_SECTIONS);
    h->planes = tq_u32(b + TQ_AT_PLANES);
    h->size = tq_u64(b + TQ_AT_SIZE);
    if (h->planes < 1 || h->planes > TQ_BITS || h->sections != TQ_FIXED_SECTIONS + h->planes)
        return damaged(m, "its header");
    h->table = tq_aligned(TQ_HEADER + TQ_ENTRY * (uint64_t)h->sections);
    if (m->size < h->table)
        return tq_model_fail(m, TQ_TRUNCATED, "the model file ends within its header");
    uint64_t sum = tq_hash(b + TQ_HEADER, h->table - TQ_HEADER, tq_hash(b, TQ_AT_HEADER_SUM, 0));
    return sum == tq_u64(b + TQ_AT_HEADER_SUM) ? TQ_OK : damaged(m, "its header");
}

/* Sections follow each other without gaps, and together are the file. */
static int read_table(struct tq_model *m, const struct header *h, struct section *s) {
    uint64_t at = h->table;
    uint32_t stored = tq_u32(m->bytes + TQ_AT_STORED);
    if (stored < h->planes || stored > TQ_BITS)
        return damaged(m, "its header");
    for (uint32_t i = 0; i < h->sections; i++) {
        const uint8_t *entry = m->bytes + TQ_HEADER + i * TQ_ENTRY;
        int is_plane = i >= TQ_FIXED_SECTIONS;
        uint32_t plane = is_plane ? stored - 1 - (i - TQ_FIXED_SECTIONS) : 0;
        s[i] = (struct section){tq_u64(entry + TQ_AT_OFFSET), tq_u64(entry + TQ_AT_LENGTH),
                                tq_u64(entry + TQ_AT_SUM)};
        if (tq_u32(entry + TQ_AT_KIND) != (is_plane ? TQ_PLANE : TQ_TEXT + i) ||
            tq_u32(entry + TQ_AT_PLANE) != plane || s[i].offset != at ||
            s[i].length % TQ_ALIGN != 0 || s[i].length > h->size - at ||
            (is_plane && s[i].length != s[TQ_FIXED_SECTIONS].length))
            return damaged(m, "its table of sections");
        at += s[i].length;
    }
    m->info.stored_bits = (int)stored;
    return at == h->size ? TQ_OK : damaged(m, "its table of sections");
}

static int check_section(struct tq_model *m, const struct section *s, const char *what) {
    if (s->offset > m->size || s->length > m->size - s->offset)
        return tq_model_fail(m, TQ_TRUNCATED, "the model file ends within %s", what);
    return tq_hash(m->bytes + s->offset, s->length, 0) == s->sum ? TQ_OK : damaged(m, what);
}

/* A file may end behind any plane, but within none that is asked for. */
static int find_planes(struct tq_model *m, const struct header *h, const struct section *planes,
                       int max_bits) {
    int wanted = max_bits && (uint32_t)max_bits < h->planes ? max_bits : (int)h->planes, n = 0;
    char what[32];
    while (n < wanted && planes[n].offset + planes[n].length <= m->size)
        n++;
    if (!n || (n < wanted && planes[n].offset < m->size))
        return tq_model_fail(m, TQ_TRUNCATED, "the model file ends within its plane %d",
                             m->info.stored_bits - 1 - n);
    if (max_bits > n)
        return tq_model_fail(m, TQ_NO_WIDTH, "the model file has %d planes, %d bits are asked for",
                             n, max_bits);
    for (int i = 0; i < n; i++) {
        snprintf(what, sizeof what, "plane %d", m->info.stored_bits - 1 - i);
        if (check_section(m, &planes[i], what))
            return m->code;
        m->plane_at[i] = planes[i].offset;
        m->info.bytes[i + 1] = (size_t)(planes[i].offset + planes[i].length);
    }
    m->info.bytes[0] = (size_t)planes[0].offset;
    m->info.planes = n;
    m->plane_bytes = planes[0].length;
    return TQ_OK;
}

/* ---- texts ---- */

/* The next of the texts; NULL: there is none. */
static const char *next_text(const char **at, const char *end) {
    const char *text = *at;
    const char *nul = text < end ? memchr(text, 0, (size_t)(end - text)) : NULL;
    *at = nul ? nul + 1 : end;
    return nul ? text : NULL;
}

static int read_texts(struct tq_model *m, const struct section *s) {
    const char *at = (const char *)m->bytes + s->offset, *end = at + s->length;
    const char **of[] = {&m->info.run, &m->info.scheme, &m->info.network, &m->info.dataset,
                         &m->info.commit};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (!(*of[i] = next_text(&at, end)) || strlen(*of[i]) >= TQ_NAME)
            return damaged(m, "its texts");
    m->classes = calloc((size_t)m->info.classes, sizeof *m->classes);
    if (!m->classes)
        return tq_model_fail(m, TQ_NO_MEMORY, "there is no memory for the model");
    for (int i = 0; i < m->info.classes; i++)
        if (!(m->classes[i] = next_text(&at, end)))
            return damaged(m, "its texts");
    return TQ_OK;
}

/* ---- opening ---- */

static int read_all(struct tq_model *m, int max_bits) {
    struct header h = {0};
    struct section s[TQ_FIXED_SECTIONS + TQ_BITS];
    if (check_header(m, &h) || read_table(m, &h, s))
        return m->code;
    m->info.file_bytes = (size_t)h.size;
    const struct section *text = &s[0], *graph = &s[1], *floats = &s[2],
                         *planes = &s[TQ_FIXED_SECTIONS];
    if (check_section(m, text, "its texts") || check_section(m, graph, "its network") ||
        check_section(m, floats, "its floats") || find_planes(m, &h, planes, max_bits) ||
        tq_read_graph(m, graph, floats, planes->length) || tq_check_nodes(m) || read_texts(m, text))
        return m->code;
    if (m->info.planes < m->info.min_bits)
        return tq_model_fail(m, TQ_NO_WIDTH,
                             "%d planes are no model of scheme %s, whose smallest width is %d",
                             m->info.planes, m->info.scheme, m->info.min_bits);
    return TQ_OK;
}

static int map_file(struct tq_model *m, const char *path) {
    struct stat status;
    // A pipe of that name is refused below instead of waited for.
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return tq_model_fail(m, TQ_NO_FILE, "%.150s: %s", path, strerror(errno));
    int is_file = !fstat(file, &status) && S_ISREG(status.st_mode) && status.st_size > 0;
    if (is_file) {
        m->map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        m->map = m->map == MAP_FAILED ? NULL : m->map;
    }
    close(file);
    if (!m->map)
        return tq_model_fail(m, is_file ? TQ_NO_FILE : TQ_NOT_MODEL, "%.150s: %s", path,
                             is_file ? strerror(errno) : "is no file, or an empty one");
    m->bytes = m->map;
    m->size = m->map_size = (size_t)status.st_size;
    return TQ_OK;
}

static struct tq_model *start(struct tq_model **model) {
    return *model = calloc(1, sizeof **model);
}

static int check_bits(struct tq_model *m, int max_bits) {
    if (max_bits >= 0 && max_bits <= TQ_BITS)
        return TQ_OK;
    return tq_model_fail(m, TQ_ARGUMENT, "%d is no number of bits: 1 ... 8, or 0 for all",
                         max_bits);
}

int tq_open(const char *path, int max_bits, struct tq_model **model) {
    struct tq_model *m = start(model);
    if (!m)
        return TQ_NO_MEMORY;
    return check_bits(m, max_bits) || map_file(m, path) ? m->code : read_all(m, max_bits);
}

int tq_open_memory(const void *bytes, size_t size, int max_bits, struct tq_model **model) {
    struct tq_model *m = start(model);
    if (!m)
        return TQ_NO_MEMORY;
    m->bytes = bytes;
    m->size = size;
    if (check_bits(m, max_bits))
        return m->code;
    if (!bytes || (uintptr_t)bytes % 8)
        return tq_model_fail(m, TQ_ARGUMENT, "the bytes of a model have to be aligned to 8");
    return read_all(m, max_bits);
}

void tq_close(struct tq_model *m) {
    if (!m)
        return;
    if (m->map)
        munmap(m->map, m->map_size);
    free(m->nodes);
    free(m->layers);
    free((void *)m->classes);
    free(m);
}

/* ---- what it says of itself ---- */

const char *tq_model_message(const struct tq_model *m) {
    return m ? m->message : "there is no memory for the model";
}

const struct tq_info *tq_model_info(const struct tq_model *m) {
    return &m->info;
}

const char *tq_class_name(const struct tq_model *m, int i) {
    return i >= 0 && i < m->info.classes ? m->classes[i] : "";
}

int tq_model_layer(const struct tq_model *m, int i, struct tq_layer *layer) {
    *layer = (struct tq_layer){0};
    if (i < 0 || i >= m->info.layers)
        return TQ_ARGUMENT;
    const struct layer *l = &m->layers[i];
    const struct node *n = &m->nodes[l->node];
    *layer = (struct tq_layer){.number = (int)n->number,
                               .is_linear = n->op == TQ_LINEAR,
                               .filters = (int)l->rows,
                               .inputs = (int)l->inputs,
                               .row_bytes = l->row_bytes};
    for (int p = 0; p < m->info.planes; p++)
        layer->offset[p] = (size_t)(m->plane_at[p] + l->at);
    return TQ_OK;
}

void tq_row_planes(const struct tq_model *m, const struct layer *l, int k, uint32_t row,
                   const uint8_t *planes[TQ_BITS]) {
    for (int p = 0; p < k; p++)
        planes[p] = m->bytes + m->plane_at[p] + l->at + (uint64_t)row * l->row_bytes;
}
