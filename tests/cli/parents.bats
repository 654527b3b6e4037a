# Runs that take other runs' weights (ptq), and runs that are one scheme together (dedicated).

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 256 64
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
}

# Write a.grid with the schemes $1; the lines $2 are appended.
grid() {
    printf '%s\n' '[grid]' 'name = a' "scheme = $1" 'network = ./tiny.cfg' 'dataset = fashion-mnist' \
        "${2-}" '[train]' 'epochs = 2' 'batch = 16' 'widths = 1 2 32' '[evaluate]' 'calibration = 2' >a.grid
}

id() {
    sql "SELECT run_id FROM runs WHERE scheme = '$1'"
}

run_all() {
    for run in $("$program" plan a.grid --db a.db --pending --ids --quiet); do
        "$program" run "$run" --db a.db --quiet "$@"
    done
}

# The cells of scheme $1: "bits inference", without calibration.
cells() {
    sql "SELECT group_concat(cell, ', ') FROM (SELECT DISTINCT bits || ' ' || inference AS cell
         FROM accuracy WHERE scheme = '$1' ORDER BY bits, inference)"
}

@test "plan adds the run whose weights ptq takes, and says so" {
    grid ptq
    go plan a.grid
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 2 ]
    [[ ${lines[0]} == *" scheme=fp32 "* && ${lines[1]} == *" scheme=ptq "* ]]
    [[ $stderr == *"a.grid: runs of fp32 are added, whose weights others take: 1"* ]]
    [ "$(sql "SELECT c.parent = p.run_id FROM runs c JOIN runs p WHERE c.scheme = 'ptq' AND p.scheme = 'fp32'")" = 1 ]
    # first in the list of what is pending, and alone in that of what can be run now
    go plan a.grid --pending --ids --quiet
    [ "${lines[0]}" = "$(id fp32)" ] && [ "${lines[1]}" = "$(id ptq)" ]
    go plan a.grid --pending --ready --ids
    [ "$output" = "$(id fp32)" ]
}

@test "a grid that has the parent keeps its own, one for each seed and recipe" {
    grid 'ptq, fp32' 'seed = 1, 2'
    go plan a.grid
    [ "$(sql 'SELECT count(*) FROM runs')" = 4 ]
    [[ $stderr != *"are added"* ]]
    [ "$(sql "SELECT count(*) FROM runs c JOIN runs p ON p.run_id = c.parent AND p.seed = c.seed")" = 2 ]
    printf '%s\n' '[when scheme=ptq]' 'epochs = 1' >>a.grid # another recipe: other parents
    go plan a.grid
    [ "$(sql "SELECT count(*) FROM runs WHERE scheme = 'fp32'")" = 4 ]
}

@test "ptq trains nothing, waits for its parent, and evaluates the parent's weights" {
    grid ptq
    "$program" plan a.grid --db a.db --quiet
    ptq=$(id ptq) fp32=$(id fp32)
    go run "$ptq"
    [ "$status" -eq 1 ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "truncquant: run ${ptq:0:12} takes the weights of run ${fp32:0:12} (fp32), which is pending; 'truncquant run ${fp32:0:12}' first" ]]
    [ "$(sql 'SELECT count(*) FROM attempts')" = 0 ]
    run_all
    [ "$(sql "SELECT count(*) FROM attempts WHERE outcome = 'complete'")" = 2 ]
    [ "$(sql "SELECT count(*) FROM epochs JOIN attempts USING (attempt) WHERE run_id = '$ptq'")" = 0 ]
    [ "$(sql "SELECT count(*) || ' ' || count(DISTINCT layer) || ' ' || count(DISTINCT counts) FROM weight_histograms
              WHERE scheme = 'ptq' AND stage IN ('start', 'end')")" = '2 1 1' ]
    # At 32 bits it is the parent, to the last bit; at 1 it is not.
    [ "$(sql "SELECT count(DISTINCT loss) FROM accuracy WHERE bits = 32 AND calibrated = 0")" = 1 ]
    [ "$(sql "SELECT count(DISTINCT loss) FROM accuracy WHERE bits IN (1, 32) AND calibrated = 0 AND inference = 'direct'")" = 2 ]
    [ "$(cells ptq)" = "1 direct, 1 truncated, 2 direct, 2 truncated, 3 direct, 3 truncated, 4 direct, 4 truncated, 5 direct, 5 truncated, 6 direct, 6 truncated, 7 direct, 7 truncated, 8 direct, 8 truncated, 32 direct" ]
    [ "$(sql "SELECT DISTINCT act_bits FROM accuracy WHERE scheme = 'ptq'")" = 32 ]
    # and again
    go evaluate "$ptq" --bits "2" --images 32
    [ "$status" -eq 0 ]
    mv "a.runs/$fp32/checkpoint" kept
    go evaluate "$ptq"
    [ "$status" -eq 1 ]
    [[ $stderr == *"a.runs/$fp32/checkpoint: is missing: the weights of run ${fp32:0:12} that run ${ptq:0:12} takes"* ]]
}

