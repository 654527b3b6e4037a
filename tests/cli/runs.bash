# What tests of runs share: the program, small data, a small network, and verbs on the database a.db.

bats_require_minimum_version 1.5.0
load "$(dirname "${BASH_SOURCE[0]}")/wait"

root=$(realpath "$BATS_TEST_DIRNAME/../..")
program=$root/${BUILD:-build}/truncquant

# tiny_data FOLDER TRAIN TEST: what tests/tiny-data.sh makes, where use_data FOLDER finds it
tiny_data() {
    "$root/tests/tiny-data.sh" "$1/data" "${@:2}"
}

use_data() {
    export TRUNCQUANT_DATA=$1/data TRUNCQUANT_CACHE=$1/cache
}

# tiny.cfg, here
tiny_network() {
    printf '%s\n' '[net]' '[convolutional]' 'filters=4' 'size=3' 'stride=2' 'activation=relu' \
        'batch_normalize=1' '[convolutional]' 'filters=8' 'size=3' 'stride=2' 'activation=relu' \
        'batch_normalize=1' '[connected]' 'activation=linear' '[softmax]' >tiny.cfg
}

# at_checkpoint COMMAND PROGRAM...: the program, in which the shell runs COMMAND each time that it has written a
# checkpoint; the program is $PPID there, and $N how often that has been. So a test disturbs a run at an instant that it
# names, and waits for nothing.
at_checkpoint() {
    AT_FILE=/checkpoint AT_COMMAND=$1 watched "${@:2}"
}

# killed_before CALL PROGRAM...: the program, killed before this call (1 is the first) of those that change a file
killed_before() {
    KILL_BEFORE=$1 watched "${@:2}"
}

watched() {
    local asan=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 status=0
    LD_PRELOAD=$(dirname "$program")/tests/preload/witness.so ASAN_OPTIONS=$asan "$@" || status=$?
    return $status
}

# go VERB ...: with a.db; standard error apart
go() {
    run --separate-stderr "$program" "$1" --db a.db "${@:2}"
    echo "$output" "$stderr"
}

# sql STATEMENTS [DATABASE]
sql() {
    sqlite3 -batch "${2:-a.db}" "$1"
}

# results DATABASE: all that its one run computed, with every digit, and the frozen model
results() {
    sql "SELECT bits, inference, calibration_batches, correct1, correct5, printf('%.17g', loss_sum)
         FROM evaluations e JOIN attempts a USING (attempt) WHERE outcome = 'complete'
         ORDER BY 1, 2, 3" "$1"
    sql "SELECT epoch, bits, printf('%.17g', loss), accuracy FROM training ORDER BY 1, 2" "$1"
    sql "SELECT layer, stage, weights, counts FROM histograms JOIN attempts USING (attempt) WHERE outcome = 'complete'
         ORDER BY 1, 2" "$1"
    sha256sum <"${1%.db}.runs/$(sql 'SELECT run_id FROM runs' "$1")/model.frozen"
}
