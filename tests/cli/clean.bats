# truncquant clean: checkpoints of finished runs go when it is asked for, and what their frozen models give is still
# computed, to the same numbers; no other checkpoint goes, whatever happens in the middle.

load runs

# A grid whose runs are done but for one seed of qat, in finished/.
setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 64 64
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_FILE_TMPDIR"
    tiny_network
    printf '%s\n' '[grid]' 'name = g' 'scheme = fp32, qat, truncquant, ptq, dedicated' 'network = ./tiny.cfg' \
        'dataset = fashion-mnist' 'seed = 1..2' '[train]' 'batch = 16' 'widths = 1 2' 'images = 32' 'epochs = 1' '[evaluate]' \
        'bits = 1 2 32' 'images = 32' 'calibration = 1' '[exclude]' 'rule = seed=2 scheme=fp32,truncquant,ptq,dedicated' >g.grid
    "$program" plan g.grid --db a.db --quiet >plan
    for id in $(grep -v 'qat .*seed=2' plan | cut -d' ' -f1); do
        "$program" run "$id" --db a.db --quiet
    done
    mkdir finished && mv a.db a.runs finished/
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    cp -r "$BATS_FILE_TMPDIR"/finished/* "$BATS_FILE_TMPDIR"/g.grid "$BATS_FILE_TMPDIR"/tiny.cfg .
    qat=$(id qat)
    truncquant=$(id truncquant)
}

id() {
    sql "SELECT run_id FROM runs WHERE scheme = '$1' AND seed = 1 LIMIT 1"
}

# All files beside the database, with their contents.
files() {
    find a.runs -type f -exec sha256sum {} + | sort -k2
}

# What was evaluated truncated at 3 bits, with every digit.
at_three() {
    sql "SELECT run_id, calibration_batches, correct1, printf('%.17g', loss_sum) FROM evaluations JOIN attempts USING (attempt)
         WHERE bits = 3 AND inference = 'truncated' AND outcome = 'complete' ORDER BY 1, 2" "${1:-a.db}"
}

refused() {
    [ "$status" -eq "$1" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "truncquant: $2"* ]]
}

@test "what would be removed is said, and nothing is changed" {
    files >before
    sha256sum a.db >database
    go clean --dry-run
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    size=$(stat -c %s "a.runs/$qat/checkpoint" "a.runs/$truncquant/checkpoint" | awk '{ n += $1 } END { printf "%.1f", n / 1024 }')
    [[ $output == *"run ${qat:0:12}: "*" KiB, would be removed"* ]]
    [[ $output == *"run ${truncquant:0:12}: "*" KiB, would be removed"* ]]
    [[ $output == *"would free $size KiB: 2 checkpoints"* ]]
    [[ $output == *"nothing of 1 run: not finished"* ]]                 # the second seed
    [[ $output == *"nothing of 1 run: other schemes take its weights"* ]] # fp32
    [[ $output == *"nothing of 1 run: no checkpoint, or none any more"* ]] # ptq
    [[ $output == *"nothing of 2 runs: no truncated results"* ]]        # dedicated
    diff before <(files)
    sha256sum -c --quiet database
}

@test "checkpoints go, and truncated results are the same without them" {
    mkdir whole && cp -r a.db a.runs g.grid whole/
    "$program" evaluate "$qat" "$truncquant" --bits 3 --db whole/a.db --quiet
    go clean g.grid
    [ "$status" -eq 0 ]
    [[ $output == *"freed "*" KiB: 2 checkpoints"* ]]
    diff <(cd whole && files | grep -v "$qat/checkpoint\|$truncquant/checkpoint") <(files | grep -v checkpoint.head)
    [ ! -e "a.runs/$qat/checkpoint" ]
    go evaluate "$qat" "$truncquant" --bits 3
    [ "$status" -eq 0 ]
    [[ $output == *"run ${qat:0:12} is evaluated, truncated alone: its checkpoint was removed"* ]]
    [ "$(at_three | wc -l)" -eq 4 ]
    diff <(at_three whole/a.db) <(at_three)
    [ "$(sql "SELECT count(*) FROM evaluations WHERE bits = 3 AND inference = 'direct'")" -eq 0 ]
    [ "$(sql 'SELECT count(DISTINCT weights_hash) FROM attempts WHERE run_id = "'"$qat"'"')" -eq 1 ]
    # What is recorded stays, the run is done, and can be packed.
    go run "$qat" --quiet
    [ "$status" -eq 0 ]
    go pack "$truncquant" --output model.tqm --quiet
    [ "$status" -eq 0 ]
    # Again, there is nothing to do.
    go clean "$qat"
    [ "$status" -eq 0 ]
    [[ $output == *"freed 0.0 KiB: 0 checkpoints"* ]]
}

@test "what needs the checkpoint says that it was removed, and a copy brings it back" {
    cp "a.runs/$qat/checkpoint" copy
    go clean "${qat:0:8}" --quiet
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ -e "a.runs/$truncquant/checkpoint" ]
    go export weights "$qat" --output out.weights
    refused 1 "a.runs/$qat/checkpoint: was removed by 'truncquant clean'"
    go evaluate "$qat" --bits 32
    refused 1 "a.runs/$qat/checkpoint: was removed by 'truncquant clean', and nothing of what is asked for is truncated"
    go evaluate "$qat" --bits 3 --threads 2
    refused 1 "a.runs/$qat/checkpoint.head: was computed with 1 thread(s)"
    go evaluate "$qat" --bits 3 --threads 2 --other-numerics --quiet
    [ "$status" -eq 0 ]
    cp copy "a.runs/$qat/checkpoint"
    go evaluate "$qat" --bits '4 5' --quiet
    [ "$status" -eq 0 ]
    [ "$(sql "SELECT count(*) FROM evaluations WHERE bits = 4 AND inference = 'direct'")" -eq 2 ]
}

@test "without the frozen model that was left there is no result" {
    go clean --quiet
    for change in "cp a.runs/$truncquant/model.frozen a.runs/$qat/" "truncate -s 5000 a.runs/$qat/model.frozen" \
        "rm a.runs/$qat/model.frozen"; do
        $change
        go evaluate "$qat" --bits 3
        refused 1 "a.runs/$qat/model.frozen: is not the frozen model that was left of run ${qat:0:12}"
    done
    printf x | dd of="a.runs/$truncquant/model.frozen" bs=1 seek=500 conv=notrunc status=none
    go evaluate "$truncquant" --bits 3
    refused 1 "a.runs/$truncquant/model.frozen: is not the frozen model that was left"
    printf x | dd of="a.runs/$truncquant/checkpoint.head" bs=1 seek=50 conv=notrunc status=none
    go evaluate "$truncquant" --bits 3
    refused 1 "a.runs/$truncquant/checkpoint.head: is damaged"
    [ -z "$(at_three)" ]
}

@test "a checkpoint stays where the frozen model is not sound, or is of other weights" {
    printf x | dd of="a.runs/$qat/model.frozen" bs=1 seek=500 conv=notrunc status=none
    go clean "$qat"
    refused 1 "clean: nothing of run ${qat:0:12} is removed: no sound frozen model"
    cp "a.runs/$truncquant/model.frozen" "a.runs/$qat/"
    go clean "$qat"
    refused 1 "clean: nothing of run ${qat:0:12} is removed: no sound frozen model"
    sql "UPDATE attempts SET weights_hash = '$(printf '%064d' 7)' WHERE run_id = '$truncquant'"
    go clean
    [ "$status" -eq 0 ]
    [[ $output == *"nothing of 1 run: its checkpoint is not known to be of the attempt that counts"* ]]
    [[ $output == *"freed 0.0 KiB: 0 checkpoints"* ]]
    [ -e "a.runs/$qat/checkpoint" ] && [ -e "a.runs/$truncquant/checkpoint" ]
}

@test "a run that a process is at keeps its checkpoint" {
    exec 8<"a.runs/$qat/lock"
    flock 8
    files >before
    go clean "$qat" --dry-run
    refused 4 "clean: nothing of run ${qat:0:12} is removed: being computed"
    go clean "$qat"
    refused 4 "clean: nothing of run ${qat:0:12} is removed: being computed"
    diff before <(files)
    go clean g
    [ "$status" -eq 0 ]
    [[ $output == *"nothing of 1 run: being computed"* ]]
    [ -e "a.runs/$qat/checkpoint" ] && [ ! -e "a.runs/$truncquant/checkpoint" ]
    exec 8<&-
    # One that is not finished, too, while it is computed and when it was stopped.
    second=$(sql "SELECT run_id FROM runs WHERE seed = 2")
    run -143 at_checkpoint "'$program' clean --db a.db >said; kill -TERM \$PPID" "$program" run "$second" --db a.db --quiet
    grep -qx 'nothing of 1 run: being computed' said
    go clean "$second"
    refused 1 "clean: nothing of run ${second:0:12} is removed: not finished"
    go run "$second" --quiet
    [ "$status" -eq 0 ]
    [ "$(sql "SELECT resumed_at > 0 FROM attempts WHERE run_id = '$second' AND outcome = 'complete'")" -eq 1 ]
}

@test "killed in the middle, it leaves the checkpoint or its head, and the next call goes on" {
    mkdir whole && cp -r a.db a.runs whole/ && rm -r a.runs a.db
    "$program" evaluate "$qat" --bits 3 --db whole/a.db --quiet
    at_three whole/a.db >expected
    [ "$(wc -l <expected)" -eq 2 ]
    afresh() {
        rm -rf a.db* a.runs
        cp -r "$BATS_FILE_TMPDIR"/finished/* .
    }
    afresh
    COUNT_CALLS=calls watched "$program" clean "$qat" --db a.db --quiet
    for n in $(seq $(($(<calls) - 4)) "$(<calls)"); do # of those before, which change the database alone, others speak
        afresh
        run -137 killed_before "$n" "$program" clean "$qat" --db a.db --quiet
        [ ! -e "a.runs/$qat/checkpoint.head" ] || heads+=$n
        [ -s "a.runs/$qat/checkpoint" ] || [ -s "a.runs/$qat/checkpoint.head" ]
        go clean "$qat" --quiet
        [ "$status" -eq 0 ]
        [ ! -e "a.runs/$qat/checkpoint" ]
        [ "$(find "a.runs/$qat" -type f | wc -l)" -eq 3 ] # head, frozen model, lock
    done
    [ -n "$heads" ]
    go evaluate "$qat" --bits 3 --quiet
    diff expected <(at_three)
}

@test "wrong use of clean" {
    go clean nothing
    refused 1 "a.db: no runs of a grid 'nothing' are recorded; there are: g"
    go clean 0123456789
    [ "$status" -eq 1 ]
    go clean ./none.grid
    [ "$status" -eq 1 ]
    go clean --all
    [ "$status" -eq 2 ]
    run --separate-stderr "$program" clean --db none.db
    [ "$status" -eq 1 ]
    [ ! -e none.db ]
    [ -e "a.runs/$qat/checkpoint" ]
}
