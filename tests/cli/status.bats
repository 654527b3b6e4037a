# truncquant status by scheme and network, by the machines at work, and of one run.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 64 64
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
}

# grid SCHEMES SEEDS: planned, every run of 1000 units of work; ids in ids
grid() {
    printf '%s\n' '[grid]' 'name = g' "scheme = $1" 'network = ./tiny.cfg' 'dataset = fashion-mnist' "seed = $2" \
        '[train]' 'batch = 16' 'epochs = 3' 'widths = 2 32' '[evaluate]' 'bits = 2 32' 'calibration = 0' >g.grid
    "$program" plan g.grid --db a.db --ids --quiet >ids
    sql "UPDATE runs SET work = 1000"
}

# attempt N HOST SECONDS PROGRESS [OUTCOME CAUSE REASON]: of the N-th run, which began so long ago
attempt() {
    sql "INSERT INTO attempts (run_id, engine, precision, threads, isa, libraries, commit_id, dirty, host, pid,
             process_start, command, started_at, heartbeat_at, resumed_at, progress, ended_at, outcome, cause, reason)
         VALUES ('$(sed -n "$1p" ids)', 'reference', 'fp32', 1, 'x', 'x', 'abc', 0, '$2', $1, 0, 'run',
             unixepoch() - $3, unixepoch(), 0, $4, iif('${5-}' = '', NULL, unixepoch()), nullif('${5-}', ''),
             ${6:-NULL}, ${7:-NULL})"
}

@test "counts by scheme and network; of what is merely pending a few stand for all" {
    grid "qat, truncquant" 1..15
    attempt 1 far 100 1 complete
    attempt 2 far 10 0.5 failed "'own'" "'no number'"
    attempt 16 far 10 0.5
    go status g
    [[ $output == *$'\n'"scheme      network  runs done diverged running failed dead pending  left"$'\n'* ]]
    [[ $output == *$'\n'"qat         tiny       15    1        0       0      1    0      13 "* ]]
    [[ $output == *$'\n'"truncquant  tiny       15    0        0       1      0    0      14 "* ]]
    [ "$(grep -c " pending " <<<"$output")" -eq $((2 + 20)) ]
    [[ $output == *$'\n'"and 7 more that are pending"* ]]
    [[ $output == *" failed "*" no number"* ]]
    [[ $output == *" running "* ]]
}

@test "the time left is by what the machines that are at work have done before" {
    grid qat 1..6
    attempt 1 quick 10 1 complete  # 100 units a second
    attempt 2 slow 100 1 complete  # 10 units a second
    go status g --line
    # nobody is at work: one process, as fast as both machines together did: 2000 units in 110 s
    [ "$output" = "2 done, 4 pending; 03:40 left" ]
    # half of what this one does is left, 50 s; then three runs of 100 s
    attempt 3 slow 50 0.5
    go status g --line
    [ "$output" = "2 done, 1 running, 3 pending; 05:50 left" ]
    # two at a time: 50 s and 5 s of those that run; 2 x 1000 units at (10 + 100) / 2 a second: (50 + 5 + 36) / 2
    attempt 4 quick 5 0.5
    go status g --line
    [ "$output" = "2 done, 2 running, 2 pending; 00:50 left" ]
}

@test "of one run: its attempts, its last losses, where its log is" {
    grid qat 1
    id=$(cat ids)
    go status "${id:0:8}"
    [[ $output == "run $id"$'\n'"qat, tiny, fashion-mnist, seed 1: pending, 0 %"*"it was not tried yet" ]]
    attempt 1 far 900 0.5 interrupted "'outside'" "'signal 15 (Terminated)'"
    sql "UPDATE attempts SET job = '7_3'"
    "$program" run "$id" --db a.db --quiet 2>my.log
    go status "$id"
    [[ $output == *": done, 100 %"* ]]
    [[ $output == *" far  "*" 7_3  reference  interrupted  outside   50 %  signal 15 (Terminated)"* ]]
    [[ $output == *" complete "*" 100 %"* ]]
    [[ $output == *$'\n'"epoch bits   loss accuracy learning rate"$'\n'"    3    2 "*$'\n'"    3   32 "*$'\n'"    1   32 "* ]]
    [[ $output == *$'\n'"log: $PWD/my.log on $(hostname)"* ]]
    go status abcdef12
    [ "$status" -eq 1 ]
    [[ $stderr == *"has no run abcdef12"* ]]
    go status "$id" --watch
    [ "$status" -eq 2 ]
    # a grid of that name comes first
    sql "UPDATE grid_runs SET grid = 'abcdef12'"
    go status abcdef12 --line
    [ "$output" = "1 done" ]
}
