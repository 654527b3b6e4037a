# scripts/figures.sh and its queries, on a database whose numbers can be checked by hand (database.sql).

bats_require_minimum_version 1.5.0

root=$BATS_TEST_DIRNAME/../..

load figures

setup_file() {
    export figures="$BATS_FILE_TMPDIR/the figures"
    make_database
    "$BATS_TEST_DIRNAME/../../scripts/figures.sh" --db "$db" --grid three --output "$figures/three"
    "$BATS_TEST_DIRNAME/../../scripts/figures.sh" --db "$db" --grid one --output "$figures/one"
}

@test "every figure is there, as data, caption, SVG, PDF and PNG" {
    for name in accuracy dots drops gap training staircase; do
        for grid in three one; do
            is_png "$figures/$grid/$name.png"
            rsvg-convert --output "$BATS_TEST_TMPDIR/x.png" "$figures/$grid/$name.svg"
            [ "$(head -c 5 "$figures/$grid/$name.pdf")" = %PDF- ]
            [ "$(tail -n 1 "$figures/$grid/$name.pdf")" = %%EOF ]
            [ -s "$figures/$grid/$name.csv" ]
            [ -s "$figures/$grid/$name.txt" ]
        done
    done
}

@test "calibrated results get a figure of their own, where there are some" {
    is_png "$figures/one/accuracy-calibrated.png"
    [ ! -e "$figures/three/accuracy-calibrated.csv" ]
    [ "$(rows "$figures/one/accuracy-calibrated.csv" "label = 'qat (epochs 200)' AND inference = 'direct' AND bits = 2" top1)" = 83.0 ]
    grep -q "batch norm calibrated" "$figures/one/accuracy-calibrated.svg"
}

@test "accuracy: mean and sample standard deviation over seeds, 32 bits next to 8" {
    csv=$figures/three/accuracy.csv
    [ "$(rows "$csv" "label = 'qat' AND inference = 'truncated'" "bits, x, top1, top1_sd, seeds")" = "2|2|60.0|2.0|3" ]
    [ "$(rows "$csv" "label = 'qat' AND inference = 'direct' AND bits = 2" "top1, top1_sd")" = "80.0|2.0" ]
    [ "$(rows "$csv" "label = 'truncquant' AND inference = 'truncated'" "top1")" = 80.0 ]
    [ "$(rows "$csv" "bits = 32" "DISTINCT x")" = 9 ]
    [ "$(rows "$csv" 1 "count(*), max(panel), max(curve), min(chance)")" = "6|1|2|10.0" ]
}

# written NAME: texts that stand in the picture, not in its description.
written() {
    grep -o "<text>.*</text>" "$1" | sed 's/<[^>]*>//g'
}

@test "the caption is the SVG's description; with --caption it is in the pictures, too" {
    line="mean of 3 seeds, bar: ± 1 standard deviation over seeds"
    changed "UPDATE runs SET network = 'a_b%<i>&\"\$x' WHERE network = 'lenet'"
    draw --figure accuracy --grid three
    svg=$BATS_TEST_TMPDIR/drawn/accuracy.svg
    python3 - "$svg" "$BATS_TEST_TMPDIR/drawn/accuracy.txt" <<'END'
import sys
from xml.etree import ElementTree
root = ElementTree.parse(sys.argv[1]).getroot()
svg = "{http://www.w3.org/2000/svg}"
assert root.find(svg + "title").text == "accuracy"
assert root.find(svg + "desc").text + "\n" == open(sys.argv[2]).read()
END
    [ "$(written "$svg" | grep -cF "$line")" = 0 ]
    draw --figure accuracy --grid three --caption
    [ "$(written "$svg" | grep -cF "$line")" = 1 ]
}

# letters FILE: their size in the SVG, in points of paper at its printed width.
letters() {
    python3 - "$1" <<'END'
import re, sys
text = open(sys.argv[1]).read()
inches, pixels = re.search(r'width="([0-9.]+)in"', text)[1], re.search(r'viewBox="0 0 (\d+) ', text)[1]
print(*sorted({round(float(size) * float(inches) * 72 / float(pixels), 1)
               for size in re.findall(r'font-family="DejaVu Sans" +font-size="([0-9.]+)"', text)}))
END
}

@test "--width: as wide as it is printed, letters of 8 points, as SVG and PDF; other widths are refused" {
    cp "$db" "$BATS_TEST_TMPDIR/changed.db"
    for width in 3.4 7; do
        draw --width ${width}in
        [ "$status" = 0 ]
        for name in accuracy dots drops gap training staircase; do
            grep -q "^ width=\"${width}in\" " "$BATS_TEST_TMPDIR/drawn/$name.svg"
            points=$([ $width = 7 ] && echo 504 || echo 244) # the page of a PDF, of which gnuplot takes the whole ones
            LC_ALL=C grep -aqE "/MediaBox \[ 0 0 $points " "$BATS_TEST_TMPDIR/drawn/$name.pdf"
        done
        [ "$(letters "$BATS_TEST_TMPDIR/drawn/dots.svg")" = 8.0 ]
    done
    for width in 7 7cm 2in 21in in 3..4in -7in; do
        draw --width "$width"
        [ "$status" = 2 ]
    done
    [[ $stderr == "figures.sh: --width -7in: is no width from 3in to 20in, such as 3.4in" ]]
}

# chances DATABASE: of every row of grid three.
chances() {
    "$root/scripts/figures.sh" --db "$1" --grid three --figure accuracy --output "$BATS_TEST_TMPDIR/chances" >/dev/null
    rows "$BATS_TEST_TMPDIR/chances/accuracy.csv" 1 "count(*), min(chance), max(chance)"
}

@test "accuracy: the chance of a folder of images is that of the classes an attempt on its data recorded" {
    cp "$db" "$BATS_TEST_TMPDIR/own.db"
    change() { sqlite3 -bail "$BATS_TEST_TMPDIR/own.db" "$1"; }
    change "UPDATE runs SET dataset = 'mine', data_hash = 'h' WHERE grid = 'three'"
    [ "$(chances "$BATS_TEST_TMPDIR/own.db")" = "6||" ]
    run grep -qF ">chance<" "$BATS_TEST_TMPDIR/chances/accuracy.svg"
    [ "$status" = 1 ]
    # One attempt knows; the others are of a program that did not record it.
    change "UPDATE attempts SET classes = 2 WHERE attempt = 4"
    [ "$(chances "$BATS_TEST_TMPDIR/own.db")" = "6|50.0|50.0" ]
    grep -qF ">chance<" "$BATS_TEST_TMPDIR/chances/accuracy.svg"
    change "UPDATE attempts SET classes = NULL; UPDATE attempts SET classes = 50
            WHERE run_id IN (SELECT run_id FROM runs WHERE grid = 'one')" # on other data
    [ "$(chances "$BATS_TEST_TMPDIR/own.db")" = "6||" ]
}

