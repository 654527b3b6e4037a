# Which figures are drawn, of what part of the results, and into which folder.

bats_require_minimum_version 1.5.0

root=$BATS_TEST_DIRNAME/../..
load figures

setup_file() {
    make_database
}

figures() {
    run --separate-stderr "$root/scripts/figures.sh" --db "$db" "$@"
}

@test "each grid has a folder of its own, and the next one replaces nothing" {
    figures --into "$BATS_TEST_TMPDIR/figures" --figure accuracy --grid one
    [ "$status" = 0 ]
    [ "$(ls "$BATS_TEST_TMPDIR/figures")" = one ]
    echo kept >"$BATS_TEST_TMPDIR/figures/one/accuracy.csv"
    figures --into "$BATS_TEST_TMPDIR/figures" --figure accuracy --grid three
    [ "$(cat "$BATS_TEST_TMPDIR/figures/one/accuracy.csv")" = kept ]
    figures --into "$BATS_TEST_TMPDIR/figures" --figure accuracy
    [ "$status" = 0 ]
    [ "$(ls "$BATS_TEST_TMPDIR/figures")" = $'alone\none\nthree' ]
    [ "$(rows "$BATS_TEST_TMPDIR/figures/three/accuracy.csv" 1 "count(*)")" = 6 ]
    [ "$(rows "$BATS_TEST_TMPDIR/figures/one/accuracy.csv" 1 "count(*)")" = 6 ]
    [[ $output == *"$BATS_TEST_TMPDIR/figures/one/accuracy.svg"* ]]
    [ "$("$TRUNCQUANT" export grids --format csv --db "$db" | sed '/^#/d')" = $'grid,runs,finished\nalone,1,1\none,2,2\nthree,6,6' ]
}

@test "a grid without results, or of a name that no folder may have, is passed over" {
    changed "UPDATE attempts SET outcome = 'failed' WHERE attempt <= 6" "UPDATE grid_runs SET grid = '../alone' WHERE grid = 'alone'"
    run --separate-stderr "$root/scripts/figures.sh" --db "$BATS_TEST_TMPDIR/changed.db" --into "$BATS_TEST_TMPDIR/figures" --figure drops
    [ "$status" = 0 ]
    [ "$(ls "$BATS_TEST_TMPDIR/figures")" = one ]
    run --separate-stderr "$root/scripts/figures.sh" --db "$BATS_TEST_TMPDIR/changed.db" --into "$BATS_TEST_TMPDIR/figures" --grid three
    [ "$status" = 3 ]
    figures --into a --output b
    [ "$status" = 2 ]
    [ "$stderr" = "figures.sh: --into and --output are two places; leave one out" ]
}

@test "--figure: these alone, and others stay as they are; unknown ones are refused" {
    mkdir "$BATS_TEST_TMPDIR/drawn"
    echo old >"$BATS_TEST_TMPDIR/drawn/drops.svg"
    figures --output "$BATS_TEST_TMPDIR/drawn" --grid three --figure "gap, dots"
    [ "$status" = 0 ]
    [ "$(find "$BATS_TEST_TMPDIR/drawn" -name 'dots.*' -o -name 'gap.*' | wc -l)" = 10 ]
    [ "$(cat "$BATS_TEST_TMPDIR/drawn/drops.svg")" = old ]
    figures --figure "gap,gpa"
    [ "$status" = 2 ]
    [[ $stderr == "figures.sh: --figure gpa: there is none of that name, but ablation "* ]]
    figures --output "$BATS_TEST_TMPDIR/drawn" --grid three --figure calibration
    [ "$status" = 3 ]
    [ "$stderr" = "figures.sh: $db has no numbers for calibration" ]
}

