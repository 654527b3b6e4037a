#!/bin/bash
# From the start of the program to the first batch: a run on Fashion-MNIST, prepared already, says what it computes
# (--verbose) when all is ready and just before the first batch. Seconds, median of 9; with the data set still to be
# prepared it takes longer, once per machine. Kept in results/bench/startup.csv.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."
program=${BUILD:-build}/truncquant
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir -p results/bench

# ready NETWORK: seconds of one start.
ready() {
    local start
    rm -rf "${place:?}"/*
    printf '%s\n' 'scheme = truncquant' "network = $1" 'dataset = fashion-mnist' 'seed = 1' 'epochs = 1' \
        'train.images = 256' 'evaluate.images = 1' 'calibration = 0' >"$place/a.spec"
    start=$EPOCHREALTIME
    "$program" run --spec "$place/a.spec" --db "$place/a.db" --verbose 2>"$place/log" | {
        read -r _
        perl -e 'printf "%.3f\n", $ARGV[1] - $ARGV[0]' "$start" "$EPOCHREALTIME"
        cat >/dev/null
    }
}

{
    echo 'network,seconds_to_first_batch'
    for network in lenet resnet8 resnet20; do
        ready "$network" >/dev/null # the data set is prepared, files are in memory
        median=$(for _ in {1..9}; do ready "$network"; done | sort -n | sed -n 5p)
        echo "$network,$median"
    done
} | tee results/bench/startup.csv
