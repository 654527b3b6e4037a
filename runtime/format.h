/* The numbers of the model file, for who reads and who writes it; FORMAT.md says what they mean. */
#ifndef TQ_FORMAT_H
#define TQ_FORMAT_H

#include <stdint.h>
#include <string.h>

#define TQ_MAGIC "TQMODEL" // with the NUL behind it, eight bytes

enum { TQ_VERSION = 1, TQ_ALIGN = 64 };

/* Sizes of records, bytes. */
enum {
    TQ_HEADER = 64,
    TQ_ENTRY = 32,
    TQ_GRAPH = 256,
    TQ_WIDTH = 16,
    TQ_NODE = 128,
    TQ_LAYER = 320,
    TQ_FORM = 32,
};

enum tq_section { TQ_TEXT = 1, TQ_GRAPH_SECTION, TQ_FLOATS, TQ_PLANE };
enum { TQ_FIXED_SECTIONS = 3 }; // before the planes, in this order

/* Places in the header. */
enum {
    TQ_AT_VERSION = 8,
    TQ_AT_STORED = 12,
    TQ_AT_PLANES = 16,
    TQ_AT_SECTIONS = 20,
    TQ_AT_SIZE = 24,
    TQ_AT_HEADER_SUM = 56,
};

/* Places in an entry of the section table. */
enum { TQ_AT_KIND = 0, TQ_AT_PLANE = 4, TQ_AT_OFFSET = 8, TQ_AT_LENGTH = 16, TQ_AT_SUM = 24 };

/* Places in the head of the graph. */
enum {
    TQ_AT_NODES = 0,
    TQ_AT_LOGITS = 4,
    TQ_AT_LAYERS = 8,
    TQ_AT_BANKS = 12,
    TQ_AT_CHANNELS = 16,
    TQ_AT_CLASSES = 20,
    TQ_AT_MIN_BITS = 24,
    TQ_AT_RESIZED = 28,
    TQ_AT_MEAN = 32,
    TQ_AT_DEVIATION = 48,
    TQ_AT_WIDTHS = 64,
};

/* Places in a width's record. */
enum { TQ_AT_ACT_BITS = 0, TQ_AT_BANK = 4, TQ_AT_CALIBRATED = 8 };

/* Places in a node's record. */
enum {
    TQ_AT_OP = 0,
    TQ_AT_NUMBER = 4,
    TQ_AT_IN = 8,
    TQ_AT_SHAPE = 16,
    TQ_AT_WINDOW = 28, // size, stride, padding, groups
    TQ_AT_ACTIVATION = 44,
    TQ_AT_CLIPS = 48,
    TQ_AT_QUANTIZED = 52,
    TQ_AT_ALPHA = 56,
    TQ_AT_BETA = 60,
    TQ_AT_WEIGHTS = 64,
    TQ_AT_BIAS = 72,
    TQ_AT_NORM = 80,
    TQ_AT_NODE_END = 88,
};

/* Places in a quantized layer's record, and in each of its forms. */
enum {
    TQ_AT_NODE = 0,
    TQ_AT_ROWS = 4,
    TQ_AT_INPUTS = 8,
    TQ_AT_ROW_BYTES = 12,
    TQ_AT_BITS = 16,
    TQ_AT_LAYER_END = 24,
    TQ_AT_FORMS = 64,
};
enum {
    TQ_AT_FACTOR = 0,
    TQ_AT_ODD = 4,
    TQ_AT_UNITS = 8,
    TQ_AT_SHIFTS = 12,
    TQ_AT_UNIT = 16,
    TQ_AT_SHIFT = 24,
};

enum tq_op {
    TQ_INPUT = 1,
    TQ_CONV,
    TQ_LINEAR,
    TQ_NORM,
    TQ_ACT,
    TQ_MAXPOOL,
    TQ_AVGPOOL,
    TQ_ADD,
    TQ_OPS
};

enum tq_activation { TQ_RELU = 1, TQ_RELU6 };

#define TQ_NONE UINT32_MAX
#define TQ_NOWHERE UINT64_MAX

/* What a reader accepts at most. */
enum {
    TQ_MAX_NODES = 4096,
    TQ_MAX_BANKS = 32,
    TQ_MAX_SIDE = 65536,     // channels, height, width, filters
    TQ_MAX_VALUES = 1 << 28, // of a node's output
    TQ_MAX_WINDOW = 255,     // size, stride, padding
    TQ_MAX_CHANNELS = 3,     // of an image
    TQ_MAX_WEIGHT = 256,     // |factor v + odd|
    TQ_MAX_INPUTS = 32768,   // of a row of a quantized layer: sums stay within 32 bits
};

/* Weights of one row in a plane begin at whole words where they fill one, else at whole bytes. */
static inline uint32_t tq_row_bytes(uint32_t inputs) {
    return inputs >= 64 ? (inputs + 63) / 64 * 8 : (inputs + 7) / 8;
}

static inline uint64_t tq_aligned(uint64_t size) {
    return (size + TQ_ALIGN - 1) / TQ_ALIGN * TQ_ALIGN;
}

/* Numbers of a file at any address. The machine is little-endian (model.c asks). */
static inline uint32_t tq_u32(const void *at) {
    uint32_t x;
    memcpy(&x, at, sizeof x);
    return x;
}

static inline uint64_t tq_u64(const void *at) {
    uint64_t x;
    memcpy(&x, at, sizeof x);
    return x;
}

static inline float tq_f32(const void *at) {
    float x;
    memcpy(&x, at, sizeof x);
    return x;
}

#endif