@test "accuracy: chance stands in every panel or in none; panels of a data set have one axis" {
    for network in net_8 lenet; do
        changed "UPDATE runs SET dataset = 'mine' WHERE network = '$network'" "UPDATE evaluations SET correct1 = correct1 / 4"
        draw --figure accuracy
        run -1 grep -F ">chance" "$BATS_TEST_TMPDIR/drawn/accuracy.svg"
    done
    changed "UPDATE evaluations SET correct1 = correct1 / 4"
    draw --figure accuracy
    grep -qF ">chance<" "$BATS_TEST_TMPDIR/drawn/accuracy.svg"
    # 58 to 82 % of lenet, 36 % less of net_8: from 0 or 10 where both are of one data set, else each has its own.
    lower="UPDATE evaluations SET correct1 = correct1 - 360 WHERE $of_one"
    forties() { grep -c "> *40<" "$BATS_TEST_TMPDIR/drawn/accuracy.svg"; }
    changed "$lower"
    draw --figure accuracy
    [ "$(forties)" = 2 ]
    changed "$lower" "UPDATE runs SET dataset = 'mine' WHERE network = 'net_8'"
    draw --figure accuracy
    [ "$(forties)" = 1 ]
}

@test "a database from before classes were recorded is drawn as it was" {
    cat "$root"/harness/store/schema/00[12]*.sql "$root/harness/store/schema/views.sql" "$BATS_TEST_DIRNAME/database.sql" \
        - <<<"PRAGMA user_version = 2;" |
        sqlite3 -bail "$BATS_TEST_TMPDIR/old.db"
    cp "$BATS_TEST_TMPDIR/old.db" "$BATS_TEST_TMPDIR/before.db"
    run sqlite3 "$BATS_TEST_TMPDIR/old.db" "SELECT classes FROM attempts"
    [ "$status" = 1 ]
    "$root/scripts/figures.sh" --figure accuracy --db "$BATS_TEST_TMPDIR/old.db" --grid three --output "$BATS_TEST_TMPDIR"
    cmp "$BATS_TEST_TMPDIR/accuracy.csv" "$figures/three/accuracy.csv"
    cmp "$BATS_TEST_TMPDIR/old.db" "$BATS_TEST_TMPDIR/before.db"
}

@test "accuracy: the SVG says what it shows" {
    svg=$figures/three/accuracy.svg
    for text in "lenet, fashion-mnist" qat truncquant "weight bits" "top-1 accuracy (%)" "lenet on fashion-mnist; 60,000 training images, 200 epochs, Adam" \
        "test split, 1,000 images" \
        "mean of 3 seeds, bar: ± 1 standard deviation over seeds" "commit 0123456789" "batch norm not calibrated"; do
        grep -qF "$text" "$svg"
    done
    if grep -q net_8 "$svg"; then
        false
    fi
}

