#!/usr/bin/env bats
# Databases of somebody else: what is in them is shown as text, and asks for no more than its share.

bats_require_minimum_version 1.5.0

setup() {
    root=$BATS_TEST_DIRNAME/../..
    truncquant=$root/${BUILD:-build}/truncquant
    cd "$BATS_TEST_TMPDIR"
}

newest=$(find "$BATS_TEST_DIRNAME/../../harness/store/schema" -name '[0-9]*.sql' -printf '%f\n' | sort | tail -n 1 | sed 's/^0*\([0-9]*\)-.*/\1/')

# NAME.db: a finished run and a failed one whose every text holds an escape sequence, a CSI of UTF-8, and a carriage
# return
make_hostile() {
    local bad="x' || char(27) || '[31m' || char(155) || '2J' || char(13) || 'y"
    {
        echo "BEGIN;"
        cat "$root"/harness/store/schema/0*.sql "$root/harness/store/schema/views.sql"
        echo "PRAGMA user_version = $newest;
              CREATE TEMP TABLE n AS SELECT 1 AS i UNION SELECT 2;
              INSERT INTO runs (run_id, config_id, spec, cfg, grid, scheme, network, dataset, data_hash, params, seed,
                                widths, epochs, batch, images, act_bits, stored_bits, work)
              SELECT printf('%064x', i), printf('%064x', i), '$bad', '', '$bad', '$bad', '$bad', '$bad', 'h',
                     json_object('widths', '$bad'), i, '1 2', 3, 128, 1000, 0, 8, 1000 FROM n;
              INSERT INTO grid_runs SELECT '$bad', run_id, 1 FROM runs;
              INSERT INTO attempts (run_id, engine, precision, threads, isa, libraries, commit_id, dirty, host, pid,
                                    process_start, command, started_at, heartbeat_at, resumed_at, progress, ended_at,
                                    outcome, reason)
              SELECT run_id, '$bad', '$bad', 1, '$bad', '$bad', '$bad', 0, '$bad', 1, 0, '$bad', 1, 2, 0, 1, 2,
                     iif(seed = 1, 'complete', 'failed'), '$bad' FROM runs;
              INSERT INTO evaluations (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference,
                                       calibration_batches, precision, images, correct1, correct5, loss_sum)
              SELECT 1, 3, 'test', 2, 2, 8, 2, inference, 0, '$bad', 1000, 690, 990, 1234
              FROM (SELECT 'direct' AS inference UNION SELECT 'truncated');
              INSERT INTO epochs VALUES (1, 1, 2, 1, 50, 0.1, 1, 1000);
              INSERT INTO layers VALUES (1, 1, 2, '$bad', 0.5, 0.5, 0.5, 1);
              COMMIT;"
    } | sqlite3 -bail "$1.db" >/dev/null
}

# shown ARGUMENT ...: the program says something, and nothing of it is a control character
shown() {
    "$truncquant" "$@" --db hostile.db >said 2>&1 || true
    if ! [ -s said ] || LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' said; then
        echo "truncquant $*:"
        cat -v said
        return 1
    fi
}

@test "texts of a database are shown as texts, whoever prints them" {
    make_hostile hostile
    one=$(printf '%064x' 1) two=$(printf '%064x' 2)
    shown status
    shown status "$one"
    shown status "$two"
    shown status --line
    for what in accuracy drops runs attempts epochs evaluations layers grids "caption accuracy"; do
        for format in text csv tex md; do
            # shellcheck disable=SC2086
            shown export $what --format $format
        done
    done
    shown export differences --against qat
    shown export accuracy --grid nobody
    shown export figure accuracy
    shown export figure accuracy --caption -
    grep -q 'x?\[31m??2J?y' said # it is there
    shown run "$two"
    shown run "$one" --again
    shown evaluate "$one"
    shown exclude "$two" --reason bad
    grep -q 'x?\[31m??2J?y' said
    shown exclude "$two" --undo
    shown pack "$one" --output m.tqm
    mkdir figures
    "$truncquant" export figures --output figures --db hostile.db
    ! LC_ALL=C grep -rqP '[\x1b\x0d]|\xc2[\x80-\x9f]' figures
}

@test "a query that is more than a database can ask for is stopped with one line" {
    make_hostile hostile
    for what in status "export accuracy" "export runs" "exclude 0000001 --reason x"; do
        # shellcheck disable=SC2086
        TRUNCQUANT_QUERY_STEPS=100 run -1 "$truncquant" $what --db hostile.db
        [ "${#lines[@]}" -eq 1 ]
    done
    TRUNCQUANT_QUERY_STEPS=0.5 run -1 "$truncquant" status --db hostile.db
    [ "$output" = "truncquant: TRUNCQUANT_QUERY_STEPS=0.5: give a number, 1 to 1e18" ]
}
