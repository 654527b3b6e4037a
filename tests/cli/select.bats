# Which images are taken where fewer are asked for than there are.

load runs

# The tiny set, with the images of each class one after the other: 64 of each to train on, 40 to test.
sorted_data() {
    tiny_data "$1" 640 400
    python3 - "$1/data/fashion-mnist" <<'END'
import sys
for split in "train", "t10k":
    images, labels = (f"{sys.argv[1]}/{split}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1"))
    pixels, classes = open(images, "rb").read(), open(labels, "rb").read()
    order = sorted(range(len(classes) - 8), key=lambda i: classes[8 + i])
    open(images, "wb").write(pixels[:16] + b"".join(pixels[16 + 784 * i:16 + 784 * (i + 1)] for i in order))
    open(labels, "wb").write(classes[:8] + bytes(classes[8 + i] for i in order))
END
}

setup_file() {
    sorted_data "$BATS_FILE_TMPDIR"
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
}

# grid TRAIN EVALUATE: a.grid with those lines in [train] and [evaluate]
grid() {
    printf '%s\n' '[grid]' 'name = a' 'scheme = truncquant' 'network = ./tiny.cfg' 'dataset = fashion-mnist' \
        '[train]' 'epochs = 4' 'batch = 16' 'widths = 2 32' "$1" '[evaluate]' 'calibration = 0' 'bits = 2 32' "$2" >a.grid
}

# keys: those of the one run that say which images
keys() {
    "$program" plan a.grid --dry-run --quiet --db no.db | grep -o '[a-z]*\.\(images\|select\)=[^ ]*' | tr '\n' ' '
}

@test "a grid that says nothing draws its images where they are fewer than all" {
    grid 'images = 64' 'images = 40'
    [ "$(keys)" = 'train.images=64 train.select=drawn evaluate.images=40 evaluate.select=drawn ' ]
    "$program" plan a.grid --dry-run --explain --quiet | grep -q '^  train.select  *drawn  *fewer than all$'
    grid 'images = 640' 'images = 400' # all of them, by number: as it always was
    [ "$(keys)" = 'train.images=640 evaluate.images=400 ' ]
    "$program" plan a.grid --dry-run --explain --quiet | grep -q '^  train.select  *first  *default$'
    grid '' ''
    [ "$(keys)" = '' ]
    grid $'images = 600\nval = 40' $'split = val\nimages = 40' # all that are left, and all that are held out
    [ "$(keys)" = 'train.images=600 evaluate.images=40 ' ]
    grid $'images = 64\nselect = first' $'images = 40\nselect = drawn'
    [ "$(keys)" = 'train.images=64 evaluate.images=40 evaluate.select=drawn ' ]
    grid 'select = drawn' ''
    go plan a.grid --dry-run
    [[ $stderr == *"a.grid:10: train.select has no effect in any run"* ]]
    grid $'images = 64\nselect = first' ''
    run --separate-stderr "$program" plan a.grid --dry-run --set evaluate.images=40
    [[ $output == *" evaluate.images=40 evaluate.select=drawn" ]]
}

@test "first images of few classes are noted, once, with the line" {
    grid $'images = 128\nselect = first' $'images = 40\nselect = first'
    sed -i 's/^name = a$/&\nseed = 1, 2, 3/' a.grid
    go plan a.grid --dry-run
    [ "$status" -eq 0 ]
    [ "$(grep -c "of 2 of its 10 classes" <<<"$stderr")" = 1 ]
    [[ $stderr == *"truncquant: note: a.grid:11: the first 128 training images of fashion-mnist are of 2 of its 10 classes; train.select = drawn takes some of all"* ]]
    [[ $stderr == *"note: a.grid:16: the first 40 test images of fashion-mnist are of 1 of its 10 classes; evaluate.select = drawn"* ]]
    go plan a.grid --dry-run --quiet
    [ -z "$stderr" ]
    grid 'images = 128' 'images = 40'
    go plan a.grid --dry-run
    [[ $stderr != *classes* ]]
    # a specification that says nothing means the first
    printf '%s\n' 'scheme = fp32' 'network = ./tiny.cfg' 'dataset = fashion-mnist' 'batch = 16' 'epochs = 1' \
        'evaluate.images = 40' >a.spec
    go run --spec a.spec
    [ "$status" -eq 0 ]
    [[ $stderr == *"note: a.spec: the first 40 test images of fashion-mnist are of 1 of its 10 classes"* ]]
}

