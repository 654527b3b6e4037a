#!/usr/bin/env bats
# `status` and `export` on databases made from the schema by sqlite3, as a user sees them.

bats_require_minimum_version 1.5.0
load wait

setup() {
    root=$BATS_TEST_DIRNAME/../..
    truncquant=$root/${BUILD:-build}/truncquant
    cd "$BATS_TEST_TMPDIR"
    db=results.db
}

# version of the schema
newest=$(find "$BATS_TEST_DIRNAME/../../harness/store/schema" -name '[0-9]*.sql' -printf '%f\n' | sort | tail -n 1 | sed 's/^0*\([0-9]*\)-.*/\1/')

# A database of the current schema, as the program would make it.
make_db() {
    {
        echo "PRAGMA journal_mode = WAL; BEGIN;"
        cat "$root"/harness/store/schema/0*.sql "$root/harness/store/schema/views.sql"
        echo "PRAGMA user_version = $newest; COMMIT;"
    } | sqlite3 "$db" >/dev/null
}

# sql STATEMENTS
sql() {
    sqlite3 "$db" "PRAGMA foreign_keys = ON; $1"
}

# add_run NUMBER GRID [SCHEME]: 1000 units of work
add_run() {
    local id
    id=$(printf '%064x' "$1")
    sql "INSERT INTO runs (run_id, config_id, spec, cfg, grid, scheme, network, dataset, data_hash,
             params, seed, widths, epochs, batch, images, act_bits, stored_bits, work)
         VALUES ('$id', '$id', '', '', '$2', '${3:-truncquant}', 'resnet8', 'mnist', 'h', '{}', $1,
             '1 2', 3, 128, 1000, 0, 8, 1000);
         INSERT INTO grid_runs (grid, run_id) VALUES ('$2', '$id');"
}

# add_attempt NUMBER SECONDS PROGRESS [OUTCOME [REASON]]: began SECONDS ago, on another host
add_attempt() {
    local ended=NULL outcome=NULL
    [ -z "${4-}" ] || { ended="unixepoch()" outcome="'$4'"; }
    sql "INSERT INTO attempts (run_id, engine, precision, threads, isa, libraries, commit_id, dirty,
             host, pid, process_start, command, started_at, heartbeat_at, resumed_at, progress,
             ended_at, outcome, reason)
         VALUES ('$(printf '%064x' "$1")', 'reference', 'fp32', 1, 'x', 'x', 'abc1234', 0,
             'elsewhere', 1, 0, 'truncquant run', unixepoch() - $2, unixepoch(), 0, $3,
             $ended, $outcome, ${5:-NULL});"
}

# Two done in 100 s each, one half done after 50 s, one failed, one silent, one pending: work at 10 per
# second; 500 + 1000 left, one at a time: 150 s.
make_grid() {
    make_db
    for i in 1 2 3 4 5 6; do add_run $i demo; done
    add_attempt 1 100 1.0 complete
    add_attempt 2 100 1.0 complete
    add_attempt 3 50 0.5
    add_attempt 4 10 0.1 failed "'loss is NaN in conv3 at 2 bits'"
    add_attempt 5 20 0.2
    sql "UPDATE attempts SET started_at = started_at - 900, heartbeat_at = heartbeat_at - 900
         WHERE attempt = 5; UPDATE runs SET config_id = '$(printf '%064d' 1)'" # they differ in their seeds alone
}

@test "status counts, says why, and how long" {
    make_grid
    run -0 "$truncquant" status demo --db $db
    [[ ${lines[0]} =~ ^runs\ done\ running\ failed\ dead\ pending\ excluded\ +left$ ]]
    [[ ${lines[1]} =~ ^\ +6\ +2\ +1\ +1\ +1\ +1\ +0\ 02:30$ ]]
    [[ $output == *$'\n'"000000000000  truncquant  resnet8               4  failed       10 %  loss is NaN in conv3 at 2 bits"* ]]
    [[ $output == *"   5  dead         20 %  no sign of life for 120 s"* ]]
    [[ $output == *"   3  running      50 %"* ]]
    [[ $output == *"   6  pending       0 %"* ]]
    [ "${#lines[@]}" -eq 7 ]
}

