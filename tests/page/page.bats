#!/usr/bin/env bats
# The page of a database: its numbers, its names, its size, and what happens when it is clicked.

bats_require_minimum_version 1.5.0

setup() {
    root=$(realpath "$BATS_TEST_DIRNAME/../..")
    program=$root/${BUILD:-build}/truncquant
    cd "$BATS_TEST_TMPDIR"
}

page() {
    run --separate-stderr "$program" page --output x.html "$@"
    echo "$output" "$stderr"
}

# strange FILE: a copy of published runs, with names that would do harm as markup, script or format
strange() {
    "$program" merge "$root/results/published/ablation-align.quick.db" --db "$1" --quiet
    sqlite3 -batch "$1" "UPDATE runs SET network = 'a_b%<i>\"\$x</script><img src=x onerror=window.bad=1>';
        UPDATE attempts SET reason = '<script>window.bad=1</script>', host = '\"><b>';"
}

@test "every cell of the page is the database's own count" {
    page --db "$root/results/published/baselines.quick.db"
    [ "$status" -eq 0 ]
    run -0 python3 "$BATS_TEST_DIRNAME/compare.py" x.html "$root/results/published/baselines.quick.db"
    [[ $output == "114 runs, "*" cells are equal" ]]
}

@test "names are shown as they are and run nothing, and nothing is loaded from elsewhere" {
    strange strange.db
    page --db strange.db
    [ "$status" -eq 0 ]
    [ "$(grep -c '<script' x.html)" -eq 2 ]
    run ! grep -F '<img src=x' x.html
    run ! grep -E '(src|href)="?(https?:)?//' x.html
    grep -qF 'a_b%&lt;i&gt;&quot;$x&lt;/script&gt;' x.html
}

@test "clicks, keys, contrast and a small screen, in a browser" {
    command -v chromium >/dev/null || skip "no chromium here; 'scripts/setup.sh --test' installs it"
    mkdir figures
    TRUNCQUANT=$program "$root/scripts/figures.sh" --db "$root/results/published/ablation-align.quick.db" --output figures >/dev/null
    strange strange.db
    page --db strange.db --figures figures
    [ "$status" -eq 0 ]
    run timeout 120 python3 "$BATS_TEST_DIRNAME/clicks.py" x.html
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "a thousand runs: at most 3 MB, in less than ten seconds of computing" {
    "$program" merge "$root/results/published/baselines.quick.db" --db big.db --quiet
    python3 "$BATS_TEST_DIRNAME/many.py" big.db 9
    [ "$(sqlite3 -batch big.db 'SELECT count(*) FROM runs')" -eq 1026 ]
    bash -c 'ulimit -t 10; exec "$@"' bash "$program" page --output x.html --db big.db
    [ "$(stat -c %s x.html)" -lt 3000000 ]
}

@test "what is wrong gets one line, and the old page stays" {
    echo old >x.html
    page --db none.db
    [ "$status" -eq 1 ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    page --db "$root/results/published/baselines.quick.db" --grid nothing
    [ "$status" -eq 1 ]
    [[ $stderr == *"no runs of a grid 'nothing'"* ]]
    [ "$(cat x.html)" = old ]
    page --split neither
    [ "$status" -eq 2 ]
    page operand
    [ "$status" -eq 2 ]
    run -2 "$program" page
    cp "$root/results/published/ablation-align.quick.db" a.db
    run -1 "$program" page --db a.db --output a.db
    cmp a.db "$root/results/published/ablation-align.quick.db"
}
