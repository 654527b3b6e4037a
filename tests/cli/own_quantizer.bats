# The quantizer of baselines/README.md, taken from that page and added to a copy of the source as the page says:
# it builds, passes the test of all schemes, and runs.

root=$(realpath "$BATS_TEST_DIRNAME/../..")
page=$root/baselines/README.md

bats_require_minimum_version 1.5.0

# block PATTERN: the fenced block of the page that has a line like this.
block() {
    awk -v pattern="$1" '/^```/ { if (inside && found) { printf "%s", text; exit } inside = !inside; text = ""; found = 0; next }
        inside { text = text $0 "\n"; if ($0 ~ pattern) found = 1 }' "$page"
}

# A copy of the source with what is built of it, so that only what changes is built again.
setup_file() {
    cd "$root"
    mkdir "$BATS_FILE_TMPDIR/copy"
    { git ls-files Makefile harness runtime baselines tests harness/store/schema plots scripts experiments/networks bench
        find build -name '*.[od]' -o -name '*.inc'; } |
        tar --create --files-from=- | tar --extract --directory="$BATS_FILE_TMPDIR/copy"
    cd "$BATS_FILE_TMPDIR/copy"
    block '^/\* baselines/pow2_step.c' >baselines/pow2_step.c
    line=$(block '^    SCHEME\(pow2_step\)$')
    awk -v line="$line" '/^    SCHEME\(/ { last = NR } { text[NR] = $0 }
        END { for (i = 1; i <= NR; i++) print text[i] (i == last ? " \\\n" line : "") }' baselines/baselines.h >new
    mv new baselines/baselines.h
    clang-format --style="file:$root/.clang-format" -i baselines/baselines.h # sets the backslashes under one another
    make --silent -j2 build/truncquant build/tests/quant/test_schemes >make.log 2>&1 || { cat make.log && false; }
}

setup() {
    cd "$BATS_FILE_TMPDIR/copy"
}

@test "the example is in the style of the source, and passes the test of all schemes" {
    clang-format --style="file:$root/.clang-format" --dry-run -Werror baselines/pow2_step.c
    run tests/run build/tests/quant/test_schemes
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "the example's grid plans, and its quantizer trains and survives truncation to the last bit" {
    "$root/tests/tiny-data.sh" "$BATS_TEST_TMPDIR/data" 256 64
    export TRUNCQUANT_DATA=$BATS_TEST_TMPDIR/data TRUNCQUANT_CACHE=$BATS_TEST_TMPDIR/cache
    block '^scheme *= pow2-step' >page.grid
    sed -i 's/^images = 2000/images = 256/; s/^images = 1000/images = 64/' page.grid
    run --separate-stderr build/truncquant plan page.grid --db a.db --ids
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 2 ]
    build/truncquant run "${lines[0]}" --db a.db --quiet
    [ "$(sqlite3 a.db "SELECT scheme, count(*), count(DISTINCT inference) FROM accuracy")" = "pow2-step|34|2" ]
    [ "$(sqlite3 a.db "SELECT count(*) FROM (SELECT 1 FROM evaluations WHERE bits <= 8
        GROUP BY bits, calibration_batches HAVING count(*) = 2 AND count(DISTINCT loss_sum) = 1)")" -eq 16 ]
    run build/truncquant export accuracy --db a.db
    [[ $output == *"pow2-step  truncated"* ]]
}

@test "the page lists every scheme, with the papers that describe it" {
    printf '%s\n' '[grid]' 'name = a' 'scheme = none' 'network = a' 'dataset = a' >none.grid
    run "$root/build/truncquant" plan none.grid --db none.db --dry-run
    [[ $output == *"; known are "* ]]
    schemes=$(tr -d , <<<"${output##*known are }")
    [ "$(wc -w <<<"$schemes")" -ge 10 ]
    for scheme in $schemes; do
        grep -q "^|.*\`$scheme\`.*|" "$page"
    done
    "$root/build/truncquant" export citations >papers
    [ "$(grep -c eprint papers)" -ge 8 ]
    while read -r scheme arxiv; do
        grep "^|.*\`$scheme\`" "$page" | grep -qF "[$arxiv](https://arxiv.org/abs/$arxiv)"
    done < <(awk '/^%/ { sub(/^% /, ""); gsub(/,/, ""); names = $0 }
        /eprint/ { gsub(/[^0-9.]/, ""); n = split(names, name, " "); for (i = 1; i <= n; i++) print name[i], $0 }' papers)
}
