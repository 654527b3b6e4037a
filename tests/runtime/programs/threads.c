/* Four threads share a model, each with a session of its own at changing widths: threads MODEL.tqm
 * IMAGES. Every score has to be that of one thread; built with ThreadSanitizer. */
#include "runtime/truncquant.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 3, MOST = 1 << 20 };

static const struct tq_model *model;
static uint8_t images[MOST];
static size_t n;
static float *expected[9]; // by width

static size_t scores_bytes(void) {
    return n * (size_t)tq_model_info(model)->classes * sizeof(float);
}

/* NULL, or what is wrong. */
static void *compute(void *first) {
    const struct tq_info *info = tq_model_info(model);
    int widths = info->planes - info->min_bits + 1;
    float *scores = malloc(scores_bytes());
    struct tq_session *s;
    char *wrong = tq_session_open(model, NULL, &s) ? "a session cannot be opened" : NULL;
    for (int i = 0; i < ROUNDS * widths && !wrong; i++) {
        int k = info->min_bits + (i + *(int *)first) % widths;
        if (tq_set_bits(s, k) || tq_infer_bytes(s, images, n, scores))
            wrong = "a session fails";
        else if (expected[k] && memcmp(scores, expected[k], scores_bytes()) != 0)
            wrong = "scores are others";
        else if (!expected[k])
            expected[k] = memcpy(malloc(scores_bytes()), scores, scores_bytes());
    }
    tq_session_close(s);
    free(scores);
    return wrong;
}

int main(int argc, char **argv) {
    struct tq_model *m = NULL;
    pthread_t thread[THREADS];
    int first[THREADS], status = 0;
    FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
    size_t size = file ? fread(images, 1, sizeof images, file) : 0;
    if (!size || tq_open(argv[1], 0, &m))
        return 1;
    fclose(file);
    model = m;
    const struct tq_info *info = tq_model_info(m);
    n = size / ((size_t)info->channels * (size_t)info->height * (size_t)info->width);
    first[0] = 0;
    status |= compute(&first[0]) != NULL; // alone: what is expected
    for (int i = 0; i < THREADS; i++) {
        first[i] = i;
        status |= pthread_create(&thread[i], NULL, compute, &first[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(thread[i], &wrong);
        status |= wrong != NULL;
        if (wrong)
            puts(wrong);
    }
    for (int k = 0; k < 9; k++)
        free(expected[k]);
    tq_close(m);
    printf("%zu images, %s\n", n, status ? "wrong" : "the same in all threads");
    return status;
}
