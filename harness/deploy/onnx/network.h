/* A frozen model at one width as an ONNX model: images of bytes in, class scores out. Weights and
 * activations of quantized layers are written in one of two dialects; all other nodes are those of
 * the standard in both.
 *
 * `qdq` is ONNX alone, for whatever runs ONNX: the codes that a weight is cut to, as 8-bit
 * integers, behind a DequantizeLinear, and a QuantizeLinear and DequantizeLinear behind every
 * activation that feeds a quantized layer. Integers that 8 bits do not hold (the odd ones up to 255
 * of `endpoint` and `midpoint` at 8 bits), and weights with an offset, are written as codes with a
 * scale, and an Add behind them.
 *
 * `qonnx` is QONNX (github.com/fastmachinelearning/qonnx): the stored weights behind a Quant of N
 * bits, then a Trunc of version 2 that cuts them to the width, and a Quant behind activations. With
 * the zero point 0 of a signed code, Trunc, which takes the floor of code · 2^(k-N), is what the
 * shift does, and alone the dequantizer `low`; `endpoint` has another output scale and an Add
 * behind, `midpoint` an Add alone.
 *
 * At 32 bits there are no codes: the weights of training, float activations; the same in both. */
#ifndef DEPLOY_ONNX_NETWORK_H
#define DEPLOY_ONNX_NETWORK_H

#include "model/frozen.h"

enum onnx_dialect { ONNX_QDQ, ONNX_QONNX };

struct onnx_export {
    enum onnx_dialect dialect;
    const struct model *m;
    const struct frozen *frozen; // whose model m is; NULL: float weights of m itself, at 32 bits
    const struct spec *spec;
    const struct dataset *data; // its mean and deviation, and the names of its classes
    const char *run_id, *commit;
    int k;                   // 32, or the scheme's smallest width ... N
    const float *calibrated; // norms as pack_copy_norms gives them; NULL: those of the width's bank
};

/* -1 with the reason when the network cannot be exported at these widths. */
int onnx_check(const struct onnx_export *x, struct error *e);

int onnx_export(const struct onnx_export *x, const char *path, struct error *e);

#endif
