/* Scenes, steps, wrong rules; plans.h is the manual. */
#include "twin/plans.h"

#include "baselines.h"

const double plans_kink = 1e-3;
const double plans_flip = 1e-6;
const double plans_notice = 100;

// clang-format off
#define TANH(rounder, dequantizer, scale) {RANGE_TANH, rounder, dequantizer, scale, PER_LAYER}
#define MINMAX(rounder, dequantizer, granularity)                                                  \
    {RANGE_MINMAX, rounder, dequantizer, SCALE_MEAN, granularity}

const struct scene_plan plans_smooth[SMOOTH_PLANS] = {
    [LENET] = {.name = "lenet", .cfg = scene_lenet, .n = 3, .seed = 1,
               .axes = TANH(ROUND_IDENTITY, DEQUANT_ENDPOINT, SCALE_MEAN),
               .widths = {3, {2, 4, 32}}, .act_bits = ACT_CLIP_ONLY},
    [RESNET] = {.name = "resnet", .cfg = scene_resnet, .n = 3, .seed = 2,
                .axes = TANH(ROUND_IDENTITY, DEQUANT_ENDPOINT, SCALE_POW2),
                .widths = {3, {1, 4, 32}}, .act_bits = ACT_CLIP_ONLY},
    [BOTTLENECK] = {.name = "bottleneck", .cfg = scene_bottleneck, .n = 4, .seed = 3,
                    .axes = TANH(ROUND_IDENTITY, DEQUANT_MIDPOINT, SCALE_MEAN),
                    .widths = {3, {2, 8, 32}}, .act_bits = ACT_CLIP_ONLY,
                    .shortcut_norm = NORM_SHARED, .distill = DISTILL_HIGHEST},
    [ZOO] = {.name = "zoo", .cfg = scene_zoo, .n = 3, .seed = 4,
             .axes = MINMAX(ROUND_IDENTITY, DEQUANT_ENDPOINT, PER_LAYER),
             .widths = {2, {3, 32}}, .act_bits = ACT_CLIP_ONLY, .distill = DISTILL_LABELS},
    [SHARED] = {.name = "resnet with a shared shortcut norm", .cfg = scene_resnet, .n = 2,
                .seed = 5, .axes = MINMAX(ROUND_IDENTITY, DEQUANT_LOW, PER_CHANNEL),
                .widths = {2, {2, 32}}, .act_bits = ACT_CLIP_ONLY,
                .projections = PROJECTIONS_QUANTIZED, .shortcut_norm = NORM_SHARED},
    [FANOUT] = {.name = "fan-out", .cfg = scene_fanout, .n = 2, .seed = 6,
                .axes = TANH(ROUND_IDENTITY, DEQUANT_LOW, SCALE_MEAN),
                .widths = {2, {8, 32}}, .act_bits = ACT_CLIP_ONLY},
    [CORRECTED] = {.name = "one bank, weights corrected", .cfg = scene_resnet, .n = 3, .seed = 7,
                   .axes = TANH(ROUND_IDENTITY, DEQUANT_LOW, SCALE_POW2),
                   .widths = {3, {2, 8, 32}}, .act_bits = ACT_CLIP_ONLY,
                   .norm_bank = BANK_SHARED},
    [INVERTED] = {.name = "inverted residuals", .cfg = scene_inverted, .n = 3, .seed = 8,
                  .axes = TANH(ROUND_IDENTITY, DEQUANT_ENDPOINT, SCALE_MEAN),
                  .widths = {3, {1, 4, 32}}, .act_bits = ACT_CLIP_ONLY},
};

#define OWN {RANGE_OWN, ROUND_OWN, DEQUANT_OWN, SCALE_MEAN, PER_LAYER}

