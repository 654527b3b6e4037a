# Evaluations that are interrupted: by SIGKILL before each call to the file system, by signals, by time limits shorter
# than all of it.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 64 64
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
    printf '%s\n' 'scheme = truncquant' 'network = ./tiny.cfg' 'dataset = fashion-mnist' 'seed = 1' \
        'batch = 16' 'widths = 1 2' 'bits = 1 2' 'calibration = 1' 'epochs = 1' >a.spec
}

# killed BEFORE|WRITE N VERB ...: the program on a.db, ended as tests/preload/witness.c says: before call N to the file
# system from the first evaluation that it keeps on, or before it keeps number N (1 is their origin)
killed() {
    export "KILL_$1=$2" KILL_FILE=evaluated
    run watched "$program" "$3" --db a.db --quiet "${@:4}"
    unset "KILL_$1" KILL_FILE
    [ "$status" -eq 137 ] || [ "$status" -eq 0 ]
}

# All that is recorded of complete attempts, as same_results has it, and the layers.
recorded() {
    results "$1"
    sql "SELECT layer, bits, name, printf('%.17g|%.17g|%.17g', quantization_error, truncation_error, codes_differ)
         FROM layers ORDER BY 1, 2" "$1"
    sql "SELECT dense_rank() OVER (ORDER BY e.attempt), bits, inference, calibration_batches, split, precision, images
         FROM evaluations e ORDER BY evaluation" "$1"
}

# a.db and what lies beside it, trained, with the evaluation to come, in trained/
train() {
    killed WRITE 1 run --spec a.spec
    [ "$status" -eq 137 ]
    id=$(sql 'SELECT run_id FROM runs')
    [ -e "a.runs/$id/checkpoint" ]
    mkdir trained whole && cp -r a.db* a.runs trained/ && cp -r a.db* a.runs whole/
    "$program" run --db whole/a.db "$id" --quiet
    recorded whole/a.db >expected
    [ "$(wc -l <expected)" -gt 15 ]
}

afresh() {
    rm -rf a.runs a.db*
    cp -r trained/* .
}

@test "killed before any call to the file system, a run ends with the rows of one that was not" {
    train
    for n in $(seq 1000); do
        afresh
        killed BEFORE "$n" run "$id"
        [ "$status" -eq 137 ] || break
        go run "$id" --quiet
        [ "$status" -eq 0 ]
        recorded a.db | diff expected -
        [ ! -e "a.runs/$id/evaluated" ] || [ "$(sql "SELECT max(attempt) - min(attempt) FROM evaluations
            JOIN attempts USING (attempt)")" -eq 0 ]
    done
    [ "$status" -eq 0 ]
    [ "$n" -gt 20 ]
}

@test "with a limit that allows two evaluations at a time, a run ends, and its progress never goes back" {
    train
    afresh
    tries=0
    status=137
    while [ "$status" -eq 137 ]; do
        killed WRITE 3 run "$id"
        tries=$((tries + 1))
        [ "$tries" -lt 20 ]
    done
    [ "$status" -eq 0 ]
    [ "$tries" -gt 3 ]
    recorded a.db | diff expected -
    [ ! -e "a.runs/$id/evaluated" ]
    [ "$(sql 'SELECT count(*) FROM (SELECT progress - lag(progress) OVER (ORDER BY attempt) AS step FROM attempts)
              WHERE step < 0')" -eq 0 ]
    [ "$(sql 'SELECT count(DISTINCT progress) FROM attempts')" -gt 3 ]
}

@test "what is kept is of these weights, computed like this, or is dropped" {
    train
    for change in 'true' "rm a.runs/$id/checkpoint" '--threads 2 --other-numerics' \
        "printf x >>a.runs/$id/evaluated" "printf x | dd of=a.runs/$id/evaluated bs=1 seek=9 conv=notrunc status=none"; do
        afresh
        killed WRITE 4 run "$id"
        [ -s "a.runs/$id/evaluated" ]
        cp "a.runs/$id/evaluated" before
        case $change in
        --*) killed WRITE 1 run "$id" $change ;;
        *) eval "$change" && killed WRITE 1 run "$id" ;;
        esac
        [ "$status" -eq 137 ]
        case $change in
        true | 'printf x >>'*) cmp "a.runs/$id/evaluated" before ;;
        *) [ ! -s "a.runs/$id/evaluated" ] ;;
        esac
    done
}

@test "an interrupted evaluate goes on to the same rows" {
    train
    "$program" run --db a.db "$id" --quiet
    "$program" evaluate --db whole/a.db "$id" --bits '1 2 3' --calibration 2 --quiet
    recorded whole/a.db >expected
    killed WRITE 4 evaluate "$id" --bits '1 2 3' --calibration 2
    [ "$status" -eq 137 ]
    [ "$(sql 'SELECT count(DISTINCT attempt) FROM evaluations')" -eq 1 ]
    [ "$(sql 'SELECT state || progress FROM run_status')" = done1.0 ]
    go evaluate "$id" --bits '1 2 3' --calibration 2
    [ "$status" -eq 0 ]
    [ ! -e "a.runs/$id/evaluated" ]
    recorded a.db | diff expected -
}
