# truncquant run and evaluate: a run from its specification to its rows; stopped, killed, damaged, failed.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 256 64
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
    spec 'epochs = 2'
}

# Write a.spec; the lines $1 are appended.
spec() {
    printf '%s\n' 'scheme = truncquant' 'network = ./tiny.cfg' 'dataset = fashion-mnist' 'seed = 1' \
        'batch = 16' 'widths = 1 2 32' 'bits = 1 2 4 32' 'calibration = 2' "$1" >a.spec
}

# One line on stderr that contains every argument; exit status 1.
complains() {
    [ "$status" -eq 1 ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "truncquant: "* ]]
    for text; do [[ $stderr == *"$text"* ]]; done
}

id() {
    sql 'SELECT run_id FROM runs'
}

# Both databases have the same results; two that have none are not the same.
same_results() {
    results "$1" >first
    results "$2" >second
    [ "$(wc -l <first)" -gt 20 ]
    grep -qE '^[0-9a-f]{64}  -$' first
    diff first second
}

@test "a run leaves its rows, its frozen model, and how it was computed" {
    go run --spec a.spec --quiet
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ -s "a.runs/$(id)/model.frozen" ]
    # direct 1 2 4 32, truncated 1 2 4, each calibrated too
    [ "$(sql 'SELECT count(*) FROM evaluations')" -eq 14 ]
    [ "$(sql 'SELECT count(*) FROM epochs')" -eq 6 ]
    [ "$(sql 'SELECT count(*) FROM layers')" -eq 3 ]
    [ "$(sql "SELECT group_concat(stage || weights || (SELECT sum(value) FROM json_each(counts))) FROM (SELECT * FROM histograms ORDER BY stage)")" = \
        end288288,start288288 ]
    [ "$(sql "SELECT outcome || ' ' || engine || ' ' || precision || ' ' || threads FROM attempts")" = \
        'complete onednn fp32 1' ]
    [ "$(sql "SELECT cpu_seconds > 0 AND peak_bytes > 1000000 AND length(commit_id) > 6
              AND length(sources) = 64 AND length(fingerprint) = 64 AND libraries LIKE '%OpenBLAS%Darknet%' AND command LIKE '%--spec a.spec%'
              AND host <> '' FROM attempts")" -eq 1 ]
}

