/* A ring of batches that threads fill image by image, in order; loader.h is the manual. */
#include "data/loader.h"

#include "data/images/stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    struct batch_request r;
    uint32_t *order;  // (batch)
    float *images;    // (batch, c, h, w)
    uint16_t *labels; // (batch)
    uint32_t taken, done;
    uint32_t failed_at; // place of the first image that failed; r.n: none
    struct error error;
};

struct loader {
    struct loader_options o;
    size_t image; // floats
    struct slot slots[LOADER_BATCHES];
    // below: guarded by the mutex
    uint64_t first;   // number of the batch in use, or of the next to be
    uint64_t planned; // batches planned; first <= planned <= first + LOADER_BATCHES
    int started;      // a batch is in use
    int ended, stop;
    pthread_mutex_t mutex;
    pthread_cond_t work, ready; // there may be an image to take; a batch is done, or the last was
    int n_threads;
    pthread_t *threads;
};

static struct slot *slot_of(struct loader *l, uint64_t number) {
    return &l->slots[number % LOADER_BATCHES];
}

/* Plan one more batch into its slot. */
static void plan_next(struct loader *l) {
    struct slot *s = slot_of(l, l->planned);
    s->r = (struct batch_request){.order = s->order, .channels = l->o.channels};
    s->taken = s->done = 0;
    s->error = (struct error){0};
    if (!l->o.request(l->o.context, &s->r, s->order)) {
        l->ended = 1;
        pthread_cond_broadcast(&l->ready);
        return;
    }
    s->failed_at = s->r.n;
    l->planned++;
}

/* The oldest batch that has an image nobody took; plans one more if there is room. NULL: nothing to
 * do. */
static struct slot *find_work(struct loader *l) {
    for (;;) {
        for (uint64_t number = l->first; number < l->planned; number++) {
            struct slot *s = slot_of(l, number);
            if (s->taken < s->r.n)
                return s;
        }
        if (l->ended || l->planned == l->first + LOADER_BATCHES)
            return NULL;
        plan_next(l);
    }
}

static void fill_one(struct loader *l, struct slot *s) {
    uint32_t i = s->taken++;
    struct error e = {0};
    pthread_mutex_unlock(&l->mutex);
    int rc = image_stream_fill(l->o.data, &s->r, i, s->images + i * l->image, &e);
    s->labels[i] = l->o.data->split[s->r.split].labels[s->order[i]];
    pthread_mutex_lock(&l->mutex);
    if (rc && i < s->failed_at) {
        s->failed_at = i;
        s->error = e;
    }
    if (++s->done == s->r.n)
        pthread_cond_broadcast(&l->ready);
}

static void *fill_ahead(void *argument) {
    struct loader *l = argument;
    pthread_mutex_lock(&l->mutex);
    while (!l->stop) {
        struct slot *s = find_work(l);
        if (s)
            fill_one(l, s);
        else
            pthread_cond_wait(&l->work, &l->mutex);
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

static void start_threads(struct loader *l) {
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->ready, NULL);
    l->threads = need((size_t)l->o.threads, sizeof *l->threads);
    while (l->n_threads < l->o.threads &&
           !pthread_create(&l->threads[l->n_threads], NULL, fill_ahead, l))
        l->n_threads++;
}

struct loader *loader_start(const struct loader_options *o) {
    struct loader *l = need(1, sizeof *l);
    const struct shape *shape = &o->data->shape;
    l->o = *o;
    l->image = (size_t)o->channels * (size_t)shape->h * (size_t)shape->w;
    for (int i = 0; i < (o->data->stream ? LOADER_BATCHES : 1); i++) {
        l->slots[i].order = need(o->batch, sizeof *l->slots[i].order);
        l->slots[i].labels = need(o->batch, sizeof *l->slots[i].labels);
        l->slots[i].images = need_aligned(o->batch * l->image, sizeof(float));
    }
    if (o->data->stream)
        start_threads(l);
    return l;
}

static void stop_threads(struct loader *l) {
    pthread_mutex_lock(&l->mutex);
    l->stop = 1;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->mutex);
    for (int i = 0; i < l->n_threads; i++)
        pthread_join(l->threads[i], NULL);
    pthread_mutex_destroy(&l->mutex);
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->ready);
    free(l->threads);
}

void loader_stop(struct loader *l) {
    if (!l)
        return;
    if (l->o.data->stream)
        stop_threads(l);
    for (int i = 0; i < LOADER_BATCHES; i++) {
        free(l->slots[i].order);
        free(l->slots[i].labels);
        free(l->slots[i].images);
    }
    free(l);
}

/* Wait for the batch that is next; NULL when there is none. Where no thread could be started, this
 * one does their work. */
static struct slot *wait_for_next(struct loader *l) {
    pthread_mutex_lock(&l->mutex);
    l->first += l->started && l->first < l->planned;
    l->started = 1;
    pthread_cond_broadcast(&l->work);
    struct slot *s = slot_of(l, l->first);
    while (l->planned > l->first ? s->done < s->r.n : !l->ended) {
        struct slot *work = l->n_threads ? NULL : find_work(l);
        if (work)
            fill_one(l, work);
        else if (l->n_threads)
            pthread_cond_wait(&l->ready, &l->mutex);
    }
    int none = l->planned == l->first;
    pthread_mutex_unlock(&l->mutex);
    return none ? NULL : s;
}

/* A set in memory: now. */
static struct slot *fill_now(struct loader *l) {
    struct slot *s = &l->slots[0];
    s->r = (struct batch_request){.order = s->order, .channels = l->o.channels};
    if (!l->o.request(l->o.context, &s->r, s->order))
        return NULL;
    dataset_fill(l->o.data, &s->r, s->images, s->labels);
    return s;
}

int loader_next(struct loader *l, struct batch *b, struct error *e) {
    const struct slot *s = l->o.data->stream ? wait_for_next(l) : fill_now(l);
    if (!s)
        return fail(e, "%s has no further batch", l->o.data->name);
    if (s->error.text[0])
        return fail(e, "%s", s->error.text);
    *b = (struct batch){.n = s->r.n, .images = s->images, .labels = s->labels};
    return 0;
}
