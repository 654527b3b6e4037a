# Folders of images through the command line: trained and evaluated, in memory and on the fly, stopped and
# gone on with; what is wrong with one is said.

load runs

setup_file() {
    "$BATS_TEST_DIRNAME/../tiny-images.sh" "$BATS_FILE_TMPDIR/equal" 60 20 16
    "$BATS_TEST_DIRNAME/../tiny-images.sh" "$BATS_FILE_TMPDIR/mixed" 60 20 14 40
}

setup() {
    export TRUNCQUANT_DATA=$BATS_FILE_TMPDIR TRUNCQUANT_CACHE=$BATS_FILE_TMPDIR/cache
    cd "$BATS_TEST_TMPDIR"
    tiny_network
}

# Write a.spec for the data set $1; the lines $2 are appended.
spec() {
    printf '%s\n' 'scheme = truncquant' 'network = ./tiny.cfg' "dataset = $1" 'seed = 1' 'batch = 16' \
        'widths = 2 32' 'bits = 2 32' 'calibration = 2' "$2" >a.spec
}

complains() {
    [ "$status" -eq 1 ]
    [[ ${stderr_lines[-1]} == "truncquant: "* ]]
    for text; do [[ ${stderr_lines[-1]} == *"$text"* ]]; done
}

top1() {
    sql "SELECT CAST(top1 AS INTEGER) FROM accuracy WHERE bits = 32 AND NOT calibrated"
}

@test "a folder of images of one size is learnt, by path and by name" {
    spec "$BATS_FILE_TMPDIR/equal" 'epochs = 12'
    go run --spec a.spec --quiet
    [ "$status" -eq 0 ]
    [ "$(sql 'SELECT classes FROM attempts')" -eq 2 ]
    [ "$(top1)" -ge 90 ]
    [ "$(sql 'SELECT dataset FROM runs')" = equal ]
    [ ! -e pwned ]
    first=$(sql 'SELECT run_id FROM runs')
    spec equal 'epochs = 12'
    go run --spec a.spec
    [[ $output == *"${first:0:12} is done already"* ]]
}

@test "a folder of images of many sizes is learnt" {
    spec mixed $'epochs = 15\nimage_size = 16'
    go run --spec a.spec --quiet
    [ "$status" -eq 0 ]
    [ "$(top1)" -ge 85 ]
    [[ "$(sql 'SELECT params FROM runs')" == *'"image_size": 16'* ]]
    [ ! -e pwned ]
}

@test "loaders change nothing, nor does being stopped and going on" {
    spec mixed $'epochs = 8\nimage_size = 16'
    mkdir whole
    "$program" run --db whole/a.db --spec a.spec --quiet
    for signal in TERM KILL TERM; do
        threads=$((${threads-1} + 1))
        run -$((128 + $(kill -l $signal))) at_checkpoint "[ \$N -lt 4 ] || kill -$signal \$PPID" \
            "$program" run --db a.db --spec a.spec --quiet --loaders $threads --checkpoint-every 0.0001
    done
    go run --spec a.spec --quiet --loaders 3
    [ "$status" -eq 0 ]
    [ "$(sql 'SELECT count(*) FROM attempts')" -eq 4 ]
    results whole/a.db >first
    results a.db >second
    [ -s first ]
    diff first second
}

@test "an image that went away since the start is named" {
    "$BATS_TEST_DIRNAME/../tiny-images.sh" own 40 10 16 20
    spec ./own $'epochs = 4\nimage_size = 16'
    run --separate-stderr at_checkpoint 'rm -f own/train/*/7.png' "$program" run --db a.db --spec a.spec --quiet
    complains '/7.png: cannot be opened'
    [ "$(sql 'SELECT outcome FROM attempts')" = failed ]
}

