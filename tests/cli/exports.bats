# A finished run as a file for other programs at the command line: ONNX, QONNX, arrays for numpy; what they compute is
# what the database says of the run.

load runs

python=${PYTHON:-/usr/bin/python3}

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 128 32
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_FILE_TMPDIR"
    tiny_network
    printf '%s\n' '[grid]' 'name = exports' 'scheme = truncquant, fp32' 'network = tiny.cfg' 'dataset = fashion-mnist' \
        '[train]' 'epochs = 1' 'batch = 64' 'widths = 2 8 32' '[evaluate]' 'bits = 2 8 32' 'calibration = 2' >exports.grid
    "$program" plan exports.grid --db a.db --quiet
    for id in $(sql 'SELECT run_id FROM runs'); do
        "$program" run "$id" --db a.db --quiet
    done
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_FILE_TMPDIR"
    id=$(sql "SELECT run_id FROM runs WHERE scheme = 'truncquant'")
}

# counted FILE ...: images of the test split that each model gives their class
counted() {
    "$python" - "$BATS_FILE_TMPDIR/data/fashion-mnist" "$root/tests/deploy" "$@" <<'END'
import sys
import numpy as np
data, twin, *files = sys.argv[1:]
sys.path.insert(0, twin)
import onnx, onnx_twin
bytes_of = lambda name, start: np.fromfile(f"{data}/t10k-{name}-ubyte", np.uint8)[start:]
images, labels = bytes_of("images-idx3", 16).reshape(-1, 1, 28, 28), bytes_of("labels-idx1", 8)
for model in map(onnx.load, files):
    onnx_twin.check(model)
    print((onnx_twin.run(model, images)["scores"].argmax(1) == labels).sum())
END
}

# recorded BITS INFERENCE CALIBRATED
recorded() {
    sql "SELECT correct1 FROM evaluations JOIN attempts USING (attempt)
         WHERE run_id = '$id' AND bits = $1 AND inference = '$2' AND (calibration_batches > 0) = $3"
}

@test "ONNX and QONNX get as many images right as the run did, at each width, calibrated or not" {
    files=() want=()
    for what in onnx qonnx; do
        for k in 2 8; do
            go export $what "$id" --bits $k --output $k.$what
            [ "$status" -eq 0 ]
            [ "$output" = "run ${id:0:12} is written to $k.$what" ]
            go export $what "$id" --bits $k --calibrated --output $k.calibrated.$what --quiet
            [ -z "$output$stderr" ]
            run ! cmp $k.$what $k.calibrated.$what
            files+=("$k.$what" "$k.calibrated.$what")
            want+=("$(recorded $k truncated 0)" "$(recorded $k truncated 1)")
        done
        go export $what "$id" --output all.$what --quiet
        cmp all.$what 8.$what
    done
    go export onnx "$id" --bits 32 --output float.onnx --quiet
    run --separate-stderr counted "${files[@]}" float.onnx
    echo "$output" "$stderr"
    [ "$output" = "$(printf '%s\n' "${want[@]}" "$(recorded 32 direct 0)")" ]
}

@test "numpy reads codes, scales, norms of every width, names and shapes" {
    go export codes "$id" --format npz --calibrated --output codes.npz
    [ "$status" -eq 0 ]
    "$python" - "$id" <<'END'
import sys
import numpy as np
a = dict(np.load("codes.npz"))
assert str(a["run"]) == sys.argv[1] and str(a["scheme"]) == "truncquant" and str(a["dataset"]) == "fashion-mnist"
assert a["widths"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8] and a["stored_bits"] == 8
assert a["act_bits"].tolist() == a["widths"].tolist()
assert a["layers"].tolist() == ["conv0", "norm0", "act0", "conv1", "norm1", "act1", "linear2"]
assert a["outputs"].tolist()[:2] == [[4, 13, 13], [4, 13, 13]] and a["outputs"].tolist()[-1] == [10, 1, 1]
assert a["quantized"].tolist() == [0, 0, 0, 1, 0, 0, 0] and a["classes"].tolist() == [str(c) for c in range(10)]
assert a["conv1.codes"].shape == (8, 4, 3, 3) and a["conv1.codes"].dtype == np.int8
assert a["conv0.weights"].shape == (4, 1, 3, 3) and a["linear2.bias"].shape == (10,)
# An odd multiple of one unit at every width: what TruncQuant's layers are, from -s to s.
for i, k in enumerate(a["widths"]):
    unit = a["conv1.offset"][i]
    assert np.allclose(a["conv1.scale"][i], 2 * unit) and np.ptp(unit) == 0
    w = a["conv1.scale"][i, 0] * (a["conv1.codes"] >> (8 - k)) + unit[0]
    assert np.isclose(np.abs(w).max(), unit[0] * (2.0 ** k - 1))
# Widths take the bank of the next one that was trained; no two have the same calibrated statistics.
mean, calibrated = a["norm1.mean"], a["norm1.calibrated_mean"]
assert mean.shape == (8, 8) and (mean[0] == mean[1]).all() and (mean[2] == mean[7]).all() and (mean[1] != mean[2]).any()
assert len(np.unique(calibrated, axis=0)) == 8
END
}

@test "what cannot be exported is refused with the reason" {
    fp32=$(sql "SELECT run_id FROM runs WHERE scheme = 'fp32'")
    for what in onnx qonnx codes; do
        go export $what "$fp32" --output no
        [ "$status" -eq 1 ]
        [[ $stderr == "truncquant: scheme fp32 quantizes nothing, so there are no codes to export" ]]
        go export $what "$id"
        [ "$status" -eq 2 ]
        [[ $stderr == "truncquant: export: $what takes one run ID and --output FILE"* ]]
        go export $what "$id" --output a.db
        [ "$status" -ne 0 ]
        go export $what "$id" --output no --format tex
        [ "$status" -eq 2 ]
    done
    go export onnx "$id" --bits 9 --output no
    [ "$status" -eq 2 ]
    [[ $stderr == *"--bits takes 1 ... 8 or 32, not '9'"* ]]
    go export onnx "$id" --bits 32 --calibrated --output no
    [ "$status" -eq 2 ]
    [[ $stderr == *"leave --calibrated out"* ]]
    go export codes "$id" --bits 2 --output no
    [ "$status" -eq 2 ]
    [[ $stderr == *"--bits goes with weights, onnx and qonnx"* ]]
    go export onnx "$fp32" --bits 32 --output float.onnx
    [ "$status" -eq 0 ]
    [ ! -e no ]
}
