# Runs by the engine null, which computes nothing: they are recorded as any others, and never with others.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 64 64
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
    printf '%s\n' '[grid]' 'name = g' 'scheme = fp32, ptq, qat' 'network = ./tiny.cfg' 'dataset = fashion-mnist' \
        'seed = 1' '[train]' 'batch = 16' 'epochs = 2' 'widths = 2 8 32' '[evaluate]' 'bits = 2 8 32' 'calibration = 1' >g.grid
    "$program" plan g.grid --db a.db --ids --quiet --order longest-first >ids
}

# null SECONDS N: the N-th run of the list
null() {
    go run "$(sed -n "$2p" ids)" --engine "null:$1" --quiet
}

@test "a run by engine null takes its time and leaves the rows of one that computed, all of guessing" {
    SECONDS=0
    null 2 1
    [ "$status" -eq 0 ]
    [ $SECONDS -ge 2 ]
    [ "$(sql "SELECT engine, outcome, progress, libraries FROM attempts")" = "null|complete|1.0|none" ]
    [ "$(sql "SELECT count(*), min(loss) = ln(10) FROM epochs")" = "6|1" ]
    # direct at 2, 8 and 32 bits, cut to 2 and 8; calibrated too
    [ "$(sql "SELECT inference, count(*) FROM evaluations GROUP BY 1")" = $'direct|6\ntruncated|4' ]
    [ "$(sql "SELECT DISTINCT correct1, correct5, images FROM evaluations")" = "6|32|64" ]
    [ "$(ls a.runs/*/checkpoint a.runs/*/model.frozen 2>/dev/null)" = "" ]
}

@test "it waits for its parent, and goes on from the progress that is recorded" {
    null 0 3
    [ "$status" -eq 1 ]
    [[ $stderr == *"takes the weights of run "*", which is pending"* ]]
    "$program" run "$(sed -n 2p ids)" --db a.db --engine null:30 --quiet &
    run=$!
    wait_for $run grep -q 1 <(until [ "$(sql 'SELECT count(*) FROM attempts')" = 1 ]; do sleep 0.05; done; echo 1)
    sleep 1
    kill -TERM $run
    status=0
    wait $run || status=$?
    [ $status -eq 143 ]
    [ "$(sql "SELECT outcome, cause, progress > 0.02 FROM attempts")" = "interrupted|outside|1" ]
    sql "UPDATE attempts SET progress = 0.99"
    SECONDS=0
    null 30 2
    [ "$status" -eq 0 ]
    [ $SECONDS -lt 10 ]
    [ "$(sql "SELECT resumed_at FROM attempts ORDER BY attempt DESC LIMIT 1")" = 0.99 ]
}

@test "results and runs that computed nothing are not mixed, in whatever way" {
    for i in 1 2 3; do null 0 $i && [ "$status" -eq 0 ]; done
    cp a.db null.db
    go export accuracy --quiet
    [[ $output == *$'\n'"no results: engine null computes nothing, and this is what guessing would come to; tiny on "* ]]
    "$program" plan g.grid --db b.db --quiet --ids >/dev/null
    run -0 "$program" run --db b.db "$(head -n 1 ids)" --quiet
    cp b.db real.db
    run -1 "$program" run --db b.db "$(sed -n 2p ids)" --engine null
    [[ $output == *"b.db: has results, and engine null makes none: they are not mixed; name another file with --db" ]]
    run -1 "$program" plan g.grid --db b.db --engine null:3
    [[ $output == *"b.db: has results, and engine null makes none"* ]]
    sed -i 's/seed = 1/seed = 2/' g.grid
    id=$("$program" plan g.grid --db a.db --ids --pending --quiet | head -n 1)
    go run "$id" --quiet
    [ "$status" -eq 1 ]
    [[ $stderr == *"a.db: has runs by engine null alone, which computes nothing, and results are not mixed with those;"* ]]
    run -1 "$program" merge --db b.db null.db
    [[ $output == *"null.db: has runs by engine null, which computes nothing, and what it is merged with has results;"* ]]
    run -1 "$program" merge --db a.db real.db
    [[ $output == *"real.db: has results, and what it is merged with runs by engine null"* ]]
    run -1 "$program" merge --db new.db real.db null.db
    [[ $output == *"null.db: has runs by engine null"* ]]
    [ ! -e new.db ]
    run -0 "$program" merge --db a.db null.db
    [ "$(sql "SELECT group_concat(DISTINCT engine) FROM attempts")" = null ]
    [ "$(sql "SELECT group_concat(DISTINCT engine) FROM attempts" b.db)" != null ]
}

@test "what engine null is told" {
    for wrong in null:x null:-1 null: onednn:3 nul; do
        go run "$(head -n 1 ids)" --engine "$wrong"
        [ "$status" -eq 2 ]
        [ "${#stderr_lines[@]}" -eq 1 ]
    done
    go evaluate "$(head -n 1 ids)" --engine null
    [ "$status" -eq 2 ]
    [[ $stderr == *"engine null computes nothing, so there is nothing of it; name another" ]]
}
