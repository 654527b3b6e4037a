"""What an exported model computes, operator by operator in numpy: ONNX's own, and Quant and Trunc of QONNX.

Written from the definitions (onnx.ai/onnx/operators; fastmachinelearning/qonnx, docs/qonnx-custom-ops), not from
what the exporter means: who writes a file cannot say what it means."""
import numpy as np
import onnx
from onnx import numpy_helper

F = np.float32


def windows(x, size, strides, pads, fill):
    """(n, c, rows, columns, size, size) of images (n, c, h, w)."""
    top, left, bottom, right = pads
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    seen = np.lib.stride_tricks.sliding_window_view(x, size, (2, 3))
    return seen[:, :, ::strides[0], ::strides[1]]


def conv(x, w, bias=None, *, kernel_shape, strides, pads, group):
    seen = windows(x, kernel_shape, strides, pads, 0)
    n, c, rows, columns = seen.shape[:4]
    seen = seen.transpose(1, 4, 5, 0, 2, 3).reshape(group, c // group * w[0, 0].size, n * rows * columns)
    y = np.matmul(w.reshape(group, w.shape[0] // group, -1), seen)
    y = y.reshape(w.shape[0], n, rows, columns).transpose(1, 0, 2, 3)
    return y if bias is None else y + bias[:, None, None]


def gemm(x, w, bias=None, *, transB):
    y = x @ (w.T if transB else w)
    return y if bias is None else y + bias


def norm(x, scale, shift, mean, variance, *, epsilon):
    scale, shift, mean, variance = (v.reshape([1, -1] + [1] * (x.ndim - 2)) for v in (scale, shift, mean, variance))
    return scale * (x - mean) / np.sqrt(variance + F(epsilon)) + shift


def maxpool(x, *, kernel_shape, strides, pads):
    return windows(x, kernel_shape, strides, pads, -np.inf).max((4, 5))


def quantize(x, scale, zero):
    limits = np.iinfo(zero.dtype)
    return np.clip(np.rint(x / scale) + zero, limits.min, limits.max).astype(zero.dtype)


def dequantize(x, scale, zero, *, axis=1):
    along = [1] * x.ndim
    if scale.ndim:
        along[axis] = -1
        scale, zero = scale.reshape(along), zero.reshape(along)
    return (x.astype(np.int32) - zero.astype(np.int32)).astype(F) * scale


# ---- QONNX ----

ROUNDING = {"ROUND": np.rint, "FLOOR": np.floor, "CEIL": np.ceil}


def integers(signed, narrow, bits):
    if signed:
        return -2.0 ** (bits - 1) + narrow, 2.0 ** (bits - 1) - 1
    return 0, 2.0 ** bits - 1 - narrow


def quant(x, scale, zero, bits, *, signed, narrow, rounding_mode):
    y = np.clip(x / scale + zero, *integers(signed, narrow, bits))
    return ((ROUNDING[rounding_mode](y) - zero) * scale).astype(F)


def trunc(x, scale, zero, in_bits, out_scale, out_bits, *, signed, narrow, rounding_mode):
    """Version 2. The input has to be integers of in_bits, or nothing is said of it."""
    y = np.rint(x / scale + zero)
    low, high = integers(signed, narrow, in_bits)
    assert y.min() >= low and y.max() <= high, "codes are not of the bits that Trunc is told"
    by = 2.0 ** np.rint(np.log2(out_scale / scale))
    y = ROUNDING[rounding_mode](np.clip(y / by, *integers(signed, narrow, out_bits)))
    return ((y - zero / by) * out_scale).astype(F)


# ---- a model ----

OPERATORS = {
    ("", "Cast"): lambda x, to: x.astype(onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[to]),
    ("", "Identity"): lambda x: x,
    ("", "Add"): lambda a, b: a + b,
    ("", "Sub"): lambda a, b: a - b,
    ("", "Mul"): lambda a, b: a * b,
    ("", "Div"): lambda a, b: a / b,
    ("", "Relu"): lambda x: np.maximum(x, F(0)),
    ("", "Clip"): lambda x, low, high: np.minimum(np.maximum(x, low), high),
    ("", "Concat"): lambda *x, axis: np.concatenate(x, axis),
    ("", "Flatten"): lambda x, axis: x.reshape(int(np.prod(x.shape[:axis])), -1),
    ("", "Unsqueeze"): lambda x, axes: np.expand_dims(x, tuple(axes)),
    ("", "Conv"): conv,
    ("", "Gemm"): gemm,
    ("", "BatchNormalization"): norm,
    ("", "MaxPool"): maxpool,
    ("", "GlobalAveragePool"): lambda x: x.mean((2, 3), keepdims=True),
    ("", "QuantizeLinear"): quantize,
    ("", "DequantizeLinear"): dequantize,
    ("qonnx.custom_op.general", "Quant"): quant,
    ("qonnx.custom_op.general", "Trunc"): trunc,
}


def attributes(node):
    values = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return {name: v.decode() if isinstance(v, bytes) else v for name, v in values.items()}


def run(model, image):
    """Every value of the model by its name, for images of bytes (n, c, h, w)."""
    values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    values[model.graph.input[0].name] = image
    for node in model.graph.node:
        inputs = [values[name] for name in node.input]
        values[node.output[0]] = OPERATORS[node.domain, node.op_type](*inputs, **attributes(node))
        floats = values[node.output[0]]
        assert floats.dtype != np.float64, f"{node.name}: ONNX has no such promotion"
    return values


def check(model):
    """What the standard's own checker says of it; of QONNX, whose operators it does not know, of all but those."""
    domains = {entry.domain: entry.version for entry in model.opset_import}
    onnx.checker.check_model(model, full_check=len(domains) == 1)
    assert domains[""] == 13 and domains.get("qonnx.custom_op.general", 2) == 2, domains
    [image], [scores] = model.graph.input, model.graph.output
    assert (image.name, scores.name) == ("image", "scores")


def metadata(model):
    return {entry.key: entry.value for entry in model.metadata_props}
