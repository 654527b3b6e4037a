#!/bin/sh
# The reference convolution beside Darknet's; kept in results/bench/convolution.csv.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."
mkdir -p results/bench
OPENBLAS_NUM_THREADS=1 "${BUILD:-build}/bench/convolution" | tee results/bench/convolution.csv
