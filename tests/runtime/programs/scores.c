/* All scores of a model at all of its widths, to the last bit: scores MODEL.tqm IMAGES, of raw
 * bytes of so many images as there are. Built for two kinds of processor, whose output has to be
 * equal. */
#include "runtime/truncquant.h"

#include <stdio.h>
#include <stdlib.h>

static void print_scores(struct tq_session *s, const struct tq_info *info, const uint8_t *images,
                         size_t n, float *scores) {
    for (int k = info->min_bits; k <= info->planes; k++) {
        if (tq_set_bits(s, k) || tq_infer_bytes(s, images, n, scores)) {
            fprintf(stderr, "%s\n", tq_session_message(s));
            exit(1);
        }
        for (size_t i = 0; i < n * (size_t)info->classes; i++)
            printf("%d %a\n", k, (double)scores[i]);
    }
}

int main(int argc, char **argv) {
    enum { MOST = 1 << 20 };
    static uint8_t images[MOST];
    struct tq_model *m = NULL;
    struct tq_session *s = NULL;
    FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
    size_t size = file ? fread(images, 1, sizeof images, file) : 0;
    if (!size || tq_open(argv[1], 0, &m) || tq_session_open(m, NULL, &s)) {
        fprintf(stderr, "no images, or: %s\n", m ? tq_model_message(m) : "");
        return 1;
    }
    const struct tq_info *info = tq_model_info(m);
    size_t n = size / ((size_t)info->channels * (size_t)info->height * (size_t)info->width);
    float *scores = malloc(n * (size_t)info->classes * sizeof *scores);
    fprintf(stderr, "%s, %zu images\n", tq_session_kernels(s), n);
    print_scores(s, info, images, n, scores);
    free(scores);
    tq_session_close(s);
    tq_close(m);
    return fclose(file);
}
