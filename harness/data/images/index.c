/* The remembered look at a folder of images; index.h is the manual. A sealed file (base/sealed.h):
 *     fingerprint | hash | mean | deviation | train: images listed, left out, their places | test:
 *       the same */
#include "data/images/index.h"

#include "base/file.h"
#include "base/sealed.h"
#include "data/cache.h"
#include "data/images/scan.h"
#include "data/prepared.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char magic[8] = "tqimages";

/* In the fingerprint: raised when the same folder comes to be remembered otherwise. */
static const char version[] = "image index 2\n";

struct index {
    char hash[HASH_HEX];
    float mean[DATASET_CHANNELS], deviation[DATASET_CHANNELS];
    uint32_t listed[SPLITS], n_left_out[SPLITS];
    uint32_t *left_out[SPLITS]; // places in the listing, ascending; owned
};

static void index_free(struct index *x) {
    for (int s = 0; s < SPLITS; s++)
        free(x->left_out[s]);
    *x = (struct index){0};
}

/* ---- the file ---- */

static int index_write(const struct index *x, const struct source *source, const char *path,
                       struct error *e) {
    struct seal seal;
    if (seal_start(&seal, magic, e))
        return -1;
    seal_text(&seal, source->fingerprint);
    seal_text(&seal, x->hash);
    seal_bytes(&seal, x->mean, sizeof x->mean);
    seal_bytes(&seal, x->deviation, sizeof x->deviation);
    for (int s = 0; s < SPLITS; s++) {
        seal_i64(&seal, x->listed[s]);
        seal_i64(&seal, x->n_left_out[s]);
        seal_bytes(&seal, x->left_out[s], x->n_left_out[s] * sizeof *x->left_out[s]);
    }
    return seal_write(&seal, path, NULL, e);
}

static int same_text(struct opened *o, const char *wanted) {
    char *text = opened_text(o);
    int same = !strcmp(text, wanted);
    free(text);
    return same;
}

static int read_hash(struct opened *o, char hash[HASH_HEX]) {
    char *text = opened_text(o);
    int whole = strlen(text) == HASH_HEX - 1;
    if (whole)
        memcpy(hash, text, HASH_HEX);
    free(text);
    return whole;
}

static int read_split(struct index *x, int s, struct opened *o, const struct image_folder *f) {
    int64_t listed = opened_i64(o), n = opened_i64(o);
    if (o->bad || listed != f->split[s].n || n < 0 || n >= listed ||
        (uint64_t)n * sizeof(uint32_t) > o->left)
        return 0;
    x->listed[s] = (uint32_t)listed;
    x->n_left_out[s] = (uint32_t)n;
    x->left_out[s] = need((size_t)n, sizeof *x->left_out[s]);
    opened_bytes(o, x->left_out[s], (size_t)n * sizeof *x->left_out[s]);
    return 1;
}

/* -1, without a message, when there is none of this folder as it is. */
static int index_read(struct index *x, const struct source *source, const struct image_folder *f,
                      const char *path) {
    struct opened o;
    struct error ignored = {0};
    *x = (struct index){0};
    if (!file_exists(path) || opened_start(&o, path, magic, "image index", "remove it", &ignored))
        return -1;
    int good = same_text(&o, source->fingerprint) && read_hash(&o, x->hash);
    opened_bytes(&o, x->mean, sizeof x->mean);
    opened_bytes(&o, x->deviation, sizeof x->deviation);
    for (int s = 0; s < SPLITS && good; s++)
        good = read_split(x, s, &o, f);
    good = good && !o.bad && o.left == 0;
    opened_free(&o);
    if (!good)
        index_free(x);
    return good ? 0 : -1;
}

/* ---- making it ---- */

/* Raised when decoding comes to give other pixels; it is a part of the hash of those sets alone in
 * which some image is not as it is stored, so that others keep theirs. 1: transparency was dropped,
 * nothing was turned. */
enum { DECODING_VERSION = 2 };

/* Lines whose lengths do not depend on what they hold would do; names may hold anything, so each
 * ends in a NUL, and hashes are bytes. */
