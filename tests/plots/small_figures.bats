# The figures of small panels (storage, ablation, layers) and calibration, on the database of database.sql.

bats_require_minimum_version 1.5.0

load figures

setup_file() {
    make_database
}

# figure NAME [OPTION ...]: its numbers into $csv, its caption into $txt, of changed.db or $db.
figure() {
    csv=$BATS_TEST_TMPDIR/$1.csv txt=$BATS_TEST_TMPDIR/$1.txt
    local from=$BATS_TEST_TMPDIR/changed.db
    [ -e "$from" ] || from=$db
    run --separate-stderr "$TRUNCQUANT" export figure "$1" --db "$from" --output "$csv" --caption "$txt" "${@:2}"
}

# Of two layers, which no run of database.sql has: 3 is cut to other weights at 2 bits, the later the seed the more, 1 never.
with_layers="INSERT INTO layers (attempt, layer, bits, name, quantization_error, truncation_error, codes_differ, scale)
    SELECT attempt, l.value, k.value, 'conv', 0.5, iif(l.value = 3 AND k.value = 2 AND scheme = 'qat', 0.1 * seed, 0), 0.25, 1
    FROM attempts JOIN runs USING (run_id), json_each('[1, 3]') l, json_each('[1, 2, 8]') k"

# Of two layers, too: 3 has twice as many weights as 1, 64 of them in each bin of 256 and, at the end, some elsewhere.
with_histograms="INSERT INTO histograms (attempt, layer, stage, weights, counts)
    SELECT attempt, l.value, s.value, l.value * 64 * 256 - 64 * 256 * (l.value = 3),
           (SELECT json_group_array(l.value * 64 - 64 * (l.value = 3) + (s.value = 'end') * (32 * (b = 0) - 32 * (b = 128 + seed)))
            FROM (WITH RECURSIVE n(b) AS (VALUES (0) UNION ALL SELECT b + 1 FROM n WHERE b < 255) SELECT b FROM n))
    FROM attempts JOIN runs USING (run_id), json_each('[1, 3]') l, json_each('[\"start\", \"end\"]') s"

