# Two versions of the program: a build whose quantizers lsq and fp32 compute something else, and one that differs
# in what does not compute. What a run's id cannot know is told by fingerprints; what decides bits, by sources.

load runs

# A copy of the source with what is built of it, so that only what changes is built again.
setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 256 64
    cd "$root"
    mkdir "$BATS_FILE_TMPDIR/copy"
    { git ls-files --cached --others --exclude-standard Makefile harness runtime baselines harness/store/schema harness/report/queries plots \
        scripts
        find build -name '*.[od]' -path '*harness*' -o -name '*.[od]' -path '*baselines*' -o -name '*.inc'; } |
        tar --create --files-from=- | tar --extract --directory="$BATS_FILE_TMPDIR/copy"
    cd "$BATS_FILE_TMPDIR/copy"
    # The commit of the copy is nobody's; its sources are the same.
    make --silent build/truncquant >make.log 2>&1 && cp build/truncquant same
    echo '/* A comment. */' >>harness/quant/axes.c
    echo 'notes' >baselines/notes.txt
    make --silent build/truncquant >>make.log 2>&1 && cp build/truncquant commented
    sed -i 's/double h = k == 1 ? mean : 2 \* mean/double h = k == 1 ? mean : 1.5 * mean/' baselines/lsq.c
    sed -i 's/    memcpy(W_hat, W, l->n \* sizeof \*W);/&\n    W_hat[0] += 1;/' baselines/fp32.c
    make --silent build/truncquant >>make.log 2>&1 && cp build/truncquant other || { cat make.log && false; }
    other=$BATS_FILE_TMPDIR/copy/other
    # A finished grid of the program's own, for all tests.
    use_data "$BATS_FILE_TMPDIR"
    mkdir "$BATS_FILE_TMPDIR/done" && cd "$BATS_FILE_TMPDIR/done"
    tiny_network
    printf '%s\n' '[grid]' 'name = a' 'scheme = lsq, truncquant, fp32, ptq' 'network = ./tiny.cfg' \
        'dataset = fashion-mnist' '[train]' 'epochs = 2' 'batch = 16' 'widths = 1 2 8 32' '[evaluate]' \
        'calibration = 0' >a.grid
    run_all "$program"
}

setup() {
    other=$BATS_FILE_TMPDIR/copy/other
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    cp -r "$BATS_FILE_TMPDIR/done/." .
}

# What is pending of a.grid, in its order.
run_all() {
    for run in $("$1" plan a.grid --db a.db --pending --ids --quiet "${@:2}"); do
        "$1" run "$run" --db a.db --quiet "${@:2}"
    done
}

id() {
    sql "SELECT run_id FROM runs WHERE scheme = '$1'"
}

# accuracies PROGRAM: with what is said below them but the commits
accuracies() {
    "$1" export accuracy --db a.db | sed '/^Commits\{0,1\}: /d'
}

@test "sources are equal in another folder, without git, and with other comments; the commit is for the record" {
    cd "$BATS_FILE_TMPDIR/copy"
    printed() {
        printf '%s\n' 'scheme = qat' 'network = ./tiny.cfg' 'dataset = fashion-mnist' 'seed = 1' 'batch = 16' \
            'epochs = 1' 'widths = 1 32' 'bits = 1' 'calibration = 0' >one.spec
        rm -rf one && mkdir one && cp "$BATS_FILE_TMPDIR/done/tiny.cfg" .
        "$1" run --spec one.spec --db one/a.db --verbose --quiet | sed -n "s/.*sources \([0-9a-f]*\), .*$2 \([^ ]*\).*/\1 \2/p"
    }
    [ "$(printed ./same commit | cut -d ' ' -f 2)" = unknown ]
    sources=$(printed "$program" quantizer)
    [ "${#sources}" -gt 20 ]
    [ "$(printed ./same quantizer)" = "$sources" ]
    [ "$(printed ./commented quantizer)" = "$sources" ]
    [ "$(printed ./other commit | cut -c 1-12)" != "${sources:0:12}" ]
}

@test "a changed quantizer makes finished runs stale, with those that take their weights, and no others" {
    run "$program" status a --db a.db
    [[ $output != *stale* ]]
    run "$other" status a --line --db a.db
    [ "$output" = '4 done (3 stale)' ]
    run "$other" status a --db a.db
    [ "$(grep -c ' stale ' <<<"$output")" = 3 ]
    [[ $output == *"lsq"*"computed by another version of its quantizer, lsq"* ]]
    [[ $output == *"takes the weights of run $(id fp32 | cut -c 1-12), which was computed by another version"* ]]
    run --separate-stderr "$other" plan a.grid --db a.db --pending --ids
    [ -z "$output" ]
    [[ $stderr == *"3 finished runs are stale, as $(id lsq | cut -c 1-12): "*"; --again computes them anew"* ]]
}

