# truncquant export figure, and export figures: the numbers of figures and what is said below them, on a database whose
# numbers can be checked by hand (tests/plots/database.sql). tests/plots draws them.

bats_require_minimum_version 1.5.0

root=$BATS_TEST_DIRNAME/../..

setup_file() {
    export truncquant db="$BATS_FILE_TMPDIR/results.db" schema=$root/harness/store/schema
    truncquant=$(realpath "$root/${BUILD:-build}/truncquant")
    newest=$(basename "$(printf '%s\n' "$schema"/[0-9]*.sql | tail -n 1)")
    cat "$schema"/[0-9]*.sql "$schema/views.sql" "$root/tests/plots/database.sql" - \
        <<<"PRAGMA user_version = $((10#${newest%%-*}));" | sqlite3 -bail "$db"
}

setup() {
    cd "$BATS_TEST_TMPDIR"
}

@test "figures lists a name for each query in plots, and its twin where that asks for calibrated results" {
    run -0 "$truncquant" export figures
    expected=$(cd "$root/plots" && for file in *.sql; do
        [[ $file == *-caption.sql ]] && continue
        echo "${file%.sql}"
        ! grep -q ":calibrated" "$file" || echo "${file%.sql}-calibrated"
    done)
    [ "$output" = "$expected" ]
    for name in $output; do
        [ -s "$root/plots/${name%-calibrated}.gp" ]
    done
}