@test "400 of images that are sorted by class: the first are of one class, drawn ones of all" {
    grid 'images = 320' $'images = 40\nselect = first'
    "$program" run "$("$program" plan a.grid --db a.db --ids --quiet)" --db a.db --quiet
    grid 'images = 320' 'images = 40'
    drawn=$("$program" plan a.grid --db a.db --ids --quiet)
    "$program" run "$drawn" --db a.db --quiet
    [ "$(sql 'SELECT count(DISTINCT run_id) FROM runs')" -eq 2 ]
    # trained on the same images, evaluated on others
    [ "$(sql "SELECT count(DISTINCT printf('%.17g', loss)) FROM training WHERE bits = 32 AND epoch = 4")" -eq 1 ]
    [ "$(sql "SELECT count(DISTINCT loss) FROM accuracy WHERE bits = 32 AND images = 40")" -eq 2 ]
    # as good on drawn images as on all
    go evaluate "$drawn" --images all --quiet
    [ "$(sql "SELECT abs(max(p) - min(p)) < 20 FROM (SELECT 100.0 * correct1 / images AS p FROM evaluations
              JOIN attempts USING (attempt) WHERE run_id = '$drawn' AND bits = 32)")" -eq 1 ]
}

@test "evaluate takes the images of the run's selection, drawn ones when it was planned with all" {
    grid 'images = 320' $'images = 40\nselect = first'
    first=$("$program" plan a.grid --db a.db --ids --quiet)
    grid 'images = 320' 'images = 80'
    some=$("$program" plan a.grid --db a.db --ids --quiet)
    grid 'images = 320' ''
    all=$("$program" plan a.grid --db a.db --ids --quiet)
    losses() {
        sql "SELECT printf('%.17g', loss_sum) FROM evaluations JOIN attempts USING (attempt)
             WHERE run_id = '$1' AND bits = 32 AND images = $2"
    }
    for id in "$first" "$some" "$all"; do
        "$program" run "$id" --db a.db --quiet
    done
    for id in "$some" "$all"; do
        "$program" evaluate "$id" --images 40 --db a.db --quiet
    done
    "$program" evaluate "$first" --images 80 --db a.db --quiet
    [ "$(losses "$some" 40)" = "$(losses "$all" 40)" ]
    [ "$(losses "$some" 40)" != "$(losses "$first" 40)" ]
    [ "$(losses "$some" 80)" != "$(losses "$first" 80)" ]
}

@test "the runs of results/published are found again by planning their grids" {
    cd "$root"
    unset TRUNCQUANT_DATA
    "$program" check --data fashion-mnist >/dev/null || skip "Fashion-MNIST is not installed"
    for db in results/published/*.db; do
        name=$(basename "$db" .db)
        set=()
        [[ $name != *-resnet20 ]] || set=(--set network=resnet20)
        sql "SELECT run_id FROM runs WHERE dataset = 'fashion-mnist' ORDER BY 1" "file:$db?immutable=1" >"$BATS_TEST_TMPDIR/published"
        [ -s "$BATS_TEST_TMPDIR/published" ] || continue # of data that are nobody's package
        found=1
        "$program" plan "experiments/${name%-resnet20}.grid" "${set[@]}" --ids --quiet --dry-run --db none.db | sort >"$BATS_TEST_TMPDIR/planned"
        [ -z "$(comm -13 "$BATS_TEST_TMPDIR/planned" "$BATS_TEST_TMPDIR/published")" ]
    done
    [ -n "$found" ]
}
