#!/bin/sh
# Images per second and peak memory of the networks on Fashion-MNIST, on every engine, with one and two
# threads; kept in results/bench/speed.csv. STEPS=N takes another number of steps than 7.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."
mkdir -p results/bench
bench=${BUILD:-build}/bench
{
    echo 'network,engine,precision,inference,threads,batch,train,evaluate,peak_mb'
    for network in lenet resnet8 resnet20; do
        for engine in $("$bench/crosscheck" engines); do
            for threads in 1 2; do
                "$bench/speed" --data fashion-mnist --steps "${STEPS:-7}" --engine "$engine" \
                    --threads "$threads" "experiments/networks/$network.cfg"
            done
        done
    done
} | tee results/bench/speed.csv