@test "an image that changes under a run fails it with its name, and the old one brought back lets it be tried again" {
    "$BATS_TEST_DIRNAME/../tiny-images.sh" own 40 10 16 20
    spec ./own $'epochs = 200\nimage_size = 16'
    mkdir whole
    "$program" run --db whole/a.db --spec a.spec --quiet
    "$program" run --db a.db --spec a.spec --quiet 2>err &
    pid=$!
    for _ in $(seq 200); do sleep 0.02; [ -e a.runs/*/checkpoint ] && break; done
    set -- own/train/*/7.png
    cp -p "$1" kept
    cp "$2" "$1"
    status=0
    wait $pid || status=$?
    mapfile -t stderr_lines <err
    complains '/7.png: has changed since'
    [ "$(sql 'SELECT outcome FROM attempts')" = failed ]
    [[ "$(sql 'SELECT reason FROM attempts')" == *'/7.png: has changed since'* ]]
    go run --spec a.spec --retry # another run: these images are others
    [ "$(sql 'SELECT count(*) FROM runs')" = 2 ]
    cp kept "$1"
    go run "$(sql 'SELECT run_id FROM attempts LIMIT 1')" --retry --quiet
    [ "$status" -eq 0 ]
    losses() {
        sql "SELECT bits, inference, calibration_batches, printf('%.17g', loss_sum) FROM evaluations JOIN attempts
             USING (attempt) WHERE run_id = (SELECT run_id FROM attempts WHERE attempt = 1) ORDER BY 1, 2, 3" "$1"
    }
    [ "$(losses a.db)" = "$(losses whole/a.db)" ]
}

@test "an image that comes or goes before a run is recorded fails it with its name" {
    "$BATS_TEST_DIRNAME/../tiny-images.sh" own 40 10 16 20
    spec ./own $'epochs = 100\nimage_size = 16'
    "$program" run --db a.db --spec a.spec --quiet 2>err &
    pid=$!
    for _ in $(seq 200); do sleep 0.02; [ -e a.runs/*/checkpoint ] && break; done
    set -- own/train/*/7.png
    cp "$1" "${1%7.png}new one.png"
    status=0
    wait $pid || status=$?
    mapfile -t stderr_lines <err
    complains '/new one.png: is new since the run began'
    [ "$(sql 'SELECT outcome FROM attempts')" = failed ]
    [ "$(sql 'SELECT count(*) FROM evaluations')" = 0 ]
    rm "${1%7.png}new one.png"
    touch own/train/*/8.png # the same content at another time is no change
    go run "$(sql 'SELECT run_id FROM runs')" --retry --quiet
    [ "$status" -eq 0 ]
}

@test "what does not fit together is said" {
    spec mixed 'epochs = 1'
    go run --spec a.spec
    complains 'mixed: its images differ in size' 'say image_size'
    spec ./nowhere 'epochs = 1'
    go run --spec a.spec
    complains './nowhere: cannot be reached'
    spec fashion-mnist $'epochs = 1\nimage_size = 16'
    go run --spec a.spec
    complains 'image_size is for folders of images'
    spec mixed $'epochs = 1\nimage_size = -1'
    go run --spec a.spec
    complains 'image_size'
    spec mixed $'epochs = 1\nimage_size = 16'
    go run --spec a.spec --loaders 0
    [ "$status" -eq 2 ]
    [[ $stderr == *'--loaders takes 1 to 1024'* ]]
}

@test "damaged images are named and left out, too many are refused" {
    "$BATS_TEST_DIRNAME/../tiny-images.sh" own 60 20 16
    head -c 100 "own/train/\$(touch pwned)/3.png" >cut
    cp cut "own/train/\$(touch pwned)/3.png"
    spec ./own 'epochs = 1'
    go run --spec a.spec
    [ "$status" -eq 0 ]
    [[ $stderr == *'note: skipped, as no images that can be read: 1 of 160: '*'/3.png: is a damaged PNG file'* ]]
    cp cut "own/train/\$(touch pwned)/4.png"
    go run --spec a.spec
    complains 'own: 2 of its 160 files are no images that can be read'
    for i in {5..9}; do cp cut "own/train/\$(touch pwned)/$i.png"; done
    go run --spec a.spec
    [ "${#stderr_lines[@]}" = 1 ]
    [[ $stderr == *"own: 7 of its 160 files are no images that can be read, more than 1 in 100; remove or mend them: "* ]]
    [[ $stderr == *"/3.png: is a damaged PNG file ("*"/4.png: "*"/5.png: "*"; and 4 more" ]]
}