@test "ptq from a specification records its parent, too" {
    printf '%s\n' 'scheme = ptq' 'network = ./tiny.cfg' 'dataset = fashion-mnist' 'batch = 16' 'epochs = 1' >a.spec
    go run --spec a.spec
    [ "$status" -eq 1 ]
    [[ $stderr == *"'truncquant run $(id fp32 | cut -c 1-12)' first"* ]]
    go run "$(id fp32)" --quiet
    go run --spec a.spec --quiet
    [ "$status" -eq 0 ]
}

@test "with quantized activations, ptq clips at what it measured, truncated inference too" {
    grid ptq '[quant]
act_bits = 32, 4, same'
    "$program" plan a.grid --db a.db --quiet
    [ "$(sql "SELECT count(*) FROM runs WHERE scheme = 'fp32'")" = 1 ]
    run_all
    [ "$(sql "SELECT count(DISTINCT run_id) FROM accuracy WHERE scheme = 'ptq'")" = 3 ]
    [ "$(sql "SELECT group_concat(DISTINCT act_bits) FROM (SELECT act_bits FROM accuracy
              WHERE scheme = 'ptq' AND bits = 8 ORDER BY 1)")" = 4,8,32 ]
    # 8 of 8 bits are not cut: the frozen model has the bounds that the latent one was given
    [ "$(sql "SELECT count(*) FROM accuracy d JOIN accuracy t USING (run_id, bits, calibrated)
              WHERE d.inference = 'direct' AND t.inference = 'truncated' AND bits = 8 AND d.loss = t.loss")" = 6 ]
    # 8-bit activations within their range change little
    [ "$(sql "SELECT max(loss) - min(loss) < 0.05 * min(loss) FROM accuracy WHERE scheme = 'ptq' AND bits = 8
              AND calibrated = 0 AND inference = 'direct' AND act_bits >= 8")" = 1 ]
    eight=$(sql "SELECT run_id FROM runs WHERE scheme = 'ptq' AND act_bits = 0")
    before=$(sql "SELECT loss FROM accuracy WHERE run_id = '$eight' AND bits = 8 AND inference = 'direct' AND calibrated = 0")
    go evaluate "$eight" --bits 8 --calibration 1
    [ "$status" -eq 0 ]
    # its bounds are those of the run, whatever this evaluation calibrates with
    [ "$(sql "SELECT count(DISTINCT loss_sum) FROM evaluations JOIN attempts USING (attempt)
              WHERE run_id = '$eight' AND bits = 8 AND inference = 'direct' AND calibration_batches = 0")" = 1 ]
}

