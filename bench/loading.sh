#!/bin/bash
# What folders of images cost, beside the training that waits for them. All is made here and removed again; files come
# from memory, as they were just written.
#
# results/bench/loading.csv: images per second by the clock, and per second of one core's time, of
#   stream     JPEGs of ImageNet's size, decoded and augmented (224, or resized and cropped) by 1 and 2 loaders,
#   first look every image of the folder decoded once, by all cores: names, checksums, mean and deviation,
#   prepare    small JPEGs, decoded into the cache when they are first seen,
#   cached     batches from the cache;
# and share_percent, what part of the cores' time of one epoch it is beside training (TruncQuant, five widths) of the
# network: resnet18 at 224, resnet20 at 32. Training is measured in the same call, on a few steps, by processor
# time; shares are extrapolated from an image to an epoch.
#
# results/bench/loading_memory.csv: memory of `truncquant run` on 60,000 images of 32 x 32, CIFAR-10 as released and a
# folder of JPEGs: the first time, when it prepares them, and again. peak_mb is VmHWM, which counts the pages of the
# prepared file that were touched, though all runs of the machine share them; own_mb is what is the process's alone
# (RssAnon); as_floats_mb is what the images would take as floats.
#
# QUICK=1 measures less.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."
build=${BUILD:-build}
[[ $build == /* ]] || build=$PWD/$build
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export TRUNCQUANT_CACHE=$place/cache
mkdir -p results/bench

photographs=200 streamed=1024 small=5000 epochs=20 steps=3 trained=50000
[ -z "${QUICK-}" ] || { photographs=50 streamed=192 small=500 epochs=100 steps=1 trained=6400; }

# ---- images per second ----

# training NETWORK SIDE BATCH: images per second of one core's time.
training() {
    "$build/bench/speed" --clock cpu --shape "$2x$2x3" --batch "$3" --steps $steps "experiments/networks/$1.cfg" |
        cut -d, -f7
}

# row WHAT LOADERS NETWORK TRAINING, "IMAGES SECONDS CPU_SECONDS" on standard input.
row() {
    awk -v OFS=, -v what="$1" -v loaders="$2" -v network="$3" -v training="$4" '{
        print what, loaders, $1, sprintf("%.0f", $1 / $2), sprintf("%.0f", $1 / $3), network, training,
              sprintf("%.2f", 100 * $3 / ($3 + $1 / training)) }'
}

# stream WHAT train|test LOADERS NETWORK TRAINING
stream() {
    "$build/bench/loading" stream "$place/photographs" 224 "$3" "$2" $streamed | tail -n 1 | row "$1" "$3" "$4" "$5"
}

throughput() {
    local large little loaders
    large=$(training resnet18 224 8)
    little=$(training resnet20 32 128)
    "$build/bench/made_images" jpegs "$place/photographs" $photographs 500 375
    "$build/bench/made_images" jpegs "$place/small" $small 32 32
    echo 'what,loaders,images,images_per_second,images_per_core_second,network,training_per_core_second,share_percent'
    "$build/bench/loading" stream "$place/photographs" 224 1 train 1 | head -n 1 |
        row 'first look: 500x375' "$(nproc)" resnet18 "$large"
    for loaders in 1 2; do
        stream 'stream: random part to 224 and flip' train $loaders resnet18 "$large"
        stream 'stream: resize to 256 and middle 224' test $loaders resnet18 "$large"
    done
    "$build/bench/loading" cached "$place/small" $epochs >"$place/cached"
    head -n 1 "$place/cached" | row 'prepare: 32x32' "$(nproc)" resnet20 "$little"
    tail -n 1 "$place/cached" | row 'cached: 32x32 with crop and flip' 1 resnet20 "$little"
}

# ---- memory ----

# A network that takes little memory and time, so that what is left is the data's.
# spec SOURCE first|again
spec() {
    local seed=1
    [ "$2" = first ] || seed=2 # a run of its own
    printf '%s\n' '[net]' '[convolutional]' 'filters=4' 'size=3' 'stride=4' 'activation=relu' '[connected]' \
        'activation=linear' '[softmax]' >"$place/net.cfg"
    printf '%s\n' 'scheme = truncquant' "network = $place/net.cfg" "dataset = $1" "seed = $seed" 'epochs = 1' \
        "train.images = $trained" 'widths = 8' 'bits = 8' 'calibration = 0' >"$place/a.spec"
}

# 60,000 names of some hundred small files, 50,000 to train with.
make_folder() {
    perl -e '
        use strict;
        use warnings;
        my ($from, $to) = @ARGV;
        my @files = glob "\"$from\"/train/*/*.jpg";
        mkdir $to;
        for my $split (["train", 50000], ["test", 10000]) {
            mkdir "$to/$split->[0]";
            mkdir "$to/$split->[0]/$_" for 0 .. 9;
            for my $i (0 .. $split->[1] - 1) {
                my $name = "$to/$split->[0]/" . $i % 10 . "/$i.jpg";
                link $files[$i % @files], $name or die "$name: $!\n";
            }
        }' "$place/small" "$place/folder"
}

# run: peak and own memory in MB of one run, sampled every hundredth of a second.
run() {
    local pid own=0 status
    "$build/truncquant" run --spec "$place/a.spec" --db "$place/a.db" --quiet &
    pid=$!
    while status=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' /proc/$pid/status 2>/dev/null) && [ -n "$status" ]; do
        [ "$status" -le "$own" ] || own=$status
        sleep 0.01
    done
    wait $pid
    sqlite3 "$place/a.db" "SELECT printf('%.0f,%.0f', peak_bytes / 1e6, $own * 1024 / 1e6) FROM attempts
                           ORDER BY attempt DESC LIMIT 1"
}

# both NAME SOURCE: the first time, and again.
both() {
    local try measured
    for try in first again; do
        spec "$2" $try
        measured=$(run)
        echo "$1,60000,$try,$measured,$((60000 * 3072 * 4 / 1000000))"
    done
}

memory() {
    export TRUNCQUANT_DATA=$place/data
    "$build/bench/made_images" cifar "$TRUNCQUANT_DATA/cifar10"
    make_folder
    echo 'data,images,try,peak_mb,own_mb,as_floats_mb'
    both 'CIFAR-10 release' cifar10
    both 'folder of JPEGs' "$place/folder"
}

# show FILE: a table of a CSV.
show() {
    sqlite3 :memory: ".import --csv $1 t" ".mode column" "SELECT * FROM t"
}

throughput >results/bench/loading.csv
show results/bench/loading.csv
memory >results/bench/loading_memory.csv
show results/bench/loading_memory.csv
