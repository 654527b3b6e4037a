# What ended runs: their own faults, or the machine; which are tried again, and when a whole grid stops.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 64 64
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
}

# grid SEEDS [LINE ...]: planned in a.db, ids in ids
grid() {
    printf '%s\n' '[grid]' 'name = g' 'scheme = qat' 'network = ./tiny.cfg' 'dataset = fashion-mnist' "seed = $1" \
        '[train]' 'batch = 16' 'epochs = 1' 'widths = 2' '[evaluate]' 'bits = 2' 'calibration = 0' >g.grid
    [ $# -eq 1 ] || printf '%s\n' "${@:2}" >>g.grid
    "$program" plan g.grid --db a.db --ids --quiet >ids
    id=$(head -n 1 ids)
}

# attempts N OUTCOME CAUSE REASON [RESUMED]: of the run, on a host that is far, which gave no sign for long
attempts() {
    local i
    for ((i = 0; i < $1; i++)); do
        began=$((${began:-0} + 1))
        sql "INSERT INTO attempts (run_id, engine, precision, threads, isa, libraries, commit_id, dirty, host, pid,
                 process_start, command, started_at, heartbeat_at, resumed_at, progress, ended_at, outcome, reason, cause)
             VALUES ('$id', 'null', 'fp32', 1, 'x', 'x', 'abc', 0, 'far', abs(random()), 0, 'run', unixepoch() - 900 + $began,
                 unixepoch() - 900, ${5:-0}, 0.5, iif($2 IS NULL, NULL, unixepoch() - 800), $2, $4, $3)"
    done
}

state() {
    sql "SELECT state, ends FROM run_status WHERE run_id = '$id'"
}

pending() {
    "$program" plan g.grid --db a.db --pending --ids --quiet
}

@test "a loss that is no number is the run's own fault, and what the disk refuses is not" {
    grid 1 '[when scheme=qat]' 'optimizer = sgd' 'learning_rate = 1000' 'decay = 1' 'epochs = 9'
    go run "$id" --quiet
    [ "$status" -eq 1 ]
    [[ $(sql "SELECT outcome, cause, reason FROM attempts") == "failed|own|the loss at 2 bits is not finite"* ]]
    [ -z "$(pending)" ]
    go run "$id" --quiet
    [[ $stderr == *"--retry tries it again" ]]
    rm -rf a.db* a.runs
    grid 1 '[when scheme=qat]' 'epochs = 2'
    # its folder goes away under it
    at_checkpoint 'rm -rf a.runs/*/' "$program" run "$id" --db a.db --quiet || true
    [[ $(sql "SELECT outcome, cause, reason FROM attempts") == "failed|outside|"*"cannot be synced"* ]]
    [ "$(pending)" = "$id" ]
    go run "$id" --quiet
    [ "$status" -eq 0 ]
}

@test "what was ended from outside is tried again three times from one point, and then when it is asked for" {
    grid 1
    attempts 3 "'failed'" "'outside'" "'disk full'"
    [ "$(state)" = "pending|3" ]
    attempts 1 "'interrupted'" "'outside'" "'signal 15'"
    [ "$(state)" = "pending|0" ]
    attempts 1 NULL NULL NULL
    [ "$(state)" = "failed|4" ]
    [ -z "$(pending)" ]
    go status g
    [[ $output == *"failed"*"no sign of life for 120 s (ended from outside 4 times)"* ]]
    go retry g
    [ "$output" = "${id:0:12} (qat, tiny, seed 1) is to be tried again: no sign of life for 120 s (ended from outside 4 times)" ]
    [ "$(state)" = "pending|0" ]
    [ "$(sql 'SELECT count(*) FROM attempts')" -eq 5 ]
    attempts 1 "'failed'" "'outside'" "'disk full'"
    [ "$(state)" = "pending|1" ]
    go retry g
    [ "$output" = "no run has failed" ]
}

@test "from a later point on, the three times begin anew; one that is called by hand runs in any case" {
    grid 1
    attempts 4 NULL NULL NULL
    [ "$(state)" = "failed|4" ]
    attempts 1 NULL NULL NULL 0.25
    [ "$(state)" = "dead|1" ]
    attempts 3 NULL NULL NULL 0.25
    [ "$(state)" = "failed|4" ]
    go run "$id" --engine null --quiet
    [ "$status" -eq 0 ]
    [ "$(state)" = "done|0" ]
}