const struct scene_plan plans_rounded[ROUNDED_PLANS] = {
    {.name = "truncquant", .cfg = scene_resnet, .n = 2, .seed = 11,
     .axes = TANH(ROUND_FLOOR, DEQUANT_ENDPOINT, SCALE_MEAN),
     .widths = {3, {1, 2, 32}}, .act_bits = 2},
    {.name = "qat", .cfg = scene_resnet, .n = 2, .seed = 12,
     .axes = TANH(ROUND_NEAREST, DEQUANT_ENDPOINT, SCALE_MEAN),
     .widths = {2, {2, 4}}, .act_bits = 4, .projections = PROJECTIONS_QUANTIZED},
    {.name = "adabits, power of two", .cfg = scene_resnet, .n = 2, .seed = 13,
     .axes = TANH(ROUND_FLOOR, DEQUANT_MIDPOINT, SCALE_POW2),
     .widths = {2, {3, 8}}, .act_bits = 8, .distill = DISTILL_LABELS},
    {.name = "minmax", .cfg = scene_resnet, .n = 2, .seed = 14,
     .axes = MINMAX(ROUND_NEAREST, DEQUANT_ENDPOINT, PER_LAYER),
     .widths = {2, {1, 5}}, .act_bits = 3},
    {.name = "low, per channel", .cfg = scene_resnet, .n = 2, .seed = 15,
     .axes = MINMAX(ROUND_FLOOR, DEQUANT_LOW, PER_CHANNEL),
     .widths = {2, {4, 32}}, .act_bits = 1, .distill = DISTILL_HIGHEST},
    {.name = "matquant", .cfg = scene_resnet, .n = 2, .seed = 16, .quantizer = &quantizer_matquant,
     .axes = TANH(ROUND_OWN, DEQUANT_OWN, SCALE_MEAN),
     .widths = {4, {2, 4, 8, 32}}, .act_bits = 4},
    {.name = "matquant of 5 bits, power of two", .cfg = scene_resnet, .n = 2, .seed = 17,
     .quantizer = &quantizer_matquant, .stored_bits = 5,
     .axes = TANH(ROUND_OWN, DEQUANT_OWN, SCALE_POW2), .widths = {2, {3, 5}}, .act_bits = 3},
    [LSQ] = {.name = "lsq", .cfg = scene_resnet, .n = 2, .seed = 18, .quantizer = &quantizer_lsq,
     .axes = OWN, .widths = {4, {1, 2, 8, 32}}, .act_bits = 4},
    [DOUBLE_ROUNDING] = {.name = "double rounding", .cfg = scene_resnet, .n = 2, .seed = 19,
     .quantizer = &quantizer_double_rounding, .axes = OWN,
     .widths = {3, {2, 4, 32}}, .act_bits = 4},
    {.name = "double rounding of 4 bits", .cfg = scene_resnet, .n = 2, .seed = 20, .stored_bits = 4,
     .quantizer = &quantizer_double_rounding, .axes = OWN,
     .widths = {3, {2, 3, 4}}, .act_bits = 2, .projections = PROJECTIONS_QUANTIZED},
    {.name = "qat, one bank", .cfg = scene_resnet, .n = 2, .seed = 21,
     .axes = TANH(ROUND_NEAREST, DEQUANT_ENDPOINT, SCALE_MEAN),
     .widths = {3, {1, 4, 32}}, .act_bits = 4, .norm_bank = BANK_SHARED},
    {.name = "depthwise", .cfg = scene_inverted, .n = 2, .seed = 17,
     .axes = TANH(ROUND_FLOOR, DEQUANT_ENDPOINT, SCALE_MEAN),
     .widths = {2, {2, 32}}, .act_bits = 2},
};
// clang-format on

const struct mutation plans_mutations[MUTATIONS] = {
    {TWIN_MAX_CONSTANT, "max|t| taken as a constant", &plans_smooth[LENET], 0},
    {TWIN_NO_TANH_SLOPE, "tanh' left out", &plans_smooth[LENET], 0},
    {TWIN_SCALE_GRADIENT, "s differentiated", &plans_smooth[LENET], 0},
    {TWIN_UNBIASED_NORM, "unbiased variance normalises", &plans_smooth[RESNET], 0},
    {TWIN_BIASED_RUNNING, "biased variance kept", &plans_smooth[RESNET], 1},
    {TWIN_CONSTANT_NORM, "batch statistics taken as constants", &plans_smooth[RESNET], 0},
    {TWIN_CLIP_OPEN_TOP, "gradient above 1", &plans_smooth[RESNET], 0},
    {TWIN_CLIP_MINUS_ONE, "gradient from -1", &plans_smooth[RESNET], 0},
    {TWIN_CLIP_WIDE, "clip from -1 to 1", &plans_smooth[LENET], 0},
    {TWIN_NO_FACTOR, "factor of the bias correction left out", &plans_smooth[CORRECTED], 0},
    {TWIN_OVERWRITE_1X1, "a 1x1 convolution overwrites a skip's gradient",
     &plans_smooth[BOTTLENECK], 0},
    {TWIN_STEP_UNSCALED, "a step's gradient as it is", &plans_rounded[LSQ], 0},
    {TWIN_STEP_CODE, "the code alone as a step's gradient", &plans_rounded[LSQ], 0},
    {TWIN_STEP_CODE, "the code alone as the one step's gradient", &plans_rounded[DOUBLE_ROUNDING],
     0},
    {TWIN_STEP_OPEN, "gradient outside the bounds of the codes", &plans_rounded[LSQ], 0},
    {TWIN_STEP_OPEN, "gradient outside the bounds of all codes", &plans_rounded[DOUBLE_ROUNDING],
     0},
};

double plans_margin(const struct scene_plan *plan) {
    return plan->axes.rounder == ROUND_IDENTITY ? 0 : plans_flip;
}