@test "a run begins with its configuration and ends with its result, which is that of the database" {
    go run --spec a.spec
    [ "$status" -eq 0 ]
    said=$output
    [ "${lines[0]}" = "run $(id): scheme=truncquant network=./tiny.cfg dataset=fashion-mnist seed=1 widths=\"1 2 32\" epochs=2 batch=16 bits=\"1 2 4 32\" calibration=2" ]
    [[ ${lines[1]} == "begun at 20"*" UTC on "*", process "* ]]
    [[ ${lines[2]} == "computed by engine onednn, fp32, 1 thread(s), "*", commit "* ]]
    cell() { # BITS BATCHES INFERENCE: what the table has of it
        local top1 loss
        IFS='|' read -r top1 loss < <(sql "SELECT 100.0 * correct1 / images, printf('%.17g', loss_sum / images) FROM evaluations
            WHERE bits = $1 AND calibration_batches = $2 AND inference = '$3'")
        [ -z "$top1" ] && echo 'n/a n/a' || printf '%.2f %.4f' "$top1" "$loss"
    }
    for norms in 'as trained:0' 'calibrated:2'; do
        for bits in 1 2 4 32; do
            read -r direct direct_loss <<<"$(cell $bits ${norms#*:} direct)"
            read -r cut cut_loss <<<"$(cell $bits ${norms#*:} truncated)"
            row="$bits ${norms%:*} $direct $cut $direct_loss $cut_loss 64"
            tr -s ' ' <<<"$said" | sed 's/^ //' | grep -qxF "$row"
        done
    done
    go run "$(id)" # shows it again
    diff <(sed 1d <<<"$output") <(tail -n +4 <<<"$said")
}

@test "a run of held-out images ends with the result on those" {
    spec $'epochs = 2\nval = 64\nsplit = val\nevery = 1\nevery_split = test'
    go run --spec a.spec
    [[ $output == *"loss on the val split:"* ]]
    [ "$(grep -cE '^ +[0-9]+  (as trained|calibrated) ' <<<"$output")" -eq 8 ]
}

@test "a run that is stopped says where its checkpoint is, and how to go on" {
    run -143 --separate-stderr at_checkpoint 'kill -TERM $PPID' "$program" run --db a.db --spec a.spec
    [[ $stderr == *"note: run $(id | cut -c 1-12) was stopped in epoch 2 of 2; its checkpoint is a.runs/$(id)/checkpoint, from which the same command goes on" ]]
    [ -s "a.runs/$(id)/checkpoint" ]
    [[ $output != *"top-1"* ]]
}

@test "truncated inference of truncquant is its direct inference" {
    go run --spec a.spec --quiet
    [ "$(sql "SELECT count(*) FROM evaluations d JOIN evaluations t USING (bits, calibration_batches)
              WHERE d.inference = 'direct' AND t.inference = 'truncated'
              AND d.loss_sum = t.loss_sum AND d.correct1 = t.correct1")" -eq 6 ]
}

@test "a finished run is not run again" {
    go run --spec a.spec --quiet
    go run "$(id)"
    [ "$status" -eq 0 ]
    [[ $output == *"is done already"* ]]
    [ "$(sql 'SELECT count(*) FROM attempts')" -eq 1 ]
}

@test "the same specification on standard input, and an id cut short" {
    run "$program" run --db a.db --quiet --spec - <a.spec
    [ "$status" -eq 0 ]
    go run "$(id | cut -c 1-8)"
    [[ $output == *"is done already"* ]]
}

@test "SIGTERM writes a checkpoint, and the run goes on to the same results" {
    spec 'epochs = 6'
    mkdir whole && "$program" run --db whole/a.db --spec a.spec --quiet
    run -143 at_checkpoint '[ $N -lt 3 ] || kill -TERM $PPID' "$program" run --db a.db --spec a.spec --quiet
    [ "$(sql 'SELECT outcome FROM attempts')" = interrupted ]
    [[ "$(sql 'SELECT reason FROM attempts')" == "signal 15"* ]]
    [ "$(sql 'SELECT progress > 0 FROM attempts')" -eq 1 ]
    go run "$(id)" --quiet
    [ "$status" -eq 0 ]
    [ "$(sql "SELECT resumed_at > 0 FROM attempts WHERE outcome = 'complete'")" -eq 1 ]
    same_results whole/a.db ./a.db
}

# `make test-long` kills before every call.
@test "killed while it writes, the run ends with the bits of one that was not" {
    spec 'epochs = 6'
    mkdir whole && "$program" run --db whole/a.db --spec a.spec --quiet
    for call in 5 30 61 95 40 72; do # of the calls after the last kill
        run -137 killed_before $call "$program" run --db a.db --spec a.spec --quiet --checkpoint-every 0.0001
    done
    go run --spec a.spec --quiet
    [ "$status" -eq 0 ]
    [ "$(sql "PRAGMA integrity_check")" = ok ]
    same_results whole/a.db ./a.db
}

@test "one run cannot be computed by two processes at once" {
    run -137 at_checkpoint "'$program' run --db a.db --spec a.spec 2>said; echo \$? >status; kill -KILL \$PPID" \
        "$program" run --db a.db --spec a.spec --quiet
    [ "$(<status)" -eq 4 ]
    [ "$(wc -l <said)" -eq 1 ]
    [[ $(<said) == "truncquant: "*"by another process already"* ]]
}

@test "a damaged checkpoint is named, and the run can be repaired" {
    run -143 at_checkpoint 'kill -TERM $PPID' "$program" run --db a.db --spec a.spec --quiet
    cp "a.runs/$(id)/checkpoint" sound
    byte=$(od -An -tu1 -j5000 -N1 sound)
    printf "\\$(printf %o $((byte ^ 1)))" | dd of="a.runs/$(id)/checkpoint" bs=1 seek=5000 conv=notrunc status=none
    run ! cmp -s "a.runs/$(id)/checkpoint" sound
    go run "$(id)"
    complains "a.runs/$(id)/checkpoint: is damaged" 'remove it'
    head -c 3000 sound >"a.runs/$(id)/checkpoint"
    go run "$(id)" --retry
    complains "a.runs/$(id)/checkpoint: is damaged"
    : >"a.runs/$(id)/checkpoint"
    go run "$(id)" --retry
    complains 'truncated (0 bytes)'
    [ "$(sql "SELECT count(*) FROM attempts WHERE outcome = 'failed'")" -eq 3 ]
}

@test "a checkpoint of another run is refused" {
    go run --spec a.spec --quiet
    first=$(id)
    spec 'epochs = 3'
    run -137 at_checkpoint 'kill -KILL $PPID' "$program" run --db a.db --spec a.spec --quiet
    second=$(sql "SELECT run_id FROM runs WHERE run_id <> '$first'")
    cp "a.runs/$first/checkpoint" "a.runs/$second/checkpoint"
    go run "$second"
    complains "belongs to run ${first:0:12}"
}

@test "a checkpoint that was computed otherwise is refused, which is no failure, or taken when asked to" {
    spec 'epochs = 3'
    run -143 at_checkpoint 'kill -TERM $PPID' "$program" run --db a.db --spec a.spec --quiet
    go run "$(id)" --threads 2
    complains 'was computed with 1 thread(s)' 'now it is 2 thread(s)' '--other-numerics'
    [ "$(sql 'SELECT group_concat(outcome) FROM attempts')" = interrupted ]
    run -143 at_checkpoint 'kill -TERM $PPID' "$program" run --db a.db "$(id)" --threads 2 --other-numerics --quiet
    [ "$(sql 'SELECT resumed_at > 0 FROM attempts WHERE threads = 2')" -eq 1 ]
}

@test "what another database left is used only when it is said to be this one's, or put aside" {
    go run --spec a.spec --quiet
    run="a.runs/$(id)"
    mkdir other && mv a.db other/
    go run --spec a.spec
    complains 'a.runs/database: says that a.runs is of another database than a.db' 'remove this file'
    [ "$(sql 'SELECT count(*) FROM attempts')" = 0 ]
    rm a.runs/database
    go run --spec a.spec # the same version: the checkpoint stands for its training
    [ "$status" -eq 0 ]
    [ "$(sql 'SELECT resumed_at FROM attempts')" = 1.0 ]
    rm a.db a.runs/database
    go run --spec a.spec --threads 2
    [ "$status" -eq 0 ]
    [[ $stderr == *"note: "*"starts anew"* ]]
    [ -e "$run/checkpoint.old" ]
    [ "$(sql 'SELECT resumed_at FROM attempts')" = 0.0 ]
}

@test "a loss that is no number fails the run with its place, and only --retry tries again" {
    spec $'optimizer = sgd\nlearning_rate = 1000\ndecay = 1\nepochs = 2'
    go run --spec a.spec --quiet
    complains 'is not finite in epoch' 'bits' 'of layer'
    [ "$(sql "SELECT outcome FROM attempts")" = failed ]
    [[ "$(sql "SELECT reason FROM attempts")" == *"not finite"* ]]
    go run "$(id)"
    complains 'has failed before' '--retry'
    [ "$(sql 'SELECT count(*) FROM attempts')" -eq 1 ]
    go run "$(id)" --retry --quiet
    complains 'is not finite'
    [ "$(sql 'SELECT count(*) FROM attempts')" -eq 2 ]
}

@test "a loss that grows without bound is no failure, but said, shown and marked" {
    spec $'learning_rate = 30\nepochs = 2'
    go run --spec a.spec --quiet
    [ "$status" -eq 0 ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "truncquant: note: run $(id | cut -c 1-12) diverged: training loss "*" at "*"where guessing has 2.30; "* ]]
    [ "$(sql 'SELECT outcome FROM attempts')" = complete ]
    go status --line
    [ "$output" = '1 done (1 diverged)' ]
    go status
    [[ $output == *"1 done run has diverged"*"  diverged  "*"training loss "* ]]
    go export accuracy
    [[ $output == *" diverged "*"Diverged: 1 run of truncquant, "* ]]
    go export accuracy --format csv-wide
    [[ ${lines[1]} == *",diverged,"* ]]
}

