# Learning curves: evaluations during training, on request. They change nothing of the run, and nothing of what is said
# of it.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 256 64
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
    spec ''
}

# Write a.spec; the lines $1 are appended.
spec() {
    printf '%s\n' 'scheme = truncquant' 'network = ./tiny.cfg' 'dataset = fashion-mnist' 'seed = 1' 'batch = 16' \
        'widths = 1 2 32' 'bits = 1 2 4 32' 'calibration = 2' 'epochs = 5' 'val = 48' "$1" >a.spec
}

# Of one run: its weights, as float numbers and frozen, its id, and all that is recorded of it but the curves.
weights() {
    "$program" export weights "$(sql 'SELECT run_id FROM runs' "$1")" --db "$1" --output w.weights --quiet >/dev/null
    sha256sum <w.weights
    results "$1"
    sql 'SELECT run_id, spec, params FROM runs' "$1"
    sql 'SELECT bits, inference, calibrated, split, top1, loss FROM accuracy ORDER BY 1, 2, 3' "$1"
    sql "SELECT layer, bits, printf('%.17g', scale) FROM layers ORDER BY 1, 2" "$1"
}

points() {
    sql "SELECT epoch, split, bits, inference, top1, printf('%.17g', loss), images FROM learning_curves
         ORDER BY 1, 2, 3, 4" "${1-a.db}"
}

@test "with curves, a run is the same run, with the same weights and tables, in both engines" {
    for engine in reference $("$program" check | grep -o onednn | head -n 1); do
        mkdir "$engine-without" "$engine-with"
        spec ''
        "$program" run --db "$engine-without/a.db" --spec a.spec --engine "$engine" --quiet
        weights "$engine-without/a.db" >expected
        "$program" export accuracy --db "$engine-without/a.db" >expected.txt
        spec $'every = 2\nevery_split = test'
        "$program" run --db "$engine-with/a.db" --spec a.spec --engine "$engine" --quiet
        weights "$engine-with/a.db" | diff expected -
        "$program" export accuracy --db "$engine-with/a.db" | diff expected.txt -
        # Epochs 2 and 4, and the last; direct 1 2 4 32, truncated 1 2 4.
        [ "$(sql 'SELECT group_concat(DISTINCT epoch), count(*), group_concat(DISTINCT split) FROM epoch_evaluations' \
            "$engine-with/a.db")" = '2,4,5|21|test' ]
        [ "$(sql 'SELECT count(*) FROM epoch_evaluations' "$engine-without/a.db")" -eq 0 ]
        # The last point is the evaluation that is reported.
        [ "$(sql "SELECT count(*) FROM accuracy a JOIN learning_curves c USING (run_id, bits, inference, act_bits)
                  WHERE c.epoch = 5 AND NOT a.calibrated AND a.loss = c.loss AND a.top1 = c.top1" "$engine-with/a.db")" -eq 7 ]
    done
}

@test "curves are of the images that are held out, unless the test split is asked for" {
    spec 'every = 5'
    go run --spec a.spec --quiet
    [ "$status" -eq 0 ]
    [ "$(sql 'SELECT DISTINCT split, images FROM epoch_evaluations')" = 'val|48' ]
    [ "$(sql 'SELECT DISTINCT split, images FROM accuracy')" = 'test|64' ]
    sed -i '/^val/d' a.spec
    go run --spec a.spec
    [ "$status" -eq 1 ]
    [[ $stderr == *"a.spec:"*": every evaluates images that are held out, and none are; set val "*"every_split to test"* ]]
}

@test "stopped and killed at any epoch, a run ends with the points of one that was not" {
    spec 'every = 1'
    mkdir whole && "$program" run --db whole/a.db --spec a.spec --quiet
    points whole/a.db >expected
    [ "$(wc -l <expected)" -eq 35 ]
    status=137
    for n in $(seq 100); do
        KILL_FILE=curve KILL_WRITE=$((n % 5 + 3)) run watched "$program" run --db a.db --spec a.spec --quiet
        [ "$status" -eq 0 ] && break
        [ "$status" -eq 137 ]
    done
    [ "$status" -eq 0 ]
    [ "$n" -gt 6 ]
    points | diff expected -
    weights whole/a.db >expected
    weights a.db | diff expected -
    # Each point stands once for an attempt, and nothing is left over.
    [ "$(sql 'SELECT count(*) FROM epoch_evaluations WHERE attempt = (SELECT max(attempt) FROM attempts)')" -eq 35 ]
    [ ! -e "a.runs/$(sql 'SELECT run_id FROM runs')/curve" ]
    [ ! -e "a.runs/$(sql 'SELECT run_id FROM runs')/epoch.frozen" ]
}

