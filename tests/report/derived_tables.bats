# Differences, drops and reductions against a twin in Python that computes them from the raw tables of a
# database with holes: seeds, widths and schemes are missing at random, others on each split.

bats_require_minimum_version 1.5.0

setup() {
    root=$BATS_TEST_DIRNAME/../..
    truncquant=$root/${BUILD:-build}/truncquant
    twin=$BATS_TEST_DIRNAME/derived_tables.py
}

@test "a database with holes: every cell is the twin's" {
    python3 "$twin" make "$BATS_TEST_TMPDIR/holes.db" "$root"/harness/store/schema/[0-9]*.sql "$root/harness/store/schema/views.sql"
    run -0 python3 "$twin" check "$truncquant" "$BATS_TEST_TMPDIR/holes.db"
    [ "${#lines[@]}" -eq 12 ]
    [ "${lines[0]}" = "test differences 91" ] # cells that are there, of each table
    [ "${lines[5]}" = "test reductions-calibrated 29" ]
}

@test "Student's t: quantiles of tables" {
    t() {
        sqlite3 :memory: ".read '$root/harness/store/schema/001-initial.sql'" ".read '$root/harness/store/schema/views.sql'" \
            "SELECT printf('%.3f', t) FROM student_t WHERE df = $1"
    }
    [ "$(t 1)$(t 2)$(t 4)$(t 9)" = 12.7064.3032.7762.262 ]
    [ "$(t 30)$(t 31)$(t 60)$(t 120)$(t 1000)" = 2.0422.0402.0001.9801.962 ]
}

@test "the rows that programs read: the same columns in every table, every number is the twin's" {
    python3 "$twin" make "$BATS_TEST_TMPDIR/holes.db" "$root"/harness/store/schema/[0-9]*.sql "$root/harness/store/schema/views.sql"
    run -0 python3 "$BATS_TEST_DIRNAME/tidy_tables.py" "$truncquant" "$BATS_TEST_TMPDIR/holes.db"
    [ "${#lines[@]}" -eq 16 ]
    [[ ${lines[0]} =~ ^"test accuracy "[1-9][0-9]+$ && ${lines[15]} =~ ^"val reductions-calibrated "[1-9][0-9]+$ ]]
}

@test "what README says of the demo is what its published database has, over three seeds of each scheme" {
    # cell SCHEME INFERENCE [-calibrated]: at 2 bits.
    cell() {
        "$truncquant" export "accuracy$3" --db "$root/results/published/demo.db" --grid "$root/experiments/demo.grid" --format csv |
            sqlite3 :memory: ".import --csv /dev/stdin t" \
                "SELECT printf('%.1f ± %.1f', top1, sd) FROM t WHERE scheme = '$1' AND inference = '$2' AND bits = 2"
    }
    readme=$(tr '\n' ' ' <"$root/README.md")
    for text in "QAT falls from $(cell qat direct) to $(cell qat truncated) %" \
        "min-max from $(cell minmax direct) to $(cell minmax truncated) %" "TruncQuant keeps its $(cell truncquant truncated) %" \
        "QAT's 2 bits come back to $(cell qat truncated -calibrated) %, min-max's to $(cell minmax truncated -calibrated) %"; do
        echo "$text"
        [[ $readme == *"$text"* ]]
    done
    [ "$(cell truncquant direct)" = "$(cell truncquant truncated)" ]
    run -0 "$truncquant" export grids --db "$root/results/published/demo.db" --format csv
    [ "${lines[1]}" = "demo,9,9" ]
    run -0 "$truncquant" plan "$root/experiments/demo.grid" --dry-run --quiet --db "$BATS_TEST_TMPDIR/none.db"
    [ "$(cut -d' ' -f1 <<<"$output" | sort)" = "$(sqlite3 "$root/results/published/demo.db" "SELECT run_id FROM runs" | sort)" ]
}

@test "ablations, top-5, the authors' table beside ours, cost: every number is the twin's" {
    python3 "$twin" make "$BATS_TEST_TMPDIR/more.db" "$root"/harness/store/schema/[0-9]*.sql "$root/harness/store/schema/views.sql"
    python3 "$BATS_TEST_DIRNAME/more_tables.py" change "$BATS_TEST_TMPDIR/more.db"
    run -0 python3 "$BATS_TEST_DIRNAME/more_tables.py" check "$truncquant" "$BATS_TEST_TMPDIR/more.db"
    [[ $output =~ ^"top5 "[1-9][0-9]+$'\n'"authors "[1-9][0-9]+$'\n'"ablations "[1-9][0-9]+$'\n'"cost "[1-9][0-9]*$ ]]
}

@test "what is asked of one grid costs what that grid has" { # tests/long/many.bats asks a larger database for all there is
    python3 "$BATS_TEST_DIRNAME/many.py" make "$BATS_TEST_TMPDIR/many.db" 40000 "$root"/harness/store/schema/[0-9]*.sql \
        "$root/harness/store/schema/views.sql"
    for what in differences "figure dots"; do
        # shellcheck disable=SC2086
        run -0 python3 "$BATS_TEST_DIRNAME/many.py" time "$truncquant" "$BATS_TEST_TMPDIR/many.db" 0.5 export $what
        [[ $output != *nothing* ]]
    done
}
