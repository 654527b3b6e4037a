/* truncquant infer: what a model file says of images, at any of its widths. */
#include "verbs/database.h"
#include "verbs/verb.h"

#include "base/file.h"
#include "base/text.h"
#include "deploy/accuracy.h"
#include "deploy/pictures.h"

#include <stdlib.h>

struct infer_options {
    const char *bits, *dataset, *loaders;
    int calibrated;
    int k; // 0: the largest
    int threads;
};

static int parse(struct options *o, struct infer_options *v, int *helped, struct error *e) {
    const struct option_row rows[] = {
        {"--bits", "K", "as many as there are", "compute with so many bits", &v->bits, NULL},
        {"--calibrated", NULL, NULL, "with the norms that pack --calibrated wrote", NULL,
         &v->calibrated},
        {"--accuracy", "DATASET", NULL,
         "top-1 on the test split of a data set, beside the run's truncated evaluation, if --db "
         "has one",
         &v->dataset, NULL},
        {"--loaders", "N", v->loaders, "threads that decode images of a folder ahead", &v->loaders,
         NULL},
        {0},
    };
    return verb_parse(
        o, "infer MODEL.tqm [IMAGE ...] [options]",
        "Say of each image (JPEG, PNG, or IDX files of many) its class, and the scores of all "
        "classes. An image that has\n"
        "not the model's size is made so as tests of image folders do.",
        rows, helped, e);
}

static int check_options(struct infer_options *v, int operands, struct error *e) {
    long k = 0, threads = 0;
    if (operands < 1)
        return fail(e, "infer: name a model file; 'truncquant pack' writes them");
    if (operands < 2 && !v->dataset)
        return fail(e, "infer: name images, or a data set with --accuracy");
    if (v->bits && text_int(v->bits, 1, 8, &k))
        return fail(e, "infer: --bits takes 1 ... 8, not '%.64s'", v->bits);
    if (text_int(v->loaders, 1, 1024, &threads))
        return fail(e, "infer: --loaders takes a number of threads, not '%.64s'", v->loaders);
    v->k = (int)k;
    v->threads = (int)threads;
    return 0;
}

/* ---- images ---- */

static void print_image(const struct tq_model *m, const char *path, size_t i, size_t n,
                        const float *scores) {
    int classes = tq_model_info(m)->classes, best = tq_best(scores, classes);
    printf("%s", path);
    if (n > 1)
        printf("[%zu]", i);
    text_say(stdout, ": %s;", tq_class_name(m, best));
    for (int c = 0; c < classes; c++)
        printf(" %.6g", (double)scores[c]);
    printf("\n");
}

static int infer_file(const struct tq_model *m, struct tq_session *s, const char *path,
                      struct error *e) {
    const struct tq_info *i = tq_model_info(m);
    struct pictures p;
    if (pictures_read(&p, path, i, e))
        return -1;
    float *scores = need(p.n * (size_t)i->classes + 1, sizeof *scores);
    int rc = tq_infer_bytes(s, p.bytes, p.n, scores);
    if (rc)
        rc = fail_at(e, path, 0, "%s", tq_session_message(s));
    for (size_t n = 0; !rc && n < p.n; n++)
        print_image(m, path, n, p.n, scores + n * (size_t)i->classes);
    free(scores);
    pictures_free(&p);
    return rc;
}

/* ---- accuracy ---- */

/* What the harness counted for the run, if the database is there and knows it. */
static int print_recorded(const struct options *o, const struct tq_info *i, int k, int calibrated,
                          struct error *e) {
    double top1 = 0;
    int64_t images = 0;
    struct store *store = file_exists(o->db) ? verb_open_store(o, STORE_READ, e) : NULL;
    if (store)
        store_run_accuracy(store, i->run, k, calibrated, &top1, &images, e);
    store_close(store);
    if (images)
        printf("of the run in %s: %.2f %% of %lld images\n", o->db, top1, (long long)images);
    else
        printf("of the run in %s: not recorded\n", o->db);
    return e->text[0] ? -1 : 0;
}

static int print_accuracy(const struct options *o, const struct tq_model *m, struct tq_session *s,
                          const struct infer_options *v, struct error *e) {
    struct packed_accuracy a;
    if (accuracy_count(&a, m, s, v->dataset, v->threads, e))
        return -1;
    printf("top-1 of the model at %d bits: %.2f %% of %u images; ", tq_bits(s),
           100.0 * a.correct / a.images, a.images);
    return print_recorded(o, tq_model_info(m), tq_bits(s), v->calibrated, e);
}

/* ---- all of it ---- */

static int infer_all(const struct options *o, const struct tq_model *m, struct tq_session *s,
                     const struct infer_options *v, int operands, struct error *e) {
    if (v->k && tq_set_bits(s, v->k))
        return fail(e, "%s: %s", o->argv[1], tq_session_message(s));
    for (int i = 2; i <= operands; i++)
        if (infer_file(m, s, o->argv[i], e))
            return -1;
    return v->dataset ? print_accuracy(o, m, s, v, e) : 0;
}

static int check_calibrated(const char *path, const struct tq_model *m,
                            const struct infer_options *v, struct error *e) {
    if (!v->calibrated || tq_model_info(m)->calibrated)
        return 0;
    return fail_at(e, path, 0,
                   "has no calibrated norms; 'truncquant pack --calibrated' writes "
                   "them");
}

static int infer(const struct options *o, const struct infer_options *v, int operands,
                 struct error *e) {
    const char *path = o->argv[1];
    struct tq_model *m;
    struct tq_session *s = NULL;
    struct tq_options so = {.calibrated = v->calibrated};
    int rc = tq_open(path, 0, &m);
    if (rc)
        rc = rc == TQ_NO_FILE ? fail(e, "%s", tq_model_message(m))
                              : fail_at(e, path, 0, "%s", tq_model_message(m));
    rc = rc ? rc : check_calibrated(path, m, v, e);
    if (!rc && tq_session_open(m, &so, &s))
        rc = fail_at(e, path, 0, "%s", tq_session_message(s));
    rc = rc ? rc : infer_all(o, m, s, v, operands, e);
    tq_session_close(s);
    tq_close(m);
    return rc ? EXIT_FAILED : EXIT_DONE;
}

int verb_infer(struct options *o, struct error *e) {
    struct infer_options v = {.loaders = "1"};
    int helped, operands = parse(o, &v, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands < 0 || check_options(&v, operands, e))
        return EXIT_USAGE;
    return infer(o, &v, operands, e);
}
