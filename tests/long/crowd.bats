# Many processes in one database: planners, runs, watchers, some of them killed. Each run is recorded once, whole.

load ../cli/runs

setup() {
    tiny_data "$BATS_FILE_TMPDIR" 64 64
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
}

grid() {
    printf '%s\n' '[grid]' 'name = crowd' 'scheme = qat, truncquant' "network = $PWD/tiny.cfg" \
        'dataset = fashion-mnist' "seed = 1..$1" '[train]' 'epochs = 3' 'batch = 16' 'widths = 1 2 32' \
        '[evaluate]' 'calibration = 2' >crowd.grid
}

whole() {
    [ "$(sql 'PRAGMA integrity_check')" = ok ]
    [ "$(sql 'SELECT count(*) FROM pragma_foreign_key_check')" -eq 0 ]
    [ "$(sql "SELECT count(*) FROM (SELECT 1 FROM attempts WHERE outcome = 'complete' GROUP BY run_id
              HAVING count(*) > 1)")" -eq 0 ]
    [ "$(sql "SELECT count(*) FROM run_status WHERE state = 'done'")" -eq "$1" ]
}

@test "sixty processes plan and run at once in a new database" {
    grid 30
    "$program" plan crowd.grid --db other.db --ids --quiet >ids
    [ "$(wc -l <ids)" -eq 60 ]
    for i in $(seq 60); do
        { "$program" plan crowd.grid --db a.db --ids --quiet | diff - ids && "$program" run --db a.db --quiet \
            "$(sed -n "${i}p" ids)"; } >"$i.log" 2>&1 3>&- &
    done
    failures=0
    for pid in $(jobs -p); do
        wait "$pid" || failures=$((failures + 1))
    done
    cat ./*.log
    [ $failures -eq 0 ]
    whole 60
}

@test "a grid whose runs are killed one after another ends when it is started again" {
    grid 20
    "$program" plan crowd.grid --db a.db --quiet
    for round in 1 2 3 4 5; do
        "$root/scripts/grid.sh" "$PWD/crowd.grid" --db "$PWD/a.db" --jobs 8 --engine null:0.2 >"$round.log" 2>&1 3>&- &
        grid=$!
        while kill -0 $grid 2>/dev/null; do
            sleep 0.3
            pid=$(pgrep --newest --full "truncquant run .*$PWD/a.db" || true)
            [ -z "$pid" ] || [ $((RANDOM % 4)) -gt 0 ] || kill -KILL "$pid" 2>/dev/null || true
        done
        wait $grid || true
    done
    run "$root/scripts/grid.sh" "$PWD/crowd.grid" --db "$PWD/a.db" --jobs 8 --engine null:0.2 --retry-failed
    echo "$output"
    [ "$status" -eq 0 ]
    whole 40
}

@test "thirty-two processes write to one file for a minute: each row is there, and nobody hears of a lock" {
    grid 500
    "$program" plan crowd.grid --db a.db --ids --quiet >ids
    [ "$(wc -l <ids)" -eq 1000 ]
    # each takes every 32nd of the runs, over and over, the finished ones too
    writer() {
        local id end=$((SECONDS + 60))
        while [ $SECONDS -lt $end ]; do
            while read -r id && [ $SECONDS -lt $end ]; do
                "$program" run "$id" --db a.db --engine null --quiet || return 1
                echo "$id" >>"$1.done"
            done < <(sed -n "$1~32p" ids)
        done
    }
    export OPENBLAS_NUM_THREADS=1 GOMP_SPINCOUNT=10000
    for i in $(seq 32); do
        writer "$i" >"$i.log" 2>&1 3>&- &
    done
    failures=0
    for pid in $(jobs -p); do
        wait "$pid" || failures=$((failures + 1))
    done
    cat ./*.log
    [ $failures -eq 0 ]
    [ -z "$(cat ./*.log)" ]
    cat ./*.done | sort -u >finished
    echo "$(wc -l <finished) runs were recorded by $(cat ./*.done | wc -l) processes"
    [ "$(wc -l <finished)" -ge 32 ]
    whole "$(wc -l <finished)"
    sql "SELECT run_id FROM attempts WHERE outcome = 'complete'" | sort | diff - finished
    [ "$(sql 'SELECT count(*) FROM attempts')" -eq "$(wc -l <finished)" ]
    # 3 epochs at 3 widths; 1, 2 and 32 bits direct, 1 and 2 cut, calibrated, too
    [ "$(sql 'SELECT count(*) FROM epochs')" -eq $((9 * $(wc -l <finished))) ]
    [ "$(sql 'SELECT count(*) FROM (SELECT 1 FROM evaluations GROUP BY attempt HAVING count(*) <> (
              SELECT count(*) FROM evaluations WHERE attempt = 1))')" -eq 0 ]
}