static int manifest(struct index *x, const struct image_folder *f, const struct image_scan *scan,
                    struct error *e) {
    char *bytes = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&bytes, &size);
    if (!text)
        return fail_at(e, f->root, 0, "no memory for its manifest");
    fprintf(text, "images\nclasses %d\n", f->classes);
    if (scan->is_changed)
        fprintf(text, "decoding %d\n", DECODING_VERSION);
    for (int c = 0; c < DATASET_CHANNELS; c++)
        fprintf(text, "%a %a\n", (double)x->mean[c], (double)x->deviation[c]);
    for (int s = 0; s < SPLITS; s++) {
        const struct image_files *files = &f->split[s];
        fprintf(text, "%s %u\n", s == SPLIT_TRAIN ? "train" : "test", files->n);
        for (uint32_t i = 0; i < files->n; i++) {
            const char *class = f->class_names[files->label[i]],
                       *name = files->names + files->name[i];
            fwrite(class, 1, strlen(class) + 1, text);
            fwrite(name, 1, strlen(name) + 1, text);
            fwrite(scan->digest[s][i], 1, HASH_BYTES, text);
        }
    }
    int rc = fclose(text) ? fail_at(e, f->root, 0, "no memory for its manifest") : 0;
    if (!rc)
        hash_hex(bytes, size, x->hash);
    free(bytes);
    return rc;
}

/* The places that a scan took out of a listing: names are where they were. */
static void note_left_out(struct index *x, int s, const uint64_t *listed, uint32_t n,
                          const struct image_files *kept) {
    x->listed[s] = n;
    x->left_out[s] = need(n - kept->n, sizeof *x->left_out[s]);
    for (uint32_t i = 0, k = 0; i < n; i++)
        if (k < kept->n && listed[i] == kept->name[k])
            k++;
        else
            x->left_out[s][x->n_left_out[s]++] = i;
}

static int index_make(struct index *x, struct image_folder *f, struct error *e) {
    uint64_t *listed[SPLITS];
    uint32_t n[SPLITS];
    struct image_scan scan;
    *x = (struct index){0};
    for (int s = 0; s < SPLITS; s++) {
        n[s] = f->split[s].n;
        listed[s] = need(n[s], sizeof *listed[s]);
        memcpy(listed[s], f->split[s].name, n[s] * sizeof *listed[s]);
    }
    int rc = image_scan(f, &scan, e);
    for (int s = 0; s < SPLITS; s++) {
        if (!rc)
            note_left_out(x, s, listed[s], n[s], &f->split[s]);
        free(listed[s]);
    }
    if (rc)
        return -1;
    for (int c = 0; c < DATASET_CHANNELS; c++)
        channel_statistics(scan.count[c], &x->mean[c], &x->deviation[c]);
    rc = manifest(x, f, &scan, e);
    image_scan_free(&scan);
    if (rc)
        index_free(x);
    return rc;
}

/* ---- using it ---- */

static void leave_out(struct image_files *files, const struct index *x, int s) {
    uint32_t kept = 0;
    if (files->n != x->listed[s])
        return; // the scan has done it
    for (uint32_t i = 0, k = 0; i < files->n; i++) {
        if (k < x->n_left_out[s] && x->left_out[s][k] == i) {
            k++;
            continue;
        }
        image_files_move(files, kept++, i);
    }
    files->n = kept;
}

static struct source source_of(const struct known_set *set, const struct image_folder *f) {
    struct source source = {.set = *set};
    char text[sizeof version + HASH_HEX];
    int n = snprintf(text, sizeof text, "%s%s", version, f->fingerprint);
    hash_hex(text, (size_t)n, source.fingerprint);
    return source;
}

/* Whoever gets the lock first looks at the images; the others find it done. */
static int make_under_lock(struct index *x, const struct source *source, struct image_folder *f,
                           const char *path, struct error *e) {
    int lock = cache_lock(source, e), rc = 0;
    if (lock < 0)
        return -1;
    if (index_read(x, source, f, path)) {
        cache_tidy(source);
        rc = index_make(x, f, e);
        if (!rc && (rc = index_write(x, source, path, e)))
            index_free(x);
    }
    close(lock);
    return rc;
}

int image_index_apply(struct dataset *d, const struct known_set *set, struct image_folder *f,
                      struct error *e) {
    struct source source = source_of(set, f);
    struct index x;
    char path[PATH_MAX];
    if (cache_path(&source, path, sizeof path, e))
        return -1;
    if (index_read(&x, &source, f, path) && make_under_lock(&x, &source, f, path, e))
        return -1;
    for (int s = 0; s < SPLITS; s++)
        leave_out(&f->split[s], &x, s);
    cache_touch(path);
    memcpy(d->hash, x.hash, sizeof d->hash);
    memcpy(d->mean, x.mean, sizeof d->mean);
    memcpy(d->deviation, x.deviation, sizeof d->deviation);
    index_free(&x);
    return 0;
}
