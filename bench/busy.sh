#!/bin/bash
# Two threads beside a program that keeps one core busy, and on the machine as it is: images per second of training and
# of evaluation by one thread and by two, taken in turn, and the medians of what two gain. Beside that program two may
# gain nothing, but lose nothing either (harness/engine/team.h). For machines of two cores; NETWORK, STEPS and ROUNDS
# name others than resnet8, 20 and 7. Kept in results/bench/busy.csv.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."
speed=${BUILD:-build}/bench/speed
network=${NETWORK:-resnet8}
csv=results/bench/busy.csv
mkdir -p results/bench
busy=
trap '[[ -z $busy ]] || kill "$busy"' EXIT

# round MACHINE: one thread, then two.
round() {
    local threads
    for threads in 1 2; do
        "$speed" --data fashion-mnist --steps "${STEPS:-20}" --threads "$threads" "experiments/networks/$network.cfg" |
            awk -F, -v machine="$1" -v OFS=, '{ print machine, $1, $5, $7, $8 }'
    done
}

# gains MACHINE COLUMN: the median of two threads by one.
gains() {
    awk -F, -v machine="$1" -v column="$2" '
        $1 == machine && $3 == 1 { one = $column }
        $1 == machine && $3 == 2 { printf "%.3f\n", $column / one }' "$csv" | sort -n |
        awk '{ ratio[NR] = $1 } END { print ratio[int((NR + 1) / 2)] }'
}

echo 'machine,network,threads,train,evaluate' | tee "$csv"
for machine in as-it-is busy; do
    if [[ $machine == busy ]]; then
        while :; do :; done &
        busy=$!
    fi
    for ((i = 0; i < ${ROUNDS:-7}; i++)); do round "$machine" | tee -a "$csv"; done
done
for machine in as-it-is busy; do
    echo "$machine: two threads by one: train $(gains "$machine" 4), evaluate $(gains "$machine" 5)"
done
