#!/usr/bin/env bats
# `merge` and `export database`, as users meet them: what is refused, what a kill leaves, what is run afterwards.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 64 32
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    published=$root/results/published
}

# refused TEXT FILE ...: merge into a.db fails with one line that has the text, and changes nothing
refused() {
    local before after
    before=$(sql .dump)
    run --separate-stderr "$program" merge "${@:2}" --db a.db
    echo "$stderr"
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    [ "$(wc -l <<<"$stderr")" -eq 1 ]
    [[ $stderr == *"$1"* ]]
    after=$(sql .dump)
    [ "$after" = "$before" ]
}

# exports DATABASE: all that can be seen of it
exports() {
    local what
    for what in accuracy runs attempts epochs evaluations layers histograms; do
        "$program" export $what --format csv --db "$1"
    done
}

@test "published databases of an old schema are joined, in any order, and stay as they are" {
    sums=$(sha256sum "$published"/*.db)
    run -0 "$program" merge "$published"/*.db --db a.db
    [[ ${lines[0]} == *"ablation-align.quick.db: 18 runs and 18 attempts are new" ]]
    run -0 "$program" merge "$published"/baselines.quick.db "$published"/ablation-align.quick.db --db b.db --quiet
    [ -z "$output" ]
    mapfile -t backwards < <(printf '%s\n' "$published"/*.db | tac)
    "$program" merge "${backwards[@]}" --db b.db --quiet
    exports a.db >a.txt
    exports b.db >b.txt
    cmp a.txt b.txt
    [ "$(sha256sum "$published"/*.db)" = "$sums" ]
    run -0 "$program" merge "$published"/baselines.quick.db --db a.db
    [[ $output == *": 0 runs and 0 attempts are new" ]]
}

@test "what cannot be merged gets one line, and changes nothing" {
    "$program" merge "$published/ablation-align.quick.db" --db a.db --quiet
    ln -s a.db link.db
    ln a.db hard.db
    echo "no database" >words.db
    sqlite3 other.db 'CREATE TABLE t (x)'
    cp a.db newer.db
    sql 'PRAGMA user_version = 77' newer.db
    "$program" export database ablation-align.quick --db a.db --output anonymous.db --anonymous
    refused "a.db: is the database that the others are merged into" a.db
    refused "link.db: is the database that the others" "$published/baselines.quick.db" link.db
    refused "hard.db: is the database that the others" hard.db
    refused "words.db: is not a database" words.db
    refused "other.db: is a database of another program" "$published/baselines.quick.db" other.db
    refused "newer.db: is of a newer version" newer.db
    refused "anonymous.db: is anonymous" anonymous.db
    refused "missing.db: there is no such database" missing.db
    # nor is a file left that was not there
    run -1 "$program" merge "$published/baselines.quick.db" words.db --db new.db
    cp a.db changed.db
    sql 'UPDATE evaluations SET correct1 = correct1 - 1' changed.db
    refused "changed.db: the attempt of run" changed.db
    run -1 "$program" merge a.db changed.db --db new.db
    [[ $output == *"changed.db: the attempt of run"* ]]
    [ ! -e new.db ]
    run -2 "$program" merge --db a.db
    [[ $output == "truncquant: merge: name at least one database"* ]]
}

@test "a merge that is killed at any instant left all of it, or nothing" {
    "$program" merge "$published/ablation-align.quick.db" --db before.db --quiet
    cp before.db after.db
    "$program" merge "$published/baselines.quick-resnet20.db" --db after.db --quiet
    for name in before after; do sql 'SELECT run_id FROM runs ORDER BY 1' $name.db >$name.txt; done
    killed=0 call=1 step=1
    while :; do
        rm -f a.db*
        cp before.db a.db
        status=0
        killed_before $call "$program" merge "$published/baselines.quick-resnet20.db" --db a.db --quiet || status=$?
        sql 'SELECT run_id FROM runs ORDER BY 1' >a.txt
        cmp -s a.txt before.txt || cmp -s a.txt after.txt
        [ "$(sql 'PRAGMA integrity_check; PRAGMA foreign_key_check')" = ok ]
        [ "$(sql 'SELECT count(*) FROM attempts')" = "$(wc -l <a.txt)" ]
        [ $status -ne 0 ] || break
        killed=$((killed + 1)) call=$((call + step)) step=$((1 + call / 8))
    done
    [ $killed -gt 10 ]
    cmp a.txt after.txt
    # and a new one is there whole, or not at all
    for call in 1 2 3 4; do
        killed_before $call "$program" merge "$published/ablation-align.quick.db" --db new.db --quiet || true
        [ ! -e new.db ] || [ "$(sql 'SELECT count(*) FROM runs' new.db)" = 18 ]
    done
}

@test "rows that are in a -wal file only are merged, and stay there" {
    "$program" merge "$published/ablation-align.quick.db" --db b.db --quiet
    # as a process that was killed leaves them
    sqlite3 b.db "PRAGMA journal_mode = WAL" "UPDATE runs SET excluded = 'odd' WHERE rowid = 3" \
        ".shell mkdir c && cp b.db b.db-wal c/" >/dev/null
    sums=$(sha256sum c/b.db c/b.db-wal)
    run --separate-stderr -0 "$program" merge c/b.db --db a.db
    [ "$(sql 'SELECT count(*) FROM runs WHERE excluded IS NOT NULL')" = 1 ]
    [ "$(sha256sum c/b.db c/b.db-wal)" = "$sums" ]
    # a run that a file excludes is said of
    "$program" merge "$published/ablation-align.quick.db" --db d.db --quiet
    run --separate-stderr -0 "$program" merge a.db --db d.db
    [[ $stderr == *"note: a.db excludes 1 run that counted until now; 'truncquant exclude ID --undo'"* ]]
}

@test "who merges a colleague's database runs only what is missing" {
    tiny_network
    printf '%s\n' '[grid]' 'name = g' 'scheme = fp32, qat' 'network = ./tiny.cfg' 'dataset = fashion-mnist' \
        'seed = 1, 2' '[train]' 'batch = 16' 'epochs = 1' '[evaluate]' 'bits = 2 8 32' >g.grid
    "$program" plan g.grid --db b.db --quiet >/dev/null
    for id in $(sql "SELECT run_id FROM runs WHERE scheme = 'qat'" b.db); do
        "$program" run "$id" --db b.db --quiet
    done
    "$program" plan g.grid --db a.db --quiet >/dev/null
    "$program" merge b.db --db a.db
    run -0 "$program" plan g.grid --pending --db a.db --quiet
    [ "${#lines[@]}" -eq 2 ]
    for line in "${lines[@]}"; do [[ $line == *fp32* ]]; done
    # What it left is elsewhere.
    id=$(sql "SELECT run_id FROM runs WHERE scheme = 'qat' AND seed = 1")
    run --separate-stderr -1 "$program" evaluate "$id" --bits 4 --db a.db
    [ "$(wc -l <<<"$stderr")" -eq 1 ]
    [[ $stderr == *"a.runs/$id/checkpoint: is missing: run ${id:0:12} was computed elsewhere; "* ]]
    run --separate-stderr -0 "$program" export accuracy --db a.db
    [[ $output == *qat* && $output == *"Missing: 2 of 4 runs have not finished: "*" fp32 tiny "* ]]
    run -1 grep -E '^tiny +fp32' <<<"$output"
}

@test "a database of one grid holds what belongs to it, and an anonymous one nobody's name" {
    "$program" merge "$published"/*.db --db a.db --quiet
    sql "UPDATE attempts SET host = 'kermit', command = 'truncquant run --db /home/piggy/a.db', commit_id = 'fedcba987',
             reason = 'because of gonzo';
         UPDATE runs SET excluded = 'said fozzie' WHERE rowid % 7 = 0;
         UPDATE runs SET cfg = '# by rizzo' || char(10) || cfg, spec = replace(spec, 'dataset = ', 'dataset = /mnt/beaker/');
         UPDATE identity SET identity = '0123456789abcdef0123456789abcdef';
         UPDATE attempts SET origin = '0123456789abcdef0123456789abcdef';
         INSERT INTO latencies SELECT run_id, 'kermit', 7, 5000, 8, 8, 'A Processor', 'avx2', 'gcc', 'fedcba987', 0, 1, 1, 200,
             1, 2, 3, 4, 5, 6, 7, 0 FROM runs"
    run -0 "$program" export database baselines.quick --db a.db --output one.db
    run -1 "$program" export database baselines.quick --db a.db --output one.db
    [[ $output == *"one.db: is a database and is not replaced"* ]]
    run -1 "$program" export database nothing --db a.db --output none.db
    [ ! -e none.db ]
    [ "$(sql 'PRAGMA journal_mode' one.db)" = delete ]
    [ "$(sql 'SELECT DISTINCT grid FROM grid_runs' one.db)" = baselines.quick ]
    some=$(sql "SELECT run_id FROM grid_runs WHERE grid = 'baselines.quick' LIMIT 1")
    run -0 "$program" export database baselines.quick --run "${some:0:12}" --db a.db --output run.db
    [ "$(sql 'SELECT run_id FROM runs' run.db)" = "$some" ]
    [ "$(sql 'SELECT count(*) FROM attempts' run.db)" -ge 1 ]
    run -2 "$program" export accuracy --run "$some" --db a.db
    [ "$(sql 'SELECT count(*) FROM runs' one.db)" = "$(sql "SELECT count(*) FROM grid_runs WHERE grid = 'baselines.quick'")" ]
    "$program" export attempts --grid baselines.quick --format csv --db one.db | cut -d , -f 2- >one.txt
    "$program" export attempts --grid baselines.quick --format csv --db a.db | cut -d , -f 2- | diff one.txt -
    "$program" export database baselines.quick --db a.db --output x.db --anonymous
    "$program" export database baselines.quick --db a.db --output y.db --anonymous
    run -1 grep -aiE 'kermit|piggy|fedcba987|gonzo|fozzie|rizzo|beaker|0123456789abcdef' x.db
    grep -aq kermit one.db
    [ "$(sql 'SELECT count(*), max(processor) FROM latencies' x.db)" = \
        "$(sql "SELECT count(*) || '|A Processor' FROM grid_runs WHERE grid = 'baselines.quick'")" ]
    [ "$(sql .dump x.db | grep -v 'INTO identity')" = "$(sql .dump y.db | grep -v 'INTO identity')" ]
    [ "$(sql 'SELECT run_id FROM runs ORDER BY 1' x.db)" = "$(sql 'SELECT run_id FROM runs ORDER BY 1' one.db)" ]
    "$program" export drops --format csv-wide --db x.db | grep -v "^#" >x.txt
    "$program" export drops --format csv-wide --db one.db | grep -v '^#' | cmp x.txt -
    run -2 "$program" export database baselines.quick --db a.db
    run -2 "$program" export accuracy --db a.db --anonymous
}
