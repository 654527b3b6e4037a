# What runs leave belongs to their database: several in one folder, copies, names, links, and what earlier versions left
# in the folder that all of them shared.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 256 64
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
    for scheme in fp32 ptq; do
        printf '%s\n' "scheme = $scheme" 'network = ./tiny.cfg' 'dataset = fashion-mnist' 'batch = 16' 'epochs = 2' \
            'bits = 2 8 32' >$scheme.spec
    done
}

# compute SCHEME DATABASE [OPTIONS]: the run of $scheme.spec
compute() {
    run --separate-stderr "$program" run --spec "$1.spec" --db "$2" --quiet "${@:3}"
    echo "$stderr"
}

# id SCHEME [DATABASE]
id() {
    sql "SELECT run_id FROM runs WHERE scheme = '$1'" "${2-a.db}"
}

# What ptq computed, with every digit.
losses() {
    sql "SELECT bits, inference, printf('%.17g', loss_sum) FROM evaluations JOIN attempts USING (attempt)
         JOIN runs USING (run_id) WHERE scheme = 'ptq' ORDER BY 1, 2" "$1"
}

# refused TEXT ...: failed, with one line that has each TEXT
refused() {
    [ "$status" -eq 1 ]
    [ "$(wc -l <<<"$stderr")" -eq 1 ]
    for text; do
        [[ $stderr == *"$text"* ]]
    done
}

