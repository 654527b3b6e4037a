/* What stands in the files of quantizers: each one's struct, and the papers that describe several
 * of them. */
#ifndef BASELINES_BASELINES_H
#define BASELINES_BASELINES_H

#include "quant/quantizer.h"

/* All schemes, one line each: SCHEME(x) is `quantizer_x`. Where several have the axes that a grid
 * asks for, the first gives them its name. */
#define SCHEMES(SCHEME)                                                                            \
    SCHEME(fp32)                                                                                   \
    SCHEME(qat)                                                                                    \
    SCHEME(minmax)                                                                                 \
    SCHEME(truncquant)                                                                             \
    SCHEME(truncquant_minmax)                                                                      \
    SCHEME(adabits)                                                                                \
    SCHEME(adabits_floor)                                                                          \
    SCHEME(matquant)                                                                               \
    SCHEME(lsq)                                                                                    \
    SCHEME(double_rounding)                                                                        \
    SCHEME(ptq)                                                                                    \
    SCHEME(dedicated)

#define DECLARE_SCHEME(name) extern const struct quantizer quantizer_##name;
SCHEMES(DECLARE_SCHEME)

extern const struct paper paper_dorefa, paper_jacob, paper_adabits;

#endif