@test "a data set that has changed since the plan is refused" {
    "$root/tests/tiny-data.sh" data 256 64 1
    export TRUNCQUANT_DATA=$PWD/data TRUNCQUANT_CACHE=$PWD/cache
    go run --spec a.spec --quiet
    "$root/tests/tiny-data.sh" data 256 64 2
    go run "$(id)"
    complains 'differs from the one run' 'plan the grid anew'
}

@test "Darknet is needed to train, and only there" {
    printf '%s\n' '[grid]' 'name = a' 'scheme = qat' 'network = ./tiny.cfg' 'dataset = fashion-mnist' >a.grid
    export TRUNCQUANT_DARKNET=/nowhere.so
    go plan a.grid
    [ "$status" -eq 0 ]
    go run "$(id)"
    complains 'Darknet cannot be loaded' 'install the package darknet'
    [ "$(sql 'SELECT outcome FROM attempts')" = failed ]
}

# A network that Darknet computes nothing of: every number comes out as it was.
@test "a finished run is evaluated without Darknet, but where one of its functions is called" {
    go run --spec a.spec --quiet
    for engine in $("$program" evaluate --help | grep -o 'onednn') reference; do
        TRUNCQUANT_DARKNET=/nowhere.so go evaluate "$(id)" --engine $engine --other-numerics --quiet
        [ "$status" -eq 0 ]
    done
    attempts=$(sql 'SELECT count(*) FROM attempts')
    [ "$attempts" -ge 2 ]
    [ "$(sql "SELECT count(*) FROM evaluations WHERE attempt > 1")" -gt 0 ]
    [ "$(sql "SELECT count(*) FROM evaluations a JOIN evaluations b ON a.attempt = 1 AND b.attempt = 2 AND
              a.bits = b.bits AND a.inference = b.inference AND a.calibration_batches = b.calibration_batches
              WHERE a.loss_sum = b.loss_sum AND a.correct1 = b.correct1")" -eq \
        "$(sql 'SELECT count(*) FROM evaluations WHERE attempt = 1')" ]
    sed -i 's/activation=relu/activation=leaky/' tiny.cfg
    rm -r a.db a.runs
    go run --spec a.spec --quiet
    TRUNCQUANT_DARKNET=/nowhere.so go evaluate "$(id)" --other-numerics --quiet
    complains 'Darknet cannot be loaded' 'install the package darknet'
}

