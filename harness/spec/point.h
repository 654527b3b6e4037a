/* An operating point: what a trained model is run at. It says how many bits the weights of
 * quantized layers have (all the same, or each layer its own), how many their activations, whose
 * batch norms normalise, whether codes are cut to those bits or quantized anew, and in which
 * arithmetic. It is what an engine's pass computes (engine/engine.h), what its weights are made for
 * (engine/load.h), and what tells the evaluations of a run apart (store/store.h). A plain value: no
 * memory is owned. */
#ifndef SPEC_POINT_H
#define SPEC_POINT_H

#include "spec/spec.h"

/* What is cut from stored codes by a right shift, instead of being quantized to its bits. */
enum cut { CUT_NONE, CUT_WEIGHTS, CUT_ACTIVATIONS }; // the last: weights, and activations, too
/* As `inference` in tables, by enum, ended by NULL: "direct", "truncated",
 * "truncated-activations". */
extern const char *const cut_names[];

/* POINT_BITS, POINT_TEXT: bytes that hold the text of widths by layer, and of any point. */
enum { POINT_LAYERS = 255, POINT_BITS = 3 * POINT_LAYERS + 1, POINT_TEXT = POINT_BITS + 128 };

struct point {
    int bits;     // of weights, in all quantized layers: 1 ... 8, 32; 0: by layer
    int n_layers; // by layer: how many quantized layers there are; else 0
    uint8_t layer_bits[POINT_LAYERS]; // theirs, 1 ... 8 or 32, in the order of the network; then 0
    int act_bits;    // j, likewise; 0, by layer alone: of each layer's input as of its weights
    int bank;        // the width whose batch norms it takes; 0: all share one, or by layer
    int calibration; // batches that the norms' statistics were estimated on; 0: as trained
    enum cut cut;
    int stored_bits;     // N
    char arithmetic[16]; // of quantized layers: "fp32" is dequantized weights (engine/exact.h)
};

/* Width k of a spec, in all layers: its activations, its bank (model.h), batch norms as trained,
 * fp32. */
struct point spec_point(const struct spec *spec, int k, enum cut cut);

/* The width of a quantized layer, by its number in the order of the network. */
int point_layer_bits(const struct point *p, int layer);

/* Whether weights and activations are codes, of at most 8 bits, in every quantized layer. */
int point_is_codes(const struct point *p);

/* A name longer than there is room for is cut. */
void point_set_arithmetic(struct point *p, const char *name);

int point_same(const struct point *a, const struct point *b);

/* -1 with what is wrong: bits that are no width, a list whose members are all the same (which is
 * one width), codes cut to more bits than are stored, ... */
int point_check(const struct point *p, struct error *e);

/* Its text, in POINT_TEXT bytes:
 *
 *     BITS[/J] INFERENCE of N [bank B] [calibrated BATCHES] in ARITHMETIC
 *
 * BITS is one width, or one per quantized layer; J stands where activations have other bits than
 * the weights, B where it is not 0: "4 direct of 8 bank 4 in int8",
 * "8 4 4 2/8 truncated of 8 calibrated 20 in fp32". point_parse takes exactly this back, and checks
 * it; -1 with a message. */
void point_print(const struct point *p, char *text, size_t size);
int point_parse(struct point *p, const char *text, struct error *e);

/* The widths alone: "4", "8 4 4 2"; in POINT_BITS bytes. */
void point_print_bits(const struct point *p, char *text, size_t size);

#endif
