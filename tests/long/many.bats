# A database of a million evaluations, as years of work leave one: each table, each figure and status of one grid of it takes
# at most a second of a processor, and so does the line that says how far all of it is.

bats_require_minimum_version 1.5.0

setup() {
    root=$BATS_TEST_DIRNAME/../..
    truncquant=$root/${BUILD:-build}/truncquant
    many=$root/tests/report/many.py
}

@test "a million evaluations: status, each table and each figure within a second" {
    python3 "$many" make "$BATS_TEST_TMPDIR/a.db" 1000000 "$root"/harness/store/schema/[0-9]*.sql "$root/harness/store/schema/views.sql"
    [ "$(sqlite3 "$BATS_TEST_TMPDIR/a.db" 'SELECT count(*) >= 1000000 FROM evaluations')" = 1 ]
    run -0 python3 "$many" time "$truncquant" "$BATS_TEST_TMPDIR/a.db" 1.0
    echo "$output"
    [ "${#lines[@]}" -gt 30 ]
}