@test "wrong use says what is right" {
    go run
    [ "$status" -eq 2 ]
    [[ $stderr == *"name one run ID"*"--spec"* ]]
    go run abc --spec a.spec
    [ "$status" -eq 2 ]
    go run --threads none abc
    [ "$status" -eq 2 ]
    [[ $stderr == *"--threads takes 1 to 1024"* ]]
    go run --engine cuda abc
    [ "$status" -eq 2 ]
    [[ $stderr == *"no engine 'cuda'"* ]]
    go run --thread 2 abc
    [[ $stderr == *"did you mean --threads"* ]]
    go run --spec a.spec --quiet
    go run 0000000000
    complains '0000000000'
    go run --spec nowhere.spec
    complains 'nowhere.spec' 'cannot be opened'
    printf 'scheme = qat\nnetwork = ./tiny.cfg\nepochs = many\ndataset = fashion-mnist\n' >bad.spec
    go run --spec bad.spec
    complains 'bad.spec:3'
}

@test "evaluate adds what was not asked for at first, and changes nothing" {
    go run --spec a.spec --quiet
    before=$(results ./a.db)
    go evaluate "$(id)" --bits '3 5'
    [ "$status" -eq 0 ]
    [ "$(sql "SELECT group_concat(DISTINCT bits) FROM (SELECT bits FROM evaluations ORDER BY bits)")" = \
        '1,2,3,4,5,32' ]
    [ "$(results ./a.db | grep -vE '^[35]\|(direct|truncated)')" = "$before" ]
    [ "$(sql "SELECT count(*) FROM attempts WHERE outcome = 'complete' AND command LIKE '%evaluate%'")" -eq 1 ]
}

@test "what this program has recorded is not evaluated again" {
    go run --spec a.spec --quiet
    go evaluate "$(id)"
    [[ $output == *"all of that is recorded already"* ]]
    [ "$(sql 'SELECT count(*) - count(DISTINCT bits || inference || calibration_batches) FROM evaluations')" -eq 0 ]
}

@test "exact evaluation counts the same in every arithmetic, and as the float weights do" {
    go run --spec a.spec --quiet
    for name in int8 bf16 fp32-exact fp32; do
        go evaluate "$(id)" --arithmetic "$name" --quiet
        [ "$status" -eq 0 ]
    done
    # Every cell has one loss over the three exact arithmetics, which may differ from fp32's by rounding.
    cells='bits, inference, calibration_batches'
    [ "$(sql "SELECT max(n) FROM (SELECT count(DISTINCT loss_sum) AS n FROM evaluations
                                  WHERE bits <= 8 AND precision <> 'fp32' GROUP BY $cells)")" -eq 1 ]
    [ "$(sql "SELECT max(high - low) < 0.01 FROM (SELECT max(loss_sum) AS high, min(loss_sum) AS low
                                                  FROM evaluations GROUP BY $cells)")" -eq 1 ]
    [ "$(sql "SELECT count(*) FROM evaluations WHERE attempt = 2 AND precision <> 'fp32' AND bits = 32")" -eq 0 ]
    if [ "$("$program" check | grep -c onednn)" -gt 0 ]; then
        [ "$(sql "SELECT count(DISTINCT precision) FROM evaluations WHERE bits <= 8")" -ge 2 ]
    fi
}

