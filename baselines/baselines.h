/* The quantizers that TruncQuant is compared with, one file each. */
#ifndef BASELINES_BASELINES_H
#define BASELINES_BASELINES_H

#include "quant/quantizer.h"

extern const struct quantizer quantizer_fp32;
extern const struct quantizer quantizer_qat;
extern const struct quantizer quantizer_minmax;
extern const struct quantizer quantizer_adabits;
extern const struct quantizer quantizer_adabits_floor;
extern const struct quantizer quantizer_matquant;
extern const struct quantizer quantizer_lsq;
extern const struct quantizer quantizer_double_rounding;
extern const struct quantizer quantizer_ptq;
extern const struct quantizer quantizer_dedicated;

#endif
