#!/bin/sh
# Compare training steps of the harness with the PyTorch peer (bench/crosscheck.py says what and how): every scheme,
# both optimizers, four networks, every option that changes a step, every engine; then that each rule computed
# wrongly on purpose is noticed.
# STEPS=N takes another number of steps than 50. Takes some minutes. Exit status 3 where PyTorch is not there.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."

python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import torch' 2>/dev/null || {
    echo "crosscheck.sh: $python has no PyTorch, so there is nothing to compare with;" \
        "scripts/setup.sh --bench installs it (Debian's python3-torch)" >&2
    exit 3
}
check() {
    "$python" bench/crosscheck.py --steps "${STEPS:-50}" "$@"
}

status=0
check || status=1
check --scheme qat --scheme truncquant-minmax --scheme lsq --optimizer sgd --rate 0.05 --decay 0.0005 --schedule cosine || status=1
check --scheme truncquant --network experiments/networks/lenet.cfg || status=1
for network in mobilenet-v2 resnet18; do
    check --scheme truncquant --network experiments/networks/$network.cfg --shape 64x64x3 --widths "2 32" --batch 8 \
        --steps 3 || status=1
done
check --scheme qat --distill labels --width-weight "0.5 0.75 1 1.5 2" --kurtosis 0.1 || status=1
check --scheme double-rounding --step-rate 0.01 || status=1
check --scheme minmax --distill highest --align 20 || status=1
check --scheme qat --scheme truncquant --scheme matquant --norm-bank shared || status=1
check --mutate all || status=1
[ $status = 0 ] && echo "crosscheck: every step agrees, every wrong rule is noticed" ||
    echo "crosscheck: the lines that do not begin with ok say where the two sides part" >&2
exit $status
