#!/bin/bash
# Exported models in ONNX Runtime: whether 1,000 test images get the class that the device library gives them, at the
# basic level of optimization and at the default one, and how long one image takes (one thread; the least of 200 calls,
# in turn). Of a ResNet-8 that is trained for it on a part of Fashion-MNIST.
#
#   WIDTHS     list, instead of "1 2 4 7 8"
#
# ONNX Runtime is the library in npm's onnxruntime-node, which is fetched into build/peers once.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."

build=${BUILD:-build}
peers=$PWD/$build/peers
package=$peers/node_modules/onnxruntime-node
version=1.30.0
images=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz

leave() {
    echo "onnx.sh: $*, so nothing is compared with ONNX Runtime" >&2
    exit 0
}

for program in node npm; do
    command -v "$program" >/dev/null || leave "no $program here (install Node.js with npm)"
done
[ -f "$images" ] || leave "no $images here (Debian's dataset-fashion-mnist)"
[ -d "$package" ] ||
    npm install --ignore-scripts --no-audit --no-fund --silent --prefix "$peers" "onnxruntime-node@$version" ||
    leave "npm cannot fetch onnxruntime-node $version"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
db=$work/bench.db
printf '%s\n' '[grid]' 'name = onnx' 'scheme = truncquant' 'network = resnet8' 'dataset = fashion-mnist' '[train]' \
    'images = 6000' 'epochs = 1' 'batch = 64' '[evaluate]' 'bits = 8' 'calibration = 0' >"$work/onnx.grid"
"$build/truncquant" plan "$work/onnx.grid" --db "$db" >/dev/null
run=$(sqlite3 "$db" 'SELECT run_id FROM runs')
"$build/truncquant" run "$run" --db "$db" --quiet

# The first 1,000 images: an IDX file of them for the library, their bytes alone for ONNX Runtime.
zcat "$images" | tail -c +17 | head -c $((784 * 1000)) >"$work/model.images" || true
{ printf '\0\0\010\003\0\0\003\350\0\0\0\034\0\0\0\034' && cat "$work/model.images"; } >"$work/model.idx"
"$build/truncquant" pack "$run" --db "$db" --output "$work/model.tqm" --quiet
for k in ${WIDTHS:-1 2 4 7 8}; do
    "$build/truncquant" infer "$work/model.tqm" "$work/model.idx" --bits "$k" | sed 's/.*; //' |
        perl -ne 'print pack "f*", split' >"$work/model.$k.scores"
    "$build/truncquant" export onnx "$run" --db "$db" --bits "$k" --output "$work/model.$k.onnx" --quiet
done
node tests/deploy/onnxruntime.js "$package" "$work"
"$build/truncquant" export onnx "$run" --db "$db" --bits 32 --output "$work/model.32.onnx" --quiet
node bench/onnx.js "$package" "$work"
