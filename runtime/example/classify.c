/* Say what a model makes of an image at each of its widths: classify MODEL.tqm IMAGE
 * The image is raw bytes, planar, of the model's size: (channels, height, width). */
#include <stdio.h>
#include <stdlib.h>
#include <truncquant.h>

static int fail(const char *what) {
    fprintf(stderr, "classify: %s\n", what);
    return EXIT_FAILURE;
}

int main(int argc, char **argv) {
    struct tq_model *model;
    struct tq_session *session;
    if (argc != 3)
        return fail("give a model and an image");
    if (tq_open(argv[1], 0, &model))
        return fail(tq_model_message(model));
    if (tq_session_open(model, NULL, &session))
        return fail(tq_session_message(session));

    const struct tq_info *info = tq_model_info(model);
    size_t size = (size_t)info->channels * (size_t)info->height * (size_t)info->width;
    uint8_t *image = malloc(size);
    float *scores = malloc((size_t)info->classes * sizeof *scores);
    FILE *file = fopen(argv[2], "rb");
    if (!image || !scores || !file || fread(image, 1, size, file) != size)
        return fail("the image cannot be read, or is too small for the model");
    fclose(file);

    for (int bits = info->min_bits; bits <= info->planes; bits++) {
        if (tq_set_bits(session, bits) || tq_infer_bytes(session, image, 1, scores))
            return fail(tq_session_message(session));
        int best = tq_best(scores, info->classes);
        printf("%d bits: %s, %.9g\n", bits, tq_class_name(model, best), (double)scores[best]);
    }
    tq_session_close(session);
    tq_close(model);
    free(image);
    free(scores);
}
