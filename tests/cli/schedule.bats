# What schedulers go by: the order of runs, what each needs, how many fit, and why a run is to be run.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 64 64
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
    sed 's/filters=4/filters=2/' tiny.cfg >small.cfg
    grid 2
}

# grid EPOCHS: with the runs that take weights before those whose they take
grid() {
    printf '%s\n' '[grid]' 'name = g' 'scheme = ptq, qat, fp32' 'network = ./small.cfg, ./tiny.cfg' \
        'dataset = fashion-mnist' 'seed = 1' '[train]' 'batch = 16' "epochs = $1" 'widths = 2 8 32' '[evaluate]' \
        'bits = 2 8 32' 'calibration = 1' >g.grid
}

plan() {
    go plan g.grid --quiet "$@"
}

# scheme and network of each line that begins with an id
shown() {
    local id
    while read -r id _; do
        sql "SELECT scheme || ' ' || network FROM runs WHERE run_id = '$id'"
    done <<<"$output" | paste -sd,
}

done_by_null() {
    "$program" run "$1" --db a.db --engine null --quiet
}

@test "no run comes before the one whose weights it takes, and the longest comes first where that is asked for" {
    plan --ids
    [ "$(shown)" = "qat small,qat tiny,fp32 small,fp32 tiny,ptq small,ptq tiny" ]
    plan --ids --order longest-first
    [ "$(shown)" = "qat tiny,fp32 tiny,qat small,fp32 small,ptq tiny,ptq small" ]
    plan --ids --pending
    [ "$(shown)" = "qat tiny,fp32 tiny,qat small,fp32 small,ptq tiny,ptq small" ]
    plan --ids --pending --order grid
    [ "$(shown)" = "qat small,qat tiny,fp32 small,fp32 tiny,ptq small,ptq tiny" ]
    plan --order shortest
    [ "$status" -eq 2 ]
    [[ $stderr == *"--order takes grid or longest-first, not 'shortest'" ]]
}

@test "a run counts with what takes its weights: the longest way through the grid begins first" {
    sed -i 's/bits = 2 8 32/bits = 1 2 3 4 5 6 7 8 32/; s/scheme.*/scheme = ptq, qat, fp32/; s/epochs = 2/epochs = 1/' g.grid
    sed -i '/widths/d; s/network.*/network = .\/tiny.cfg/' g.grid
    printf '%s\n' '[when scheme=qat]' 'widths = 8' 'bits = 8' >>g.grid
    plan --schedule
    fp32=$(awk -F'\t' 'NR == 2 { print $2 }' <<<"$output") qat=$(awk -F'\t' 'NR == 1 { print $2 }' <<<"$output")
    [ "$fp32" -lt "$qat" ]
    plan --ids --order longest-first
    [ "$(shown)" = "fp32 tiny,qat tiny,ptq tiny" ]
}

@test "--schedule: work, seconds, memory, cores, parent, where its weights lie, the log" {
    plan --schedule --threads 3
    [ "${#lines[@]}" -eq 6 ]
    while IFS=$'\t' read -r id work seconds memory cores parent host log more; do
        [ "$work" = "$(sql "SELECT printf('%.0f', work) FROM runs WHERE run_id = '$id'")" ]
        [[ $seconds =~ ^[0-9]+\.[0-9]$ ]]
        [ "$memory" -gt 100 ] && [ "$memory" -lt 400 ]
        [ "$cores" -eq 3 ]
        [ "$parent" = "$(sql "SELECT coalesce(parent, '-') FROM runs WHERE run_id = '$id'")" ]
        [ "$host" = - ]
        [[ $log == *-fashion-mnist-1-${id:0:12} ]]
        [ -z "$more" ]
    done <<<"$output"
    plan --ids
    done_by_null "$(sed -n 3p <<<"$output")"
    plan --schedule --pending --engine null
    [ "$(cut -f 5 <<<"$output" | sort -u)" = 0 ]
    [ "$(grep -c "	$(hostname)	" <<<"$output")" -eq 1 ]
    # what was measured counts: of this network, data set and batch
    sql "UPDATE attempts SET peak_bytes = 900 * 1048576, engine = 'onednn'"
    plan --schedule
    [ "$(cut -f 4 <<<"$output" | sort -n | uniq -c | awk '{ print $1 }' | paste -sd,)" = 3,3 ]
    [ "$(cut -f 4 <<<"$output" | sort -n | tail -n 1)" = 900 ]
}