@test "accuracy: the caption says which widths were trained, and that others borrow, where there are others" {
    grep -qx "quantized in training, one model for all k: 2 32 bits" "$figures/three/accuracy.txt"
    if grep -q "another width" "$figures/three/accuracy.txt"; then
        false
    fi
    changed "UPDATE runs SET widths = '32 4' WHERE run_id = (SELECT run_id FROM grid_runs WHERE grid = 'three' LIMIT 1)" \
        "UPDATE runs SET widths = '2', \"group\" = run_id WHERE scheme = 'truncquant'"
    draw --figure accuracy --grid three
    grep -qx "quantized in training, one model for all k: 2 32 or 32 4 bits" "$BATS_TEST_TMPDIR/drawn/accuracy.txt"
    [ "$(grep -A1 "another width" "$BATS_TEST_TMPDIR/drawn/accuracy.txt")" = "at another width k: batch norms of the smallest
trained width above k or, where none is above, of the largest" ]
    sqlite3 "$BATS_TEST_TMPDIR/changed.db" "UPDATE runs SET params = '{\"norm_bank\": \"shared\"}' WHERE widths = '32 4'"
    draw --figure accuracy --grid three
    run -1 grep "another width" "$BATS_TEST_TMPDIR/drawn/accuracy.txt"
}

@test "drops, calibrated: the caption says where scale and shift are borrowed" {
    for name in drops drops-calibrated; do
        run -1 grep "not trained" "$figures/one/$name.txt"
    done
    # As trained, the first has no drops, and of the other they do not borrow.
    changed "UPDATE runs SET widths = CASE params WHEN '{}' THEN '4 32' ELSE '2' END"
    draw --figure drops,accuracy-calibrated,drops-calibrated --grid one
    run -1 grep "not trained" "$BATS_TEST_TMPDIR/drawn/drops.txt"
    grep -A1 -x "at a width k that was not trained: scale and shift of the smallest" "$BATS_TEST_TMPDIR/drawn/drops-calibrated.txt" |
        grep -qx "trained width above k or, where none is above, of the largest"
    grep -qx "at another width k: scale and shift of the smallest" "$BATS_TEST_TMPDIR/drawn/accuracy-calibrated.txt"
    grep -qF "where none is above, of the largest" "$BATS_TEST_TMPDIR/drawn/drops-calibrated.svg"
}

# table NAME: of changed.db, as CSV, into table.csv; its notes are in table.txt.
table() {
    sqlite3 "$BATS_TEST_TMPDIR/changed.db" "PRAGMA user_version = $(migrations)"
    for format in csv text; do
        "$root/${BUILD:-build}/truncquant" export "$1" --db "$BATS_TEST_TMPDIR/changed.db" --grid three --format ${format/csv/csv-wide} \
            >"$BATS_TEST_TMPDIR/table.${format/text/txt}"
    done
    sed -i '/^#/d' "$BATS_TEST_TMPDIR/table.csv" # its notes
}

@test "activations that have not as many bits as the weights are named, in figures and tables" {
    for name in accuracy drops; do
        run -1 grep activations "$figures/three/$name.txt"
    done
    of_truncquant="attempt IN (SELECT attempt FROM attempts JOIN runs USING (run_id) WHERE scheme = 'truncquant')"
    changed "UPDATE runs SET act_bits = 32 WHERE scheme = 'truncquant'" "UPDATE evaluations SET act_bits = 32 WHERE $of_truncquant"
    draw --figure accuracy,drops --grid three
    for name in accuracy drops; do
        [ "$(rows "$BATS_TEST_TMPDIR/drawn/$name.csv" 1 "DISTINCT label")" = $'qat\ntruncquant (float activations)' ]
        grep -qF ">truncquant (float activations)<" "$BATS_TEST_TMPDIR/drawn/$name.svg"
        grep -A1 -x "activations have as many bits as the weights" "$BATS_TEST_TMPDIR/drawn/$name.txt" |
            grep -qx "unless the legend says otherwise"
    done
    for name in accuracy drops; do
        table $name
        [ "$(rows "$BATS_TEST_TMPDIR/table.csv" 1 "DISTINCT scheme, settings")" = $'qat|\ntruncquant|float activations' ]
        grep -q "^Activations have as many bits as the weights, but in rows whose settings say otherwise" "$BATS_TEST_TMPDIR/table.txt"
    done
    table differences
    [ "$(rows "$BATS_TEST_TMPDIR/table.csv" 1 "DISTINCT settings")" = "float activations" ]
    grep -q "^Column 2: there are rows whose activations have other bits than those of their qat " "$BATS_TEST_TMPDIR/table.txt"
    table reductions
    grep -q "^Column 2: there are rows whose activations have other bits than those of their qat " "$BATS_TEST_TMPDIR/table.txt"
    # Beside a configuration of the scheme that has as many, nothing else is said of the key.
    sqlite3 "$BATS_TEST_TMPDIR/changed.db" "UPDATE runs SET scheme = 'qat', params = '{\"act_bits\":\"32\"}' WHERE scheme = 'truncquant'"
    draw --figure accuracy --grid three
    [ "$(rows "$BATS_TEST_TMPDIR/drawn/accuracy.csv" 1 "DISTINCT label")" = $'qat\nqat (float activations)' ]
    table accuracy
    [ "$(rows "$BATS_TEST_TMPDIR/table.csv" 1 "DISTINCT settings")" = $'\nfloat activations' ]
}

@test "activations: those of all rows alike are no difference, and 32 bits beside 32 are none to name" {
    changed "UPDATE runs SET act_bits = 4" "DELETE FROM evaluations WHERE act_bits = 4" "UPDATE evaluations SET act_bits = 4"
    table differences
    [ "$(rows "$BATS_TEST_TMPDIR/table.csv" 1 "DISTINCT settings")" = "4-bit activations" ]
    run -1 grep "other bits" "$BATS_TEST_TMPDIR/table.txt"
    changed "UPDATE runs SET act_bits = 32" "DELETE FROM evaluations WHERE bits < 32"
    table accuracy
    run -1 grep activations "$BATS_TEST_TMPDIR/table.txt"
}

@test "activations: a cell that was evaluated with other ones alone does not stand among those of the run's own" {
    changed "UPDATE evaluations SET act_bits = 32 WHERE bits = 2 AND inference = 'truncated' AND attempt <= 3" \
        "UPDATE evaluations SET act_bits = 8 WHERE bits = 2 AND inference = 'truncated' AND attempt > 3"
    table accuracy
    [ "$(rows "$BATS_TEST_TMPDIR/table.csv" 1 "scheme, settings, inference")" = \
        $'qat||direct\nqat|float activations|truncated\ntruncquant||direct\ntruncquant|8-bit activations|truncated' ]
}

@test "training: a width that a scheme was not trained at has no line" {
    changed "DELETE FROM epochs WHERE bits = 2 AND attempt <= 3"
    draw --figure training --grid three
    # the legend's lines too: 2 widths of truncquant, 1 of qat, twice
    lines=$(grep -c "<path stroke='rgb([^']*)' *d='M[^z]*L" "$BATS_TEST_TMPDIR/drawn/training.svg")
    whole=$(grep -c "<path stroke='rgb([^']*)' *d='M[^z]*L" "$figures/three/training.svg")
    echo "$lines of $whole"
    [ "$lines" -eq $((whole - 2)) ]
}

@test "accuracy: where curves tangle, the caption names the figure that has them in rows" {
    run -1 grep "row by row" "$figures/one/accuracy.txt"
    for curves in 5 6; do
        cp "$db" "$BATS_TEST_TMPDIR/many.db"
        sqlite3 "$BATS_TEST_TMPDIR/many.db" "UPDATE runs SET scheme = 's' || (rowid % $curves), config_id = printf('%064d', rowid)
            WHERE grid = 'three'"
        "$TRUNCQUANT" export figure accuracy --db "$BATS_TEST_TMPDIR/many.db" --grid three --caption "$BATS_TEST_TMPDIR/$curves" >/dev/null
    done
    run -1 grep "row by row" "$BATS_TEST_TMPDIR/5"
    grep -qx "more than five curves in a panel: the figure dots has them row by row" "$BATS_TEST_TMPDIR/6"
}

@test "accuracy: one seed has no error bar, and says so" {
    grep -q "one seed, no error bar" "$figures/one/accuracy.svg"
    grep -q "commit 0123456789 (changed)" "$figures/one/accuracy.svg"
    [ "$(rows "$figures/one/accuracy.csv" "top1_sd <> ''" "count(*)")" = 0 ]
}

@test "accuracy: configurations of one scheme are told apart by what differs" {
    [ "$(rows "$figures/one/accuracy.csv" 1 "DISTINCT label" | sort)" = $'qat (epochs 200)\nqat (epochs 5)' ]
    grep -qF "qat (epochs 5)" "$figures/one/accuracy.svg"
}

@test "recipes that differ are named, across schemes too, in labels and captions of every figure" {
    changed "UPDATE runs SET params = '{\"learning_rate\": 1e-05}' WHERE scheme = 'qat'" \
        "UPDATE attempts SET commit_id = 'trained' WHERE attempt IN (4, 5, 6)" \
        "CREATE TEMP TABLE more AS SELECT * FROM attempts WHERE attempt IN (4, 5, 6)" \
        "UPDATE more SET attempt = attempt + 50, commit_id = 'evaluated', started_at = started_at + 9, ended_at = ended_at + 9" \
        "INSERT INTO attempts SELECT * FROM more" \
        "UPDATE evaluations SET attempt = attempt + 50 WHERE attempt IN (4, 5, 6)"
    draw --figure accuracy,drops,training --grid three
    [ "$status" = 0 ]
    for name in accuracy drops training; do
        [ "$(rows "$BATS_TEST_TMPDIR/drawn/$name.csv" 1 "DISTINCT label")" = \
            $'qat (learning_rate 1e-05)\ntruncquant (learning_rate 0.001)' ]
        run -1 grep "learning rate" "$BATS_TEST_TMPDIR/drawn/$name.txt"
        [ "$(tail -n 1 "$BATS_TEST_TMPDIR/drawn/$name.txt")" = \
            "trained by commits 0123456789, trained, evaluated by commits 0123456789, evaluated" ]
    done
    changed "UPDATE runs SET params = '{\"learning_rate\": 1e-05}' WHERE network = 'lenet'"
    draw --figure accuracy
    [ "$(rows "$BATS_TEST_TMPDIR/drawn/accuracy.csv" 1 "count(*)")" = 12 ]
    run -1 grep learning_rate "$BATS_TEST_TMPDIR/drawn/accuracy.csv"
    tr '\n' ' ' <"$BATS_TEST_TMPDIR/drawn/accuracy.txt" | grep -qF "learning rate 1e-05 (lenet) or 0.001 (net_8), "
}

@test "a legend of many lines does not reach into the caption" {
    changed "UPDATE runs SET scheme = 'a scheme with so long a name that it has a line of the legend alone ' || substr(run_id, 60), config_id = run_id"
    draw --figure accuracy --caption
    svg=$BATS_TEST_TMPDIR/drawn/accuracy.svg
    # Heights of texts: the last of the legend, and the first line of the caption.
    height() { grep -B3 -F ">$1" "$svg" | sed -n 's/.*translate([0-9.]*,\([0-9]*\).*/\1/p' | tail -n 1; }
    [ "$(height "truncated: stored codes")" -lt $(($(height "lenet, net_8 on fashion-mnist") - 9)) ]
}

@test "a known scheme has its place for a style, the others one that their names decide, whoever stands beside them" {
    [ "$(rows "$figures/three/accuracy.csv" 1 "DISTINCT curve, label, style" | tr '\n' ' ')" = \
        "1|qat|2 2|truncquant|4 " ]
    [ "$(rows "$figures/one/accuracy.csv" 1 "DISTINCT curve, label, style" | tr '\n' ' ')" = \
        "1|qat (epochs 200)|2 2|qat (epochs 5)|2 " ]
    [ "$(rows "$figures/one/accuracy.csv" 1 "DISTINCT label, variant" | tr '\n' ' ')" = "qat (epochs 200)|0 qat (epochs 5)|1 " ]
    [ "$(rows "$figures/one/drops.csv" 1 "DISTINCT label, style, variant" | tr '\n' ' ')" = "qat (epochs 200)|2|0 qat (epochs 5)|2|1 " ]
    # Two that are not known, one of them twice, then one alone.
    changed "UPDATE runs SET scheme = 'new' WHERE grid = 'one'" "UPDATE runs SET scheme = 'newer' WHERE scheme = 'truncquant'"
    draw --figure accuracy
    [ "$(rows "$BATS_TEST_TMPDIR/drawn/accuracy.csv" 1 "DISTINCT curve, label, style, variant" | sort | tr '\n' ' ')" = \
        "1|qat|2|0 2|new|106|0 3|new (epochs 5)|106|1 4|newer|119|0 " ]
    line=$("$TRUNCQUANT" export styles | grep ^119,)
    changed "UPDATE runs SET scheme = 'newer' WHERE scheme = 'truncquant'"
    draw --figure accuracy --grid three
    [ "$(rows "$BATS_TEST_TMPDIR/drawn/accuracy.csv" "label = 'newer'" "DISTINCT style, variant")" = "119|0" ]
    colour=$(cut -d, -f4 <<<"$line")
    colour=$(printf 'rgb(%3d, %3d, %3d)' "0x${colour:1:2}" "0x${colour:3:2}" "0x${colour:5:2}")
    grep -qF "$colour" "$BATS_TEST_TMPDIR/drawn/accuracy.svg"
}

# styles EXPRESSION: what style.gp makes of the program's styles.
styles() {
    "$TRUNCQUANT" export styles >"$BATS_TEST_TMPDIR/styles"
    (cd "$root" && gnuplot -e "caption = ''; styles = '$BATS_TEST_TMPDIR/styles'; load 'plots/style.gp'; $1" 2>&1) | tr -s ' '
}

@test "every style is drawn in its colour and a mark of its own; variants have marks that no scheme has" {
    all=$(styles 'do for [r = 1:words(numbers)] { i = int(word(numbers, r)); print i, " ", colour(i), " ", filled(i, 0), " ", hollow(i, 0) }')
    [ "$(cut -d' ' -f1,2 <<<"$all")" = "$(tail -n +2 "$BATS_TEST_TMPDIR/styles" | sed 's/,.*,\(#[^,]*\),.*/ \1/')" ]
    [ "$(cut -d' ' -f2,3 <<<"$all" | LC_ALL=C sort -u | wc -l)" = "$(wc -l <<<"$all")" ]
    marks=$(tail -n +2 "$BATS_TEST_TMPDIR/styles" | sed 's/.*,//' | LC_ALL=C sort -u | wc -l)
    for column in 3 4; do # every name has a mark, and none another's
        [ "$(cut -d' ' -f$column <<<"$all" | LC_ALL=C sort -u | wc -l)" = "$marks" ]
    done
    variants=$(styles 'do for [i = 1:5] { print filled(7, i); print hollow(7, i) }')
    [ "$(cut -d' ' -f3 <<<"$all" | cat - <(echo "$variants") | LC_ALL=C sort -u | wc -l)" = $((marks + 10)) ]
    [ "$(styles 'print colour(4), filled(4, 1), hollow(4, 0)' | tr -d " ")" = "#0072B2♥6" ]
}

@test "accuracy: in a grid where nothing differs the scheme is name enough" {
    "$root/scripts/figures.sh" --figure accuracy --db "$db" --grid alone --output "$BATS_TEST_TMPDIR"
    [ "$(rows "$BATS_TEST_TMPDIR/accuracy.csv" 1 "DISTINCT label")" = qat ]
}

@test "without --grid all runs are drawn, each in its panel" {
    run "$root/scripts/figures.sh" --figure accuracy,accuracy-calibrated,training --db "$db" --output "$BATS_TEST_TMPDIR"
    [ "$status" = 0 ]
    [ "$(rows "$BATS_TEST_TMPDIR/accuracy.csv" 1 "count(DISTINCT network), max(panel), count(*)")" = "2|2|12" ]
    [[ $output == *"$BATS_TEST_TMPDIR/accuracy-calibrated.png"* ]]
    grep -qF "mean of 1 to 3 seeds" "$BATS_TEST_TMPDIR/accuracy.svg"
    # Training: two schemes have runs on lenet and two others on net_8, each with a panel for the loss and one for accuracy.
    [ "$(grep -c '>lenet, fashion-mnist: training<' "$BATS_TEST_TMPDIR/training.svg")" -eq 1 ]
    [ "$(grep -c '>net_8, fashion-mnist: training<' "$BATS_TEST_TMPDIR/training.svg")" -eq 1 ]
    [ "$(grep -c '>epoch<' "$BATS_TEST_TMPDIR/training.svg")" -eq 4 ]
}

@test "a grid evaluated on val alone is drawn as that, and says so; --split test finds nothing" {
    changed "UPDATE evaluations SET split = 'val' WHERE $of_one"
    draw --figure accuracy,accuracy-calibrated,drops --grid one
    [ "$status" = 0 ]
    [ "$stderr" = "truncquant: no run was evaluated on the test split: figures of the held-out images (val)" ]
    [ "$(rows "$BATS_TEST_TMPDIR/drawn/accuracy.csv" 1 "DISTINCT split")" = val ]
    for name in accuracy accuracy-calibrated drops; do
        grep -qF "1,000 held-out images (val), not the test split" "$BATS_TEST_TMPDIR/drawn/$name.svg"
    done
    grep -qF "top-1 accuracy on val (%)" "$BATS_TEST_TMPDIR/drawn/accuracy.svg"
    draw --figure accuracy --grid one --split test
    [ "$status" = 3 ]
    [[ $stderr == "truncquant: "*"/changed.db: has no results on test: the finished runs of grid one were evaluated on val alone; --split val "* ]]
    [ "$(cat "$BATS_TEST_TMPDIR"/drawn/*.csv | grep -c ,test,)" = 0 ] # what there was stays
    draw --figure accuracy --grid one --split train
    [ "$status" = 2 ]
}

@test "a figure is of one split: what was evaluated on val alone is not drawn, and changes no name" {
    changed "UPDATE evaluations SET split = 'val'
             WHERE attempt = (SELECT attempt FROM attempts JOIN runs USING (run_id) WHERE grid = 'one' AND params = '{}')"
    draw --figure accuracy,drops,training --grid one
    [ "$status" = 0 ]
    [ "$stderr" = "truncquant: not drawn: 1 of 2 runs, evaluated on val alone (--split val)" ]
    for name in accuracy drops training; do
        [ "$(rows "$BATS_TEST_TMPDIR/drawn/$name.csv" 1 "DISTINCT label")" = qat ]
    done
    grep -qF "test split, 1,000 images" "$BATS_TEST_TMPDIR/drawn/accuracy.svg"
    draw --figure accuracy --grid one --split val
    [ "$(rows "$BATS_TEST_TMPDIR/drawn/accuracy.csv" 1 "DISTINCT label, split")" = "qat|val" ]
}

# make_here ARGUMENT ...: make in a folder of its own, which has all of the repository but its results, with the program
# as it is.
make_here() {
    local place=$BATS_TEST_TMPDIR/place build
    build=$(realpath "$root/${BUILD:-build}")
    mkdir -p "$place/results" "$place/harness/report" "$place/harness/store"
    for name in Makefile plots scripts harness/report/queries harness/store/schema; do
        ln -sfn "$(realpath "$root/$name")" "$place/$name"
    done
    run --separate-stderr env -u MAKEFLAGS -u MAKELEVEL make -C "$place" --silent --old-file="$build/truncquant" \
        BUILD="$build" DB="$BATS_TEST_TMPDIR/changed.db" "$@"
}

@test "make: figures and tables are of the SPLIT that is asked for, and a wrong one leaves old ones alone" {
    changed "UPDATE evaluations SET split = 'val' WHERE $of_one" \
        "PRAGMA user_version = $(migrations)"
    results=$BATS_TEST_TMPDIR/place/results
    make_here figures tables SPLIT=val FIGURE=accuracy
    [ "$status" = 0 ]
    [[ $output == *"not the test split"* ]]
    [ "$(rows "$results/figures/one/accuracy.csv" 1 "DISTINCT split")" = val ]
    [ ! -e "$results/figures/three" ] # which has none
    for table in accuracy drops accuracy-calibrated; do
        [ "$(rows "$results/tables/$table.csv" 1 "DISTINCT split")" = val ]
    done
    for target in figures tables; do
        make_here $target SPLIT=train
        [ "$status" != 0 ]
        [[ $stderr == *": --split train is unknown; take test or val"$'\n'"make: "* ]]
    done
    [ "$(rows "$results/figures/one/accuracy.csv" 1 "DISTINCT split")" = val ]
    [ "$(rows "$results/tables/accuracy.csv" 1 "DISTINCT split")" = val ]
    make_here tables
    [ "$status" = 0 ]
    [ "$(rows "$results/tables/accuracy.csv" 1 "DISTINCT split")" = test ]
    [ ! -e "$results/tables/accuracy-calibrated.csv" ] # there are none on test
}

@test "make: figures and tables are of the GRID that is asked for, by name or file; a wrong one makes no folder" {
    changed "PRAGMA user_version = $(migrations)"
    results=$BATS_TEST_TMPDIR/place/results
    make_here tables GRID=none
    [ "$status" != 0 ]
    [ "$(grep -c '^truncquant: ' <<<"$stderr")" = 1 ]
    make_here figures GRID=none
    [ "$status" != 0 ]
    [[ $stderr == *"truncquant: "*": no runs of a grid 'none' are recorded; "* ]]
    [ ! -e "$results/tables" ]
    [ ! -e "$results/figures" ]
    make_here figures tables GRID=one FIGURE=accuracy
    [ "$status" = 0 ]
    [ "$(ls "$results/figures")" = one ]
    cmp "$results/figures/one/accuracy.csv" "$figures/one/accuracy.csv"
    cp "$results/tables/accuracy.csv" "$BATS_TEST_TMPDIR/one.csv"
    printf '# name = no\n[grid]\nname = three ; of them\n[train]\nname = no\n' >"$BATS_TEST_TMPDIR/place/other name.grid"
    make_here figures tables GRID="other name.grid" FIGURE=accuracy
    [ "$status" = 0 ]
    cmp "$results/figures/three/accuracy.csv" "$figures/three/accuracy.csv"
    cmp "$results/figures/one/accuracy.csv" "$figures/one/accuracy.csv" # is replaced by no other grid
    [ "$(wc -l <"$results/tables/accuracy.csv")" -gt 1 ]
    run cmp "$results/tables/accuracy.csv" "$BATS_TEST_TMPDIR/one.csv"
    [ "$status" = 1 ]
}

# The cross-bit drop, which the table has too, is not drawn. Drops of 17, 20, 20: mean 19, deviation sqrt(3), t 4.30265 with 2 degrees of freedom.
@test "drops: mean and 95 % interval over seeds, those of the table" {
    changed "UPDATE evaluations SET correct1 = correct1 + 30 WHERE inference = 'truncated' AND attempt = 1" \
        "INSERT INTO evaluations SELECT NULL, attempt, epoch, split, 8, 8, 8, 8, inference, 0, precision, images, correct1,
             correct5, loss_sum, layer_bits, mean_bits FROM evaluations WHERE inference = 'truncated' AND attempt <= 6" \
        "PRAGMA user_version = $(migrations)"
    draw --figure drops --grid three
    csv=$BATS_TEST_TMPDIR/drawn/drops.csv
    [ "$(rows "$csv" "label = 'qat'" "bits, place, style, points, half, seeds, split")" = "2|1|2|19.0|4.3027|3|test" ]
    [ "$(rows "$csv" "label = 'truncquant'" "points, half")" = "0.0|0.0" ]
    [ "$(rows "$csv" 1 "count(*)")" = 2 ]
    for text in "lenet, fashion-mnist" qat truncquant "weight bits k" "direct - truncated (points of top-1)" \
        "test split, 1,000 images" "mean of 3 seeds, bar: 95 % interval of the mean" "commit 0123456789" \
        "batch norm not calibrated: widths that were trained"; do
        grep -qF "$text" "$BATS_TEST_TMPDIR/drawn/drops.svg"
    done
    "$root/${BUILD:-build}/truncquant" export drops --db "$BATS_TEST_TMPDIR/changed.db" --grid three --format csv-wide >"$BATS_TEST_TMPDIR/table.csv"
    [ "$(rows "$BATS_TEST_TMPDIR/table.csv" "scheme = 'qat'" '"2", n')" = "19.00000|3" ]
}

@test "drops: one seed has no interval, and says so; calibrated ones have a figure of their own" {
    [ "$(rows "$figures/one/drops.csv" 1 "count(*), sum(points), max(half)")" = "2|40.0|" ]
    grep -qF "one seed, no interval" "$figures/one/drops.svg"
    is_png "$figures/one/drops-calibrated.png"
    grep -qF "batch norm calibrated for each width and inference" "$figures/one/drops-calibrated.svg"
    [ ! -e "$figures/three/drops-calibrated.csv" ]
}

# Seeds of 58, 60, 62 %: deviation 2, Student's t 4.30265 with 2 degrees of freedom, half 4.30265 * 2 / sqrt(3).
@test "dots: means with 95 % intervals, a row per configuration, direct and cut beside each other" {
    csv=$figures/three/dots.csv
    [ "$(rows "$csv" 1 "panel, row, place, bits, label, inference, top1, half, seeds")" = "\
1|1|1|2|qat|direct|80.0|4.9683|3
1|1|1|2|qat|truncated|60.0|4.9683|3
1|2|1|2|truncquant|direct|80.0|4.9683|3
1|2|1|2|truncquant|truncated|80.0|4.9683|3" ]
    for text in "lenet, fashion-mnist" "2 bits" "top-1 (%)" qat truncquant "direct: quantized to k bits" \
        "truncated: stored codes cut to k bits" "bar: 95 % interval of the mean" "commit 0123456789"; do
        grep -qF "$text" "$figures/three/dots.svg"
    done
    [ "$(rows "$figures/one/dots.csv" "half <> ''" "count(*)")" = 0 ]
    grep -qF "one seed, no interval" "$figures/one/dots.txt"
    is_png "$figures/one/dots-calibrated.png"
    [ "$(rows "$figures/one/dots-calibrated.csv" "row = 1 AND inference = 'direct'" "label, top1")" = "qat (epochs 200)|83.0" ]
}

@test "dots: of many widths four are shown; blocks have rows and axes of their own; names are broken" {
    changed "INSERT INTO evaluations SELECT NULL, attempt, epoch, split, value, value, 8, value, inference, 0, precision, images,
                 correct1 / 2, correct5, loss_sum, layer_bits, mean_bits FROM evaluations, json_each('[1, 3, 4, 5, 8]')
             WHERE bits = 2 AND act_bits = 2 AND calibration_batches = 0 AND $of_one" \
        "UPDATE runs SET params = '{\"width_weight\":\"0.5 0.75 0.9375 0.99609375 1\"}' WHERE params <> '{}'"
    draw --figure dots
    csv=$BATS_TEST_TMPDIR/drawn/dots.csv
    [ "$(rows "$csv" 1 "group_concat(DISTINCT bits), max(place), max(row), max(panel)")" = "2,3,4,8|4|2|2" ]
    grep -qF ">0.9375 0.99609375 1)<" "$BATS_TEST_TMPDIR/drawn/dots.svg"
    run -1 grep -F "0.5 0.75 0.9375 0.99609375 1)<" "$BATS_TEST_TMPDIR/drawn/dots.svg"
    changed "UPDATE evaluations SET bits = 32"
    draw --figure accuracy,dots
    [ "$status" = 0 ]
    [ ! -e "$BATS_TEST_TMPDIR/drawn/dots.csv" ] # floats alone are neither cut nor quantized
}

@test "dots: chance in every panel or in none" {
    changed "UPDATE evaluations SET correct1 = correct1 / 4"
    draw --figure dots
    grep -qF ">chance<" "$BATS_TEST_TMPDIR/drawn/dots.svg"
    changed "UPDATE evaluations SET correct1 = correct1 / 4" "UPDATE runs SET dataset = 'mine' WHERE network = 'net_8'"
    draw --figure dots
    run -1 grep -F ">chance<" "$BATS_TEST_TMPDIR/drawn/dots.svg"
}

@test "gap: direct and truncated means of the same seeds, and what lies between" {
    changed "DELETE FROM evaluations WHERE inference = 'truncated' AND attempt = 1" # seed 1 of qat
    draw --figure gap --grid three
    [ "$(rows "$BATS_TEST_TMPDIR/drawn/gap.csv" 1 "panel, place, label, bits, direct, truncated, lost, seeds")" = "\
1|1|qat|2|81.0|61.0|20.0|2
1|2|truncquant|2|80.0|80.0|0.0|3" ]
    for text in "lenet, fashion-mnist" qat truncquant "top-1 (%)" "weight bits k" ">20.0<" ">0.0<" "mean of 2 to 3 seeds" \
        "shaded: what truncation costs" "commit 0123456789"; do
        grep -qF "$text" "$BATS_TEST_TMPDIR/drawn/gap.svg"
    done
    # As trained, of trained widths; calibrated, of all.
    changed "UPDATE runs SET widths = '4 32'"
    draw --figure gap,gap-calibrated
    [ ! -e "$BATS_TEST_TMPDIR/drawn/gap.csv" ]
    [ "$(rows "$BATS_TEST_TMPDIR/drawn/gap-calibrated.csv" 1 "DISTINCT network, bits, lost")" = "net_8|2|20.0" ]
    grep -qx "at a width k that was not trained: scale and shift of the smallest" "$BATS_TEST_TMPDIR/drawn/gap-calibrated.txt"
}

@test "latency: truncated accuracy against milliseconds and bytes, a panel for each machine, a curve per configuration" {
    [ ! -e "$figures/three/latency.csv" ]
    changed "INSERT INTO latencies
        SELECT run_id, kernels, 1, 5, 2, 2, 'A Processor, 2 GHz', kernels, 'gcc', 'abcdef0123456', 0, 1, images_of_call, 200, ms / 2e3, ms / 1e3,
               ms / 5e2, 1, 2000, 1000, 1, 0
        FROM (SELECT *, seed * (scheme = 'qat') + 1 AS ms FROM runs WHERE grid = 'three'),
             (SELECT 'avx2' AS kernels, 1 AS images_of_call UNION SELECT 'portable', 32)"
    draw --figure latency --grid three
    echo "$output" "$stderr"
    [ "$(rows "$BATS_TEST_TMPDIR/drawn/latency.csv" 1 \
        "panel, curve, label, what, kernels, batch, bits, x, low, high, top1, seeds")" = "\
1|1|qat|latency|avx2|1|2|3.0|1.5|6.0|60.0|3
1|2|truncquant|latency|avx2|1|2|1.0|0.5|2.0|80.0|3
2|1|qat|latency|portable|32|2|3.0|1.5|6.0|60.0|3
2|2|truncquant|latency|portable|32|2|1.0|0.5|2.0|80.0|3
3|1|qat|read||0|2|2.0|2.0|2.0|60.0|3
3|2|truncquant|read||0|2|2.0|2.0|2.0|80.0|3" ]
    for text in "lenet, fashion-mnist" ">qat<" ">truncquant<" "ms per image" "ms per 32 images" "A Processor; 2 GHz, avx2" \
        "thousands of bytes read" "2 bits" "latency: median of 200 calls" "mean of 3 seeds" "timed by commit abcdef0123"; do
        grep -qF "$text" "$BATS_TEST_TMPDIR/drawn/latency.svg"
    done
    sqlite3 "$BATS_TEST_TMPDIR/changed.db" "UPDATE runs SET excluded = 'x' WHERE scheme = 'qat' AND seed = 3"
    draw --figure latency --grid three
    [ "$(rows "$BATS_TEST_TMPDIR/drawn/latency.csv" "panel = 1 AND curve = 1" "x, top1")" = "2.5|59.0" ]
}

@test "figures of cells and layers of a published database: every number is that of a twin in Python" {
    run -0 python3 "$BATS_TEST_DIRNAME/derived_figures.py" "$TRUNCQUANT" "$root/results/published/baselines.quick.db"
    [ "${lines[*]}" = "dots 208 dots-calibrated 200 gap 88 gap-calibrated 96 storage 192 storage-calibrated 192 calibration 288 \
ablation 108 ablation-calibrated 100 layers 444" ]
}

@test "training: mean and deviation of each epoch and width" {
    csv=$figures/three/training.csv
    [ "$(rows "$csv" "label = 'qat' AND bits = 2 AND epoch = 1" "loss, loss_sd, accuracy, accuracy_sd")" = "1.2|0.1|62.0|1.0" ]
    [ "$(rows "$csv" "label = 'qat' AND bits = 2 AND epoch = 2" "loss, accuracy")" = "0.7|63.0" ]
    [ "$(rows "$csv" 1 "count(*)")" = 8 ]
    for text in "lenet, fashion-mnist" truncquant epoch ": training" "loss (nats)" "accuracy (%)" "2 bits" "32 bits" \
        "mean of 3 seeds"; do
        grep -qF "$text" "$figures/three/training.svg"
    done
}

@test "training: the caption says on how many images, and of which commit" {
    grep -q "^lenet on fashion-mnist; 60,000 training images, " "$figures/three/training.txt"
    [ "$(tail -n 1 "$figures/three/training.txt")" = "commit 0123456789" ]
    grep -qx "commit 0123456789 (changed)" "$figures/one/training.txt"
    grep -qF "commit 0123456789" "$figures/three/training.svg"
}

@test "staircase: the bins where nearest and cut nearest disagree" {
    csv=$figures/one/staircase.csv
    # 1/6 to .249 and .751 to 5/6 at 2 bits; 1/2 is common to both.
    [ "$(rows "$csv" "k = 2 AND differ = 1" "printf('%.3f', u)" | tr '\n' ' ')" = "0.167 0.249 0.751 0.833 " ]
    # At 3 bits six of the seven boundaries.
    [ "$(rows "$csv" "k = 3 AND differ = 1" "count(*)")" = 12 ]
    # Floor steps at multiples of 2^-k, and stands for q / (2^k - 1).
    [ "$(rows "$csv" "k = 2" "printf('%.3f %.2f', floor, max(u))
        FROM t WHERE k = 2 GROUP BY floor --" | tr '\n' ' ')" = "0.000 0.25 0.333 0.50 0.667 0.75 1.000 1.00 " ]
    [ "$(rows "$csv" "k = 2" "printf('%.4f', max(u))
        FROM t WHERE k = 2 GROUP BY nearest --" | tr '\n' ' ')" = "0.1667 0.5000 0.8333 1.0000 " ]
    [ "$(rows "$csv" "k = 2" "printf('%.4f', max(u))
        FROM t WHERE k = 2 GROUP BY truncated --" | tr '\n' ' ')" = "0.2490 0.5000 0.7510 1.0000 " ]
    grep -qF "2 bits: different on 16.5 % of the range" "$figures/one/staircase.svg"
}

@test "a grid without finished runs is an error that leaves old figures alone" {
    echo old >"$BATS_TEST_TMPDIR/accuracy.svg"
    run "$root/scripts/figures.sh" --db "$db" --grid none --output "$BATS_TEST_TMPDIR"
    [ "$status" = 1 ]
    [[ $output == *": no runs of a grid 'none' are recorded; "* ]]
    sqlite3 -bail "$BATS_TEST_TMPDIR/changed.db" ".restore '$db'" "UPDATE attempts SET outcome = 'failed'"
    run "$root/scripts/figures.sh" --db "$BATS_TEST_TMPDIR/changed.db" --output "$BATS_TEST_TMPDIR"
    [ "$status" = 3 ]
    [[ $output == *" has no results of finished runs yet; "* ]]
    [ "$(cat "$BATS_TEST_TMPDIR/accuracy.svg")" = old ]
}

@test "figures that have no numbers any more do not stay" {
    echo old >"$BATS_TEST_TMPDIR/accuracy-calibrated.svg"
    run "$root/scripts/figures.sh" --figure accuracy,accuracy-calibrated --db "$db" --grid three --output "$BATS_TEST_TMPDIR"
    [ "$status" = 0 ]
    [ ! -e "$BATS_TEST_TMPDIR/accuracy-calibrated.svg" ]
}

@test "a file with the views of another version is drawn as this one would" {
    cp "$db" "$BATS_TEST_TMPDIR/old.db"
    sqlite3 "$BATS_TEST_TMPDIR/old.db" "DROP VIEW scheme_places" "DROP VIEW accuracy" "CREATE VIEW accuracy AS SELECT 1"
    chmod a-w "$BATS_TEST_TMPDIR/old.db"
    "$root/scripts/figures.sh" --figure accuracy --db "$BATS_TEST_TMPDIR/old.db" --grid three --output "$BATS_TEST_TMPDIR"
    cmp "$BATS_TEST_TMPDIR/accuracy.csv" "$figures/three/accuracy.csv"
}

# COMMAND ...: as one whom permissions bind, as they do not root.
bound() {
    if [ "$(id -u)" = 0 ]; then
        set -- setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search "$@"
    fi
    run --separate-stderr "$@"
}

@test "a database in a folder that cannot be written to is drawn, unless rows may be in its log alone" {
    folder=$BATS_TEST_TMPDIR/read-only
    mkdir "$folder"
    cp "$db" "$folder/results.db"
    sqlite3 "$folder/results.db" "PRAGMA journal_mode = WAL" >/dev/null # the mark of the log, which is not there
    chmod 555 "$folder"
    bound touch "$folder/x"
    [ "$status" = 1 ]
    bound "$root/scripts/figures.sh" --figure accuracy --db "$folder/results.db" --grid three --output "$BATS_TEST_TMPDIR/drawn"
    [ "$status" = 0 ]
    cmp "$BATS_TEST_TMPDIR/drawn/accuracy.csv" "$figures/three/accuracy.csv"
    chmod 755 "$folder"
    echo rows >"$folder/results.db-wal"
    chmod 555 "$folder"
    bound "$root/scripts/figures.sh" --figure accuracy --db "$folder/results.db" --grid three --output "$BATS_TEST_TMPDIR/other"
    chmod 755 "$folder"
    [ "$status" = 1 ]
    [[ $stderr == "truncquant: $folder/results.db: has rows in its -wal file, "* ]]
}

@test "a database that was left amid a change is not drawn, with what mends it" {
    cp "$db" "$BATS_TEST_TMPDIR/half.db"
    sqlite3 "$BATS_TEST_TMPDIR/half.db" "PRAGMA cache_size = 1" "BEGIN; CREATE TABLE large AS SELECT zeroblob(100000);
        UPDATE evaluations SET correct1 = 0; UPDATE attempts SET dirty = 1" \
        ".shell cp '$BATS_TEST_TMPDIR/half.db' '$BATS_TEST_TMPDIR/changed.db'" \
        ".shell cp '$BATS_TEST_TMPDIR/half.db-journal' '$BATS_TEST_TMPDIR/changed.db-journal'" ROLLBACK
    draw --figure accuracy --grid three
    [ "$status" = 1 ]
    [[ $stderr == "truncquant: "*"/changed.db: was left amid a change, which its -journal file undoes; "* ]]
    sqlite3 "$BATS_TEST_TMPDIR/changed.db" .schema >/dev/null
    draw --figure accuracy --grid three
    cmp "$BATS_TEST_TMPDIR/drawn/accuracy.csv" "$figures/three/accuracy.csv"
}

@test "no database, not a database, not a name" {
    run "$root/scripts/figures.sh" --db "$BATS_TEST_TMPDIR/none.db"
    [ "$status" = 1 ]
    [[ $output == "truncquant: $BATS_TEST_TMPDIR/none.db: there is no such database; "* ]]
    head -c 5000 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/not.db"
    run "$root/scripts/figures.sh" --db "$BATS_TEST_TMPDIR/not.db"
    [ "$status" = 1 ]
    [[ $output == *"not a database"* ]]
    run "$root/scripts/figures.sh" --db "$db" --grid "x'; DROP TABLE runs"
    [ "$status" = 1 ]
    [[ $output == *": no runs of a grid 'x'; DROP TABLE runs' are recorded; "* ]]
    run "$root/scripts/figures.sh" --grids one
    [ "$status" = 2 ]
}

@test "what cannot be written to, and what is no grid, get one line each" {
    echo junk >"$BATS_TEST_TMPDIR/junk"
    says() { # STATUS TEXT
        [ "$status" = "$1" ]
        [[ $output == [ft]*": "*"$2"* ]] # figures.sh, truncquant
        [ "${#lines[@]}" = 1 ]
    }
    cd "$BATS_TEST_TMPDIR"
    run "$root/scripts/figures.sh" --db "$db" --output junk
    says 1 "junk is no folder, where figures go; name another with --output"
    run "$root/scripts/figures.sh" --db "$db" --output junk/figures
    says 1 "junk/figures cannot be made, where figures go; name another with --output"
    run "$root/scripts/figures.sh" --db none/../none/x.db
    says 1 "none/../none/x.db: there is no such database; "
    run "$root/scripts/figures.sh" --db "$db" --grid ./none.grid
    says 1 "./none.grid: "
    run "$root/scripts/figures.sh" --db "$db" --grid ./junk
    says 1 "./junk:1: is neither [section] nor key = value; "
    run bash -c '"$@" >/dev/full' - "$root/scripts/figures.sh" --db "$db" --grid one --output drawn
    says 1 "standard output cannot be written to"
    [ "$(ls drawn)" = "$(ls "$figures/one")" ] # all of them
}

@test "a gnuplot that is too old is named before anything is made" {
    mkdir "$BATS_TEST_TMPDIR/old"
    printf '#!/bin/sh\necho "gnuplot 5.2 patchlevel 8"\n' >"$BATS_TEST_TMPDIR/old/gnuplot"
    chmod +x "$BATS_TEST_TMPDIR/old/gnuplot"
    PATH=$BATS_TEST_TMPDIR/old:$PATH run -1 "$root/scripts/figures.sh" --db "$db" --output "$BATS_TEST_TMPDIR/new"
    [ "$output" = "truncquant: gnuplot: gnuplot 5.2 patchlevel 8 is too old: 5.4 or newer is needed; Debian 12's gnuplot-nox \
is new enough" ]
    [ ! -e "$BATS_TEST_TMPDIR/new" ]
}

@test "a database among the figures is not replaced, a forgotten value is none" {
    cp "$db" "$BATS_TEST_TMPDIR/drops.csv"
    ln -s drops.csv "$BATS_TEST_TMPDIR/link"
    cd "$BATS_TEST_TMPDIR"
    for name in drops.csv link; do
        run -2 "$root/scripts/figures.sh" --db "$PWD/$name" --output "$PWD"
        [[ $output == *"drops.csv is the database; name another folder with --output" ]]
    done
    cmp drops.csv "$db"
    [ "$(ls)" = $'drops.csv\nlink' ]
    run -2 "$root/scripts/figures.sh" --db "$db" --grid --output "$PWD/new"
    [[ $output == *"--grid needs a value" ]]
    [ ! -e new ]
}

@test "many networks and schemes: the canvas grows" {
    sqlite3 -bail "$BATS_TEST_TMPDIR/many.db" ".read '$root/harness/store/schema/001-initial.sql'" \
        ".read '$root/harness/store/schema/002-parents.sql'" "PRAGMA user_version = 2" \
        ".read '$root/harness/store/schema/views.sql'" ".read '$BATS_TEST_DIRNAME/database.sql'" \
        "INSERT INTO runs SELECT substr(run_id, 3) || printf('%02d', value), substr(config_id, 3) || printf('%02d', value), spec,
             cfg, grid, scheme || value, network || value, dataset, data_hash, params, seed, widths, epochs, batch, images,
             act_bits, stored_bits, work, recorded_at, excluded, NULL, NULL FROM runs, json_each('[10, 11, 12, 13, 14, 15, 16, 17, 18]')" \
        "INSERT INTO attempts SELECT a.attempt + 100 * value, substr(run_id, 3) || printf('%02d', value), engine, precision,
             threads, isa, libraries, commit_id, dirty, host, pid, process_start, command, started_at, heartbeat_at,
             resumed_at, progress, ended_at, outcome, reason, cpu_seconds, peak_bytes
             FROM attempts a, json_each('[10, 11, 12, 13, 14, 15, 16, 17, 18]')" \
        "INSERT INTO evaluations SELECT NULL, attempt + 100 * value, epoch, split, bits, act_bits, stored_bits, bank, inference,
             calibration_batches, precision, images, correct1, correct5, loss_sum
             FROM evaluations, json_each('[10, 11, 12, 13, 14, 15, 16, 17, 18]')"
    run "$root/scripts/figures.sh" --figure accuracy --db "$BATS_TEST_TMPDIR/many.db" --output "$BATS_TEST_TMPDIR"
    [ "$status" = 0 ]
    [ "$(rows "$BATS_TEST_TMPDIR/accuracy.csv" 1 "max(panel + 0), max(curve + 0)")" = "20|30" ]
    small=$(sed -n 's/.* height="\([0-9]*\)".*/\1/p' "$figures/three/accuracy.svg" | head -n 1)
    large=$(sed -n 's/.* height="\([0-9]*\)".*/\1/p' "$BATS_TEST_TMPDIR/accuracy.svg" | head -n 1)
    [ "$large" -gt $((4 * small)) ]
    grep -q "truncquant18" "$BATS_TEST_TMPDIR/accuracy.svg"
}
