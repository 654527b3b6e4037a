/* What computes a network: forward and backward over a batch, for any bank and any width.
 * `reference` is plain and obviously right; faster engines are tested against it.
 *
 * An engine never sees latent weights or quantizers: it is given the weights Ŵ to compute with
 * (set_weights) and returns dL/dŴ (weight_gradient). The few other numbers that it needs stand in
 * the model (enum engine_numbers). It may work on those themselves, or on copies, as one does whose
 * memory is a device's: callers say when they have changed them, and when they are about to read
 * them (upload, download).
 *
 * To add one: its struct in a file of its own, and a line in engine.c. It states what it is and
 * what it lacks on a machine; nothing else in the harness knows it by name. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/team.h"
#include "model/model.h"

#include <stdio.h>

struct program; // an engine's compiled model, opaque
struct exact_engine;

/* The version of this interface. It grows by one when a slot changes its meaning or a new one has
 * to be filled. An engine says, in digits, which it was written for; engine_check takes no other.
 */
enum { ENGINE_INTERFACE = 1 };

/* Numbers of a model that an engine reads or writes: sums say several. All of them are taken as
 * they are when a model is compiled, and so are the bounds of clips. */
enum engine_numbers {
    ENGINE_VALUES = 1,     // biases; scale and shift of every bank, the spare one's too
    ENGINE_STATISTICS = 2, // running means and variances of every bank, which forward moves
    ENGINE_GRADIENTS = 4,  // of biases, scales and shifts, which backward adds to
    ENGINE_ALL = 7
};

enum pass_mode {
    PASS_TRAIN,     // batch statistics normalise; running ones move by `momentum`; dropout is on
    PASS_CALIBRATE, // the same without dropout
    PASS_EVALUATE,  // running statistics normalise; nothing is kept for backward
};

/* Activation bits besides 1 ... 8 and 32: the clip without rounding, for gradient checks. */
enum { ACT_CLIP_ONLY = -1 };

struct pass {
    enum pass_mode mode;
    struct point point; // of its bits engines see those of activations, the same in all layers
    float momentum;     // of the new value, for the running statistics
    uint64_t seed, epoch, step; // name the dropout stream
};

/* What training computes in; scores of bf16 differ from fp32's by the order of sums alone,
 * gradients of bf16-backward are rounded to 8 bits before products. */
enum precision { PRECISION_FP32, PRECISION_BF16, PRECISION_BF16_BACKWARD };
extern const char *const precision_names[]; // by enum, ended by NULL

struct engine {
    int interface; // the ENGINE_INTERFACE that it was written for

    // Who it is: the name that --engine takes, and what it computes with, in a few words.
    const char *name, *about;

    /* Its library, as it decides the bits of results on this machine: name, version, instruction
     * set. Recorded with every run, and compared when one goes on. NULL: it has none. */
    void (*library)(char *text, size_t size);

    /* 0: it can compute here, and the text says with what (truncquant check). -1: it cannot; what
     * this program or machine lacks, and what to do. NULL: it can anywhere. */
    int (*look)(char *text, size_t size);

    /* It computes nothing, and fills no slot below: a run by it takes the time that it is told, and
     * what is recorded of it is what guessing would come to (run/null.c). */
    int computes_nothing;

    /* A program for batches of up to `batch` images. The model must outlive it. NULL with a
     * message. `threads` are from now on OpenMP's too, which quantizers and optimizers use. */
    struct program *(*compile)(struct model *m, int batch, int threads, struct error *e);

    /* The program divides its work for that many, and computes the same bits by fewer of OpenMP's
     * threads (engine/team.h). */
    int any_team;

    /* Ŵ of a CONV or LINEAR node, copied; canonical order. */
    void (*set_weights)(struct program *p, int node, const float *W_hat);

    /* The model's numbers of these kinds (enum engine_numbers) have changed since they were taken:
     * take them anew. And: write into the model what passes have made of them. Both NULL: the
     * engine works on those of the model. */
    void (*upload)(struct program *p, unsigned what);
    void (*download)(struct program *p, unsigned what);

    /* Class scores (n, classes) of `n` <= batch images (n, c, h, w), in memory of need_aligned;
     * valid until the next call. */
    const float *(*forward)(struct program *p, const struct pass *pass, const float *images, int n);

    /* Back-propagate dL/dlogits (n, classes) of the last forward in PASS_TRAIN: adds to the
     * gradients of biases and norms in the model; weights' gradients are those of this pass alone.
     */
    void (*backward)(struct program *p, const float *d_logits);

    /* dL/dŴ of a CONV or LINEAR node after backward; valid until the next call. */
    const float *(*weight_gradient)(struct program *p, int node);

    /* The output of a node in the last forward, (n, c, h, w); valid until the next call. NULL if
     * the engine did not keep it; what an activation reads and writes is always there. */
    const float *(*peek)(struct program *p, int node);

    /* Which nodes fall back to the reference operators, a line each. NULL: none ever do. */
    void (*describe)(const struct program *p, FILE *out);

    void (*free)(struct program *p);

    /* From now on, convolutions whose weights and inputs are both quantized run forward over the
     * exact integers in bf16, rounding no operand; `backward`: and backward in bf16, which rounds
     * gradients to 8 bits. -1 with a message where the machine has no bf16. NULL: the engine has
     * none. */
    int (*use_bf16)(struct program *p, int backward, struct error *e);

    /* Whether a node computes with integers at widths of up to 8 bits; and the integers of the Ŵ
     * that set_weights has given last, copied. NULL as use_bf16. */
    int (*wants_integers)(const struct program *p, int node);
    void (*set_integers)(struct program *p, int node, const int8_t *v,
                         const struct integer_form *form);

    /* Evaluation over exact integers (engine/exact.h). NULL: the program evaluates everything. */
    const struct exact_engine *exact;
};

extern const struct engine engine_reference;
extern const struct engine engine_onednn; // `look` says when the program is built without
extern const struct engine engine_null;

/* All engines, ended by NULL, those too that cannot compute here. */
extern const struct engine *const engines[];

/* The i-th of those that can, NULL behind the last; the first is the default. By name: any that
 * there is, or NULL; the null engine by that alone. */
const struct engine *engine_at(int i);
const struct engine *engine_find(const char *name);

/* 0 when it is of this interface, with every slot filled that may not be NULL, and can compute
 * here; else -1, and the message says why not. */
int engine_check(const struct engine *engine, struct error *e);

/* What numerics say of libraries: that of the engine, or if it has none, of the default one, so
 * that the texts of earlier versions stay as they are. "" where neither has one. */
void engine_library(const struct engine *engine, char *text, size_t size);

/* Before passes, once the model's numbers were changed; and before they are read, once passes were
 * made. Nothing where the engine works on the model itself. */
void engine_upload(const struct engine *engine, struct program *p, unsigned what);
void engine_download(const struct engine *engine, struct program *p, unsigned what);

/* Compute in that precision from now on. -1 with a message where engine or machine do not. */
int engine_use(const struct engine *engine, struct program *p, enum precision precision,
               struct error *e);

/* Who computes with the program that was compiled last: OpenMP's threads, or fewer where that
 * leaves the bits alone. */
struct team engine_team(const struct engine *engine);

#endif
