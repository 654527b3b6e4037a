#!/bin/sh
# Images per second of the networks on Fashion-MNIST, one and two threads; kept in results/bench/speed.csv.
set -eu
cd "$(dirname "$0")/.."
mkdir -p results/bench
{
    echo 'network,threads,widths,train,evaluate,peak_mb'
    for network in lenet resnet8 resnet20; do
        for threads in 1 2; do
            ${BUILD:-build}/bench/speed fashion-mnist 7 "$threads" "experiments/networks/$network.cfg"
        done
    done
} | tee results/bench/speed.csv
