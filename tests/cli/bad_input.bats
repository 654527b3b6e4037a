# What bad input gets: one line on stderr that says where, what is wrong and what to do; a status other than
# 0; and nothing that is recorded is lost or changed. Grids, data sets and checkpoints have their own cases
# in plan.bats, data.bats and run.bats; here is the rest, as the command line shows it.

load runs

# finished/: a database with one finished run, and what the run left. Tests copy it.
setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 256 64
    use_data "$BATS_FILE_TMPDIR"
    mkdir "$BATS_FILE_TMPDIR/finished"
    cd "$BATS_FILE_TMPDIR/finished"
    tiny_network
    spec 1
    "$program" run --spec a.spec --db a.db --quiet
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cp -r "$BATS_FILE_TMPDIR/finished" "$BATS_TEST_TMPDIR/here"
    cd "$BATS_TEST_TMPDIR/here"
    id=$(sql 'SELECT run_id FROM runs')
    run="a.runs/$id"
}

teardown() {
    rm -f "$BATS_TEST_TMPDIR/here/locked" # whoever holds the lock ends
    if [ -n "${shared-}" ]; then
        chmod -R u+rwX "$shared"
        rm -rf "$shared"
    fi
}

# spec SEED [LINES]: a.spec
spec() {
    printf '%s\n' 'scheme = truncquant' 'network = ./tiny.cfg' 'dataset = fashion-mnist' "seed = $1" \
        'batch = 16' 'widths = 1 2 32' 'bits = 1 2 4 32' 'calibration = 2' "${2-epochs = 1}" >a.spec
}

# grid [LINES]: a.grid of a run that is not recorded yet
grid() {
    printf '%s\n' '[grid]' 'name = a' 'scheme = qat' 'network = ./tiny.cfg' 'dataset = fashion-mnist' "${1-}" >a.grid
}

# refused STATUS TEXT...: one line on stderr that begins as it should, has every text and says what to do;
# nothing on stdout.
refused() {
    local text
    [ "$status" -eq "$1" ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "truncquant: "* ]]
    [[ $stderr =~ \;\ |\?|\ (takes|give|needs)\ |:\ name\  ]]
    shift
    for text; do
        [[ $stderr == *"$text"* ]]
    done
}

# All that is recorded, and what the runs left, as text; but for tries to evaluate that came to nothing,
# which leave a row of their own, and what they had evaluated beside the checkpoint.
recorded() {
    sqlite3 -batch a.db .dump | sed "/^INSERT INTO attempts.*'truncquant evaluate/{/,'complete',/!d}"
    find a.runs -type f ! -name evaluated -exec sha256sum {} + | sort -k 2
}

# Remember what there is, and insist that nothing of it has changed.
remember() {
    recorded >"$BATS_TEST_TMPDIR/remembered"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/remembered")" -gt 40 ]
}

unchanged() {
    [ "$(sql 'PRAGMA integrity_check')" = ok ]
    recorded | diff "$BATS_TEST_TMPDIR/remembered" -
}

