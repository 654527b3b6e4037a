# Data sets through the command line: the small set that tests use, and what bad files get.

root=$BATS_TEST_DIRNAME/../..
truncquant=$root/${BUILD:-build}/truncquant
tiny=$root/tests/tiny-data.sh

setup() {
    export TRUNCQUANT_DATA="$BATS_TEST_TMPDIR/data" TRUNCQUANT_CACHE="$BATS_TEST_TMPDIR/cache"
    folder=$TRUNCQUANT_DATA/fashion-mnist
    grid=$BATS_TEST_TMPDIR/t.grid
    "$tiny" "$TRUNCQUANT_DATA" 30 20
    write_grid fashion-mnist
}

write_grid() {
    printf '[grid]\nname = t\nscheme = qat\nnetwork = lenet\ndataset = %s\nseed = 1\n[train]\nbatch = 10\n' "$1" >"$grid"
}

# network names are looked up from the root
plan() {
    cd "$root"
    run "$truncquant" plan "$grid" --db "$BATS_TEST_TMPDIR/r.db" "$@"
}

# refused TEXT...: status 1, one line on stderr with all texts, and no run was recorded.
refused() {
    [ "$status" = 1 ]
    [ "${#lines[@]}" = 1 ]
    for text in "$@"; do
        [[ $output == *"$text"* ]] || return 1
    done
    [ ! -e "$BATS_TEST_TMPDIR/r.db" ] || [ "$(sqlite3 "$BATS_TEST_TMPDIR/r.db" 'SELECT count(*) FROM runs')" = 0 ]
}

id() {
    plan --ids
    [ "$status" = 0 ] && echo "$output"
}

@test "data: the small set is the same each time, another with another seed" {
    "$tiny" "$BATS_TEST_TMPDIR/again" 30 20
    diff -r "$TRUNCQUANT_DATA" "$BATS_TEST_TMPDIR/again"
    "$tiny" "$BATS_TEST_TMPDIR/other" 30 20 2
    run cmp "$folder/train-images-idx3-ubyte" "$BATS_TEST_TMPDIR/other/fashion-mnist/train-images-idx3-ubyte"
    [ "$status" = 1 ]
    [ "$(stat -c %s "$folder/train-images-idx3-ubyte")" = $((16 + 30 * 784)) ]
    [ "$(stat -c %s "$folder/t10k-labels-idx1-ubyte")" = 28 ]
    run "$tiny" "$TRUNCQUANT_DATA"
    [ "$status" = 2 ]
}