@test "what is only read tells it, too, and stays as it is" {
    sql 'PRAGMA journal_mode = DELETE' >/dev/null
    cp a.db before.db
    chmod a-w a.db
    run "$other" status a --line --db a.db
    [ "$output" = '4 done (3 stale)' ]
    run "$other" export accuracy --db a.db
    [[ $output == *"Stale: 3 runs of fp32,lsq,ptq, computed by another version"* ]]
    cmp a.db before.db
}

@test "a stale run is neither run nor used unless it is asked for" {
    run "$other" run "$(id lsq)" --db a.db
    [ "$status" -eq 0 ]
    [[ $output == *"is done already, but computed by another version of its quantizer, lsq; --again"* ]]
    for verb in evaluate 'export weights'; do
        # shellcheck disable=SC2086 # two words
        run "$other" $verb "$(id lsq)" --db a.db --output x.weights
        [ "$verb" != evaluate ] || run "$other" evaluate "$(id lsq)" --db a.db --bits 3
        [ "$status" -eq 1 ]
        [[ $output == *"was computed by another version of its quantizer, lsq; 'truncquant run --again"* ]]
    done
    run "$other" run "$(id ptq)" --again --db a.db
    [ "$status" -eq 1 ]
    [[ $output == *"run --again $(id fp32 | cut -c 1-12)' first"* ]]
    run "$other" plan a.grid --db a.db --pending --again --ready --ids --quiet
    [ "$(sort <<<"$output")" = "$(printf '%s\n' "$(id fp32)" "$(id lsq)" | sort)" ]
    [ "$(sql 'SELECT count(*) FROM attempts')" = 4 ]
}

@test "--again computes stale runs anew, beside what is recorded; each version's tables have its own" {
    before=$(accuracies "$program")
    run_all "$other" --again
    [ "$(sql "SELECT count(*) FROM attempts WHERE outcome = 'complete'")" = 7 ]
    run "$other" status a --line --db a.db
    [ "$output" = '4 done' ]
    after=$(accuracies "$other")
    [[ $after != *[Ss]tale* ]]
    [ "$after" != "$before" ]
    mv a.db mixed.db
    mv a.runs mixed.runs
    run_all "$other"
    [ "$(accuracies "$other")" = "$after" ]
    mv mixed.db a.db
    rm -r a.runs
    mv mixed.runs a.runs
    [ "$(accuracies "$program")" = "$before" ]
    # And again: nothing is stale, so nothing is computed.
    run "$other" run "$(id lsq)" --again --db a.db
    [[ $output == *"is done already"* ]]
    [ "$(sql 'SELECT count(*) FROM attempts')" = 7 ]
}

@test "a table takes cells of one version of a scheme, and says what it leaves out" {
    printf '%s\n' '[grid]' 'name = b' 'scheme = lsq' 'network = ./tiny.cfg' 'dataset = fashion-mnist' \
        'seed = 1, 2' '[train]' 'epochs = 2' 'batch = 16' 'widths = 1 2 8 32' '[evaluate]' 'calibration = 0' >b.grid
    run=$("$other" plan b.grid --db a.db --pending --ids --quiet)
    "$other" run "$run" --db a.db --quiet
    run "$other" export accuracy --db a.db --grid b
    [[ $output == *"n = 1 seed."* ]]
    [[ $output == *"Left out: 1 stale run of lsq, computed by another version"* ]]
    run "$program" export accuracy --db a.db --grid b
    [[ $output == *"n = 1 seed."* ]]
    [[ $output == *"Left out: 1 stale run of lsq"* ]]
}

@test "a run that was begun by one version is not finished by another, but anew" {
    sed -i 's/^epochs = 2/epochs = 6/' a.grid
    run=$("$program" plan a.grid --db a.db --ids --quiet | head -n 1)
    stop='kill -TERM $PPID'
    run -143 at_checkpoint "$stop" "$program" run "$run" --db a.db --quiet
    run --separate-stderr "$other" run "$run" --db a.db --other-numerics
    [ "$status" -eq 1 ]
    [[ $stderr == *"was trained by another version of scheme lsq (fingerprint "*"--again"* ]]
    run -143 at_checkpoint "$stop" "$other" run "$run" --db a.db --quiet --again
    [ -e "a.runs/$run/checkpoint.old" ]
    [ "$(sql "SELECT group_concat(resumed_at = 0) FROM attempts WHERE run_id = '$run'")" = 1,1 ]
    # Its own checkpoint it goes on from.
    run -143 at_checkpoint "$stop" "$other" run "$run" --db a.db --quiet --again
    [ "$(sql "SELECT resumed_at > 0 FROM attempts WHERE run_id = '$run' ORDER BY attempt DESC LIMIT 1")" = 1 ]
}

@test "grid.sh --again runs them, those that take others' weights last" {
    sed -i "s|\./tiny.cfg|$PWD/tiny.cfg|" a.grid
    TRUNCQUANT=$other run "$root/scripts/grid.sh" "$PWD/a.grid" --db "$PWD/a.db" --again
    echo "$output"
    [ "$status" -eq 0 ]
    run "$other" status a --line --db a.db
    [ "$output" = '4 done' ]
    [ "$(sql "SELECT count(*) FROM attempts WHERE outcome = 'complete'")" = 7 ]
}