@test "training in bf16 says so, and a checkpoint of another precision is refused" {
    spec 'epochs = 1'
    go run --spec a.spec --precision bf16 --verbose
    if [ "$status" -ne 0 ]; then # this machine, or this build, has none
        [[ $stderr == *"--precision fp32"* ]]
        return
    fi
    [[ $output == *", bf16, 1 thread"*": over integers in bf16"* ]]
    [[ $output != *"not bf16"* ]]
    [ "$(sql 'SELECT precision FROM attempts')" = bf16 ]
    go evaluate "$(id)" --precision bf16-backward
    complains 'was computed with' 'bf16-backward'
    go run --spec a.spec --precision half
    [ "$status" -eq 2 ]
    [[ $stderr == *"--precision takes"* ]]
    go run --spec a.spec --arithmetic int4
    [ "$status" -eq 2 ]
    [[ $stderr == *"--arithmetic takes"* ]]
}

@test "the old name of --arithmetic goes on working, and is not shown" {
    go run --spec a.spec --inference fp32 --quiet
    [ "$status" -eq 0 ]
    [ "$(sql 'SELECT DISTINCT precision FROM evaluations')" = fp32 ]
    go evaluate "$(id)" --inference fp32 --arithmetic fp32 --quiet
    [ "$status" -eq 0 ]
    go evaluate "$(id)" --inference fp32 --arithmetic int8
    [ "$status" -eq 2 ]
    [[ $stderr == *"--inference, its old name"* ]]
    go run --help
    [[ $output == *"--arithmetic NAME"*"default: int8"* && $output != *--inference* ]]
    go run --inferences
    [[ $stderr != *"did you mean"* ]]
}

@test "where no layer can use bf16, fp32 is recorded, and either goes on from the other's checkpoint" {
    spec 'epochs = 3'
    sed -i /batch_normalize/d tiny.cfg # a bias is added to the sums instead
    status=0
    at_checkpoint 'kill -TERM $PPID' "$program" run --db a.db --spec a.spec --precision bf16 --verbose \
        >said 2>failed || status=$?
    if [ "$status" -eq 2 ]; then # this build has none at all
        grep -q 'computes in fp32 alone' failed
        return
    fi
    [ "$status" -eq 143 ]
    [ "$(grep -c '^in fp32, not bf16: ' said)" -eq 1 ]
    go run "$(id)" --precision bf16-backward --quiet
    [ "$status" -eq 0 ]
    [ "$(sql "SELECT resumed_at > 0 FROM attempts WHERE outcome = 'complete'")" -eq 1 ]
    [ "$(sql 'SELECT DISTINCT precision FROM attempts')" = fp32 ]
    go evaluate "$(id)" --quiet
    [ "$status" -eq 0 ]
    mkdir whole && "$program" run --db whole/a.db --spec a.spec --quiet
    sql "DELETE FROM evaluations WHERE attempt = (SELECT max(attempt) FROM attempts)"
    same_results whole/a.db ./a.db
}

@test "trained in bf16, equal weights have equal scores, direct and truncated" {
    printf '%s\n' 'scheme = truncquant' 'network = resnet8' 'dataset = fashion-mnist' 'seed = 1' 'batch = 32' \
        'train.images = 64' 'epochs = 1' 'bits = 3 4 8' 'calibration = 2' >a.spec
    go run --spec a.spec --precision bf16 --arithmetic fp32 --quiet
    if [ "$status" -ne 0 ]; then
        complains '--precision fp32'
        return
    fi
    same="SELECT count(*) FROM evaluations d JOIN evaluations t USING (attempt, bits, calibration_batches)
          WHERE d.inference = 'direct' AND t.inference = 'truncated' AND d.loss_sum"
    [ "$(sql "$same = t.loss_sum")" -eq 6 ]
    [ "$(sql "$same <> t.loss_sum")" -eq 0 ]
}

