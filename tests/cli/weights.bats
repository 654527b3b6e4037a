# Darknet's weights files at the command line: a run starts from one (`init`), a finished run's model becomes one.

load runs

setup() {
    tiny_data "$BATS_TEST_TMPDIR" 128 32
    use_data "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    printf '%s\n' '[net]' '[convolutional]' filters=8 size=3 stride=2 batch_normalize=1 activation=relu \
        '[convolutional]' filters=8 size=3 stride=2 batch_normalize=1 activation=relu \
        '[connected]' activation=linear '[softmax]' >own.cfg
}

# grid NAME LINE ...: fp32 on own.cfg for one epoch of two steps, with more lines of [train]
grid() {
    local name=$1
    shift
    printf '%s\n' '[grid]' "name = $name" "scheme = ${SCHEME:-fp32}" 'network = own.cfg' \
        'dataset = fashion-mnist' '[train]' 'epochs = 1' 'batch = 64' "$@" \
        '[evaluate]' 'calibration = 0' >"$name.grid"
}

# planned NAME: plans NAME.grid, prints the id of its one run
planned() {
    "$program" plan "$1.grid" --db a.db --ids
}

trained() {
    local id
    id=$(planned "$1")
    "$program" run "$id" --db a.db --quiet
    echo "$id"
}

# differing A B: bytes of the last layer's weights
differing() {
    cmp -l <(tail -c 11520 "$1.weights") <(tail -c 11520 "$2.weights") | wc -l
}

@test "what one run left starts another, known by its content" {
    grid first
    first=$(trained first)
    run "$program" export weights "$first" --db a.db --output first.weights
    [ "$status" -eq 0 ]
    [[ $output == *"first.weights and first.weights.cfg are written"*"mean 0."*"deviation 0."* ]]
    grep -q 'height=28' first.weights.cfg
    # So small a rate leaves all weights but the tiniest as they are; of the last layer they end the file:
    # 36 x 8 x 10.
    grid second 'learning_rate = 1e-12' 'init = first.weights'
    second=$(trained second)
    "$program" export weights "$second" --db a.db --output second.weights --quiet
    [ "$(stat -c %s first.weights)" -eq "$(stat -c %s second.weights)" ]
    [ "$(differing first second)" -lt 300 ]
    grid third 'learning_rate = 1e-12'
    third=$(trained third)
    "$program" export weights "$third" --db a.db --output third.weights --quiet
    [ "$(differing first third)" -gt 5000 ]
    # Another name for the same bytes is the same run; other bytes are another.
    cp first.weights copy.weights
    grid second 'learning_rate = 1e-12' 'init = copy.weights'
    [ "$(planned second)" = "$second" ]
    grid second 'learning_rate = 1e-12' 'init = second.weights'
    [ "$(planned second)" != "$second" ]
    [ "$(planned third)" = "$third" ]
}

@test "the histograms of a run that starts from weights begin with those, also where it was stopped and goes on" {
    stages() { sql "SELECT $3 FROM weight_histograms WHERE run_id = '$1' AND stage = '$2' ORDER BY layer"; }
    SCHEME=minmax grid first
    first=$(trained first)
    "$program" export weights "$first" --db a.db --output first.weights --quiet
    [ "$(stages "$first" end layer)" = 1 ] # the first layer and the last stay float
    [ "$(stages "$first" start counts)" != "$(stages "$first" end counts)" ]
    for goes_on in with without; do
        SCHEME=minmax grid $goes_on 'init = first.weights'
        sed -i "s/^name = .*/&\nseed = ${#goes_on}/" $goes_on.grid
        id=$(planned $goes_on)
        run -143 at_checkpoint 'kill -TERM $PPID' "$program" run --db a.db "$id" --quiet
        [ $goes_on = with ] || rm first.weights
        run -0 "$program" run --db a.db "$id" --quiet
        [ "$(stages "$id" end layer)" = 1 ]
        [ $goes_on = without ] || [ "$(stages "$id" start counts)" = "$(stages "$first" end counts)" ]
    done
    [ -z "$(stages "$id" start layer)" ]
}

@test "a weights file that does not fit is refused with its line in the grid" {
    grid bad 'init = nowhere.weights'
    run planned bad
    [ "$status" -eq 1 ]
    [[ $output == *"bad.grid:9: nowhere.weights: cannot be opened"* ]]
    head -c 1000 /dev/zero >bad.weights
    grid bad 'init = bad.weights'
    run planned bad
    [ "$status" -eq 1 ]
    [[ $output == *"bad.grid:9: "*"/bad.weights: has 1000 bytes, but those of own.cfg are "* ]]
    run sqlite3 a.db 'SELECT count(*) FROM runs'
    [ "$status" -ne 0 ] || [ "$output" = 0 ]
}

