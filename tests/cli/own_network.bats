# A Darknet cfg that ships with Debian, unchanged: grey images are replicated to its three channels, its
# optimizer keys are ignored with a note, and which layers are quantized follows the default rule.

load runs
network=/usr/share/darknet/cfg/cifar.cfg

setup() {
    tiny_data "$BATS_TEST_TMPDIR" 256 32
    use_data "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    printf '%s\n' '[grid]' 'name = own' 'scheme = truncquant' "network = $network" \
        'dataset = fashion-mnist' '[train]' 'widths = 2 32' 'epochs = 1' 'batch = 64' \
        '[evaluate]' 'bits = 2 32' 'calibration = 0' >own.grid
}

@test "a path in a grid leads from the grid's own folder first, wherever one stands" {
    mkdir nets elsewhere
    printf '%s\n' '[net]' '[convolutional]' filters=4 size=3 stride=4 activation=relu '[connected]' \
        activation=linear '[softmax]' >nets/net.cfg
    sed 's/filters=4/filters=5/' nets/net.cfg >elsewhere/net.cfg # another network of that name
    sed 's/filters=4/filters=6/' nets/net.cfg >elsewhere/only.cfg
    sed 's|^network = .*|network = net.cfg|' own.grid >nets/own.grid
    id=$(cd nets && "$program" plan own.grid --db ../a.db --ids)
    for from in . elsewhere nets; do
        [ "$(cd $from && "$program" plan "$BATS_TEST_TMPDIR/nets/own.grid" --db "$BATS_TEST_TMPDIR/a.db" --ids)" = "$id" ]
    done
    cd elsewhere
    run "$program" plan ../nets/own.grid --db ../a.db --explain
    [[ $output == *" ../nets/net.cfg "* ]]
    # What is not beside the grid, and what the command line says, is as seen from here.
    run "$program" plan ../nets/own.grid --db ../a.db --set network=net.cfg --ids
    [ "$status" -eq 0 ]
    [ "$output" != "$id" ]
    sed -i 's|^network = .*|network = only.cfg|' ../nets/own.grid
    "$program" plan ../nets/own.grid --db ../a.db --ids
    cd ..
    run "$program" plan nets/own.grid --db a.db --ids
    [ "$status" -eq 1 ]
}

@test "Debian's cifar.cfg is planned, trained on 256 images and evaluated" {
    [ -e "$network" ] || skip "the package darknet is not installed"
    run --separate-stderr "$program" plan own.grid --db a.db
    [ "$status" -eq 0 ]
    [[ $stderr == *"ignored: the grid says how to train"* ]]
    id=${output%% *}
    run --separate-stderr "$program" run "$id" --db a.db --verbose
    [ "$status" -eq 0 ]
    # The first and the last layer with weights stay float, the eight between them are quantized.
    [ "$(grep -c 'weights, quantized' <<<"$output")" -eq 8 ]
    [[ $output == *"conv of layer 0 (cfg line"*": 3456 weights, float"* ]]
    [ "$(grep -c 'leaky at 32 activation bits, the quantized clip below' <<<"$output")" -eq 8 ]
    [ "$(sqlite3 a.db 'SELECT count(*) FROM evaluations WHERE images = 32')" -eq 3 ]
    [ "$(sqlite3 a.db "SELECT count(DISTINCT loss_sum) FROM evaluations WHERE bits = 2")" -eq 1 ]
}
