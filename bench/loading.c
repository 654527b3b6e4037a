/* How fast images of a folder come to a network, without one:
 *
 *     build/bench/loading stream FOLDER SIZE LOADERS train|test N    N images decoded on the fly,
 *                                                                    after one
 *                                                                    batch to warm up; train:
 *                                                                      augmented
 *     build/bench/loading cached FOLDER EPOCHS                       decoded once into the cache,
 *                                                                    if it is not
 *                                                                    there, then epochs of
 *                                                                      augmented batches
 *
 * Prints one line "IMAGES SECONDS CPU_SECONDS" of each phase: the first look at the folder (all of
 * its images), then the loading. Files that were just written come from memory, not from a disk. */
#include "base/progress.h"
#include "base/text.h"
#include "data/loader.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BATCH = 64 };

struct watch {
    double wall, cpu;
};

static struct watch watch_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (struct watch){progress_clock(), (double)t.tv_sec + 1e-9 * (double)t.tv_nsec};
}

static void print_since(const struct watch *start, uint64_t images) {
    struct watch now = watch_now();
    printf("%llu %.6f %.6f\n", (unsigned long long)images, now.wall - start->wall,
           now.cpu - start->cpu);
}

/* Which images come: a split again and again. */
struct round {
    const struct dataset *data;
    enum split split;
    uint64_t batches, left; // of an epoch; still to be planned
};

static int plan(void *context, struct batch_request *r, uint32_t *order) {
    struct round *round = context;
    uint32_t n = round->data->split[round->split].n;
    uint64_t number = round->batches - round->left;
    if (!round->left)
        return 0;
    round->left--;
    r->split = round->split;
    r->n = BATCH;
    r->crop_flip = round->split == SPLIT_TRAIN;
    r->seed = 1;
    r->first = number * BATCH;
    for (uint32_t i = 0; i < BATCH; i++)
        order[i] = (uint32_t)((r->first + i) % n);
    return 1;
}

static int time_batches(struct round *round, int loaders, struct error *e) {
    struct loader *l = loader_start(&(struct loader_options){.data = round->data,
                                                             .batch = BATCH,
                                                             .channels = round->data->shape.c,
                                                             .threads = loaders,
                                                             .request = plan,
                                                             .context = round});
    struct batch b;
    int rc = loader_next(l, &b, e);
    struct watch start = watch_now();
    for (uint64_t i = 1; i < round->batches && !rc; i++)
        rc = loader_next(l, &b, e);
    if (!rc)
        print_since(&start, (round->batches - 1) * BATCH);
    loader_stop(l);
    return rc;
}

static int measure(const char *folder, int size, int loaders, enum split split, uint64_t images,
                   struct error *e) {
    struct dataset data;
    struct watch start = watch_now();
    if (dataset_open_at(&data, folder, size, e))
        return -1;
    uint64_t n = data.split[SPLIT_TRAIN].n;
    print_since(&start, n + data.split[SPLIT_TEST].n);
    uint64_t batches = 1 + ((size ? images : images * n) + BATCH - 1) / BATCH;
    struct round round = {.data = &data, .split = split, .batches = batches, .left = batches};
    int rc = time_batches(&round, loaders, e);
    dataset_close(&data);
    return rc;
}

static int run(int argc, char **argv, struct error *e) {
    long size, loaders, n;
    if (argc == 7 && !strcmp(argv[1], "stream") && !text_int(argv[3], 1, 4096, &size) &&
        !text_int(argv[4], 1, 256, &loaders) && !text_int(argv[6], 1, 1000000000, &n) &&
        (!strcmp(argv[5], "train") || !strcmp(argv[5], "test")))
        return measure(argv[2], (int)size, (int)loaders,
                       strcmp(argv[5], "test") ? SPLIT_TRAIN : SPLIT_TEST, (uint64_t)n, e);
    if (argc == 4 && !strcmp(argv[1], "cached") && !text_int(argv[3], 1, 1000, &n))
        return measure(argv[2], 0, 1, SPLIT_TRAIN, (uint64_t)n, e);
    return fail(e, "usage: loading stream FOLDER SIZE LOADERS train|test N | cached FOLDER EPOCHS");
}

int main(int argc, char **argv) {
    struct error e = {0};
    if (!run(argc, argv, &e))
        return 0;
    fprintf(stderr, "%s: %s\n", argv[0], e.text);
    return 1;
}
