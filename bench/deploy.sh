#!/bin/bash
# The device library beside ONNX Runtime, PyTorch and the harness's own evaluation, on one thread, one after the other in
# turn: only the ratios mean anything. Printed, and kept in results/bench:
#
#   deploy.csv    resnet20 of 32 x 32 by everybody: microseconds of a call (median, fastest, 95th percentile), and how many
#                 times as long as ours at 8 bits in the same turns
#   linear.csv    linear layers of 64 and 8 million weights, from the planes, beside a plain product of bytes
#   latency.csv   vgg7, resnet50 at 224 and resnet20 at every width: milliseconds, bytes read, time to switch
#
# The networks are trained for one step on images of noise: what a model says does not change how long it takes.
# ONNX Runtime comes from npm (onnxruntime-node, without its scripts) into build/peers, as for bench/onnx.sh. What is not
# there, of node and PyTorch, is said and left out.
#
#   TURNS, CALLS   turns of everybody and calls in each (20 and 20)
#   NETWORKS       of latency.csv, instead of "resnet20 vgg7 resnet50"
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."
build=${BUILD:-build}
[[ $build == /* ]] || build=$PWD/$build
program=$build/truncquant
python=${PYTHON:-/usr/bin/python3}
results=$PWD/results/bench
runtime=$build/peers
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export TRUNCQUANT_CACHE=$place/cache OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
mkdir -p "$results"

processor=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
echo "processor: ${processor:-$(uname -m)}; load before: $(cut -d ' ' -f 1 /proc/loadavg); commit $("$program" --version |
    sed 's/.*(commit \(.*\))/\1/')"

# ---- models ----

# train NETWORK SIDE [LINE...]: one step on noise; the id of the run. The largest network is trained at one width, so that its
# file has the norms of that alone.
train() {
    local widths='1 2 4 8'
    [ "$1" != resnet50 ] || widths=8
    [ -d "$place/images$2" ] || "$build/bench/made_images" jpegs "$place/images$2" 40 "$2" "$2"
    printf '%s\n' 'scheme = truncquant' "network = $1" "dataset = $place/images$2" 'seed = 1' "widths = $widths" 'epochs = 1' \
        'batch = 2' 'train.images = 2' 'evaluate.images = 1' 'evaluate.bits = 8' 'calibration = 0' "${@:3}" >"$place/$1.spec"
    "$program" run --spec "$place/$1.spec" --db "$place/bench.db" --quiet
    sqlite3 -batch "$place/bench.db" "SELECT run_id FROM runs WHERE network = '$1'"
}

pack() {
    "$program" pack "$(train "$@")" --db "$place/bench.db" --output "$place/$1.tqm" --quiet
}

# ---- contenders ----

names=() commands=()

# contender NAME COMMAND...: takes turns with the others; see bench/deploy.c.
contender() {
    names+=("$1")
    commands+=("$(printf '%q ' "${@:2}")")
}

# turns TURNS CALLS FILE: all contenders, in turn; a line "NAME,MICROSECONDS" for each call.
turns() {
    : >"$3"
    local i turn fd to=() from=() times
    for ((i = 0; i < ${#names[@]}; i++)); do
        mkfifo "$place/to$i" "$place/from$i"
        eval "${commands[i]}" <"$place/to$i" >"$place/from$i" 2>"$place/said$i" &
        exec {fd}>"$place/to$i"
        to[i]=$fd
        exec {fd}<"$place/from$i"
        from[i]=$fd
    done
    for ((turn = 0; turn <= $1; turn++)); do # the first warms up
        for ((i = 0; i < ${#names[@]}; i++)); do
            echo "$2" >&"${to[i]}"
            read -r times <&"${from[i]}" || {
                echo "deploy.sh: ${names[i]}: $(tail -n 1 "$place/said$i")" >&2
                exit 1
            }
            ((turn == 0)) || printf "${names[i]},%s\n" $times >>"$3"
        done
    done
    for fd in "${to[@]}" "${from[@]}"; do exec {fd}>&-; done
    wait
    rm "$place"/to* "$place"/from*
    names=() commands=()
}

# summarize BATCH CLOCK REFERENCE: of such lines; ratios of medians, and of the 5th percentiles.
summarize() {
    sort -t, -k1,1 -k2,2n | awk -F, -v OFS=, -v batch="$1" -v clock="$2" -v reference="$3" '
        { value[$1, ++n[$1]] = $2 }
        function at(name, share) { return value[name, int(share * (n[name] - 1)) + 1] }
        END { for (name in n)
                  print name, batch, clock, n[name], sprintf("%.1f", at(name, .5)), sprintf("%.1f", at(name, 0)),
                      sprintf("%.1f", at(name, .95)), sprintf("%.2f", at(name, .5) / at(reference, .5)),
                      sprintf("%.2f", at(name, .05) / at(reference, .05)) }' | sort -t, -k5,5n
}

# ---- resnet20 ----

has_torch=1
"$python" -c 'import torch' 2>/dev/null || {
    has_torch=
    echo "deploy.sh: $python has no PyTorch: neither it nor ONNX Runtime in float is measured; scripts/setup.sh --bench" \
        "installs it" >&2
}
has_runtime=1
[ -d "$runtime/node_modules/onnxruntime-node" ] ||
    npm install --prefix "$runtime" --ignore-scripts --no-audit --no-fund onnxruntime-node@1.30.0 >/dev/null 2>&1 || {
    has_runtime=
    echo "deploy.sh: npm (of Debian's nodejs and npm) could not install onnxruntime-node: ONNX Runtime is not measured" >&2
}

ours="ours-8-bits"
peers() {
    local serve=("$python" bench/deploy_pytorch.py) file=$place/resnet20.onnx
    local onnx=(node bench/deploy_onnx.js "$runtime")
    if [ -n "$has_torch" ]; then
        contender pytorch-float "${serve[@]}" serve experiments/networks/resnet20.cfg 32x32x3 1
        "${serve[@]}" onnx experiments/networks/resnet20.cfg 32x32x3 1 "$file" 2>/dev/null
        "${serve[@]}" nothing 32x32x3 1 "$place/nothing.onnx" 2>/dev/null
        [ -z "$has_runtime" ] || contender onnxruntime-float "${onnx[@]}" "$file" 1 3 32 32
        [ -z "$has_runtime" ] || contender onnxruntime-nothing "${onnx[@]}" "$place/nothing.onnx" 1 3 32 32
    fi
    if [ -n "$has_runtime" ]; then
        "$program" export onnx "$(sqlite3 -batch "$place/bench.db" "SELECT run_id FROM runs WHERE network = 'resnet20'")" \
            --bits 8 --db "$place/bench.db" --output "$place/resnet20-8.onnx" --quiet
        contender onnxruntime-8-bits "${onnx[@]}" "$place/resnet20-8.onnx" 1 3 32 32
        # It dequantizes weights for each image, unless it is told not to take such steps for quantized layers.
        contender onnxruntime-8-bits-disable_quant_qdq "${onnx[@]}" "$place/resnet20-8.onnx" disable_quant_qdq=1 1 3 32 32
    fi
}

library() { # BITS BATCH WITHOUT
    contender "$1" "$build/bench/deploy" model "$place/resnet20.tqm" "${@:2}"
}

pack resnet20 32
{
    echo 'contender,batch,clock,calls,median_us,min_us,p95_us,over_ours,over_ours_of_fast_calls'
    library $ours 8 1 0
    for k in 1 2 4; do library ours-$k-bits $k 1 0; done
    library ours-8-bits-without-vpopcntdq 8 1 4
    library ours-1-bits-without-vpopcntdq 1 1 4
    peers
    turns "${TURNS:-20}" "${CALLS:-20}" "$place/times"
    summarize 1 wall $ours <"$place/times"
    export CLOCK=cpu
    library $ours 8 32 0
    contender harness-8-bits "$build/bench/deploy" exact experiments/networks/resnet20.cfg 8 32
    turns "${TURNS:-20}" 4 "$place/times"
    summarize 32 cpu $ours <"$place/times"
} | tee "$results/deploy.csv"

# ---- linear layers, and every width of larger networks ----

"$build/bench/linear" | tee "$results/linear.csv"

for network in ${NETWORKS:-resnet20 vgg7 resnet50}; do
    case $network in
    resnet20) calls=200 ;;
    resnet50) pack resnet50 224 'image_size = 224' && calls=20 ;;
    *) pack "$network" 32 && calls=60 ;;
    esac
    "$program" latency "$place/$network.tqm" --db "$place/bench.db" --calls "$calls" --quiet >/dev/null
done
"$program" export latency --db "$place/bench.db" --format csv | tee "$results/latency.csv"
