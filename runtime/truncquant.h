/* libtruncquant: a model of bit-planes, computed at any width that its file holds.
 *
 * A model file (FORMAT.md) keeps the codes of all quantized weights as bit-planes, the most
 * significant first. Its first k planes are the model of k bits: a file that ends behind a plane is
 * a model of so many. The width can be set at any time; nothing is converted but shifted.
 *
 *     struct tq_model *model;
 *     struct tq_session *session;
 *     if (tq_open("model.tqm", 0, &model))
 *         puts(tq_model_message(model));
 *     else if (tq_session_open(model, NULL, &session))
 *         puts(tq_session_message(session));
 *     else if (tq_set_bits(session, 2) || tq_infer_bytes(session, image, 1, scores))
 *         puts(tq_session_message(session));
 *
 * A model is immutable once it is open, and any number of threads may share it. A session computes;
 * it belongs to one thread at a time and owns the memory that it computes in, whose size is known
 * before. Nothing is allocated, locked or printed while a session computes, and the library has no
 * state of its own: what a call does depends on its arguments alone.
 *
 * What it computes: a convolution or linear layer whose weights and inputs are both codes sums
 * their products in integers, exactly; layers that stay float sum in double, in a fixed order;
 * everything else is float32, rounded after each operation. Scores are therefore the same, bit for
 * bit, whatever the processor and its instructions are.
 *
 * Every function that returns int returns an enum tq_code, TQ_OK being 0; the text that belongs to
 * it is kept with the model or the session. */
#ifndef TRUNCQUANT_H
#define TRUNCQUANT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TQ_API __attribute__((visibility("default")))
#else
#define TQ_API
#endif

enum tq_code {
    TQ_OK,
    TQ_NO_FILE,    // it cannot be opened, read or mapped
    TQ_NOT_MODEL,  // the bytes are no model file, or one of a later version
    TQ_DAMAGED,    // a checksum is wrong, or what the file says does not fit together
    TQ_TRUNCATED,  // the bytes end within what is needed
    TQ_NO_WIDTH,   // the model does not have this width, or the file not so many planes
    TQ_NO_MEMORY,  // it could not be allocated, or what was given is too small
    TQ_ARGUMENT,   // an argument is out of its range
    TQ_NOT_FINITE, // a score is infinite or no number: an image was, or sums overflowed
};

enum { TQ_BITS = 8, TQ_NAME = 128 };

struct tq_model;
struct tq_session;

/* What a model says of itself. Texts belong to the model. */
struct tq_info {
    const char *run, *scheme, *network, *dataset, *commit;
    int stored_bits;             // N
    int planes;                  // that are there and were asked for: the largest width
    int min_bits;                // the smallest width of the scheme
    int channels, height, width; // of an image of bytes
    int input_channels;          // of an image of floats: grey may feed a network of three
    int resized; // images of any size were made so: the middle of one whose shorter side was made
                 // 256/224 of the height
    int classes; // scores of one image
    int calibrated;            // whether there are norms that were calibrated for each width
    int act_bits[TQ_BITS + 1]; // by width: bits of activations, 32 for float ones
    size_t bytes[TQ_BITS + 1]; // by width: what has to be read of the file for it; [0]: without
                               // any plane
    size_t file_bytes;         // of the whole file with all planes, were they here or not
    int nodes, layers;         // operations of the network, and quantized layers among them
};

/* One quantized layer. */
struct tq_layer {
    int number;             // of its section in the network's description, from 0
    int is_linear;          // else a convolution
    int filters, inputs;    // weights are (filters, inputs)
    size_t row_bytes;       // of one filter in a plane
    size_t offset[TQ_BITS]; // in the file, by plane, the most significant first; 0: none
};

/* Open a model for widths of up to max_bits (0: all that the file has). Bytes behind what those
 * need are neither read nor looked at. Everything that is read is checked, so that a damaged file
 * is an error and never a wrong score.
 *
 * *model is set also when opening failed, for its message; it is NULL when there is no memory at
 * all. tq_close frees it in either case. A file is mapped: it must not be changed or cut while the
 * model is open. */
TQ_API int tq_open(const char *path, int max_bits, struct tq_model **model);

/* The same from memory, which stays the caller's, must outlive the model and be aligned to 8 bytes.
 * A prefix of a file that ends behind a plane is a model, too. */
TQ_API int tq_open_memory(const void *bytes, size_t size, int max_bits, struct tq_model **model);

TQ_API void tq_close(struct tq_model *model);

/* The text of the last failure, or "". */
TQ_API const char *tq_model_message(const struct tq_model *model);

TQ_API const struct tq_info *tq_model_info(const struct tq_model *model);

/* The name of a class, 0 ... classes - 1; "" for any other. */
TQ_API const char *tq_class_name(const struct tq_model *model, int i);

/* Quantized layer i, 0 ... info->layers - 1. */
TQ_API int tq_model_layer(const struct tq_model *model, int i, struct tq_layer *layer);

/* How a session computes. A NULL or zeroed one asks for the defaults. */
struct tq_options {
    int batch;      // images that go through a layer together, at most; 0 is 1
    int calibrated; // take the norms calibrated for each width, where the model has them
    int without;    // sets of instructions that are not to be used (enum tq_instructions)
    void *memory;   // of tq_session_bytes, aligned to 64; NULL: allocated
    size_t bytes;   // of it
};

enum tq_instructions {
    TQ_AVX2 = 1,
    TQ_AVX512 = 2,    // with VNNI
    TQ_VPOPCNTDQ = 4, // of AVX-512, beside VNNI, with GFNI
    TQ_ALL_INSTRUCTIONS = 7,
};

/* Bytes that a session needs for itself, whatever width is set. */
TQ_API size_t tq_session_bytes(const struct tq_model *model, const struct tq_options *options);

/* A session at the largest width of the model. *session is set also on failure, as in tq_open. The
 * kernels are chosen here, once, by what the processor has. */
TQ_API int tq_session_open(const struct tq_model *model, const struct tq_options *options,
                           struct tq_session **session);
TQ_API void tq_session_close(struct tq_session *session);
TQ_API const char *tq_session_message(const struct tq_session *session);

/* The kernels that it uses: "portable", "avx2", "avx512-vnni", "avx512-vpopcntdq". */
TQ_API const char *tq_session_kernels(const struct tq_session *session);

/* Compute with k bits from now on: min_bits ... planes. On failure the width stays as it was. */
TQ_API int tq_set_bits(struct tq_session *session, int k);
TQ_API int tq_bits(const struct tq_session *session);

/* Scores (n, classes) of n images. Bytes are planar, (n, channels, height, width), as stored: they
 * are normalised by the data set's mean and deviation, and grey is replicated where the network has
 * three channels. Floats are normalised already: (n, input_channels, height, width). */
TQ_API int tq_infer_bytes(struct tq_session *session, const uint8_t *images, size_t n,
                          float *scores);
TQ_API int tq_infer_floats(struct tq_session *session, const float *images, size_t n,
                           float *scores);

/* The place of the largest score, the first of equal ones. */
TQ_API int tq_best(const float *scores, int classes);

#ifdef __cplusplus
}
#endif

#endif
