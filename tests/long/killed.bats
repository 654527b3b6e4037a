# Runs that are killed, or whose calls fail: at each call that changes a file, and at any instant. They end with the bits
# of one that was left alone, and nothing that was recorded is lost.

load ../cli/runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 128 64
    use_data "$BATS_FILE_TMPDIR"
    mkdir "$BATS_FILE_TMPDIR/whole"
    cd "$BATS_FILE_TMPDIR/whole"
    tiny_network
    spec 2
    COUNT_CALLS=$BATS_FILE_TMPDIR/calls watched "$program" run --db a.db --spec a.spec --quiet
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
    whole=$BATS_FILE_TMPDIR/whole
}

# a.spec of so many epochs, here
spec() {
    printf '%s\n' 'scheme = truncquant' 'network = ./tiny.cfg' 'dataset = fashion-mnist' 'seed = 1' \
        'batch = 16' 'widths = 1 2 32' 'bits = 1 2 4 32' 'calibration = 2' "epochs = $1" >a.spec
}

# $1, for messages: how the run was disturbed
ends_like_the_whole() {
    run "$program" run --db a.db --spec a.spec --quiet --retry
    [ "$status" -eq 0 ] || { echo "$1: $output" && return 1; }
    [ "$(sql 'PRAGMA integrity_check')" = ok ]
    diff <(results "$whole/a.db") <(results ./a.db) || { echo "$1: other results" && return 1; }
}

@test "killed before each call that changes a file" {
    spec 2
    for n in {1..2000}; do
        rm -rf a.db* a.runs
        status=0
        killed_before "$n" "$program" run --db a.db --spec a.spec --quiet || status=$?
        [ "$status" -eq 137 ] || break
        ends_like_the_whole "killed before call $n"
    done
    [ "$status" -eq 0 ]
    echo "# $n calls" >&3
    [ "$n" -gt 100 ]
}

# On a failure the run ends with one line that says so, or it does without what failed.
@test "each call that changes a file fails once" {
    spec 2
    calls=$(<"$BATS_FILE_TMPDIR/calls")
    for n in $(seq "$calls"); do
        rm -rf a.db* a.runs
        FAIL_CALL=$n run watched "$program" run --db a.db --spec a.spec --quiet
        case $status in
        0) ;;
        1) [[ $output == *"truncquant: "* ]] ;;
        *) echo "call $n fails: status $status, $output" && return 1 ;;
        esac
        ends_like_the_whole "call $n fails"
    done
    echo "# $calls calls" >&3
    [ "$calls" -gt 100 ]
}

# From its first instruction on, with data that are not prepared yet, to its last: any instant, and nothing hangs on which.
@test "three hundred kills at random instants of runs' whole lives" {
    spec 40
    mkdir alone
    export TRUNCQUANT_CACHE=$PWD/cache
    begun=${EPOCHREALTIME//./}
    "$program" run --db alone/a.db --spec a.spec --quiet --checkpoint-every 0.02
    whole=alone life=$((${EPOCHREALTIME//./} - begun)) # in microseconds
    kills=0
    for ((lives = 0; kills < 300; lives++)); do
        rm -rf a.db* a.runs cache
        for ((status = 137; status == 137; )); do
            "$program" run --db a.db --spec a.spec --quiet --checkpoint-every 0.02 3>&- &
            pid=$!
            at=$((SRANDOM % life))
            sleep "$((at / 1000000)).$(printf %06d $((at % 1000000)))"
            kill -KILL $pid 2>/dev/null || true
            status=0
            wait $pid || status=$?
            kills=$((kills + (status == 137)))
        done
        [ $status -eq 0 ]
        ends_like_the_whole "life $lives, $kills kills"
    done
    echo "# $kills kills in $lives lives of $((life / 1000)) ms" >&3
}

@test "one run that is killed a hundred times and more" {
    spec 3000
    mkdir alone
    "$program" run --db alone/a.db --spec a.spec --quiet
    whole=alone
    kills=0
    while [ -z "$(sql "SELECT 1 FROM run_status WHERE state = 'done'" 2>/dev/null)" ] && [ $kills -lt 130 ]; do
        "$program" run --db a.db --spec a.spec --quiet --checkpoint-every 0.05 3>&- &
        pid=$!
        sleep "0.$((RANDOM % 8 + 1))$((RANDOM % 10))" # any instant; nothing hangs on which
        kill -KILL $pid 2>/dev/null && kills=$((kills + 1))
        wait $pid || true
    done
    echo "# $kills kills" >&3
    ends_like_the_whole "killed $kills times"
}