@test "a file that was changed after the plan is noticed, a specification may name its hash" {
    grid first
    first=$(trained first)
    "$program" export weights "$first" --db a.db --output a.weights --quiet
    grid second 'init = a.weights'
    second=$(planned second)
    printf '\001' | dd of=a.weights bs=1 seek=2000 conv=notrunc status=none
    run "$program" run "$second" --db a.db
    [ "$status" -eq 1 ]
    [[ $output == *"a.weights: is not the file that the run was planned with"* ]]
    printf '%s\n' 'scheme = fp32' 'network = own.cfg' 'dataset = fashion-mnist' \
        "init = a.weights@$(printf '%064d' 0)" >one.spec
    run "$program" run --spec one.spec --db a.db
    [ "$status" -eq 1 ]
    [[ $output == *"a.weights: has other content than init says (SHA-256 "* ]]
}

@test "the first layers of a network with other classes start another, the rest is named" {
    grid first
    first=$(trained first)
    "$program" export weights "$first" --db a.db --output first.weights --quiet
    head -c -44 first.weights >other.weights # as if the last layer were smaller
    grid whole "init = other.weights"
    run "$program" plan whole.grid --db a.db --ids
    [ "$status" -eq 1 ]
    [[ $output == *"or say init_layers = N, so that the first N layers start from it (it can hold 2)"* ]]
    grid part "init = other.weights" 'init_layers = 2'
    run --separate-stderr "$program" plan part.grid --db a.db --ids
    [ "$status" -eq 0 ]
    [[ $stderr == *"own.cfg: init_layers = 2: as drawn start [connected] of line 14"* ]]
    "$program" run "$output" --db a.db --quiet
    # A file of the whole with as many layers asked for is another run: the last one starts as drawn.
    grid all "init = first.weights"
    [ "$(planned all)" != "$output" ]
}

@test "what Darknet cannot compute is not exported" {
    SCHEME=truncquant grid quantized 'widths = 2 32'
    id=$(planned quantized)
    run "$program" export weights "$id" --db a.db --output q.weights
    [ "$status" -eq 1 ]
    [[ $output == *"only a finished run can be exported"* ]]
    "$program" run "$id" --db a.db --quiet
    run "$program" export weights "$id" --db a.db --output q.weights --bits 2
    [ "$status" -eq 1 ]
    [[ $output == *"quantizes activations at 2 bits, which Darknet cannot; export another width"* ]]
    [ ! -e q.weights ]
    "$program" export weights "$id" --db a.db --output q.weights --quiet
    [ -e q.weights ]
    run "$program" export weights "$id" --db a.db --output q.weights --bits 9
    [ "$status" -eq 2 ]
    run "$program" export weights "$id" --db a.db
    [ "$status" -eq 2 ]
    [[ $output == *"one run ID and --output"* ]]
}

@test "a width whose weights are quantized and activations are not has those weights" {
    SCHEME=truncquant grid quantized 'widths = 1 32'
    sed -i 's/\[train\]/[quant]\nact_bits = 32\n&/' quantized.grid
    id=$(trained quantized)
    "$program" export weights "$id" --db a.db --output q.weights --bits 1 --quiet
    # Layer 0: 4 x 8 and 72 floats; layer 1: 4 x 8, then 576 weights of two values, in bytes from 20 + 136 x 4.
    values=$(od -An -v -w4 -tf4 -j 564 -N 2304 q.weights | sort -u | wc -l)
    [ "$values" -eq 2 ]
}

@test "exported weights and their cfg replace no database, checkpoint or network" {
    grid first
    first=$(trained first)
    contents() {
        find . -type f ! -name '*-shm' ! -name lock -exec sha256sum {} + | sort
    }
    refused() {
        local before
        before=$(contents)
        run "$program" export weights "$first" --db a.db --output "$1"
        [ "$status" -eq 1 ]
        [ "${#lines[@]}" -eq 1 ]
        [[ $output == *" not replaced; name another file with --output" ]]
        [ "$(contents)" = "$before" ]
    }
    ln a.db link
    cp a.db copy.cfg
    : >copy
    for name in a.db link a.db-wal a.db-shm a.db-journal copy own "a.runs/$first/checkpoint" "a.runs/$first/model.frozen"; do
        refused "$name"
    done
    refused own
    [[ $output == "truncquant: own.cfg: is there without own, "* ]]
    ln -s a.db named.cfg
    refused named
    "$program" export weights "$first" --db a.db --output out --quiet
    echo mine >>out.cfg
    "$program" export weights "$first" --db a.db --output out --quiet
    [ "$(grep -c mine out.cfg)" -eq 0 ]
}
