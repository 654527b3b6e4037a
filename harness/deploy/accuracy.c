/* Counting a packed model's right answers; accuracy.h is the manual. */
#include "deploy/accuracy.h"

#include "data/loader.h"

#include <stdlib.h>

enum { BATCH = 64 };

/* All images of the split, in order. */
struct walk {
    uint32_t at, images;
};

static int request_next(void *context, struct batch_request *r, uint32_t *order) {
    struct walk *walk = context;
    uint32_t left = walk->images - walk->at;
    if (!left)
        return 0;
    r->split = SPLIT_TEST;
    r->n = left < BATCH ? left : BATCH;
    for (uint32_t i = 0; i < r->n; i++)
        order[i] = walk->at + i;
    walk->at += r->n;
    return 1;
}

static int check_set(const struct dataset *d, const struct tq_info *i, const char *name,
                     struct error *e) {
    if (d->shape.h == i->height && d->shape.w == i->width && d->classes == i->classes &&
        (d->shape.c == i->channels || d->shape.c == 1))
        return 0;
    return fail(e,
                "%s has %d classes of images of %d x %d x %d, the model %d of %d x %d x %d; name "
                "the data set that it was trained on, which is %s",
                name, d->classes, d->shape.c, d->shape.h, d->shape.w, i->classes, i->channels,
                i->height, i->width, i->dataset);
}

static int count_batch(struct packed_accuracy *a, struct tq_session *s, const struct batch *b,
                       int classes, float *scores, struct error *e) {
    if (tq_infer_floats(s, b->images, b->n, scores))
        return fail(e, "%s", tq_session_message(s));
    for (uint32_t i = 0; i < b->n; i++)
        a->correct += tq_best(scores + (size_t)i * (size_t)classes, classes) == b->labels[i];
    a->images += b->n;
    return 0;
}

static int count_all(struct packed_accuracy *a, const struct tq_info *i, struct tq_session *s,
                     const struct dataset *d, int loaders, struct error *e) {
    struct walk walk = {.images = d->split[SPLIT_TEST].n};
    struct loader *loader = loader_start(&(struct loader_options){.data = d,
                                                                  .batch = BATCH,
                                                                  .channels = i->input_channels,
                                                                  .threads = loaders,
                                                                  .request = request_next,
                                                                  .context = &walk});
    float *scores = need((size_t)BATCH * (size_t)i->classes, sizeof *scores);
    struct batch b;
    int rc = 0;
    *a = (struct packed_accuracy){0};
    while (!rc && a->images < walk.images) {
        rc = loader_next(loader, &b, e);
        rc = rc ? rc : count_batch(a, s, &b, i->classes, scores, e);
    }
    free(scores);
    loader_stop(loader);
    return rc;
}

int accuracy_count(struct packed_accuracy *a, const struct tq_model *m, struct tq_session *s,
                   const char *dataset, int loaders, struct error *e) {
    const struct tq_info *i = tq_model_info(m);
    struct dataset d;
    if (dataset_open_at(&d, dataset, i->resized ? i->height : 0, e))
        return -1;
    int rc = check_set(&d, i, dataset, e);
    rc = rc ? rc : count_all(a, i, s, &d, loaders, e);
    dataset_close(&d);
    return rc;
}