@test "only what changed is drawn again: numbers, captions, how it is drawn; and what is not there" {
    into=$BATS_TEST_TMPDIR/drawn
    old() { find "$into" -name '*.svg' ! -newermt 2002-01-01 -printf '%f\n' -o -name '*.p??' ! -newermt 2002-01-01 -printf '%f\n' | sort | tr '\n' ' '; }
    age() { touch -d 2001-01-01 "$into"/*; }
    some=(--output "$into" --grid three --figure "gap,drops")
    figures "${some[@]}"
    [ "$status" = 0 ]
    cp -r "$into" "$BATS_TEST_TMPDIR/first"
    age
    figures "${some[@]}"
    [ "$(old)" = "drops.pdf drops.png drops.svg gap.pdf gap.png gap.svg " ]
    [[ $output == *"$into/gap.svg"* ]]
    for file in "$into"/*; do cmp "$file" "$BATS_TEST_TMPDIR/first/$(basename "$file")"; done

    rm "$into/gap.png"
    figures "${some[@]}"
    [ "$(old)" = "drops.pdf drops.png drops.svg " ]
    age
    figures "${some[@]}" --caption
    [ -z "$(old)" ]
    age
    figures "${some[@]}"
    [ -z "$(old)" ]
    age
    echo "x" >>"$into/gap.txt"
    figures "${some[@]}"
    [ "$(old)" = "drops.pdf drops.png drops.svg " ]
    age
    changed "UPDATE evaluations SET correct1 = correct1 - 1 WHERE inference = 'truncated' AND correct1 > 0"
    run --separate-stderr "$root/scripts/figures.sh" --db "$BATS_TEST_TMPDIR/changed.db" "${some[@]}"
    [ "$status" = 0 ]
    [ -z "$(old)" ]
}

@test "--caption: no line of it is wider than the page" {
    for width in 3.4 7; do
        figures --output "$BATS_TEST_TMPDIR/drawn" --grid three --figure accuracy --caption --width ${width}in
        [ "$status" = 0 ]
        grep -o "<text>.*</text>" "$BATS_TEST_TMPDIR/drawn/accuracy.svg" | sed 's/<[^>]*>//g' >"$BATS_TEST_TMPDIR/lines"
        grep -q "bar: ± 1 standard" "$BATS_TEST_TMPDIR/lines"
        most=$(wc -L <"$BATS_TEST_TMPDIR/lines")
        echo "$width: $most"
        [ "$most" -le "$([ $width = 7 ] && echo 101 || echo 47)" ]
    done
    [ "$most" -gt 84 ] # the page is made use of
}

# chosen OPTION ...: of accuracy, its labels, networks and widths.
chosen() {
    "$TRUNCQUANT" export figure accuracy --db "$db" --output "$BATS_TEST_TMPDIR/a.csv" --caption "$BATS_TEST_TMPDIR/a.txt" "$@"
    rows "$BATS_TEST_TMPDIR/a.csv" 1 "DISTINCT label, network, bits" | tr '\n' ' '
}

@test "--scheme, --panel, --widths: what is shown, what it is called, and what the caption says of it" {
    [ "$(chosen --grid three --scheme truncquant)" = "truncquant|lenet|2 truncquant|lenet|32 " ]
    [ "$(chosen --grid three --scheme ' qat , truncquant' --widths 2)" = "qat|lenet|2 truncquant|lenet|2 " ]
    [ "$(chosen --panel net_8 --widths '2,32')" = \
        "qat (epochs 200)|net_8|2 qat (epochs 200)|net_8|32 qat (epochs 5)|net_8|2 qat (epochs 5)|net_8|32 " ]
    grep -q "^net_8 on fashion-mnist; " "$BATS_TEST_TMPDIR/a.txt"
    [ "$(chosen --panel 'lenet, fashion-mnist' --widths 32)" = "qat|lenet|32 truncquant|lenet|32 " ]
    [ "$(chosen --panel fashion-mnist)" = "$(chosen)" ]
    # Beside nothing else, no recipe is named.
    changed "UPDATE runs SET params = '{\"learning_rate\": 1e-05}' WHERE scheme = 'qat'"
    db=$BATS_TEST_TMPDIR/changed.db
    [ "$(chosen --grid three --widths 2)" = "qat (learning_rate 1e-05)|lenet|2 truncquant (learning_rate 0.001)|lenet|2 " ]
    [ "$(chosen --grid three --widths 2 --scheme qat)" = "qat|lenet|2 " ]
    tr '\n' ' ' <"$BATS_TEST_TMPDIR/a.txt" | grep -qF "learning rate 1e-05"
    run "$TRUNCQUANT" export figure training --db "$db" --grid three --widths 32 --scheme qat
    [ "$(cut -d, -f7 <<<"$output" | sort -u | tr '\n' ' ')" = "32 bits " ]
}

@test "what chooses nothing is refused in one line" {
    refused() { # STATUS TEXT OPTION ...
        run --separate-stderr "$TRUNCQUANT" export figure accuracy --db "$db" "${@:3}"
        echo "$stderr"
        [ "$status" = "$1" ]
        [[ $stderr == "truncquant: "*"$2" ]]
        [ "${#stderr_lines[@]}" = 1 ]
        [ -z "$output" ]
    }
    refused 3 "--scheme qta: no results are of that; there are: qat, truncquant" --scheme qat,qta
    refused 3 "--scheme truncquant: no results are of that; there are: qat" --scheme truncquant --grid one
    refused 3 "--panel mnist: no results are of that; there are: fashion-mnist, lenet, net_8" --panel mnist
    refused 3 "has no results of what --scheme, --panel and --widths choose; choose more" --widths 4
    refused 3 "has no results of what --scheme, --panel and --widths choose; choose more" --scheme truncquant --panel net_8
    refused 2 "--scheme 'qat,' has an empty name in its list; separate names by one comma" --scheme qat,
    refused 2 "--widths '2 9' is no list of bit-widths, 1 to 8 and 32, each once" --widths "2 9"
    refused 2 "--widths ',' is no list of bit-widths, 1 to 8 and 32, each once" --widths ,
    run -2 "$TRUNCQUANT" export accuracy --db "$db" --scheme qat
    [ "$output" = "truncquant: export: --scheme goes with figures that are written; leave it out" ]
    # Of what is chosen there may be no numbers for a figure.
    run -3 "$TRUNCQUANT" export figure drops --db "$db" --widths 32
    [[ $output == *": has no numbers for the figure drops of what --scheme, --panel and --widths choose; choose more" ]]
    figures --output "$BATS_TEST_TMPDIR/drawn" --scheme qta
    [ "$status" = 3 ]
    [ "${#stderr_lines[@]}" = 1 ]
    [ ! -e "$BATS_TEST_TMPDIR/drawn" ]
    figures --output "$BATS_TEST_TMPDIR/drawn" --grid three --scheme qat --figure accuracy
    [ "$status" = 0 ]
    [ "$(rows "$BATS_TEST_TMPDIR/drawn/accuracy.csv" 1 "DISTINCT label")" = qat ]
}
