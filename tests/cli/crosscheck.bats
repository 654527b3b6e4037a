# Training steps of the harness computed a second time by the PyTorch peer: the quick form of `make crosscheck`, on
# the reference engine. Skipped where PyTorch is not installed.

root=$BATS_TEST_DIRNAME/../..
python=${PYTHON:-/usr/bin/python3}

needs_pytorch() {
    "$python" -c 'import torch' 2>/dev/null || skip "no PyTorch (Debian's python3-torch)"
}

crosscheck() {
    run "$python" "$root/bench/crosscheck.py" --engine reference --batch 8 "$@"
    echo "$output"
}

@test "two steps of every scheme agree with PyTorch" {
    needs_pytorch
    crosscheck --steps 2
    [ "$status" -eq 0 ]
    [ "$(grep -c '^ok: reference, resnet8.cfg, .* 2 steps: ' <<<"$output")" -eq 10 ]
}

@test "momentum, weight decay, the cosine schedule and pooling agree with PyTorch" {
    needs_pytorch
    crosscheck --steps 2 --scheme truncquant --optimizer sgd --decay 0.001 --schedule cosine \
        --network "$root/experiments/networks/lenet.cfg"
    [ "$status" -eq 0 ]
}

@test "depthwise convolutions, linear bottlenecks and ReLU6 agree with PyTorch" {
    needs_pytorch
    crosscheck --steps 1 --scheme truncquant --widths "2 32" --shape 64x64x3 \
        --network "$root/experiments/networks/mobilenet-v2.cfg"
    [ "$status" -eq 0 ]
}

@test "teachers, weights of widths, losses on weights and one norm bank agree with PyTorch" {
    needs_pytorch
    crosscheck --steps 1 --scheme qat --distill labels --width-weight "0.5 0.75 1 1.5 2" --kurtosis 0.1
    [ "$status" -eq 0 ]
    crosscheck --steps 1 --scheme minmax --distill highest --align 20
    [ "$status" -eq 0 ]
    crosscheck --steps 1 --scheme qat --norm-bank shared
    [ "$status" -eq 0 ]
    crosscheck --steps 1 --scheme double-rounding --step-rate 0.01
    [ "$status" -eq 0 ]
}

@test "every rule that the peer computes wrongly is noticed" {
    needs_pytorch
    crosscheck --steps 1 --mutate all
    [ "$status" -eq 0 ]
    [ "$(grep -c '^ok: reference: wrong rule .* noticed: ' <<<"$output")" -eq 15 ]
}

@test "a harness that trains otherwise than it was told differs" {
    needs_pytorch
    # The program on the other side is given another decay than the peer knows of.
    mkdir -p "$BATS_TEST_TMPDIR/bench"
    program=$(realpath "$root")/${BUILD:-build}/bench/crosscheck
    printf '#!/bin/sh\nsed "s/^decay = .*/decay = 0.01/" | "%s" "$@"\n' "$program" >"$BATS_TEST_TMPDIR/bench/crosscheck"
    chmod +x "$BATS_TEST_TMPDIR/bench/crosscheck"
    BUILD=$BATS_TEST_TMPDIR crosscheck --steps 1 --scheme qat
    [ "$status" -eq 1 ]
    [[ $output == *"DIFFERS: "*"optimizer: moments of "* ]]
}

@test "without PyTorch the crosscheck says how to get it" {
    PYTHON=false run "$root/scripts/crosscheck.sh"
    [ "$status" -eq 3 ]
    [[ $output == *"no PyTorch"*"scripts/setup.sh --bench"* ]]
}