@test "storage: cut, the first planes of one code; directly, a code for each trained width up to k" {
    changed "UPDATE runs SET widths = '1 2 32'" \
        "INSERT INTO evaluations SELECT NULL, attempt, epoch, split, 1, 1, 8, 1, inference, 0, precision, images, correct1 / 2,
             correct5, loss_sum, layer_bits, mean_bits FROM evaluations WHERE bits = 2 AND act_bits = 2 AND calibration_batches = 0"
    figure storage --grid three
    [ "$status" = 0 ]
    [ "$(rows "$csv" "label = 'qat'" "place, inference, bits, stored, top1, top1_sd, seeds, by_layer")" = "\
1|direct|1|1.0|40.0|1.0|3|0
1|direct|2|3.0|80.0|2.0|3|0
1|truncated|1|1.0|30.0|1.0|3|0
1|truncated|2|2.0|60.0|2.0|3|0" ]
    grep -qx "mean of 3 seeds, bar: ± 1 standard deviation over seeds" "$txt"
    # Of dedicated, each width has a model.
    changed "UPDATE runs SET scheme = 'dedicated', \"group\" = run_id, widths = iif(seed = 2, '1', '2') WHERE scheme = 'qat'" \
        "DELETE FROM evaluations WHERE inference = 'truncated' AND attempt <= 3" \
        "UPDATE evaluations SET bits = 1, act_bits = 1, correct1 = 300 WHERE attempt = 2 AND bits = 2 AND act_bits = 2"
    figure storage --grid three
    [ "$(rows "$csv" "scheme = 'dedicated'" "inference, bits, stored, top1, seeds")" = $'direct|1|1.0|30.0|1\ndirect|2|3.0|80.0|2' ]
    grep -qx "grey: dedicated, a model for each width" "$txt"
    draw --grid three --figure storage
    [ "$status" = 0 ]
    for text in "lenet, fashion-mnist" dedicated truncquant "bits stored" "top-1 (%)" "cut to k bits: one code for all" ">chance<" \
        "dedicated: a model for each width"; do
        grep -qF "$text" "$BATS_TEST_TMPDIR/drawn/storage.svg"
    done
}

@test "storage: widths by layer are points at their mean; at untrained widths only what is calibrated" {
    changed "INSERT INTO evaluations SELECT NULL, attempt, epoch, split, 0, act_bits, 8, 2, inference, 5, precision, images, 500,
             correct5, loss_sum, '2 3', 2.5 FROM evaluations WHERE inference = 'truncated' AND calibration_batches > 0" \
        "UPDATE runs SET widths = '4 32'"
    figure storage
    [ "$status" = 3 ]
    figure storage-calibrated
    [ "$(rows "$csv" "place = 1" "inference, bits, stored, top1, by_layer")" = $'truncated|2|2.0|63.0|0\ntruncated|2 3|2.5|50.0|1' ]
    grep -qx "points without a line: widths by layer, at their mean" "$txt"
    draw --figure storage-calibrated
    [ "$status" = 0 ]
    grep -qF ">cut to widths by layer<" "$BATS_TEST_TMPDIR/drawn/storage-calibrated.svg"
}

@test "ablation: where a scheme has several configurations, each is a curve, direct and truncated in panels of their own" {
    figure ablation --grid three
    [ "$status" = 3 ]
    figure ablation --grid one
    [ "$(rows "$csv" 1 "place, curve, scheme, setting, inference, bits, x, top1, seeds")" = "\
1|1|qat|epochs 5|direct|2|2|78.0|1
1|1|qat|epochs 5|direct|32|9|78.0|1
1|2|qat|epochs 200|direct|2|2|78.0|1
1|2|qat|epochs 200|direct|32|9|78.0|1
2|1|qat|epochs 5|truncated|2|2|58.0|1
2|2|qat|epochs 200|truncated|2|2|58.0|1" ]
    grep -qx "one seed, no error bar" "$txt"
    changed "UPDATE runs SET params = '{\"align\":\"10\"}', config_id = run_id WHERE scheme = 'qat' AND seed = 3 AND grid = 'three'" \
        "UPDATE runs SET params = '{\"align\":\"2\"}', config_id = run_id WHERE scheme = 'qat' AND seed = 2 AND grid = 'three'"
    draw --grid three --figure ablation
    [ "$status" = 0 ]
    csv=$BATS_TEST_TMPDIR/drawn/ablation.csv
    [ "$(rows "$csv" "bits = 2 AND inference = 'truncated'" "setting, top1")" = $'align 0|58.0\nalign 2|60.0\nalign 10|62.0' ]
    for text in "qat, direct" "qat, truncated" "align 10" "weight bits k"; do
        grep -qF ">$text<" "$BATS_TEST_TMPDIR/drawn/ablation.svg"
    done
}

@test "calibration: cut as trained and calibrated of the same seeds, and what is to be reached" {
    figure calibration --grid three
    [ "$status" = 3 ] # nothing is calibrated
    figure calibration --grid one
    [ "$(rows "$csv" "row = 1" "place, bits, mark, top1, half, seeds")" = "\
1|2|calibrated|63.0||1
1|2|direct|83.0||1
1|2|trained|58.0||1" ]
    grep -qx "one seed, no interval" "$txt"
    grep -qx "calibrated on 20 batches of training images" "$txt"
    changed "INSERT INTO evaluations SELECT NULL, attempt, epoch, split, bits, act_bits, 8, bank, inference, 20, precision, images,
             correct1 + 10 * (attempt = 1) + 20, correct5, loss_sum, layer_bits, mean_bits FROM evaluations
             WHERE attempt < 3 AND bits = 2 AND act_bits = 2" # of qat, without seed 3
    draw --grid three --figure calibration
    [ "$status" = 0 ]
    csv=$BATS_TEST_TMPDIR/drawn/calibration.csv
    # 58 and 60 become 61 and 62: deviation sqrt(2) and sqrt(1/2), t 12.7062.
    [ "$(rows "$csv" "mark <> 'direct'" "label, mark, top1, half, seeds")" = $'qat|calibrated|61.5|6.3531|2\nqat|trained|59.0|12.7062|2' ]
    for text in "2 bits" "cut to k bits, batch norm as trained" "cut to k bits, batch norm calibrated"; do
        grep -qF ">$text<" "$BATS_TEST_TMPDIR/drawn/calibration.svg"
    done
}

@test "layers: the mean error of each layer and width below the stored one" {
    figure layers
    [ "$status" = 3 ]
    changed "$with_layers"
    draw --grid three --figure layers
    [ "$status" = 0 ]
    csv=$BATS_TEST_TMPDIR/drawn/layers.csv
    [ "$(rows "$csv" "label = 'qat'" "place, row, column, layer, bits, error, codes_differ, shade, seeds")" = "\
1|1|1|1|1|0.0|0.25||3
1|1|2|1|2|0.0|0.25||3
1|2|1|3|1|0.0|0.25||3
1|2|2|3|2|0.2|0.25|-0.699|3" ]
    [ "$(rows "$csv" "label = 'truncquant'" "count(*), max(error), max(shade)")" = "4|0.0|" ]
    for text in qat truncquant layer "truncation error" "weight bits k"; do
        grep -qF ">$text<" "$BATS_TEST_TMPDIR/drawn/layers.svg"
    done
    grep -qx "mean of 3 seeds" "$BATS_TEST_TMPDIR/drawn/layers.txt"
}

@test "weights: how those of the largest layer lie, of the first seed, in bins of 1/64, and the boundaries of 2 bits" {
    figure weights
    [ "$status" = 3 ]
    changed "$with_histograms" "UPDATE histograms SET layer = 4 WHERE layer = 1 AND attempt = 4" \
        "UPDATE runs SET stored_bits = 6 WHERE scheme = 'qat'"
    draw --grid three --figure weights
    echo "$stderr"
    [ "$status" = 0 ]
    csv=$BATS_TEST_TMPDIR/drawn/weights.csv
    [ "$(rows "$csv" 1 "group_concat(n || stage, ' ') FROM (SELECT count(*) AS n, stage FROM t GROUP BY stage) --")" = \
        "6cut 128end 6floor 6nearest 128start" ]
    [ "$(rows "$csv" 1 "DISTINCT place, label, seed, layer, weights")" = $'1|qat|1|3|32768\n2|truncquant|1|3|32768' ]
    # 4 * 128 of 32,768; 32 more in the first, and 32 less in that of 129 / 4.
    [ "$(rows "$csv" "stage = 'start' AND place = 1" "DISTINCT share")" = 1.5625 ]
    [ "$(rows "$csv" "stage = 'end' AND place = 1 AND share <> '1.5625'" "u, share")" = $'0.0|1.6602\n0.5|1.4648' ]
    [ "$(rows "$csv" "share = '' AND place = 1" "stage, u")" = $'cut|0.246\ncut|0.5\ncut|0.754\nfloor|0.25\nfloor|0.5\nfloor|0.75
nearest|0.1667\nnearest|0.5\nnearest|0.8333' ]
    [ "$(rows "$csv" "stage = 'cut' AND place = 2" "u")" = $'0.249\n0.5\n0.751' ]
    for text in "lenet, fashion-mnist, layer 3" qat truncquant "weights (%)" u "when training began" \
        "nearest at 2 bits: 1/6, 1/2, 5/6" "nearest when stored, then cut to 2 bits" "floor at 2 bits: 1/4, 1/2, 3/4"; do
        grep -qF ">$text<" "$BATS_TEST_TMPDIR/drawn/weights.svg"
    done
    txt=$BATS_TEST_TMPDIR/drawn/weights.txt
    grep -qx "lenet, fashion-mnist: layer 3 of the network's file, the first of its quantized layers" "$txt"
    grep -qx "one seed: 1" "$txt"
    grep -qx "nearest at 6 bits, then cut at 0.246, 0.500, 0.754;" "$txt"
    # Where N is one, the legend says which; of a tie in weights, the first layer; of dedicated, the smallest width.
    changed "$with_histograms" "UPDATE histograms SET weights = 9" \
        "UPDATE runs SET scheme = 'dedicated', \"group\" = run_id, widths = 5 - seed, seed = 1 WHERE scheme = 'qat'"
    draw --grid three --figure weights
    grep -qF ">nearest at 8 bits, then cut to 2: 0.249, 0.500, 0.751<" "$BATS_TEST_TMPDIR/drawn/weights.svg"
    [ "$(rows "$csv" "label = 'dedicated' AND stage = 'end' AND share = (SELECT min(CAST(share AS REAL)) FROM t WHERE label = 'dedicated'
        AND stage = 'end')" "DISTINCT layer, u")" = "1|0.5" ]
    grep -qx "dedicated: the model of the smallest width" "$txt"
}

@test "every figure of names that mean something to gnuplot, CSV and XML" {
    name='a_b%<i>"$x'
    changed "$with_layers" "$with_histograms" "UPDATE runs SET scheme = '$name' || scheme, network = '$name' || network, dataset = '$name'" \
        "INSERT INTO epoch_evaluations (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference, precision, images, correct1,
             correct5, loss_sum) SELECT attempt, epoch, split, bits, act_bits, stored_bits, bank, inference, precision, images, correct1, correct5, loss_sum
             FROM evaluations WHERE act_bits <> 4 AND calibration_batches = 0"
    draw --width 3.4in
    echo "$stderr"
    [ "$status" = 0 ]
    for figure in $("$TRUNCQUANT" export figures | grep -v ^latency); do # nothing was timed
        [ -s "$BATS_TEST_TMPDIR/drawn/$figure.pdf" ]
        [ "$figure" = staircase ] || grep -qF '>a_b%&lt;i&gt;&quot;$x' "$BATS_TEST_TMPDIR/drawn/$figure.svg" ||
            grep -qF '>a_b%&lt;i&gt;"$x' "$BATS_TEST_TMPDIR/drawn/$figure.svg"
        rsvg-convert --output "$BATS_TEST_TMPDIR/x.png" "$BATS_TEST_TMPDIR/drawn/$figure.svg"
    done
}

@test "every figure of an empty database, and of one run" {
    sqlite3 -bail "$BATS_TEST_TMPDIR/changed.db" ".restore '$db'" "PRAGMA foreign_keys = OFF" "DELETE FROM evaluations" \
        "DELETE FROM epochs" "DELETE FROM grid_runs" "DELETE FROM attempts" "DELETE FROM runs"
    for figure in $("$TRUNCQUANT" export figures); do
        figure "$figure"
        [ "$figure" = staircase ] || [ "$status" = 3 ]
        [ "$figure" != staircase ] || [ "$status" = 0 ]
    done
    draw
    [ "$status" = 3 ]
    [[ $stderr == *": has no results of finished runs yet; "* ]]
    changed "$with_layers" "$with_histograms" "DELETE FROM grid_runs WHERE run_id <> (SELECT run_id FROM attempts WHERE attempt = 1)"
    draw --grid three
    echo "$stderr"
    [ "$status" = 0 ]
    [ "$(ls "$BATS_TEST_TMPDIR/drawn" | sed -n 's/\.csv$//p' | tr '\n' ' ')" = "accuracy dots drops gap layers staircase storage training weights " ]
}

@test "training: a PDF that is higher than a page of paper has several, on which blocks begin" {
    pages() {
        "$BATS_TEST_DIRNAME/../../scripts/figures.sh" --db "$BATS_TEST_DIRNAME/../../results/published/baselines.quick.db" \
            --output "$BATS_TEST_TMPDIR" --figure training --width 3.4in "$@" >"$BATS_TEST_TMPDIR/drawn"
        LC_ALL=C grep -ac "/MediaBox" "$BATS_TEST_TMPDIR/training.pdf"
    }
    [ "$(pages --scheme qat,minmax)" = 2 ] # of two blocks
    [ "$(pages --scheme qat,minmax --panel fashion-mnist --grid baselines.quick)" = 1 ]
    [ "$(pages --scheme qat,minmax,lsq,adabits,matquant,dedicated --panel fashion-mnist --grid baselines.quick)" = 2 ]
}