@test "status tells runs of one scheme apart" {
    make_grid
    sql "UPDATE runs SET params = '{\"epochs\": 3, \"align\": 0.1}', config_id = run_id WHERE seed = 3;
         UPDATE runs SET config_id = run_id WHERE seed = 6;
         UPDATE runs SET params = '{\"epochs\": 3}' WHERE seed <> 3; UPDATE runs SET dataset = 'other' WHERE seed = 6"
    run -0 "$truncquant" status demo --db $db
    [[ $output == *"  resnet8  align=0.1 dataset=mnist     3  running"* ]]
    [[ $output == *"  resnet8  dataset=mnist               4  failed"* ]]
    [[ $output == *"  resnet8  dataset=other               6  pending"* ]]
}

@test "exclude marks runs, and takes it back" {
    make_db
    add_run 1 demo
    add_run 2 demo
    sql "PRAGMA foreign_keys = OFF; UPDATE runs SET run_id = 'abcdef' || substr(run_id, 7) WHERE seed > 1;
         UPDATE grid_runs SET run_id = 'abcdef' || substr(run_id, 7) WHERE run_id LIKE '%2'"
    run -0 "$truncquant" exclude abcdef --reason "loss was 'odd'" --db $db
    [[ $output == "abcdef000000 (truncquant, resnet8, seed 2) is excluded" ]]
    [ "$(sql "SELECT seed || excluded FROM runs WHERE excluded IS NOT NULL")" = "2loss was 'odd'" ]
    run -0 "$truncquant" status --line --db $db
    [ "$output" = "0 done, 1 pending, 1 excluded; ~00:00 left" ]
    run -0 "$truncquant" exclude abcdef --undo --quiet --db $db
    [ -z "$output" ]
    [ "$(sql "SELECT count(*) FROM runs WHERE excluded IS NULL")" -eq 2 ]
    run -1 "$truncquant" exclude abcdef1 --reason x --db $db
    [[ $output == "truncquant: $db: "* ]]
    for wrong in "--reason x" "abcdef" "abcdef --reason x --undo"; do
        # shellcheck disable=SC2086
        run -2 "$truncquant" exclude $wrong --db $db
    done
    [ "$(sql "SELECT count(*) FROM runs WHERE excluded IS NULL")" -eq 2 ]
}

