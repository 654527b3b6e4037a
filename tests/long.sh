#!/bin/sh
# long.sh SUITE ...: what `make test-long` runs: these suites, networks of many weights, the crosscheck, disks that are
# full at any instant, verbs with damaged files, the fuzzer. One line for each with its time and how it ended, then the
# verdict, which is the exit status too. What it said lies in results/long/. FUZZ_SECONDS=N gives each reader N seconds
# of fuzzing instead of 20, STEPS=N the crosscheck N steps instead of 10, ATTACK_SECONDS=N the damaged files N seconds
# instead of 600 (0: all).
set -u
CDPATH='' cd -- "$(dirname -- "$0")/.." || exit
logs=results/long
mkdir -p "$logs"
export OMP_WAIT_POLICY=passive
failed='' skipped='' passed=0

# step NAME COMMAND...: exit status 3 of the command says that it needs what is not here.
step() {
    name=$1 start=$(date +%s) status=0
    shift
    "$@" >"$logs/$name.log" 2>&1 || status=$?
    took=$(($(date +%s) - start))
    case $status in
    0) echo "ok      $name, $took s" && passed=$((passed + 1)) ;;
    3) echo "skipped $name: $(tail -n 1 "$logs/$name.log")" && skipped="$skipped $name" ;;
    *) echo "FAILED  $name, $took s: see $logs/$name.log" && failed="$failed $name" ;;
    esac
}

for suite; do
    name=${suite##*/}
    step "${name%.bats}" bats --tap "$suite"
done
step large-networks env TRUNCQUANT_TEST_LARGE=1 build/tests/train/test_shipped
step large-models env TRUNCQUANT_TEST_LARGE=1 build/tests/model/test_networks
step large-exports env TRUNCQUANT_TEST_LARGE=1 build/tests/deploy/test_exports
step crosscheck env STEPS="${STEPS:-10}" scripts/crosscheck.sh
step full-disks env FULL_STEP=1 bats --tap tests/plots/full.bats
step attack python3 tests/attack.py --seconds "${ATTACK_SECONDS:-600}"
step fuzz tests/fuzz/fuzz.sh "${FUZZ_SECONDS:-20}"

if [ -n "$failed" ]; then
    echo "test-long: FAILED:$failed"
    exit 1
fi
echo "test-long: all $passed passed${skipped:+; skipped, because something is not installed here:$skipped}"
