# Databases and figures for the tests of this folder, which load it.

# The newest version of the schema.
migrations() {
    find "$BATS_TEST_DIRNAME/../../harness/store/schema" -name '[0-9]*.sql' -printf '%f\n' | sort | tail -n 1 | sed 's/^0*\([0-9]*\)-.*/\1/'
}

# $db, made from database.sql, and the program.
make_database() {
    TRUNCQUANT=$(realpath "$BATS_TEST_DIRNAME/../../${BUILD:-build}/truncquant")
    export TRUNCQUANT
    export db="$BATS_FILE_TMPDIR/my results.db"
    cat "$BATS_TEST_DIRNAME"/../../harness/store/schema/[0-9]*.sql "$BATS_TEST_DIRNAME"/../../harness/store/schema/views.sql \
        "$BATS_TEST_DIRNAME/database.sql" - <<<"PRAGMA user_version = $(migrations);" | sqlite3 -bail "$db"
}

# rows FILE CONDITION COLUMNS: from a figure's CSV, a query for a query.
rows() {
    sqlite3 :memory: ".import --csv '$1' t" "SELECT $3 FROM t WHERE $2"
}

is_png() {
    [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ]
    [ "$(tail -c 8 "$1" | head -c 4)" = IEND ]
}

# A copy of the database on which SQL was run: changed SQL ...
changed() {
    cp "$db" "$BATS_TEST_TMPDIR/changed.db"
    sqlite3 -bail "$BATS_TEST_TMPDIR/changed.db" "$@"
}

draw() {
    run --separate-stderr "$BATS_TEST_DIRNAME/../../scripts/figures.sh" --db "$BATS_TEST_TMPDIR/changed.db" \
        --output "$BATS_TEST_TMPDIR/drawn" "$@"
}

# shellcheck disable=SC2034 # for who loads this
of_one="attempt IN (SELECT attempt FROM attempts JOIN grid_runs USING (run_id) WHERE grid = 'one')"
