"""Exported models of test_exports.c against the harness: compare.py FOLDER.

For each NAME.K.scores (float32, of the harness at K bits, for the bytes of NAME.images) NAME.K.onnx and NAME.K.qonnx
have the same classes and nearly the same scores; their weights are those of NAME.npz, cut to K bits."""
import glob
import os
import sys

import numpy as np
import onnx

import onnx_twin

# Relative to the largest score. Float layers round otherwise, which flips a code here and there; few do, so that half
# of all models have none, and those that have some differ by little.
MEDIAN_OF_ALL = 1e-5
MEDIAN_OF_ONE = 0.01
SAME_CLASS = 0.995


def weights_of(arrays, layer, k):
    """W of a quantized layer at k bits, from codes as any Python program would make it."""
    i = list(arrays["widths"]).index(k)
    codes = arrays[f"{layer}.codes"] >> (arrays["stored_bits"] - k)
    by_channel = [-1] + [1] * (codes.ndim - 1)
    scale, offset = (arrays[f"{layer}.{what}"][i].reshape(by_channel) for what in ("scale", "offset"))
    return codes.astype(np.float32) * scale + offset


def compare_weights(path, model, values, arrays, k):
    quantized = 0
    for node in model.graph.node:
        if node.op_type not in ("Conv", "Gemm"):
            continue
        got = values[node.input[1]]
        if f"{node.name}.codes" in arrays:
            want = weights_of(arrays, node.name, k)
            quantized += 1
        else:
            want = arrays[f"{node.name}.weights"]
        largest = np.abs(want).max()
        assert got.shape == want.shape and np.abs(got - want).max() <= 1e-6 * largest, f"{path}: {node.name}"
    assert quantized == arrays["quantized"].sum() > 0, path


def compare_norms(path, model, values, arrays, k):
    i = list(arrays["widths"]).index(k)
    calibrated = "calibrated_" if onnx_twin.metadata(model)["calibrated"] == "1" else ""
    for node in model.graph.node:
        if node.op_type == "BatchNormalization":
            for what, name in zip(("scale", "shift", calibrated + "mean", calibrated + "variance"), node.input[1:]):
                assert (values[name] == arrays[f"{node.name}.{what}"][i]).all(), f"{path}: {node.name}"


def compare_activations(path, model, values, arrays, k):
    """The largest value that comes out of an activation is its bound."""
    j = arrays["act_bits"][list(arrays["widths"]).index(k)]
    steps = {node.name: values[f"{node.name}.scale"] for node in model.graph.node if f"{node.name}.scale" in values}
    for name in (key[:-len(".bound")] for key in arrays if key.endswith(".bound")):
        if j < 32 and arrays[f"{name}.bound"] > 0:
            assert np.isclose(steps[name] * (2 ** j - 1), arrays[f"{name}.bound"]), f"{path}: {name}"


class Count:
    def __init__(self):
        self.images = self.same = 0
        self.medians = []
        self.worst = 0.0  # margin of those with another class, in the harness's scores

    def add(self, path, got, want):
        assert got.shape == want.shape, path
        median = np.median(np.abs(got - want)) / np.abs(want).max()
        assert median <= MEDIAN_OF_ONE, f"{path}: the median difference is {median:g} of the largest score"
        mine, theirs = got.argmax(1), want.argmax(1)
        rows = np.arange(len(want))
        self.worst = max(self.worst, (want[rows, theirs] - want[rows, mine]).max())
        self.medians.append(median)
        self.images += len(want)
        self.same += (mine == theirs).sum()


def extents(value):
    """Of an image, or of scores: without the first, which is free."""
    dims = value.type.tensor_type.shape.dim
    assert dims[0].dim_param == "N"
    return [d.dim_value for d in dims[1:]]


def compare(path, scores, pixels, arrays, k, count):
    model = onnx.load(path)
    onnx_twin.check(model)
    assert onnx_twin.metadata(model)["bits"] == str(k), path
    want = np.fromfile(scores, np.float32).reshape(-1, *extents(model.graph.output[0]))
    values = onnx_twin.run(model, np.fromfile(pixels, np.uint8).reshape(-1, *extents(model.graph.input[0])))
    if k != 32:
        compare_weights(path, model, values, arrays, k)
        compare_norms(path, model, values, arrays, k)
        compare_activations(path, model, values, arrays, k)
    count.add(path, values["scores"], want)


def main(folder):
    counts = {"onnx": Count(), "qonnx": Count()}
    for path in sorted(glob.glob(f"{folder}/*.scores")):
        stem = path[:-len(".scores")]
        name, k = stem.rsplit(".", 1)
        arrays = dict(np.load(f"{name}.npz")) if os.path.exists(f"{name}.npz") else {}
        for kind, count in counts.items():
            if os.path.exists(f"{stem}.{kind}"):
                compare(f"{stem}.{kind}", path, f"{name}.images", arrays, int(k), count)
    for kind, count in counts.items():
        median = np.median(count.medians)
        print(f"# {kind}: {len(count.medians)} models, scores differ by {median:.1g} (the worst: {max(count.medians):.1g}); "
              f"{count.same} of {count.images} images have the same class, the largest margin of the others is {count.worst:g}")
        assert median <= MEDIAN_OF_ALL and count.same >= SAME_CLASS * count.images, kind


main(sys.argv[1])