@test "data: plain and gzip are the same data, another label is not" {
    first=$(id)
    gzip "$folder"/*-ubyte
    [ "$(id)" = "$first" ]
    gunzip "$folder"/*.gz
    printf '\7' | dd of="$folder/t10k-labels-idx1-ubyte" bs=1 seek=10 conv=notrunc status=none
    other=$(id)
    [ "$other" != "$first" ]
}

@test "data: unknown name" {
    write_grid fashion-mnits
    plan
    refused "$grid:5: unknown data set 'fashion-mnits'" "fashion-mnist" kmnist
}

@test "data: a set that is nowhere" {
    write_grid kmnist
    plan
    refused "train-images-idx3-ubyte" "kmnist" "$TRUNCQUANT_DATA/kmnist" "run scripts/data.sh kmnist"
}

@test "data: missing file" {
    rm "$folder/train-labels-idx1-ubyte"
    plan
    refused "$folder/train-labels-idx1-ubyte: not found" "apt-get install dataset-fashion-mnist"
}

@test "data: empty file" {
    : >"$folder/t10k-images-idx3-ubyte"
    plan
    refused "$folder/t10k-images-idx3-ubyte: is empty"
}

@test "data: truncated file, plain and gzip" {
    truncate -s -1 "$folder/train-images-idx3-ubyte"
    plan
    refused "$folder/train-images-idx3-ubyte: has 23535 bytes where its header promises 23536"
    "$tiny" "$TRUNCQUANT_DATA" 30 20
    gzip "$folder/train-images-idx3-ubyte"
    truncate -s -9 "$folder/train-images-idx3-ubyte.gz"
    plan
    refused "$folder/train-images-idx3-ubyte.gz: the gzip file is cut short"
}

@test "data: wrong magic, files mixed up" {
    printf PNG | dd of="$folder/train-images-idx3-ubyte" conv=notrunc status=none
    plan
    refused "$folder/train-images-idx3-ubyte: is no IDX file"
    cp "$folder/train-labels-idx1-ubyte" "$folder/train-images-idx3-ubyte"
    plan
    refused "$folder/train-images-idx3-ubyte: holds labels (idx1) where images (idx3) are wanted"
}

@test "data: mislabelled" {
    printf '\12' | dd of="$folder/train-labels-idx1-ubyte" bs=1 seek=10 conv=notrunc status=none
    plan
    refused "$folder/train-labels-idx1-ubyte: label 10 of image 2" "0 ... 9"
    cp "$folder/t10k-labels-idx1-ubyte" "$folder/train-labels-idx1-ubyte"
    plan
    refused "$folder/train-labels-idx1-ubyte: has 20 labels for the 30 images of $folder/train-images-idx3-ubyte"
}

@test "data: no place for the prepared file" {
    cd "$root"
    run env -u HOME -u XDG_CACHE_HOME -u TRUNCQUANT_CACHE "$truncquant" plan "$grid" --db "$BATS_TEST_TMPDIR/r.db"
    refused "set TRUNCQUANT_CACHE"
}

@test "data: full disk" {
    cd "$root"
    # the shell's limit on the size of files counts in KiB; the set has 39 of them
    run bash -c "trap '' XFSZ; ulimit -f 20; '$truncquant' plan '$grid' --db '$BATS_TEST_TMPDIR/r.db'"
    [ "$status" = 1 ]
    [[ $output == *"/fashion-mnist-"*".prepared: cannot be written (File too large); raise the limit"* ]]
    plan # and there is room again
    [ "$status" = 0 ]
}

@test "data: a damaged prepared file is made anew in silence" {
    first=$(id)
    printf x | dd of="$(echo "$TRUNCQUANT_CACHE"/fashion-mnist-*.prepared)" bs=1 seek=40 conv=notrunc status=none
    plan --ids
    [ "$status" = 0 ]
    [ "$output" = "$first" ]
}

@test "data: choices on held-out images, then the test split" {
    "$tiny" "$TRUNCQUANT_DATA" 100 20
    db=$BATS_TEST_TMPDIR/r.db
    for text in 'val=0' 'val=100' 'val=95' $'val=30\nimages=71'; do
        printf '[grid]\nname=t\nscheme=qat\nnetwork=lenet\ndataset=fashion-mnist\nseed=1\n[evaluate]\nsplit=val\n[train]\nbatch=10\n%s\n' "$text" >"$grid"
        plan
        case $text in
        val=0) refused "$grid:8: split val needs images that are held out" ;;
        val=100) refused "$grid:11: val takes 100 images out of the 100 training images" ;;
        val=95) refused "$grid:10: a batch of 10 cannot be filled from the 5 training images" ;;
        *) refused "$grid:12: 71 training images are asked for, but fashion-mnist has 70" ;;
        esac
    done
    printf '[grid]\nname=t\nscheme=qat\nnetwork=lenet\ndataset=fashion-mnist\nseed=1\n[evaluate]\nsplit=val\nbits=2\ncalibration=0\n[train]\nbatch=10\nepochs=1\nwidths=2\nval=30\n' >"$grid"
    plan --explain
    [[ $output == *"  val "*" 30 "*"$grid:15"* ]]
    run=$(id)
    "$truncquant" run "$run" --db "$db" --quiet
    [ "$(sqlite3 "$db" 'SELECT DISTINCT split, images FROM accuracy')" = "val|30" ]
    [ "$(sqlite3 "$db" 'SELECT images FROM runs')" = 70 ]
    "$truncquant" evaluate "$run" --split test --db "$db"
    [ "$(sqlite3 "$db" 'SELECT DISTINCT split, images FROM accuracy ORDER BY split')" = $'test|20\nval|30' ]
}