@test "what ptq cannot do is one line" {
    grid ptq '[quant]
range = tanh'
    go plan a.grid
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: a.grid:7: ptq takes trained weights as they are, and range tanh would bend them; use minmax" ]]
    grid ptq '[quant]
act_bits = 4'
    sed -i 's/calibration = 2/calibration = 0/' a.grid
    go plan a.grid
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: a.grid:13: ptq clips activations at percentiles over calibration batches, and there are none; use some, or act_bits 32" ]]
}

@test "dedicated is a run for each width, evaluated at that alone, and one row of the table" {
    grid 'dedicated, qat' 'seed = 1, 2'
    "$program" plan a.grid --db a.db --quiet
    [ "$(sql "SELECT group_concat(widths) FROM (SELECT widths FROM runs WHERE scheme = 'dedicated' AND seed = 1 ORDER BY sequence)")" = 1,2,32 ]
    [ "$(sql "SELECT count(DISTINCT \"group\") || ' ' || count(DISTINCT config_id) FROM runs WHERE scheme = 'dedicated'")" = '2 1' ]
    [ "$(sql "SELECT count(\"group\") FROM runs WHERE scheme = 'qat'")" = 0 ]
    run_all
    [ "$(cells dedicated)" = "1 direct, 2 direct, 32 direct" ]
    [ "$(sql "SELECT count(*) FROM accuracy_summary WHERE scheme = 'dedicated' AND n = 2 AND calibrated = 0")" = 3 ]
    [ "$(sql "SELECT count(*) FROM layers l JOIN attempts USING (attempt) JOIN runs USING (run_id)
              WHERE scheme = 'dedicated' AND truncation_error IS NOT NULL")" = 0 ]
    go export accuracy --format csv-wide --grid a
    [ "$(grep -c ',dedicated,' <<<"$output")" = 1 ]
    [[ $(grep ',dedicated,' <<<"$output") != *widths* ]]
    [ ! -e "a.runs/$(sql "SELECT run_id FROM runs WHERE scheme = 'dedicated' LIMIT 1")/model.frozen" ]
    go evaluate "$(sql "SELECT run_id FROM runs WHERE scheme = 'dedicated' AND widths = '2' LIMIT 1")" --images 32
    [ "$status" -eq 0 ]
    go evaluate "$(sql "SELECT run_id FROM runs WHERE scheme = 'dedicated' AND widths = '2' LIMIT 1")" --bits 4
    [ "$status" -eq 1 ]
    [[ $stderr == *"results at the width it trained alone, 2; evaluate that"* ]]
    TRUNCQUANT=$program "$root/scripts/figures.sh" --db "$PWD/a.db" --output "$PWD/figures" >/dev/null
    [ "$(grep -c dedicated figures/accuracy.csv)" = 3 ]
}

@test "dedicated, whatever other widths a grid has, is run once" {
    grid dedicated
    sed -i 's/widths = 1 2 32/widths = 1 2, 2 4/' a.grid
    go plan a.grid --ids
    [ "${#lines[@]}" -eq 3 ]
    before=$(sql 'SELECT group_concat(DISTINCT config_id) FROM runs')
    sed -i 's/widths = .*/widths = 2 8/' a.grid
    go plan a.grid
    [ "$(sql 'SELECT count(*) FROM runs')" = 4 ]
    [ "$(sql 'SELECT group_concat(DISTINCT config_id) FROM runs')" = "$before" ]
    printf '%s\n' '[exclude]' 'rule = scheme=dedicated widths=8' >>a.grid
    go plan a.grid --ids
    [ "${#lines[@]}" -eq 1 ]
    printf '%s\n' 'scheme = dedicated' 'network = ./tiny.cfg' 'dataset = fashion-mnist' >a.spec
    go run --spec a.spec
    [ "$status" -eq 1 ]
    [[ $stderr == *"a.spec: a run of dedicated trains one width, not 5; name one"* ]]
}

@test "ptq with quantized activations is evaluated again without calibration" {
    grid ptq '[quant]
act_bits = 8'
    run_all
    go evaluate "$(id ptq)" --calibration 0 --bits 4 --quiet
    [ "$status" -eq 0 ]
}