@test "exclude marks all runs or none" {
    make_db
    for i in 1 2 3; do add_run $i demo; done
    ids=()
    for i in 1 2 3; do ids+=("$(printf '%064x' $i)"); done
    excluded() {
        sql "SELECT count(*) FROM runs WHERE excluded IS NOT NULL"
    }
    for wrong in ffffffff typo 000000; do # unknown, no id, of several runs
        run -1 "$truncquant" exclude "${ids[0]}" "${ids[1]}" $wrong --reason x --db $db
        [ "${#lines[@]}" -eq 1 ]
        [ "$(excluded)" -eq 0 ]
    done
    sql "CREATE UNIQUE INDEX odd ON runs (excluded) WHERE seed IN (1, 3)"
    run -1 "$truncquant" exclude "${ids[@]}" --reason x --db $db
    [ "${#lines[@]}" -eq 1 ]
    [ "$(excluded)" -eq 0 ]
    sql "DROP INDEX odd; UPDATE runs SET parent = '${ids[0]}' WHERE seed = 2"
    run -0 "$truncquant" exclude "${ids[0]}" "${ids[2]}" --reason x --db $db
    [[ ${#lines[@]} -eq 2 && ${lines[0]} == *"seed 1) is excluded, and those that take its weights: 1" ]]
    [ "$(excluded)" -eq 3 ]
    run -1 "$truncquant" exclude "${ids[2]}" "${ids[1]}" --undo --db $db
    [[ $output == *"takes the weights of run"* ]]
    [ "$(excluded)" -eq 3 ]
    run -0 "$truncquant" exclude "${ids[@]}" --undo --db $db
    [ "$(excluded)" -eq 0 ]
}

@test "a NULL where constraints were removed is no crash" {
    make_db
    add_run 1 demo
    add_attempt 1 100 1 complete
    sql "INSERT INTO evaluations (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference, precision, images,
             correct1, correct5, calibration_batches)
         VALUES (1, 3, 'test', 2, 2, 8, 2, 'direct', 'fp32', 100, 50, 80, 0)"
    views=$(sql "SELECT group_concat('DROP VIEW ' || name, ';') FROM sqlite_schema WHERE type = 'view'")
    sqlite3 "$db" "$views; CREATE TABLE bare AS SELECT * FROM runs; DROP TABLE runs; ALTER TABLE bare RENAME TO runs"
    run -0 "$truncquant" export accuracy --db $db
    for column in config_id spec cfg scheme network dataset params seed widths act_bits; do
        cp "$db" null.db
        sqlite3 null.db "UPDATE runs SET $column = NULL"
        for verb in status "export accuracy" "run 000000" "evaluate 000000"; do
            # shellcheck disable=SC2086
            run "$truncquant" $verb --db null.db
            [ "$status" -lt 128 ]
        done
    done
}

@test "the reason of an exclusion is one line" {
    make_db
    add_run 1 demo
    for reason in $'a\nb' $'\tb' $'a\r' $'\e[31mred' $'a\x7f'; do
        run -2 "$truncquant" exclude "$(printf '%064x' 1)" --reason "$reason" --db $db
        [[ $output == "truncquant: exclude: --reason is one line of text, "*" leave out character "[12] ]]
        [ "${#lines[@]}" -eq 1 ]
    done
    [ "$(sql "SELECT count(*) FROM runs WHERE excluded IS NOT NULL")" -eq 0 ]
    run -0 "$truncquant" exclude "$(printf '%064x' 1)" --reason 'Gewichte “übel”, 100 %' --db $db
    [ "$(sql "SELECT excluded FROM runs")" = 'Gewichte “übel”, 100 %' ]
}

@test "a run that takes weights goes with the run that is excluded, but for a reason of its own" {
    make_db
    for i in 1 2 3 4; do add_run $i demo; done
    one=$(printf '%064x' 1)
    sql "UPDATE runs SET parent = '$one' WHERE seed IN (2, 3); UPDATE runs SET excluded = 'mine' WHERE seed = 3"
    marks() {
        sql "SELECT group_concat(coalesce(excluded, '-'), ' ') FROM (SELECT excluded FROM runs ORDER BY seed)"
    }
    run -0 "$truncquant" exclude "$one" --reason bad --db $db
    [ "$output" = "000000000000 (truncquant, resnet8, seed 1) is excluded, and those that take its weights: 1" ]
    [ "$(marks)" = "bad bad mine -" ]
    run -0 "$truncquant" exclude "$one" --reason worse --db $db
    [ "$(marks)" = "worse worse mine -" ]
    run -0 "$truncquant" exclude "$one" --undo --db $db
    [ "$output" = "000000000000 (truncquant, resnet8, seed 1) counts, and those that take its weights: 1" ]
    [ "$(marks)" = "- - mine -" ]
    run -0 "$truncquant" exclude "$(printf '%064x' 2)" --reason odd --db $db
    [ "$(marks)" = "- odd mine -" ]
}

@test "a run does not count while the run whose weights it takes does not, whenever it was recorded" {
    make_db
    for i in 1 2 3; do add_run $i demo; done
    one=$(printf '%064x' 1) two=$(printf '%064x' 2) three=$(printf '%064x' 3)
    run -0 "$truncquant" exclude "$one" --reason bad --db $db
    sql "UPDATE runs SET parent = '$one' WHERE seed = 2; UPDATE runs SET parent = '$two' WHERE seed = 3"
    run -0 "$truncquant" status --line --db $db
    [[ $output == *"3 excluded"* ]]
    run -0 "$truncquant" export runs --format csv --db $db
    [ "$(grep -c ",takes the weights of run 000000000000: bad" <<<"$output")" = 2 ]
    run --separate-stderr -1 "$truncquant" exclude "$two" --undo --db $db
    [ "$stderr" = "truncquant: run 000000000000 takes the weights of run 000000000000, which is excluded (bad); 'truncquant exclude 000000000000 --undo' first" ]
    run -0 "$truncquant" exclude "$one" --undo --db $db
    run -0 "$truncquant" exclude "$three" --undo --db $db
    run -0 "$truncquant" status --line --db $db
    [[ $output != *excluded* ]]
}

@test "status --line is one line" {
    make_grid
    run -0 "$truncquant" status --line --db $db
    [ "$output" = "2 done, 1 running, 1 failed, 1 dead, 1 pending; 02:30 left" ]
    sql "UPDATE runs SET excluded = 'twice' WHERE seed = 4"
    run -0 "$truncquant" status --line --db $db
    [ "$output" = "2 done, 1 running, 1 dead, 1 pending, 1 excluded; 02:30 left" ]
}

@test "the time left: runs at once share the work, but the longest takes its time" {
    make_grid
    add_attempt 6 1 0.0
    run -0 "$truncquant" status --line --db $db
    # 1500 of work by two at 10 per second would be 75 s; the last run alone takes 100 s
    [ "$output" = "2 done, 2 running, 1 failed, 1 dead; 01:40 left" ]
}

@test "status without anything to go by knows no time, and with nothing to do none" {
    make_db
    add_run 1 demo
    run -0 "$truncquant" status --line --db $db
    [ "$output" = "0 done, 1 pending; ~00:00 left" ]
    add_attempt 1 100 1.0 complete
    run -0 "$truncquant" status --line --db $db
    [ "$output" = "1 done" ]
    run -0 "$truncquant" status --db $db
    [ "${#lines[@]}" -eq 2 ]
}

@test "status takes a grid by name or by file" {
    make_db
    add_run 1 demo
    add_run 2 other
    printf '[grid]\nscheme = qat\nname = other\n' >any.grid
    run -0 "$truncquant" status any.grid --line --db $db
    [ "$output" = "0 done, 1 pending; ~00:00 left" ]
    run -0 "$truncquant" status ./any.grid --line --db $db
    run -0 "$truncquant" status --line --db $db
    [ "$output" = "0 done, 2 pending; ~00:00 left" ]
    run -1 "$truncquant" status nothing --db $db
    [ "$output" = "truncquant: $db: no runs of a grid 'nothing' are recorded; there are: demo, other" ]
    printf '[grid]\nscheme = qat\n' >any.grid
    run -1 "$truncquant" status any.grid --db $db
    [[ $output == "truncquant: any.grid: [grid] has no name; "* ]]
    run -1 "$truncquant" status missing.grid --db $db
    [[ $output == "truncquant: missing.grid"* ]]
}

@test "status --watch ends with the last run" {
    make_grid
    "$truncquant" status demo --watch --db $db >log &
    watch=$!
    wait_for $watch test -s log
    kill -0 $watch
    sql "UPDATE attempts SET ended_at = unixepoch(), outcome = 'complete', progress = 1 WHERE attempt = 3;
         UPDATE runs SET excluded = 'enough' WHERE seed = 6"
    wait $watch
    [ "$(head -n 1 log)" = "2 done, 1 running, 1 failed, 1 dead, 1 pending; 02:30 left" ]
    [ "$(tail -n 1 log)" = "3 done, 1 failed, 1 dead, 1 excluded" ]
}

@test "status --watch ends at a signal, with a last line" {
    make_grid
    "$truncquant" status demo --watch --db $db >log &
    watch=$!
    wait_for $watch test -s log
    kill $watch
    status=0
    wait $watch || status=$?
    [ $status -eq 143 ]
    [ "$(wc -l <log)" -eq 2 ]
    [ "$(sort -u log)" = "2 done, 1 running, 1 failed, 1 dead, 1 pending; 02:30 left" ]
}

@test "status --watch redraws its line on a terminal" {
    make_db
    add_run 1 demo
    add_attempt 1 100 1.0 complete
    run -0 script -qec "'$truncquant' status --watch --db $db" /dev/null
    [ "$output" = $'\r\e[K1 done\r\e[K1 done\r' ]
}

make_accuracies() {
    make_db
    for i in 1 2; do
        add_run $i demo "s_$i"
        add_attempt $i 100 1.0 complete
        sql "INSERT INTO evaluations (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference,
                 calibration_batches, precision, images, correct1, correct5, loss_sum)
             VALUES ($i, 3, 'test', 2, 2, 8, 2, 'direct', 0, 'fp32', 1000, 690 + $i, 990, 1234),
                    ($i, 3, 'test', 2, 2, 8, 2, 'direct', 20, 'fp32', 1000, 790 + $i, 990, 1234)"
    done
}

@test "export prints the table of accuracies" {
    make_accuracies
    run -0 "$truncquant" export accuracy --db $db
    [ "${lines[0]}" = "network  scheme  inference     2" ]
    [ "${lines[1]}" = "resnet8  s_1     direct     69.1" ]
    [ "${lines[-1]}" = "Commit: abc1234." ]
    run -0 "$truncquant" export accuracy --calibrated --format csv-wide --db $db
    [ "${lines[2]}" = "resnet8,s_2,direct,n/a,n/a,79.2000,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a" ]
    run -0 "$truncquant" export accuracy --format tex --db $db
    [ "${lines[6]}" = 's\_1 & direct & 69.1 \tabularnewline' ]
    run -0 "$truncquant" export accuracy --format md --db $db
    [ "${lines[2]}" = '| resnet8 | s\_1 | direct | 69.1 |' ]
}

@test "a table is of one split: val where that is all, or asked for" {
    make_accuracies
    sql "UPDATE evaluations SET split = 'val' WHERE attempt = 2"
    run -0 "$truncquant" export accuracy --format csv-wide --db $db
    [[ ${lines[1]} == resnet8,s_1,* && ${lines[2]} == "# Top-1 accuracy on the test split "* ]]
    [[ $output == *"# Left out: 1 of 2 runs, evaluated on val alone (--split val)."* ]]
    run -0 "$truncquant" export accuracy --calibrated --split val --format csv-wide --db $db
    [[ ${lines[0]} == split,network,* && ${lines[1]} == val,resnet8,s_2,* ]]
    [[ ${lines[2]} == "# Top-1 accuracy on held-out images of the training set (val), not the test split, "* ]]
    sql "UPDATE evaluations SET split = 'val'"
    run -0 "$truncquant" export accuracy --db $db
    [[ ${lines[1]} == "val    resnet8  s_1 "* && ${lines[2]} == "val    resnet8  s_2 "* ]]
    run -3 "$truncquant" export accuracy --split test --db $db
    [[ $output == *"has no accuracies on test: the finished runs were evaluated on val alone; --split val exports those"* ]]
    run -2 "$truncquant" export accuracy --split train --db $db
    [ "$output" = "truncquant: export: --split train is unknown; take test or val" ]
    for what in runs evaluations "weights 1"; do
        run -2 "$truncquant" export $what --split val --db $db
        [ "$output" = "truncquant: export: --split goes with tables of accuracies only; leave it out" ]
    done
}

@test "export prints what stands below a figure" {
    make_accuracies
    sql "UPDATE attempts SET commit_id = 'trained' WHERE attempt = 1"
    run -0 "$truncquant" export caption accuracy-calibrated --db $db
    [[ ${lines[0]} == "resnet8 on mnist; "*" training images, 200 epochs, Adam,"* ]]
    [[ ${lines[*]} == *"; test split, 1,000 images; n = 1 seed batch norm calibrated "*" commits abc1234, trained" ]]
    run -3 "$truncquant" export caption drops --db $db
    [[ $output == *"has no numbers for the figure drops of finished runs yet; "* ]]
    run -2 "$truncquant" export caption accuracy --format tex --db $db
    [[ $output == *"export: --format goes with tables; leave it out" ]]
}

@test "export compares with a reference, which has settings where several could be meant" {
    make_accuracies
    sql "UPDATE runs SET scheme = 'qat', params = '{\"epochs\": 3, \"widths\": \"1 2\"}' WHERE seed = 1;
         UPDATE runs SET seed = 1, params = '{\"epochs\": 3}' WHERE seed = 2"
    run -0 "$truncquant" export differences --format csv-wide --db $db
    [ "${lines[1]}" = "resnet8,s_2,widths=1 2 4 8 32,direct,1,0.10000,n/a,n/a" ]
    run -0 "$truncquant" export differences --calibrated --against 'qat widths="1 2"' --format csv-wide --db $db
    [ "${lines[1]}" = "resnet8,s_2,widths=1 2 4 8 32,direct,1,0.10000,n/a,n/a" ]
    run -0 "$truncquant" export differences --against 's_2 widths="1 2 4 8 32" epochs=3' --format csv-wide --db $db
    [ "${lines[1]}" = "resnet8,qat,widths=1 2,direct,1,-0.10000,n/a,n/a" ]
    run -3 "$truncquant" export differences --against 'qat epochs=200' --db $db
    [[ $output == *"has no finished run of scheme qat with those settings to compare with; "* ]]
}

@test "export to a file replaces it whole, or leaves it" {
    make_accuracies
    echo old >table.csv
    run -0 "$truncquant" export runs --format csv --output table.csv --db $db
    [ -z "$output" ]
    [ "$(wc -l <table.csv)" -eq 3 ]
    cp table.csv before.csv
    run -1 "$truncquant" export accuracy --grid nothing --output table.csv --db $db
    cmp table.csv before.csv
    run -1 "$truncquant" export runs --output missing/table.csv --db $db
    [[ $output == "truncquant: missing/table.csv: cannot be written ("* ]]
}

contents() {
    find . -type f ! -name '*-shm' -exec sha256sum {} + | sort
}

# kept FILE WHAT: an export to FILE is refused in one line, and nothing at all changes
kept() {
    local before
    before=$(contents)
    run -1 "$truncquant" export accuracy --output "$1" --db $db
    [ "$output" = "truncquant: $1: $2 and is not replaced; name another file with --output" ]
    [ "$(contents)" = "$before" ]
}

@test "export to - is to standard output" {
    make_accuracies
    run -0 "$truncquant" export accuracy --db $db
    table=$output
    run -0 "$truncquant" export accuracy --output - --db $db
    [ "$output" = "$table" ]
    [ ! -e - ]
    run -0 "$truncquant" export accuracy --output ./- --db $db
    [ "$(cat ./-)" = "$table" ]
    run -2 "$truncquant" export weights 1234567 --output - --db $db
    [ "$output" = "truncquant: export: weights takes one run ID and --output FILE.weights; standard output has no place for two files" ]
}

@test "options that say nothing about what is exported are refused" {
    make_accuracies
    refused() {
        local option=$1 with=$2 what
        shift 2
        for what; do
            # shellcheck disable=SC2086
            run -2 "$truncquant" export $what $option --output table --db $db
            [ "$output" = "truncquant: export: ${option%% *} goes with $with; leave it out" ]
        done
    }
    rows=(runs attempts epochs evaluations layers)
    refused "--bits 3" "weights, onnx and qonnx" accuracy differences drops reductions-calibrated "${rows[@]}"
    refused "--against qat" "differences and reductions" accuracy drops drops-calibrated "${rows[@]}" "weights 1"
    refused "--calibrated" "tables of accuracies, onnx, qonnx and codes only" "${rows[@]}" "weights 1"
    refused "--split test" "tables of accuracies only" "${rows[@]}" "weights 1"
    refused "--format text" tables "weights 1"
    refused "--grid demo" tables "weights 1"
    [ ! -e table ]
    run -0 "$truncquant" export accuracy-calibrated --calibrated --format text --grid demo --split test --db $db
}

@test "export replaces no database, and nothing that belongs to one" {
    make_accuracies
    kept $db "is the database that is read"
    ln -s $db link
    ln $db other.name
    for name in ./$db "$PWD/$db" link other.name; do
        kept "$name" "is the database that is read"
    done
    cp $db copy
    kept copy "is a database"
    mkdir folder
    ln -s ../$db folder/linked.db
    for suffix in wal shm journal; do
        for name in $db copy folder/../$db folder/linked.db other.name; do
            kept "$name-$suffix" "belongs to a database by its name"
        done
    done
    db=folder/linked.db
    echo left >results.db-shm
    ln results.db-shm plain.txt
    kept plain.txt "belongs to a database by its name"
    rm results.db-shm
    run -0 "$truncquant" export accuracy --output no-database-wal --db $db
    [ -s no-database-wal ]
    # A database that is empty, or is none, is not lost either.
    : >empty.db
    run -1 "$truncquant" export accuracy --output empty.db --db empty.db
    [[ $output == "truncquant: empty.db: is the database that is read "* ]]
}

@test "export replaces no grid that it reads, and nothing of a run" {
    make_accuracies
    printf '[grid]\nname = demo\n' >demo.grid
    run -1 "$truncquant" export accuracy --grid demo.grid --output demo.grid --db $db
    [[ $output == "truncquant: demo.grid: is the grid that is read "* ]]
    [ "$(head -n 1 demo.grid)" = "[grid]" ]
    for runs in runs my.runs; do # of earlier versions, and of my.db
        of_run=$runs/$(printf '%064x' 1)
        mkdir -p "$of_run"
        for name in lock checkpoint checkpoint.old model.frozen evaluated; do
            kept "$of_run/$name" "belongs to a run"
        done
    done
    kept my.runs/database "belongs to a database"
    mkdir forerunsx
    printf 'TQCKPT01 and more' >a
    kept a "is a run's checkpoint"
    printf 'TQFROZ01 and more' >b
    kept b "is a run's frozen model"
    for name in "$of_run/table" "$of_run/locks" lock runs/checkpoint forerunsx/database; do
        run -0 "$truncquant" export accuracy --output "$name" --db $db
        [ -s "$name" ]
    done
}

@test "a grid limits an export" {
    make_accuracies
    sql "UPDATE grid_runs SET grid = 'other' WHERE run_id LIKE '%2'"
    printf '[grid]\nname = other\n' >other.grid
    run -0 "$truncquant" export accuracy --grid other.grid --db $db
    [[ $output == *s_2* && $output != *s_1* ]]
    run -0 "$truncquant" export evaluations --format csv-wide --grid demo --db $db
    [ "${lines[-1]}" = "# 2 rows. Commit: abc1234." ]
}

@test "wrong use of status and export ends with 2 and says what is right" {
    make_db
    run -2 "$truncquant" export --db $db
    [ "$output" = "truncquant: export: name one thing to export; 'truncquant export --help' lists what can be" ]
    run -2 "$truncquant" export pictures --db $db
    [[ $output == "truncquant: export: 'pictures' cannot be exported; "* ]]
    run -2 "$truncquant" export runs --format html --db $db
    [ "$output" = "truncquant: export: --format html is unknown; take text, csv, csv-wide, tex or md" ]
    run -2 "$truncquant" export runs --calibrated --db $db
    [ "$output" = "truncquant: export: --calibrated goes with tables of accuracies, onnx, qonnx and codes only; leave it out" ]
    run -2 "$truncquant" export drops --against qat --db $db
    [ "$output" = "truncquant: export: --against goes with differences and reductions; leave it out" ]
    run -2 "$truncquant" export reductions --against "qat epoch=3" --db $db
    [ "$output" = "truncquant: --against: unknown key 'epoch'; did you mean epochs?" ]
    run -2 "$truncquant" export reductions --against "qat epochs" --db $db
    [ "$output" = "truncquant: --against: 'epochs' is no KEY=VALUE" ]
    run -2 "$truncquant" status a b --db $db
    [ "$output" = "truncquant: status: one grid at a time; 'b' is one too many" ]
    run -2 "$truncquant" status --lines --db $db
    [[ $output == "truncquant: status: unknown option --lines; did you mean --line?" ]]
}

@test "databases that cannot be used" {
    run -1 "$truncquant" status --db missing.db
    [ "$output" = "truncquant: missing.db: there is no such database; 'truncquant plan GRID' records runs, --db names another file" ]
    echo "no database, only words" >$db
    run -1 "$truncquant" export runs --db $db
    [ "$output" = "truncquant: $db: is not a database; name another file with --db" ]
    rm $db
    make_db
    sql "PRAGMA user_version = 77"
    run -1 "$truncquant" status --db $db
    [[ $output == "truncquant: $db: is of a newer version of truncquant (schema 77, "*"update the program" ]]
}

@test "--help shows the options" {
    run -0 "$truncquant" status --help
    [[ $output == *"--watch"* && $output == *"--line"* ]]
    run -0 "$truncquant" export --help
    [[ $output == *"(default: text)"* ]]
}

@test "a database of the first schema is read as it is, brought up to date when it is written, and keeps its rows" {
    {
        cat "$root/harness/store/schema/001-initial.sql"
        echo "PRAGMA user_version = 1;"
    } | sqlite3 "$db"
    add_run 1 old
    add_attempt 1 60 1 complete
    sql "INSERT INTO evaluations SELECT 10 * value, 1, 1, 'test', value, 8, 8, 1, 'direct', 0, 'fp32', 100, value, 50, value / 3.0
         FROM json_each('[7, 2, 5]')"
    sql "SELECT * FROM evaluations" >evaluations
    cp "$db" before.db
    run -0 "$truncquant" status old --line --db "$db"
    [ "$output" = "1 done" ]
    run -0 "$truncquant" export attempts --format csv-wide --db "$db"
    [[ ${lines[0]} == *,classes* && $output == *"# 1 row"* ]]
    cmp "$db" before.db
    run "$truncquant" run ffffff --db "$db" # opens it for writing, and finds no such run
    [[ $output == *"has no run ffffff"* ]]
    [ "$(sql 'PRAGMA user_version')" = "$newest" ]
    [ "$(sql 'SELECT count(*) FROM attempts WHERE classes IS NULL')" = 1 ]
    [ "$(sql 'SELECT * FROM evaluations')" = "$(sed 's/$/||/' evaluations)" ] # of one width each
    [ "$(sql 'SELECT count(*) FROM runs WHERE parent IS NULL AND "group" IS NULL')" = 1 ]
    run "$truncquant" status old --line --db "$db"
    [ "$output" = "1 done" ]
    # A parent may be recorded behind its child, but has to be there at the end.
    sql "BEGIN; UPDATE runs SET parent = '$(printf '%064x' 9)';
         INSERT INTO runs SELECT '$(printf '%064x' 9)', config_id, spec, cfg, grid, scheme, network, dataset,
             data_hash, params, seed, widths, epochs, batch, images, act_bits, stored_bits, work, recorded_at,
             excluded, NULL, NULL, sequence FROM runs; COMMIT;"
    run sql "UPDATE runs SET parent = '$(printf '%064x' 8)'"
    [[ $output == *"FOREIGN KEY constraint failed"* ]]
}
