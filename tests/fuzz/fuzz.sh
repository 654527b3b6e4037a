#!/bin/sh
# fuzz.sh SECONDS [TARGET ...]: build the fuzzer, let it feed each target (tests/fuzz/target.h) for SECONDS, all
# of them or those that are named. One line for each; what was found lies in build-fuzz/findings/TARGET, and what
# reached new code in build-fuzz/corpus/TARGET. Exit status 1 after a finding, 3 where it cannot be built.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/../.."

say() {
    echo "fuzz.sh: $*" >&2
}

out=build-fuzz
seconds=${1-60}
[ $# = 0 ] || shift
case $seconds in
'' | *[!0-9]*) say "SECONDS has to be a whole number, not '$seconds'" && exit 2 ;;
esac

can_fuzz() {
    mkdir -p "$out"
    echo 'int LLVMFuzzerTestOneInput(const char *b, unsigned long n) { return n && !b; }' >"$out/try.c"
    clang -fopenmp -fsanitize=fuzzer,address,undefined -o "$out/try" "$out/try.c" >"$out/try.log" 2>&1
}

if ! can_fuzz; then
    say "clang with libFuzzer, its sanitizers and OpenMP is not here; install it with scripts/setup.sh --fuzz"
    exit 3
fi
echo "building, once as it is and once for the fuzzer"
make --silent -j"$(nproc)" build/tests/fuzz/test_fuzz >/dev/null
make --silent -j"$(nproc)" FUZZ=1 "$out/fuzz" >/dev/null

rm -rf "$out/seeds"
build/tests/fuzz/test_fuzz --seeds "$out/seeds"
# shellcheck disable=SC2046 # names of targets, which are words
[ $# != 0 ] || set -- $(ls "$out/seeds")

# MiB. By design an image of 64 megapixels is decoded, for which libjpeg may take 640 MiB; the others take what a
# small file holds.
memory() {
    case $1 in
    image) echo 1500 ;;
    *) echo 512 ;;
    esac
}

# The last of libFuzzer's lines that count: executions, counters reached (cov), features (ft).
figures() {
    sed -n 's/^#\([0-9]*\).* cov: \([0-9]*\) ft: \([0-9]*\).* exec\/s: \([0-9]*\).*/\1 inputs, \4 a second, cov \2, ft \3/p' \
        "$1" | tail -n 1
}

# fuzz TARGET FOLDER: FOLDER holds more inputs to start from, or is empty.
fuzz() {
    mkdir -p "$out/corpus/$1" "$out/findings/$1"
    rm -f "$out/findings/$1"/*
    FUZZ_TARGET=$1 UBSAN_OPTIONS=print_stacktrace=1 "$out/fuzz" "$out/corpus/$1" "$out/seeds/$1" \
        $2 -max_total_time="$seconds" -timeout=10 -rss_limit_mb="$(memory "$1")" -max_len=16384 \
        -print_final_stats=1 -artifact_prefix="$out/findings/$1/" >"$out/$1.log" 2>&1
}

status=0
for target in "$@"; do
    # shellcheck disable=SC2046
    [ -d "$out/seeds/$target" ] || { say "there is no target '$target'; there are:" $(ls "$out/seeds") && exit 2; }
    kept= # earlier findings are inputs as good as seeds
    [ ! -d "tests/fuzz/findings/$target" ] || kept=tests/fuzz/findings/$target
    if fuzz "$target" "$kept"; then
        echo "$target: nothing found, $(figures "$out/$target.log")"
    else
        status=1
        echo "$target: FOUND $(find "$out/findings/$target" -type f | head -n 1), see $out/$target.log; put it into" \
            "tests/fuzz/findings/$target once it does no harm"
    fi
done
exit $status
