# Exported models in ONNX Runtime, where bench/onnx.sh has fetched it; what tests/deploy/test_exports.c shows in numpy
# needs neither it nor a network.

@test "ONNX Runtime gives exported models the classes of the harness" {
    cd "$BATS_TEST_DIRNAME/../.."
    package=$PWD/${BUILD:-build}/peers/node_modules/onnxruntime-node
    if [ ! -d "$package" ] || ! command -v node >/dev/null; then
        echo "# skipped: no ONNX Runtime in ${BUILD:-build}/peers; bench/onnx.sh fetches it, if there are node and npm" >&3
        skip "no ONNX Runtime here"
    fi
    EXPORTS_INTO=$BATS_TEST_TMPDIR "${BUILD:-build}/tests/deploy/test_exports"
    node tests/deploy/onnxruntime.js "$package" "$BATS_TEST_TMPDIR" | sed 's/^/# /' >&3
    [ "${PIPESTATUS[0]}" -eq 0 ]
}