@test "curves are exported and drawn, labelled with their images; where there are none there is no figure" {
    spec 'every = 2'
    go run --spec a.spec --quiet
    go export curves --format csv
    [ "${lines[0]}" = \
        'run_id,config_id,scheme,network,dataset,seed,epoch,split,bits,act_bits,inference,top1,top5,loss,images' ]
    [ "$(grep -c ',val,' <<<"$output")" -eq 21 ]
    TRUNCQUANT=$program "$root/scripts/figures.sh" --db "$PWD/a.db" --output "$PWD/figures" >drawn
    grep -q '/learning.svg$' drawn
    [ "$(tail -n +2 figures/learning.csv | wc -l)" -eq 21 ]
    for text in 'tiny, fashion-mnist, val' 'truncquant direct' 'truncquant truncated' 'top-1 (%)' '2 bits'; do
        grep -qF ">$text<" figures/learning.svg
    done
    grep -qx 'val: evaluated during training on images held out of it, 48 images' figures/learning.txt
    grep -qF '>accuracy (%)<' figures/training.svg
    sql 'DELETE FROM epoch_evaluations'
    TRUNCQUANT=$program "$root/scripts/figures.sh" --db "$PWD/a.db" --output "$PWD/figures" >drawn
    [ ! -e figures/learning.svg ]
}

# grid NAME LINES: NAME.grid of one run
grid() {
    printf '%s\n' '[grid]' "name = $1" 'scheme = qat' 'network = ./tiny.cfg' 'dataset = fashion-mnist' '[train]' \
        'widths = 2 32' 'epochs = 4' 'batch = 16' 'val = 48' '[evaluate]' 'bits = 2 32' 'calibration = 0' "$2" >"$1.grid"
}

@test "grids that ask for the same run ask for what curves they want; all are drawn" {
    grid a '' && grid b 'every = 2' && grid c $'every = 3\nevery_split = test'
    for name in a b c; do
        go plan $name.grid --ids --quiet
        ids+=("$output")
    done
    [ "${ids[0]}" = "${ids[1]}" ] && [ "${ids[0]}" = "${ids[2]}" ]
    go plan a.grid --ids --quiet # which asks for nothing, and takes nothing back
    go run "${ids[0]}" --quiet
    [ "$status" -eq 0 ]
    [ "$(sql 'SELECT split, group_concat(DISTINCT epoch) FROM epoch_evaluations GROUP BY 1')" = $'test|3,4\nval|2,4' ]
    [[ $(sql 'SELECT spec || params FROM runs') != *every* ]]
}

@test "a grid that is edited asks for what it says now; a finished run has no curve any more" {
    grid a 'every = 1'
    go plan a.grid --ids --quiet
    id=$output
    grid a 'every = 4' && go plan a.grid --quiet
    go run "$id" --quiet
    [ "$(sql 'SELECT group_concat(DISTINCT epoch) FROM epoch_evaluations')" = 4 ]
    [ -z "$(go plan a.grid | grep curve)" ]
    rm -r a.db* a.runs
    grid a '' && go plan a.grid --quiet
    go run "$id" --quiet
    [ "$(sql 'SELECT count(*) FROM curve_requests')" -eq 0 ]
    grid a 'every = 1'
    go plan a.grid
    [ "$status" -eq 0 ]
    [[ $stderr == *"note: 1 run is finished without a learning curve, which 'every' asks for: "* ]]
    go run "$id"
    [[ $output == *"is done already"* ]]
    [ "$(sql 'SELECT count(*) FROM epoch_evaluations')" -eq 0 ]
}

@test "a request makes no other runs, so that it has no alternatives" {
    grid a 'every = 1, 2'
    go plan a.grid
    [ "$status" -eq 1 ]
    [[ $stderr == *"a.grid:14: every takes one value: "* ]]
    grid a ''
    go plan a.grid --set every=1,2
    [ "$status" -ne 0 ]
    [[ $stderr == *"--set: every takes one value"* ]]
    go plan a.grid --set every=2 --quiet
    [ "$status" -eq 0 ]
    [ "$(sql 'SELECT grid, every, split FROM curve_requests')" = 'a-2|2|val' ]
}