@test "the table shows evaluations on more images once its cells have them, never a mixture" {
    spec 'epochs = 2
evaluate.images = 20'
    go run --spec a.spec --quiet
    go evaluate "$(id)" --images all --bits 4 --calibration 0
    [ "$(sql "SELECT count(*) FROM evaluations WHERE bits = 4 AND inference = 'direct'")" -eq 3 ]
    [ "$(sql "SELECT group_concat(DISTINCT images) FROM accuracy")" = 20 ]
    go evaluate "$(id)" --images all --calibration 0
    [ "$(sql "SELECT group_concat(DISTINCT images) FROM accuracy WHERE NOT calibrated")" = 64 ]
    [ "$(sql "SELECT group_concat(DISTINCT images) FROM accuracy WHERE calibrated")" = 20 ]
}

@test "evaluate looks at all runs before it evaluates one" {
    spec 'epochs = 1'
    go run --spec a.spec --quiet
    first=$(id)
    printf '%s\n' '[grid]' 'name = a' 'scheme = qat' 'network = ./tiny.cfg' 'dataset = fashion-mnist' >a.grid
    go plan a.grid --ids --quiet
    pending=$output
    for wrong in ffffffff nope "$pending"; do
        go evaluate "$first" $wrong --bits 3
        complains
        [ "$(sql 'SELECT count(*) FROM attempts')" -eq 1 ]
    done
    go evaluate "$first" "$first" --bits 3
    [ "$status" -eq 0 ]
    [ "$(sql 'SELECT count(*) FROM attempts')" -eq 3 ]
}

@test "flipped bits of prepared pixels change no result: they are made anew" {
    export TRUNCQUANT_CACHE=$PWD/cache
    losses() {
        sql "SELECT bits, inference, printf('%.17g', loss_sum) FROM evaluations WHERE attempt = $1 ORDER BY 1, 2"
    }
    go run --spec a.spec --quiet
    prepared=(cache/*.prepared)
    cp "${prepared[0]}" sound
    size=$(stat -c %s sound)
    for at in 3000 $((size - 3000)); do # of train, of test
        printf "\\$(printf %o $((255 - $(od -An -tu1 -j $at -N1 "${prepared[0]}"))))" |
            dd of="${prepared[0]}" bs=1 seek=$at conv=notrunc status=none
    done
    run ! cmp -s sound "${prepared[0]}"
    go evaluate "$(id)" --calibration 1
    [ "$status" -eq 0 ]
    [[ $stderr == *"note: ${PWD}/${prepared[0]}: is not what was prepared"*"made anew"* ]]
    cmp sound "${prepared[0]}"
    "$program" evaluate "$(id)" --calibration 1 --arithmetic fp32 --db a.db --quiet
    rm -r cache
    mkdir again
    go evaluate "$(id)" --bits '1 2 4' --calibration 1 --quiet
    "$program" run --spec a.spec --db again/a.db --quiet
    results ./a.db >/dev/null
    [ "$(losses 1)" = "$(sql "SELECT bits, inference, printf('%.17g', loss_sum) FROM evaluations ORDER BY 1, 2" again/a.db)" ]
}

@test "evaluate wants a finished run and what it left" {
    go run --spec a.spec --quiet
    mv a.runs elsewhere
    go evaluate "$(id)"
    complains 'is missing'
    go evaluate
    [ "$status" -eq 2 ]
}

# They are kept in the checkpoint until the database can be written to, and no later than the evaluations are.
@test "epochs that could not be recorded at once are recorded in the end" {
    epochs="SELECT group_concat(epoch || ' ' || bits) FROM (SELECT * FROM epochs ORDER BY epoch, bits)"
    spec 'epochs = 1'
    go run --spec a.spec --quiet
    expected=$(sql "$epochs")
    rm -r a.db* a.runs
    cat >command <<'END'
case $FILE in
*/checkpoint)
    sqlite3 -batch a.db 'BEGIN IMMEDIATE' '.shell touch locked; while [ -e locked ]; do sleep 0.02; done' >held 2>&1 &
    until [ -e locked ]; do sleep 0.02; done
    ;;
*/model.frozen) rm locked && sqlite3 -batch -cmd '.timeout 60000' a.db 'BEGIN IMMEDIATE; ROLLBACK' >freed ;;
esac
END
    AT_FILE='' AT_COMMAND='. ./command' TRUNCQUANT_BUSY_SECONDS=0 run watched "$program" run --db a.db --spec a.spec --quiet
    [ "$status" -eq 0 ]
    [[ $output == *'note: epochs are recorded later: a.db: is locked'* ]]
    [ "$(sql "$epochs")" = "$expected" ]
}
