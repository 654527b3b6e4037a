# What tests of grids on several machines share: a grid of twelve runs, what it came to when nothing disturbed it, and
# comparison with that. Sourced after ../cli/runs.

# twelve.grid, here, of the network tiny.cfg: four families of a run that trains and one that takes its weights, and four
# runs more, of so many epochs
twelve() {
    tiny_network
    printf '%s\n' '[grid]' 'name = twelve' 'scheme = fp32, ptq, truncquant' "network = ./tiny.cfg" \
        'dataset = fashion-mnist' 'seed = 1..4' '[train]' "epochs = $1" 'batch = 16' 'widths = 1 2 32' '[evaluate]' \
        'bits = 1 2 4 32' 'calibration = 2' '[when scheme=fp32]' 'widths = 32' '[when scheme=ptq]' 'widths = 32' \
        >twelve.grid
}

# came_to DATABASE: every number of every run's complete attempts, each once (two machines may have finished one run)
came_to() {
    sql "SELECT DISTINCT run_id, bits, inference, calibration_batches, correct1, correct5, printf('%.17g', loss_sum)
         FROM evaluations JOIN attempts USING (attempt) WHERE outcome = 'complete' ORDER BY 1, 2, 3, 4" "$1"
    sql "SELECT DISTINCT run_id, epoch, bits, printf('%.17g', loss), accuracy FROM training ORDER BY 1, 2, 3" "$1"
}

# models FOLDER: of every run the frozen model, wherever it was computed
models() {
    find "$1" -name model.frozen | while read -r file; do
        echo "$(basename "$(dirname "$file")") $(sha256sum <"$file")"
    done | sort -u
}

# undisturbed FOLDER EPOCHS: the grid by one machine, kept as text in FOLDER/rows and FOLDER/models
undisturbed() {
    mkdir "$1" && cd "$1"
    twelve "$2"
    local id
    for id in $("$program" plan twelve.grid --db a.db --pending --ids --quiet); do
        "$program" run "$id" --db a.db --quiet
    done
    came_to a.db >rows
    models . >models
    [ "$(wc -l <models)" -eq 12 ]
    cd - >/dev/null
}

# same_as FOLDER: what a.db and the folders here hold now
same_as() {
    [ "$(sql 'PRAGMA integrity_check; PRAGMA foreign_key_check')" = ok ]
    [ "$(sql "SELECT count(*) FROM run_status WHERE state = 'done'")" -eq 12 ]
    came_to a.db | diff "$1/rows" -
    models . | diff "$1/models" -
}