# What the run of setup_file has; other runs may have come.
remember_run() {
    sql "SELECT * FROM runs WHERE run_id = '$id'; SELECT * FROM attempts WHERE attempt = 1;
         SELECT * FROM epochs WHERE attempt = 1; SELECT * FROM evaluations WHERE attempt = 1;
         SELECT * FROM layers WHERE attempt = 1" >"$1"
    [ "$(wc -l <"$1")" -gt 20 ]
    sha256sum "$run"/* >>"$1"
}

# Hold a lock on a.db until end_lock.
start_lock() {
    sqlite3 -batch -cmd '.timeout 60000' a.db "BEGIN $1" '.shell : >locked; while [ -e locked ]; do sleep 0.05; done' 3>&- &
    holder=$!
    wait_for $holder test -e locked
}

end_lock() {
    rm locked
    wait $holder
}

# A copy of everything where an ordinary user may read it, but write into the cache alone, in $shared;
# as_user runs commands as one.
share() {
    shared=$(mktemp -d)
    sql 'PRAGMA journal_mode = DELETE' # read without files beside it
    cp -r . "$TRUNCQUANT_DATA" "$shared"
    cp "$program" "$shared/truncquant"
    mkdir "$shared/cache"
    cd "$shared"
    chmod -R a+rX,a-w .
    chmod a+rwx cache
    export TRUNCQUANT_DATA=$shared/data TRUNCQUANT_CACHE=$shared/cache
    program=$shared/truncquant
}

as_user() {
    if [ "$(id -u)" = 0 ]; then
        run --separate-stderr setpriv --reuid nobody --clear-groups "$program" "$@" --db a.db
    else
        run --separate-stderr "$program" "$@" --db a.db
    fi
    echo "$output" "$stderr"
}

# ---- grids and networks ----

# refuses_grid LINE TEXT
refuses_grid() {
    go plan a.grid
    refused 1 "a.grid:$1: $2"
    unchanged
}

@test "grid: what is no grid, no section, no key, no value" {
    remember
    grid '[trian]'
    refuses_grid 6 'unknown section [trian]'
    grid $'[train]\noptimizer = adm'
    refuses_grid 7 "optimizer takes one of adam, sgd"
    grid $'[train]\nepochs = 1,,2'
    refuses_grid 7 'epochs has an empty alternative'
    grid $'[train]\nepochs ='
    refuses_grid 7 'epochs has no value'
    grid $'[train]\nlearning_rate = nan'
    refuses_grid 7 'learning_rate takes a number'
    grid $'[train]\nepochs'
    refuses_grid 7 'is neither [section] nor key = value'
    grid $'[exclude]\nrule = scheem=qat'
    refuses_grid 7 "unknown key 'scheem'"
    grid $'[exclude]\nrule = scheme=minmax'
    refuses_grid 7 'the rule matches no combination'
    grid $'[when seed=7]\nepochs = 2'
    refuses_grid 6 '[when] matches no combination'
    sed 's/$/\r/' a.grid >crlf.grid && mv crlf.grid a.grid
    refuses_grid 1 'has a carriage return'
    printf '[grid]\nname = \0\n' >a.grid
    refuses_grid 2 'has a NUL byte'
}

@test "grid: what is no file" {
    mkdir folder.grid
    mkfifo pipe.grid
    for name in folder.grid pipe.grid; do
        go plan $name
        refused 1 "$name: is not a regular file"
    done
    head -c 2000000 /dev/zero >large.grid
    go plan large.grid
    refused 1 'large.grid: has 2000000 bytes'
}

# refuses_cfg LINE TEXT CFG-LINES...: by plan and by run, before Darknet sees it.
refuses_cfg() {
    local where=./tiny.cfg:$1 text=$2
    shift 2
    [ $# -eq 0 ] || printf '%s\n' "$@" >tiny.cfg
    go plan a.grid
    refused 1 "$where: $text"
    go run --spec a.spec
    refused 1 "$where: $text"
}

@test "network: every mistake that Darknet ends or crashes on" {
    remember
    grid
    spec 2
    conv=$'[convolutional]\nfilters=4\nsize=3\nstride=2\nactivation=relu'
    end=$'[connected]\nactivation=linear\n[softmax]'
    : >tiny.cfg
    refuses_cfg 1 'is empty'
    tiny_network && sed -i 's/$/\r/' tiny.cfg
    refuses_cfg 1 'has a carriage return'
    refuses_cfg 1 "'batch=1' stands before the first section" 'batch=1' '[net]' "$conv" "$end"
    refuses_cfg 1 'the first section is [convolutional]' "$conv" "$end"
    refuses_cfg 2 'unknown layer [convolutionl]; did you mean [convolutional]?' '[net]' '[convolutionl]' "$end"
    refuses_cfg 3 'unknown key filter in [convolutional]; did you mean filters?' '[net]' '[convolutional]' 'filter=4' "$end"
    refuses_cfg 3 'filters=four in [convolutional]' '[net]' '[convolutional]' 'filters=four' "$end"
    refuses_cfg 3 'stride=0 in [convolutional]' '[net]' '[convolutional]' 'stride=0' "$end"
    refuses_cfg 3 'groups=0 in [convolutional]' '[net]' '[convolutional]' 'groups=0' "$end"
    refuses_cfg 7 '[shortcut] has no from' '[net]' "$conv" '[shortcut]' "$end"
    refuses_cfg 8 'layer -9 from layer 1 is before the first one' '[net]' "$conv" '[shortcut]' 'from=-9' "$end"
    refuses_cfg 7 '[route] has no layers' '[net]' "$conv" '[route]' "$end"
    refuses_cfg 8 'layer 7 is not before this one' '[net]' "$conv" '[route]' 'layers=7' "$end"
    for layer in local lrn l2norm; do
        refuses_cfg 7 "[$layer] " '[net]' "$conv" "[$layer]" "$end"
    done
    for key in xnor binary; do
        refuses_cfg 7 "$key=1 in [convolutional]" '[net]' "$conv" "$key=1" "$end"
    done
    refuses_cfg 2 '[maxpool] is the first layer' '[net]' '[maxpool]' 'size=2' "$conv" "$end"
    refuses_cfg 7 'the network ends with 7 outputs' '[net]' "$conv" '[connected]' 'output=7' '[softmax]'
    rm tiny.cfg
    go run --spec a.spec
    refused 1 './tiny.cfg cannot be read'
    unchanged
}

@test "network: an error inside Darknet, which would end the process with status 0, fails the run" {
    echo 'void error(const char *text), file_error(char *name);
        void *parse_network_cfg(char *name) { FAIL("the reason"); return 0; }
        void free_network(void) {} void activate_array(void) {} void gradient_array(void) {}' >fake.c
    for function in error file_error; do
        "${CC:-gcc}" -DFAIL=$function -shared -fPIC -o $function.so fake.c
        spec 2
        TRUNCQUANT_DARKNET=$PWD/$function.so go run --spec a.spec --quiet --retry
        [ "$status" -eq 1 ]
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "truncquant: Darknet refuses the network: "*"the reason"* ]]
    done
    [ "$(sql "SELECT count(*) FROM attempts WHERE outcome = 'failed' AND reason LIKE '%the reason%'")" -eq 2 ]
}

# ---- data sets ----

@test "data: files that have gone bad since the plan fail the run and are named" {
    cp -r "$TRUNCQUANT_DATA" data
    export TRUNCQUANT_DATA=$PWD/data TRUNCQUANT_CACHE=$PWD/cache
    labels=data/fashion-mnist/train-labels-idx1-ubyte
    cp $labels sound
    spec 2
    remember
    truncate -s -1 $labels
    go run --spec a.spec
    refused 1 "$PWD/$labels: has 263 bytes where its header promises 264"
    cp sound $labels
    printf '\12' | dd of=$labels bs=1 seek=20 conv=notrunc status=none
    go run --spec a.spec
    refused 1 "$PWD/$labels: label 10 of image 12"
    go evaluate "$id" --bits 3
    refused 1 "$PWD/$labels: label 10 of image 12"
    rm $labels
    go run --spec a.spec
    refused 1 "$PWD/$labels: not found"
    unchanged
    cp sound $labels
    go run --spec a.spec --quiet
    [ "$status" -eq 0 ]
}

# ---- checkpoints and frozen models ----

@test "a frozen model that is damaged or of another run is refused, and made anew when it is removed" {
    spec 2
    go run --spec a.spec --quiet
    other=$(sql "SELECT run_id FROM runs WHERE run_id <> '$id'")
    cp "$run/model.frozen" sound
    remember
    for place in 3 100 9000; do
        printf '\377' | dd of="$run/model.frozen" bs=1 seek=$place conv=notrunc status=none
        go evaluate "$id" --bits 3
        refused 1 "$run/model.frozen: is " "remove it: 'truncquant evaluate' makes it anew"
        cp sound "$run/model.frozen"
    done
    truncate -s 9000 "$run/model.frozen"
    go evaluate "$id" --bits 3
    refused 1 "$run/model.frozen: is damaged"
    cp "a.runs/$other/model.frozen" "$run/model.frozen"
    go evaluate "$id" --bits 3
    refused 1 "$run/model.frozen: belongs to run ${other:0:12}, not ${id:0:12}"
    cp sound "$run/model.frozen"
    unchanged
    go evaluate "$id" --bits 3 --quiet
    before=$(sql 'SELECT inference, calibration_batches, loss_sum FROM evaluations WHERE bits = 3 ORDER BY 1, 2')
    sql 'DELETE FROM evaluations WHERE bits = 3'
    rm "$run/model.frozen"
    go evaluate "$id" --bits '3 5' --quiet
    [ "$status" -eq 0 ]
    cmp sound "$run/model.frozen"
    [ "$(sql 'SELECT inference, calibration_batches, loss_sum FROM evaluations WHERE bits = 3 ORDER BY 1, 2')" = "$before" ]
}

@test "a checkpoint from before the end is not taken for that of the finished run" {
    spec 2 'epochs = 4'
    at_checkpoint "[ \$N -gt 1 ] || cp \$(find a.runs -name checkpoint -not -path '$run/*') early" \
        "$program" run --spec a.spec --db a.db --quiet
    other=$(find a.runs -name checkpoint -not -path "$run/*")
    cp early "$other"
    id=$(basename "$(dirname "$other")")
    remember
    go evaluate "$id" --bits 3
    refused 1 "$other: is not of the attempt of run ${id:0:12} that counts"
    sql "UPDATE identity SET attempts_before = 99; UPDATE attempts SET weights_hash = NULL" # of earlier versions
    remember
    go evaluate "$id" --bits 3
    refused 1 "$other: is of epoch " "of 4, though the run is finished"
    unchanged
}

# ---- databases ----

# every_verb_refuses TEXT: whatever is asked of a.db.
every_verb_refuses() {
    sha256sum a.db >before
    for command in 'plan a.grid' "run $id" 'run --spec a.spec' "evaluate $id" status 'status --watch' 'export accuracy'; do
        # shellcheck disable=SC2086
        go $command
        refused 1 "a.db: $1"
    done
    sha256sum --quiet -c before
}

@test "database: no verb touches one that is not its own, newer, or damaged" {
    grid
    spec 2
    sql 'PRAGMA journal_mode = DELETE'
    cp a.db sound.db
    sql 'PRAGMA user_version = 77'
    every_verb_refuses 'is of a newer version of truncquant'
    rm a.db
    sql 'CREATE TABLE mine (a)'
    every_verb_refuses 'is a database of another program'
    echo 'no database, only words' >a.db
    every_verb_refuses 'is not a database'
    head -c 20000 sound.db >a.db
    every_verb_refuses 'is damaged'
    rm a.db
    mkdir a.db
    for command in 'plan a.grid' "run $id" status; do
        # shellcheck disable=SC2086
        go $command
        refused 1 'a.db: is not a file'
    done
}

@test "database: locked for long" {
    grid
    spec 2
    remember
    start_lock IMMEDIATE
    TRUNCQUANT_BUSY_SECONDS=1 go plan a.grid
    refused 1 'a.db: is locked by another process for too long' TRUNCQUANT_BUSY_SECONDS
    export TRUNCQUANT_BUSY_SECONDS=0
    go run --spec a.spec
    refused 1 'a.db: is locked by another process'
    go evaluate "$id" --bits 3
    refused 1 'a.db: is locked by another process'
    go status --line # reading needs no lock
    [ "$output" = '1 done' ]
    end_lock
    unchanged
    TRUNCQUANT_BUSY_SECONDS=soon go status
    refused 1 'TRUNCQUANT_BUSY_SECONDS=soon: give whole seconds'
}

@test "database: locked from the middle of a run to its end, which then is not trained again" {
    spec 2 'epochs = 10'
    export TRUNCQUANT_BUSY_SECONDS=0
    status=0
    at_checkpoint 'touch written; [ $N -gt 1 ] || until [ -e locked ]; do sleep 0.02; done' \
        "$program" run --spec a.spec --db a.db --quiet 2>log 3>&- &
    pid=$!
    wait_for $pid test -e written
    start_lock IMMEDIATE
    wait $pid || status=$?
    end_lock
    unset TRUNCQUANT_BUSY_SECONDS
    [ "$status" -eq 1 ]
    [[ $(tail -n 1 log) == "truncquant: a.db: is locked by another process for too long; "* ]]
    [ "$(sql 'PRAGMA integrity_check')" = ok ]
    go run --spec a.spec --quiet
    [ "$status" -eq 0 ]
    [ "$(sql "SELECT resumed_at FROM attempts WHERE run_id <> '$id' AND outcome = 'complete'")" = 1.0 ]
    [ "$(sql 'SELECT count(*) FROM epochs WHERE attempt = 3')" -eq 30 ]
    [ "$(sql 'SELECT count(*) FROM evaluations WHERE attempt = 3')" -eq 14 ]
}

@test "database and folders that may not be written to, as an ordinary user" {
    grid
    spec 2
    share
    remember
    remember_run "$BATS_TEST_TMPDIR/before"
    for command in 'plan a.grid' "run $id" 'run --spec a.spec' "evaluate $id"; do
        # shellcheck disable=SC2086
        as_user $command
        refused 1 'a.db: is read-only (Permission denied)'
    done
    as_user status --line
    [ "$output" = '1 done' ]
    as_user export accuracy
    [ "$status" -eq 0 ]
    unchanged
    chmod a+w a.db
    as_user plan a.grid
    refused 1 'a.db: its folder cannot be written to (Permission denied)'
    chmod a+w .
    as_user evaluate "$id" --bits 3
    refused 1 "$run/lock: cannot be opened (Permission denied)"
    as_user run --spec a.spec
    refused 1 'the folder cannot be made (Permission denied)'
    chmod a-r tiny.cfg
    as_user plan a.grid
    refused 1 'a.grid:4: network file ./tiny.cfg cannot be read'
    chmod a+r tiny.cfg
    rm -f cache/* # nothing is prepared yet
    chmod a-w cache
    as_user plan a.grid
    refused 1 "$shared/cache/fashion-mnist.prepared.lock: cannot be opened (Permission denied)"
    [ "$(sql 'PRAGMA integrity_check')" = ok ]
    remember_run "$BATS_TEST_TMPDIR/after"
    diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

@test "a disk that is full, wherever it fills up, loses nothing that was recorded" {
    remember_run before
    spec 2 'epochs = 3'
    grid
    failures=0
    for kib in 8 16 24 32 40 64; do
        run --separate-stderr bash -c "ulimit -f $kib; exec '$program' run --spec a.spec --db a.db --quiet --retry"
        if [ "$status" -ne 0 ]; then
            failures=$((failures + 1))
            [ "$status" -eq 1 ]
            [[ $stderr == *"truncquant: "*"(ulimit -f)"* ]]
        fi
        [ "$(sql 'PRAGMA integrity_check')" = ok ]
        remember_run after
        diff before after
    done
    [ "$failures" -ge 3 ]
    run --separate-stderr bash -c "ulimit -f 8; exec '$program' plan a.grid --db new.db"
    refused 1 'new.db: a limit on the size of files is reached (ulimit -f)'
    go run --spec a.spec --quiet --retry
    [ "$status" -eq 0 ]
    [ "$(sql "SELECT count(*) FROM attempts WHERE outcome = 'complete'")" -eq 2 ]
}

@test "database: run and evaluate make none, and names that SQLite reads otherwise are refused" {
    grid
    for command in "run $id" "evaluate $id" status 'export runs'; do
        # shellcheck disable=SC2086
        run --separate-stderr "$program" $command --db none.db
        refused 1 'none.db: there is no such database'
    done
    for name in :memory: file:none.db; do
        run --separate-stderr "$program" plan a.grid --db $name
        refused 1 "$name: means something else to SQLite; write ./$name"
    done
    [ ! -e none.db ]
}

@test "database: a folder with blanks, quotes and signs in its name" {
    folder="a b\"c'd?#%e&f"
    mkdir "$folder"
    mv a.db a.runs "$folder"
    for command in "run $id" "evaluate $id --bits 3" 'status --line' 'export accuracy'; do
        # shellcheck disable=SC2086
        run --separate-stderr "$program" $command --db "$folder/a.db"
        [ "$status" -eq 0 ]
        [ -n "$output" ]
    done
    [ "$(sqlite3 "$folder/a.db" 'SELECT count(*) FROM evaluations WHERE bits = 3')" -eq 4 ]
}

# ---- arguments ----

@test "arguments: wrong use ends with 2, whatever the verb" {
    remember
    for verb in plan run evaluate status export check; do
        go $verb --no-such-option
        refused 2 "$verb: unknown option --no-such-option"
        go $verb ''
        refused 2 "$verb: an argument is empty"
        run --separate-stderr "$program" $verb --db ''
        refused 2 "$verb: --db needs a value"
        go $verb --quiet=yes
        refused 2 "$verb: --quiet takes no value"
        run --separate-stderr "$program" $verb --help
        [ "$status" -eq 0 ]
        [ -z "$stderr" ]
        [[ $output == "usage: truncquant $verb"* ]]
    done
    for verb in nosuch --nosuch -- '' "$(printf 'v%.0s' {1..3000})"; do
        run --separate-stderr "$program" "$verb"
        refused 2 "unknown verb '${verb:0:64}'; 'truncquant --help' lists them"
    done
    go evaluate "$id" --bits 9
    refused 2 'evaluate: bits takes different bit-widths'
    go evaluate "$id" --calibrate-at nowhere
    refused 2 'evaluate: calibrate_at takes one of all, widths'
    go evaluate "$id" --threads 0
    refused 2 'evaluate: --threads takes 1 to 1024'
    go evaluate "$id" --images 65
    refused 1 '65 test images are asked for, but fashion-mnist has 64'
    unchanged
}

@test "arguments: what names no run, or more than one" {
    sql "CREATE TEMP TABLE other AS SELECT * FROM runs;
         UPDATE other SET run_id = substr(run_id, 1, 40) || '$(printf '%024d' 0)';
         INSERT INTO runs SELECT * FROM other"
    remember
    for verb in run evaluate; do
        for name in "${id:0:5}" "${id}0" '%' '______' 'идентификатор' "x'; DROP TABLE runs; --" "$(printf 'z%.0s' {1..3000})"; do
            go $verb "$name"
            refused 1 "is no run id; give at least its first 6 hexadecimal digits"
        done
        go $verb $'abcdef\n\e[31m'
        refused 1 "'abcdef??[31m' is no run id"
        go $verb "${id:0:12}"
        refused 1 "a.db: has several runs ${id:0:12}...; give more digits"
        go $verb 0123456789
        refused 1 '0123456789'
    done
    go status $'no\nsuch'
    refused 1 "no runs of a grid 'no?such' are recorded"
    go plan "$(printf 'g%.0s' {1..3000})"
    refused 1 ': cannot be opened (File name too long)'
    unchanged
    go run "${id^^}" --quiet --quiet
    [ "$status" -eq 0 ]
}

# ---- output ----

@test "output: closed, full, or to what is no file" {
    grid
    go plan a.grid --quiet # something for --watch to wait for
    for command in --help 'plan --help' 'plan a.grid --dry-run --quiet' "run $id" "evaluate $id" 'status --line' 'status --watch' 'export runs'; do
        for to in '>&-' '>/dev/full'; do
            [ "$command" = --help ] || to="--db a.db $to"
            run --separate-stderr bash -c "timeout 120 '$program' $command $to"
            refused 1 'output cannot be written'
        done
    done
    mkfifo pipe
    go export runs --output pipe
    refused 1 'pipe: cannot be written, as it is not a regular file'
    [ -p pipe ]
}

@test "output: no file takes the place of a closed stream" {
    remember_run before
    spec 2
    "$program" run --spec a.spec --db a.db --verbose >&- || true # it is told that nobody can read
    spec 3
    "$program" run --spec a.spec --db a.db --verbose 2>&-
    spec 4
    "$program" run --spec a.spec --db a.db --verbose <&- >&- 2>&- || true
    [ "$(sql "SELECT count(*) FROM attempts WHERE outcome = 'complete'")" -eq 4 ]
    [ "$(find a.runs -name lock -size 0 | wc -l)" -eq 4 ]
    remember_run after
    diff before after
    [ "$(sql 'PRAGMA integrity_check')" = ok ]
}

# ---- signals ----

@test "signals: a pipe that nobody reads, and a hang-up under nohup, do not stop a run" {
    spec 2 'epochs = 3'
    "$program" run --spec a.spec --db a.db --verbose 2>&1 | true
    [ "$(sql "SELECT count(*) FROM attempts WHERE outcome = 'complete'")" -eq 2 ]
    spec 3 'epochs = 9'
    hung_up() {
        trap '' HUP
        at_checkpoint 'case $N in 1) kill -HUP $PPID ;; 4) kill -TERM $PPID ;; esac' "$@"
    }
    run -143 hung_up "$program" run --spec a.spec --db a.db --quiet
    [[ "$(sql 'SELECT reason FROM attempts WHERE attempt = 3')" == 'signal 15'* ]]
}

@test "signals: an evaluation that is interrupted records nothing" {
    remember
    for signal in TERM KILL; do
        "$program" evaluate "$id" --bits '3 5 6 7' --calibration 6000 --db a.db --quiet 3>&- &
        pid=$!
        wait_for $pid grep -q '\.prepared' /proc/$pid/maps # it has its images
        kill -$signal $pid
        status=0
        wait $pid || status=$?
        [ "$status" -eq $((128 + $(kill -l $signal))) ]
        unchanged
    done
    go evaluate "$id" --bits 3 --quiet
    [ "$status" -eq 0 ]
}
