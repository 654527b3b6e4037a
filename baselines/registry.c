/* The table of all schemes. A new quantizer is one file and two lines here. */
#include "registry.h"

#include "baselines.h"
#include "quant/truncquant.h"

#include <assert.h>

enum {
    FP32,
    QAT,
    MINMAX,
    TRUNCQUANT,
    TRUNCQUANT_MINMAX,
    ADABITS,
    ADABITS_FLOOR,
    MATQUANT,
    LSQ,
    DOUBLE_ROUNDING,
    PTQ,
    DEDICATED,
    SCHEMES
};

const struct quantizer *const quantizer_registry[] = {
    [FP32] = &quantizer_fp32,
    [QAT] = &quantizer_qat,
    [MINMAX] = &quantizer_minmax,
    [TRUNCQUANT] = &quantizer_truncquant,
    [TRUNCQUANT_MINMAX] = &quantizer_truncquant_minmax,
    [ADABITS] = &quantizer_adabits,
    [ADABITS_FLOOR] = &quantizer_adabits_floor,
    [MATQUANT] = &quantizer_matquant,
    [LSQ] = &quantizer_lsq,
    [DOUBLE_ROUNDING] = &quantizer_double_rounding,
    [PTQ] = &quantizer_ptq,
    [DEDICATED] = &quantizer_dedicated,
    [SCHEMES] = NULL,
};
static_assert(sizeof quantizer_registry / sizeof *quantizer_registry == SCHEMES + 1,
              "every scheme has its line");