@test "retry takes runs by their reason" {
    grid 1..3
    for i in 1 2 3; do
        id=$(sed -n ${i}p ids)
        attempts 1 "'failed'" "'own'" "'loss $((i / 2)) is no number'"
    done
    go retry g --reason "loss 7"
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: retry: none of the 3 failed runs has 'loss 7' in its reason; "* ]]
    go retry g.grid --reason "loss 1"
    [ "${#lines[@]}" -eq 2 ]
    [ "$(pending)" = "$(tail -n 2 ids)" ]
    # asked again, it is known
    cp a.db b.db
    run -0 "$program" merge --db b.db a.db
    [ "$(sql "SELECT count(*) FROM retries" b.db)" -eq 2 ]
    for wrong in "" "g g" "g --reason"; do
        # shellcheck disable=SC2086
        go retry $wrong
        [ "$status" -eq 2 ]
    done
    go retry nothing
    [ "$status" -eq 1 ]
}

@test "an attempt says where its log is, and what job it was part of" {
    grid 1,2
    SLURM_JOB_ID=7 "$program" run "$id" --db a.db --engine null --quiet 2>my.log
    SLURM_JOB_ID=9 SLURM_ARRAY_JOB_ID=8 SLURM_ARRAY_TASK_ID=3 "$program" run "$(sed -n 2p ids)" --db a.db --engine null \
        --quiet 2>/dev/null
    [ "$(sql "SELECT log, job FROM attempts ORDER BY attempt")" = "$PWD/my.log|7"$'\n'"|8_3" ]
    "$program" export database g --db a.db --output x.db --anonymous
    [ "$(sql "SELECT count(*) FROM attempts WHERE log LIKE 'path-%' OR job LIKE 'job-%'" x.db)" -eq 2 ]
}

# on_trial N: the N-th run, on the trial t
on_trial() {
    go run "$(sed -n "$1p" ids)" --trial t --quiet "${@:2}"
}

@test "once the first five runs have failed for one reason, no other begins" {
    grid 1..9
    go check --trial t
    [ "$status" -eq 0 ]
    # their data are others than those they were planned with: nothing is recorded of such runs
    sql "UPDATE runs SET data_hash = 'x'"
    for i in 1 2 3 4; do
        on_trial $i
        [ "$status" -eq 1 ]
        go check --trial t
        [ "$status" -eq 0 ]
    done
    on_trial 5
    [ "$status" -eq 1 ]
    [[ $stderr == *"the data set fashion-mnist differs from the one run "* ]]
    on_trial 6
    [ "$status" -eq 5 ]
    [[ $stderr == "truncquant: the first 5 runs failed for one reason, so that no other begins: the data set fashion-mnist"* ]]
    go check --trial t
    [ "$status" -eq 5 ]
    [[ $stderr == "truncquant: the first 5 runs failed for one reason"* ]]
    size=$(wc -c <t)
    on_trial 7
    [ "$(wc -c <t)" -eq "$size" ]
}

@test "a trial goes well with one run that did, or failed otherwise; what was stopped or killed is told apart" {
    grid 1..9
    sql "UPDATE runs SET data_hash = 'x' WHERE seed < 5"
    for i in 1 2 3 4; do on_trial $i; done
    # stopped: this counts for nothing
    "$program" run "$(sed -n 9p ids)" --trial t --db a.db --engine null:60 --quiet &
    run=$!
    wait_for $run grep -q "begun $(sed -n 9p ids)" t
    sleep 0.5
    kill -TERM $run
    wait $run || true
    go check --trial t
    [ "$status" -eq 0 ]
    # killed: another reason than that of the four
    "$program" run "$(sed -n 9p ids)" --trial t --db a.db --engine null:60 --quiet &
    run=$!
    wait_for $run grep -q "left" t
    sleep 0.5
    kill -KILL $run
    wait $run || true
    go check --trial t
    [ "$status" -eq 0 ]
    grep -q "^failed $(sed -n 9p ids) its process was killed" t
    sql "UPDATE runs SET data_hash = 'x'"
    on_trial 6
    [ "$status" -eq 1 ]
    # all that were killed are of one reason
    rm t
    for i in 1 2 3 4 5; do printf 'begun %s %s 1 1\n' "$(sed -n ${i}p ids)" "$(hostname)" >>t; done
    go check --trial t
    [ "$status" -eq 5 ]
    [[ $stderr == *": its process was killed" ]]
    go run "$(sed -n 6p ids)" --trial no/such/file --engine null --quiet
    [[ $stderr == "truncquant: note: the run is on no trial: no/such/file: cannot be opened"* ]]
}