@test "more runs at a time than have cores or memory here are refused, with how many fit" {
    cores=$("$program" check --cores)
    plan --fit
    [ "$output" = "$cores" ]
    plan --jobs "$cores" --name
    [ "$output" = g ]
    plan --jobs $((cores + 1)) --name
    [ "$status" -eq 1 ]
    [[ $stderr == *"$((cores + 1)) runs at a time with 1 core each are too many for the $cores core"*"; --jobs $cores" ]]
    plan --jobs 1000 --engine null --name
    [ "$output" = g ]
    plan --jobs 2 --threads "$cores" --name
    [ "$status" -eq 1 ]
    [[ $stderr == *"; --jobs 1" ]]
    # each takes more than half of what there is
    plan --ids
    done_by_null "${lines[0]}"
    memory=$(awk '/MemTotal/ { printf "%.0f", 0.6 * $2 * 1024 }' /proc/meminfo)
    sql "UPDATE attempts SET engine = 'onednn', peak_bytes = $memory"
    plan --fit
    [ "$output" = 1 ]
    plan --jobs 1 --name
    [ "$output" = g ]
    if [ "$cores" -gt 1 ]; then
        plan --jobs 2 --name
        [ "$status" -eq 1 ]
        [[ $stderr == *"2 runs at a time can take more than the "*" GiB of memory that may be used here; --jobs 1" ]]
    fi
}

# why SCHEME NETWORK: what is said of that run
why() {
    local id
    plan --why "${@:3}" >/dev/null
    id=$(sql "SELECT run_id FROM runs JOIN grid_runs USING (run_id) WHERE current AND scheme = '$1' AND network = '$2'")
    sed -n "s/^$id //p" <<<"$output"
}

@test "--why: new, changed, waiting, failed, interrupted, dead, stale, excluded; done runs are not told of" {
    plan --ids --order longest-first
    ids=("${lines[@]}")
    [ "$(why qat tiny)" = "runs: new" ]
    [ "$(why ptq tiny)" = "waits: new; waits for the weights of run ${ids[1]:0:12}, which is pending" ]
    done_by_null "${ids[0]}"
    [ "$(why qat tiny)" = "" ]
    done_by_null "${ids[1]}"
    [ "$(why ptq tiny)" = "runs: new" ]
    attempt() { # [OUTCOME, REASON, CAUSE]
        sql "DELETE FROM attempts WHERE run_id = '${ids[2]}';
             INSERT INTO attempts (run_id, engine, precision, threads, isa, libraries, commit_id, dirty, host, pid,
                 process_start, command, started_at, heartbeat_at, resumed_at, progress, ended_at, outcome, reason, cause)
             VALUES ('${ids[2]}', 'null', 'fp32', 1, 'x', 'x', 'abc', 0, 'far', 7, 0, 'run', unixepoch(), unixepoch(), 0,
                 0.25, iif(${1%%,*} IS NULL, NULL, unixepoch()), $1)"
    }
    attempt "'failed', 'no number', 'own'"
    [ "$(why qat small)" = "left out: failed before on far at 25 %: no number; 'truncquant retry' has it tried again" ]
    [ "$(why qat small --retry-failed)" = "runs: failed before on far at 25 %: no number" ]
    attempt "'failed', 'disk full', 'outside'"
    [ "$(why qat small)" = "runs: failed from outside on far at 25 %: disk full" ]
    attempt "'interrupted', 'signal 15', 'outside'"
    [ "$(why qat small)" = "runs: interrupted on far at 25 %: signal 15" ]
    attempt "NULL, NULL, NULL"
    [ "$(why qat small)" = "left out: is being computed on far (process 7)" ]
    sql "UPDATE attempts SET heartbeat_at = heartbeat_at - 900, started_at = started_at - 900 WHERE host = 'far'"
    [ "$(why qat small)" = "runs: died on far at 25 %: no sign of life for 120 s" ]
    sql "UPDATE attempts SET engine = 'onednn'; UPDATE attempts SET fingerprint = '$(printf '%064d' 1)'
         WHERE run_id = '${ids[0]}'"
    [[ $(why qat tiny) == "left out: changed code: computed by another version of its quantizer, qat; --again "* ]]
    [[ $(why qat tiny --again) == "runs: changed code: computed by another version of its quantizer, qat" ]]
    "$program" exclude "${ids[1]}" --reason odd --db a.db --quiet
    [[ $(why fp32 tiny) == "left out: excluded ("* ]]
    [ "$(why ptq tiny)" = "left out: excluded parent: takes the weights of run ${ids[1]:0:12}, which does not count" ]
    grid 3
    [ "$(why qat tiny)" = "runs: changed since run ${ids[0]:0:12}: epochs = 3, not 2" ]
    sed -i 's/seed = 1/seed = 4/' g.grid
    [ "$(why qat tiny)" = "runs: new" ]
    grid 2
    sed -i 's/filters=8/filters=9/' tiny.cfg
    [ "$(why qat tiny)" = "runs: changed since run ${ids[0]:0:12}: the network's file has changed" ]
}