# The database $1 as one that was just brought up to date, and what its runs left as earlier versions left it.
make_earlier() {
    sql "UPDATE identity SET attempts_before = (SELECT max(attempt) FROM attempts);
         UPDATE attempts SET weights_hash = NULL" "$1"
    mkdir -p runs
    for folder in "${1%.db}".runs/*/; do
        [ ! -e "$folder/checkpoint" ] || mv "$folder" runs/
    done
    rm -r "${1%.db}.runs"
}

@test "two databases side by side have their own weights, whatever is run in the other" {
    mkdir alone
    compute fp32 alone/a.db
    compute ptq alone/a.db
    compute fp32 a.db
    frozen=$(sha256sum <"a.runs/$(id fp32)/model.frozen")
    compute fp32 b.db --engine reference --threads 2
    [ "$status" -eq 0 ]
    compute ptq a.db
    [ "$status" -eq 0 ]
    [ "$(losses a.db)" = "$(losses alone/a.db)" ]
    [ "$(sha256sum <"a.runs/$(id fp32)/model.frozen")" = "$frozen" ]
    # and in the other way round
    compute ptq b.db
    [ "$status" -eq 0 ]
    [ "$(sql "SELECT count(DISTINCT weights_hash) FROM attempts")" = 1 ]
    ! grep -qF "$(sql 'SELECT weights_hash FROM attempts LIMIT 1')" <<<"$(sql 'SELECT weights_hash FROM attempts' b.db)"
}

@test "weights of another attempt are not taken for those that count" {
    compute fp32 a.db
    compute fp32 b.db --threads 2
    fp32=$(id fp32)
    cp "a.runs/$fp32/checkpoint" mine
    cp "b.runs/$fp32/checkpoint" "a.runs/$fp32/checkpoint"
    compute ptq a.db
    refused "a.runs/$fp32/checkpoint: is not of the attempt of run ${fp32:0:12} that counts in a.db; put that one's back"
    before=$(sql "SELECT count(*) FROM attempts")
    go evaluate "$fp32" --images 32 --other-numerics
    refused "a.runs/$fp32/checkpoint: is not of the attempt of run ${fp32:0:12} that counts in a.db"
    go export weights "$fp32" --output out.weights
    refused "a.runs/$fp32/checkpoint: is not of the attempt of run ${fp32:0:12} that counts in a.db"
    [ ! -e out.weights ]
    [ "$(sql "SELECT count(*) FROM attempts")" = "$before" ] # none of it is a try that failed
    cp mine "a.runs/$fp32/checkpoint"
    compute ptq a.db
    [ "$status" -eq 0 ]
    go evaluate "$(id ptq)" --bits 3 --quiet
    [ "$status" -eq 0 ]
    go export weights "$fp32" --output out.weights
    [ "$status" -eq 0 ]
}

@test "a database and its folder are renamed together; a copy has a folder of its own" {
    compute fp32 a.db
    fp32=$(id fp32)
    mv a.db c.db
    mv a.runs c.runs
    run -0 "$program" evaluate "$fp32" --images 32 --db c.db
    cp c.db a.db
    go evaluate "$fp32" --images 48
    refused "a.runs/$fp32/checkpoint: is missing"
    cp "c.runs/$fp32/checkpoint" "a.runs/$fp32/"
    go evaluate "$fp32" --images 48
    [ "$status" -eq 0 ]
    [ "$(cat a.runs/database)" = "$(cat c.runs/database)" ]
}

@test "a database does not take the folder of another that had its name, and says so before anything is recorded" {
    compute fp32 a.db
    fp32=$(id fp32)
    compute fp32 b.db
    mv b.db a.db
    printf '%s\n' '[grid]' 'name = a' 'scheme = qat' 'network = ./tiny.cfg' 'dataset = fashion-mnist' >a.grid
    says='a.runs/database: says that a.runs is of another database than a.db: bring that one back, or move'
    for command in "run --spec ptq.spec --quiet" "evaluate $fp32 --images 32" "export weights $fp32 --output out" "plan a.grid" \
        "plan a.grid --dry-run"; do
        # shellcheck disable=SC2086
        go $command
        refused "$says"
    done
    [ "$(sql "SELECT count(*) FROM runs WHERE scheme = 'qat'")" = 0 ]
    [ ! -e out ]
    go check
    [[ $output == *"missing  database folder: $says"* ]]
    # a name without .db has the folder of one with it
    run --separate-stderr "$program" run --spec fp32.spec --db a --quiet
    refused "a.runs/database: says that a.runs is of another database than a:"
    mv b.runs a.runs/../kept && rm -r a.runs && mv kept a.runs
    go evaluate "$fp32" --images 32
    [ "$status" -eq 0 ]
}

@test "a link to a database leads to the folder beside it" {
    mkdir far
    compute fp32 far/a.db
    ln -s far/a.db here.db
    run -0 "$program" evaluate "$(id fp32 far/a.db)" --images 32 --db here.db
    compute ptq here.db
    [ "$status" -eq 0 ]
    [ "$(ls -d ./*.runs far/*.runs 2>/dev/null)" = far/a.runs ]
}

@test "weights are exported from folders that nobody may write to, and nothing is made there" {
    compute fp32 a.db
    sql 'PRAGMA journal_mode = DELETE' >/dev/null
    rm "a.runs/$(id fp32)/lock"
    contents() {
        find a.db a.runs -exec stat --format '%n %Y %s' {} +
    }
    before=$(contents)
    go export weights "$(id fp32)" --output out.weights
    [ "$status" -eq 0 ]
    [ "$(contents)" = "$before" ]
}

@test "what two databases left in one folder before: each has what its attempts computed" {
    compute fp32 a.db
    compute ptq a.db
    compute fp32 b.db --threads 2
    compute ptq b.db
    fp32=$(id fp32)
    make_earlier a.db
    rm -r runs # b's came after it
    make_earlier b.db
    go evaluate "$(id ptq)" --bits 3
    refused "a.runs/$fp32/checkpoint: is missing: the weights of run ${fp32:0:12}"
    [ -e "runs/$fp32/checkpoint" ]
    # who only reads leaves it where it is
    run -0 "$program" export weights "$fp32" --db b.db --output out.weights
    [ ! -e b.runs ]
    run -0 "$program" evaluate "$(id ptq b.db)" --bits 3 --db b.db --quiet
    [ ! -e "runs/$fp32" ]
    [ -e "b.runs/$fp32/checkpoint" ]
    # A database that never tried the run takes nothing.
    make_earlier b.db
    compute fp32 new.db
    [ "$status" -eq 0 ]
    [ "$(sql 'SELECT resumed_at FROM attempts' new.db)" = 0.0 ]
    [ -e "runs/$fp32/checkpoint" ]
    # What an evaluation was computed with is no training.
    go evaluate "$fp32" --images 32 --threads 2
    refused "a.runs/$fp32/checkpoint: is missing"
    [ -e "runs/$fp32/checkpoint" ]
}

@test "a run that an earlier version began goes on, and ends with the same bits" {
    sed -i 's/epochs = 2/epochs = 6/' fp32.spec
    mkdir whole
    compute fp32 whole/a.db
    run -143 at_checkpoint '[ $N -lt 3 ] || kill -TERM $PPID' "$program" run --db a.db --spec fp32.spec --quiet
    make_earlier a.db
    compute fp32 a.db
    [ "$status" -eq 0 ]
    [ "$(sql "SELECT resumed_at > 0 FROM attempts WHERE outcome = 'complete'")" -eq 1 ]
    diff <(results whole/a.db) <(results ./a.db)
    [ -z "$(ls runs)" ]
}

@test "many processes that begin at once in a new database tie one folder to it" {
    compute fp32 a.db
    rm -r a.runs
    for k in $(seq 8); do
        sed "s/epochs = 2/epochs = 1/; \$aseed = $k" fp32.spec >$k.spec
        "$program" run --spec $k.spec --db a.db --quiet 3>&- &
    done
    for pid in $(jobs -p); do
        wait "$pid"
    done
    [ "$(cat a.runs/database)" = "$(sql 'SELECT identity FROM identity')" ]
    [ "$(find a.runs -name checkpoint | wc -l)" -eq 8 ]
}