@test "a figure is CSV to the byte" {
    run -0 "$truncquant" export figure accuracy --db "$db" --grid three
    [ "$output" = "\
panel,curve,style,variant,dataset,network,label,split,inference,bits,x,top1,top1_sd,seeds,images,chance
1,1,2,0,fashion-mnist,lenet,qat,test,direct,2,2,80.0,2.0,3,1000,10.0
1,1,2,0,fashion-mnist,lenet,qat,test,direct,32,9,80.0,2.0,3,1000,10.0
1,1,2,0,fashion-mnist,lenet,qat,test,truncated,2,2,60.0,2.0,3,1000,10.0
1,2,4,0,fashion-mnist,lenet,truncquant,test,direct,2,2,80.0,2.0,3,1000,10.0
1,2,4,0,fashion-mnist,lenet,truncquant,test,direct,32,9,80.0,2.0,3,1000,10.0
1,2,4,0,fashion-mnist,lenet,truncquant,test,truncated,2,2,80.0,2.0,3,1000,10.0" ]
    cp "$db" odd.db
    sqlite3 odd.db "UPDATE runs SET network = 'a, \"b\" ü', dataset = '' WHERE scheme = 'qat'" \
        "UPDATE runs SET dataset = 'it''s' WHERE scheme <> 'qat'"
    run -0 "$truncquant" export figure drops --db odd.db --grid three
    [ "${lines[1]}" = '1,1,1,2,0,"","a, ""b"" ü",qat,test,2,20.0,0.0,3,1000' ]
    [ "${lines[2]}" = "2,2,1,4,0,\"it's\",lenet,truncquant,test,2,0.0,0.0,3,1000" ]
}

@test "its caption: alone, beside the numbers, and as it was asked for before" {
    run -0 "$truncquant" export figure training --db "$db" --grid three --caption -
    [ "$output" = "\
lenet on fashion-mnist; 60,000 training images, 200 epochs, Adam,
learning rate 0.001, step schedule, batch 128; n = 3 seeds
loss: cross-entropy against the labels, whatever the width learns from
mean of 3 seeds, band: ± 1 standard deviation over seeds
commit 0123456789" ]
    echo "$output" >alone
    run -0 "$truncquant" export figure training --db "$db" --grid three --caption beside --output numbers
    [ "$output" = "" ]
    cmp alone beside
    "$truncquant" export figure training --db "$db" --grid three >others
    cmp numbers others
    run -0 "$truncquant" export caption training --db "$db" --grid three
    [ "$output" = "$(cat alone)" ]
    run -0 "$truncquant" export figure staircase --db "$db" --caption -
    [ "$output" = "endpoint dequantizer: û = q / (2^k - 1); nearest rounds ties to even" ]
}

@test "calibrated results: a name of its own, or an option" {
    run -0 "$truncquant" export figure accuracy --calibrated --db "$db" --grid one
    numbers=$output
    run -0 "$truncquant" export figure accuracy-calibrated --calibrated --db "$db" --grid one
    [ "$output" = "$numbers" ]
    [ "$(grep -c "83.0" <<<"$numbers")" -ge 1 ]
    run -0 "$truncquant" export caption accuracy-calibrated --db "$db" --grid one
    [[ $output == *"batch norm calibrated for each width and inference"* ]]
    run -2 "$truncquant" export figure training --calibrated --db "$db"
    [ "$output" = "truncquant: export: the figure training shows no calibrated results; leave --calibrated out" ]
}

@test "all figures of one state of the database go into a folder; those without numbers are not there" {
    run -0 "$truncquant" export figures --output all --db "$db" --grid three
    [ "$output" = $'accuracy\ndots\ndrops\ngap\nstaircase\nstorage\ntraining' ]
    [ "$(ls all | tr '\n' ' ')" = "accuracy.csv accuracy.txt dots.csv dots.txt drops.csv drops.txt gap.csv gap.txt \
staircase.csv staircase.txt storage.csv storage.txt training.csv training.txt " ]
    for name in $output; do
        "$truncquant" export figure "$name" --db "$db" --grid three --caption caption --output numbers
        cmp numbers "all/$name.csv"
        cmp caption "all/$name.txt"
    done
}

@test "no rows is status 3, an error 1, wrong use 2; tables likewise" {
    for what in "figure learning" "figure accuracy-calibrated" "accuracy-calibrated" "reductions-calibrated"; do
        run -3 --separate-stderr "$truncquant" export $what --db "$db" --grid three
        [ "$output" = "" ]
        [[ $stderr == "truncquant: $db: has no "* ]]
    done
    run -1 "$truncquant" export figure accuracy --db "$db" --grid none
    run -1 "$truncquant" export figure accuracy --db none.db
    cp "$db" broken.db
    sqlite3 broken.db "DROP TABLE epochs"
    run -1 "$truncquant" export figure training --db broken.db
    run -1 "$truncquant" export figures --output all --db broken.db
    for what in "figure" "figure runs" "figure accuracy-caption" "figure training-calibrated" "caption runs" "figure accuracy drops"; do
        run -2 "$truncquant" export $what --db "$db"
        [ "$output" = "truncquant: export: ${what%% *} takes one figure; 'truncquant export figures' lists them" ]
    done
    run -2 "$truncquant" export figure accuracy --format tex --db "$db"
    [ "$output" = "truncquant: export: --format goes with tables; leave it out" ]
    run -2 "$truncquant" export figures --split test --db "$db"
    [ "$output" = "truncquant: export: --split goes with --output FOLDER; leave it out" ]
    run -2 "$truncquant" export accuracy --caption x --db "$db"
    [ "$output" = "truncquant: export: --caption goes with one figure; leave it out" ]
    [ ! -e all ]
}

@test "what a figure leaves out is said on standard error, but with --quiet" {
    cp "$db" val.db
    sqlite3 val.db "UPDATE evaluations SET split = 'val' WHERE attempt = 1"
    run -0 --separate-stderr "$truncquant" export figure drops --db val.db --grid three
    [ "$stderr" = "truncquant: not drawn: 1 of 6 runs, evaluated on val alone (--split val)" ]
    run -0 --separate-stderr "$truncquant" export figure drops --db val.db --grid three --quiet
    [ "$stderr" = "" ]
    run -0 --separate-stderr "$truncquant" export figure drops --db val.db --grid three --split val
    [ "$(cut -d, -f9 <<<"${lines[1]}")" = val ]
}

@test "nothing that cannot be made again is replaced" {
    cp "$db" all.db
    mkdir all
    cp "$db" all/drops.txt
    run -1 "$truncquant" export figures --output all --db "$db"
    [[ $output == *"all/drops.txt: is a database and is not replaced; "* ]]
    [ "$(ls all)" = drops.txt ]
    for option in --output --caption; do
        run -1 "$truncquant" export figure accuracy $option all.db --db "$db"
        [[ $output == *"all.db: is a database and is not replaced; "* ]]
    done
    cmp all.db "$db"
}

# Three seeds with 70, 72, 74 % truncated and 90 % direct at 8 4 2 bits, whose mean is 3.5: nothing else of the figures moves.
@test "widths by layer are curves of their own" {
    cp "$db" layers.db
    for kind in accuracy drops; do
        "$truncquant" export figure "$kind" --db "$db" --grid three >"before.$kind"
    done
    sqlite3 -bail layers.db "INSERT INTO evaluations (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference,
             calibration_batches, precision, images, correct1, correct5, loss_sum, layer_bits, mean_bits)
         SELECT attempt, v.epoch, split, 0, 0, 8, 0, inference, 0, v.precision, v.images,
             CASE inference WHEN 'direct' THEN 900 ELSE correct1 + 120 END, correct5, 1, '8 4 2', 3.5
         FROM evaluations v JOIN attempts USING (attempt) JOIN runs r USING (run_id)
         WHERE r.grid = 'three' AND r.scheme = 'qat' AND bits = 2 AND v.act_bits = 2"
    "$truncquant" export figure accuracy --db layers.db --grid three >accuracy
    [ "$(grep -v layers accuracy | sed 's/^1,3,/1,2,/')" = "$(cat before.accuracy)" ]
    [ "$(grep layers accuracy)" = "\
1,2,2,1,fashion-mnist,lenet,\"qat layers 8 4 2\",test,direct,\"8 4 2\",3.5,90.0,0.0,3,1000,10.0
1,2,2,1,fashion-mnist,lenet,\"qat layers 8 4 2\",test,truncated,\"8 4 2\",3.5,72.0,2.0,3,1000,10.0" ]
    run -0 "$truncquant" export figure accuracy --db layers.db --grid three --caption -
    [[ $output == *"layers: bits of each quantized layer in the order of the network,"* ]]
    # Drops as trained are those of trained widths; calibrated, a list has one, too.
    "$truncquant" export figure drops --db layers.db --grid three >drops
    cmp drops before.drops
    sqlite3 -bail layers.db "UPDATE evaluations SET calibration_batches = 5 WHERE attempt IN
             (SELECT attempt FROM attempts JOIN runs USING (run_id) WHERE grid = 'three')"
    run -0 "$truncquant" export figure drops-calibrated --db layers.db --grid three
    [ "$output" = "\
panel,curve,place,style,variant,dataset,network,label,split,bits,points,half,seeds,images
1,1,1,2,0,fashion-mnist,lenet,qat,test,2,20.0,0.0,3,1000
1,2,2,2,1,fashion-mnist,lenet,\"qat layers 8 4 2\",test,\"8 4 2\",18.0,4.9683,3,1000
1,3,1,4,0,fashion-mnist,lenet,truncquant,test,2,0.0,0.0,3,1000" ]
}
