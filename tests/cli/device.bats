# A finished run as a model file of bit-planes at the command line: packed, looked into, refused with the reason.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 128 32
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_FILE_TMPDIR"
    tiny_network
    printf '%s\n' '[grid]' 'name = device' 'scheme = truncquant, dedicated' 'network = tiny.cfg' \
        'dataset = fashion-mnist' '[train]' 'epochs = 1' 'batch = 64' 'widths = 1 2 4 8' \
        '[evaluate]' 'bits = 1 8' 'calibration = 2' >device.grid
    "$program" plan device.grid --db a.db --quiet
    for id in $(sql 'SELECT run_id FROM runs'); do
        "$program" run "$id" --db a.db --quiet
    done
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_FILE_TMPDIR"
    id=$(sql "SELECT run_id FROM runs WHERE scheme = 'truncquant'")
}

@test "a run is packed, and its file says what is in it" {
    go pack "$id" --output model.tqm
    [ "$status" -eq 0 ]
    [[ $output == *"is packed into model.tqm"* ]]
    run --separate-stderr "$program" info model.tqm
    echo "$output" "$stderr"
    [ "$status" -eq 0 ]
    [[ $output == *"scheme truncquant, run ${id:0:12}"* ]]
    [[ $output == *"images of 1 x 28 x 28 bytes, 10 classes"* ]]
    [[ $output == *"8 planes of 8 stored bits"*"no calibrated norms"* ]]
    [[ $output == *"1  convolution        8      36"* ]] # 3 x 3 x 4 inputs
    # The bytes of every width are a model of so many bits, with the same bytes for fewer.
    read -r _ _ three _ < <(echo "$output" | grep '^ *3 ')
    head -c "$three" model.tqm >three.tqm
    run --separate-stderr "$program" info three.tqm
    [ "$status" -eq 0 ]
    [[ $output == *"3 planes of 8 stored bits"* ]]
    [[ $output == *"of $(stat -c %s model.tqm) in all"* ]]
}

@test "planes that were not asked for are not written, calibrated norms are where they were" {
    go pack "$id" --output two.tqm --planes 2 --calibrated --quiet
    [ "$status" -eq 0 ]
    [ -z "$output$stderr" ]
    run --separate-stderr "$program" info two.tqm
    [[ $output == *"2 planes of 8 stored bits"*"calibrated for each width"* ]]
    go pack "$id" --output all.tqm --quiet
    [ "$(stat -c %s two.tqm)" -lt "$(stat -c %s all.tqm)" ]
}

@test "what cannot be packed is refused with the reason" {
    go pack "$(sql "SELECT run_id FROM runs WHERE scheme = 'dedicated' LIMIT 1")" --output no.tqm
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: "*"dedicated"* ]]
    go pack "$id" --output no.tqm --planes 9
    [ "$status" -eq 2 ]
    [[ $stderr == *"--planes takes 1 ... 8, not '9'"* ]]
    go pack "$id"
    [ "$status" -eq 2 ]
    [[ $stderr == *"--output FILE"* ]]
    go pack "$id" --output a.db
    [ "$status" -ne 0 ]
    [ ! -e no.tqm ]
}

@test "a damaged or foreign file is told" {
    go pack "$id" --output model.tqm --quiet
    head -c 1000 model.tqm >cut.tqm
    run --separate-stderr "$program" info cut.tqm
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: cut.tqm: the model file ends within"* ]]
    run --separate-stderr "$program" info device.grid
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: device.grid: this is no model file of truncquant" ]]
    run --separate-stderr "$program" info missing.tqm
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: missing.tqm: No such file or directory" ]]
}
