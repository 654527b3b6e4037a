# A finished run as a model file of bit-planes at the command line: packed, looked into, computed, refused with the
# reason.

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

@test "images get a class and scores, the same from every file and from a prefix" {
    go pack "$id" --output model.tqm --quiet
    images=$BATS_FILE_TMPDIR/data/fashion-mnist/t10k-images-idx3-ubyte
    run --separate-stderr "$program" infer model.tqm "$images" --bits 2
    echo "$output" "$stderr"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 32 ]
    [[ ${lines[0]} =~ ^$images\[0\]:\ [0-9]\;(\ -?[0-9.e-]+){10}$ ]]
    all=$output
    read -r _ _ two _ < <("$program" info model.tqm | grep '^ *2 ')
    head -c "$two" model.tqm >two.tqm
    [ "$("$program" infer two.tqm "$images")" = "$all" ]
    gzip -c "$images" >images.gz
    [ "$("$program" infer two.tqm images.gz | sed "s|images.gz|$images|")" = "$all" ]
    # The first image as a picture, whose pixels are those bytes.
    python3 - "$images" <<'END'
import struct, sys, zlib
pixels = open(sys.argv[1], "rb").read()[16:16 + 784]
rows = b"".join(b"\0" + pixels[i:i + 28] for i in range(0, 784, 28))
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
open("first.png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)) +
                              chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
END
    run --separate-stderr "$program" infer two.tqm first.png
    [ "$output" = "$(head -n 1 <<<"$all" | sed "s|^.*\[0\]|first.png|")" ]
}

@test "the accuracy of the model stands beside that of the run" {
    go pack "$id" --output model.tqm --calibrated --quiet
    for k in 1 8; do
        for norms in "" --calibrated; do
            run --separate-stderr "$program" infer model.tqm --accuracy fashion-mnist --bits $k $norms --db a.db
            echo "$output" "$stderr"
            [ "$status" -eq 0 ]
            [[ $output =~ at\ $k\ bits:\ ([0-9.]+)\ %\ of\ 32\ images\;\ of\ the\ run\ in\ a.db:\ ([0-9.]+)\ %\ of\ 32 ]]
            [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
        done
    done
    run --separate-stderr "$program" infer model.tqm --accuracy fashion-mnist --db none.db
    [[ $output == *"not recorded" ]]
    [ ! -e none.db ]
}

@test "what cannot be inferred is told" {
    go pack "$id" --output model.tqm --planes 4 --quiet
    for wrong in "" "model.tqm" "model.tqm x.png --bits 9" "model.tqm x.png --loaders 0"; do
        run --separate-stderr "$program" infer $wrong
        [ "$status" -eq 2 ]
        [[ $stderr == "truncquant: infer: "* ]]
    done
    images=$BATS_FILE_TMPDIR/data/fashion-mnist/t10k-images-idx3-ubyte
    run --separate-stderr "$program" infer model.tqm "$images" --bits 5
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: model.tqm: the model has widths of 1 to 4 bits, not 5" ]]
    run --separate-stderr "$program" infer model.tqm "$images" --calibrated
    [ "$status" -eq 1 ]
    [[ $stderr == *"has no calibrated norms"* ]]
    run --separate-stderr "$program" infer model.tqm device.grid
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: device.grid: "* ]]
    run --separate-stderr "$program" infer model.tqm --accuracy nowhere
    [ "$status" -eq 1 ]
}

@test "a model and a run are timed at their widths, and recorded where the run is known" {
    go pack "$id" --output model.tqm --quiet
    run --separate-stderr "$program" latency model.tqm --db none.db --calls 1 --bits "2 8"
    echo "$output" "$stderr"
    [ "$status" -eq 0 ]
    [[ $output == *"run ${id:0:12}: "*" kernels, "*", one thread, batch 1, 1 calls a width"* ]]
    [[ $output == *"not recorded: none.db is not there"* ]]
    [ ! -e none.db ]
    go latency model.tqm --calls 3 --batch 2 --bits "2 8" --quiet
    [ "$status" -eq 0 ]
    read -r _ _ two _ < <("$program" info model.tqm | grep '^ *2 ')
    read -r _ _ eight _ < <("$program" info model.tqm | grep "^ *8 .*%")
    [ "$(sql "SELECT run_id = '$id', bits, act_bits, batch, threads, calls, bytes_read, residual FROM latencies ORDER BY bits")" = \
        "1|2|2|2|1|3|$two|0.0
1|8|8|2|1|3|$eight|0.0" ]
    [ "$(sql 'SELECT count(*) FROM latencies WHERE 0 < min_seconds AND min_seconds <= median_seconds
              AND median_seconds <= p95_seconds AND 0 < switch_seconds AND session_bytes > 0')" -eq 2 ]
    # As it would be packed, by the start of its id; other kernels.
    go latency "${id:0:8}" --calls 1 --kernels portable --quiet
    [ "$status" -eq 0 ]
    [ "$(sql "SELECT group_concat(bits, '') FROM (SELECT bits FROM latencies WHERE kernels = 'portable' ORDER BY bits)")" = 12345678 ]
    [ -z "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'truncquant-??????' -newer model.tqm)" ]
    go export latency --format csv
    [ "$(grep -c ",portable,1," <<<"$output")" -eq 8 ]
    [ "$(sql 'SELECT count(*) FROM attempts')" -eq 5 ] # no attempt is made
    cp a.db other.db
    sql "PRAGMA foreign_keys = OFF; UPDATE runs SET run_id = substr(run_id, 2) || 'f'; DELETE FROM latencies" other.db
    run --separate-stderr "$program" latency model.tqm --db other.db --calls 1 --bits 1
    [[ $output == *"not recorded: other.db does not know the run"* ]]
    [ "$(sql 'SELECT count(*) FROM latencies' other.db)" -eq 0 ]
}

@test "what cannot be timed is told" {
    go pack "$id" --output model.tqm --planes 4 --quiet
    for wrong in "" "model.tqm --calls 0" "model.tqm --batch 0" "model.tqm --bits 32" "model.tqm --kernels sse"; do
        # shellcheck disable=SC2086 # several words
        go latency $wrong
        [ "$status" -eq 2 ]
        [[ $stderr == "truncquant: latency: "* ]]
    done
    go latency model.tqm --bits "2 5"
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: latency: the model has widths of 1 to 4 bits, not 5" ]]
    go latency missing.tqm
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: missing.tqm: No such file or directory" ]]
    go latency device.grid
    [ "$status" -eq 1 ]
    [[ $stderr == *"device.grid: this is no model file of truncquant" ]]
    go latency "$(sql "SELECT run_id FROM runs WHERE scheme = 'dedicated' LIMIT 1")"
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: "*"dedicated"* ]]
    [ "$(sql 'SELECT count(*) FROM latencies WHERE calls = 200')" -eq 0 ]
}
