#!/bin/bash
# What a grid costs besides its runs: one of N runs (10,000; or the first argument) by the engine null, which computes
# nothing, is planned, run by scripts/grid.sh, looked at, and joined from ten databases. Beside the runs, in turn with them
# and ten parts each: GNU parallel with as many jobs that are `true`. Seconds by the clock, and of all cores. Kept in
# results/bench/grid.csv. JOBS=N at a time instead of one per core.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."
runs=${1:-10000}
program=$PWD/${BUILD:-build}/truncquant
jobs=${JOBS:-$("$program" check --cores)}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir -p results/bench
export TRUNCQUANT=$program

# grid NAME FIRST LAST: of these seeds, ten runs each
grid() {
    printf '%s\n' '[grid]' "name = $1" 'scheme = qat, truncquant, minmax, adabits, fp32' 'network = lenet, resnet8' \
        'dataset = fashion-mnist' "seed = $2..$3" '[train]' 'epochs = 2' 'widths = 2 8 32' '[evaluate]' 'bits = 2 8 32' \
        >"$place/$1.grid"
}

# timed WHAT COMMAND ...: a row, per run what is of all runs
timed() {
    local what=$1 TIMEFORMAT='%R %U %S' took
    shift
    took=$({ time "$@" >"$place/said" 2>&1; } 2>&1) || { cat "$place/said" >&2 && exit 1; }
    awk -v what="$what" -v n="$runs" '{
        printf "%s,%d,%.2f,%.2f,%.2f\n", what, n, $1, $2 + $3, 1000 * $1 / n }' <<<"$took"
}

run_true() {
    seq "$runs" | sed 's/$/ log/' | parallel --plain --will-cite --jobs "$jobs" --joblog "$place/joblog" --colsep ' ' \
        'exec true {1} >>"'"$place"'"/{2}.log 2>&1'
}

merge_parts() {
    "$program" merge "$place"/part*.db --db "$place/merged.db"
    [ "$("$program" status --line --db "$place/merged.db")" = "$runs done" ]
}

grid all 1 $((runs / 10))
{
    echo 'what,runs,seconds,core_seconds,milliseconds_per_run'
    timed plan "$program" plan "$place/all.grid" --db "$place/all.db" --ids
    timed parallel_true run_true
    timed grid scripts/grid.sh "$place/all.grid" --db "$place/all.db" --engine null --jobs "$jobs"
    timed parallel_true run_true
    timed status "$program" status all --db "$place/all.db"
    for i in {0..9}; do
        grid "part$i" $((i * runs / 100 + 1)) $(((i + 1) * runs / 100))
        "$program" plan "$place/part$i.grid" --db "$place/all.db" --quiet --ids >"$place/ids"
        "$program" export database "part$i" --db "$place/all.db" --output "$place/part$i.db" --quiet
    done
    timed merge_ten merge_parts
} | tee results/bench/grid.csv
