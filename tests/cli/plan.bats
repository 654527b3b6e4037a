# truncquant plan: grids with their networks and data sets, what is recorded, and what is pending.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 256 64
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    mkdir -p experiments/networks
    printf '%s\n' '[net]' '[convolutional]' 'filters=4' 'size=3' 'stride=2' 'activation=relu' \
        '[connected]' 'activation=linear' '[softmax]' >experiments/networks/tiny.cfg
    grid 'qat, truncquant'
}

# Write a.grid with the schemes $1; the lines $2 are appended.
grid() {
    printf '%s\n' '[grid]' 'name = a' "scheme = $1" 'network = tiny' 'dataset = fashion-mnist' "${2-}" >a.grid
}

# Standard output alone.
plan() {
    run --separate-stderr "$program" plan --db a.db "$@"
}

# Fails, saying this on one line of stderr, with nothing on stdout and nothing recorded.
refuses() {
    plan a.grid
    echo "$stderr"
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [ ! -e a.db ]
    [[ $stderr == "truncquant: $1"* ]]
}

# An attempt of run $1 that started (and last gave a sign of life) $2 seconds ago, on another machine,
# and ended with outcome $3 ("": not yet).
attempt() {
    sql "INSERT INTO attempts (run_id, engine, precision, threads, isa, libraries, commit_id, dirty,
         host, pid, process_start, command, started_at, heartbeat_at, resumed_at, progress, ended_at,
         outcome) SELECT '$1', 'e', 'fp32', 1, 'i', 'l', 'c', 0, 'elsewhere', 1, 0, 'x',
         unixepoch() - $2, unixepoch() - $2, 0, 0,
         iif('$3' = '', NULL, unixepoch()), nullif('$3', '')"
}

# How many keys a specification has.
count_keys() {
    grep -cE '^SPEC_(SHARED_)?KEY\(' "$(realpath "$root")/harness/spec/key_rows.h"
}

@test "one run a line: id, names, seed, what is not at its default, blanks quoted" {
    grid 'qat' $'[train]\nwidths = 1 2\nepochs = 3\nimages = 128\n'
    plan a.grid
    [ "$status" -eq 0 ]
    [[ $output =~ ^[0-9a-f]{64}\ scheme=qat\ network=tiny\ dataset=fashion-mnist\ seed=1\  ]]
    [[ $output == *' widths="1 2" epochs=3 train.images=128 train.select=drawn' ]]
}

@test "logs have names that say what they are of, and are names of files whatever the network is called" {
    mkdir 'it is ünder'
    sed s/=4/=8/ experiments/networks/tiny.cfg >"it is ünder/a \$(b).cfg"
    printf '%s\n' '[grid]' 'name = a' 'scheme = qat' 'network = tiny, it is ünder/a $(b).cfg' 'dataset = fashion-mnist' \
        'seed = 3' '[quant]' 'dequantizer = low' >a.grid
    plan a.grid --logs
    echo "$stderr"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    first=${lines[0]%% *} second=${lines[1]%% *}
    [ "${lines[0]}" = "$first tanh-nearest-low-tiny-fashion-mnist-3-${first:0:12}" ]
    [ "${lines[1]}" = "$second tanh-nearest-low-a---b--fashion-mnist-3-${second:0:12}" ]
    plan a.grid --logs --ids
    [ "$status" -eq 2 ]
    [[ $stderr == *"--ids and --logs exclude each other"* ]]
}

@test "runs are recorded once, with everything a run needs" {
    plan a.grid
    plan a.grid
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 2 ]
    [ "$(sql 'SELECT count(*) FROM runs')" -eq 2 ]
    [ "$(sql 'SELECT count(*) FROM grid_runs WHERE grid = "a"')" -eq 2 ]
    [ "$(sql 'SELECT group_concat(scheme || network || dataset || widths || images) FROM runs')" = \
        "qattinyfashion-mnist1 2 4 8 32256,truncquanttinyfashion-mnist1 2 4 8 32256" ]
    [ "$(sql "SELECT cfg FROM runs LIMIT 1")" = "$(cat experiments/networks/tiny.cfg)" ]
    [ "$(sql "SELECT params ->> '$.rounder' FROM runs WHERE scheme = 'truncquant'")" = floor ]
}

@test "numbers among the parameters are numbers" {
    grid 'qat' $'[train]\nepochs = 3\nimages = 128\nlearning_rate = 0.01\n[quant]\nact_bits = 4'
    plan a.grid
    [ "$(sql "SELECT json_type(params, '$.epochs'), json_type(params, '$.\"train.images\"'),
              json_type(params, '$.learning_rate'), json_type(params, '$.act_bits'),
              json_type(params, '$.range') FROM runs")" = "integer|integer|real|integer|text" ]
}

@test "the work is that of training and of every evaluation" {
    # 1 x 28 x 28 -> 4 x 13 x 13: 13 * 13 * 4 * 9 + 676 * 10 = 12844 multiply-accumulates.
    grid 'qat' $'[train]\nepochs = 3\nimages = 200\nwidths = 1 8\nbatch = 64\n[evaluate]\nbits = 1 4 32\nimages = 10\ncalibration = 2\ncalibrate_at = widths\n'
    plan a.grid
    # 3 * 192 images * 3 epochs * 2 widths; 1 bit: 2 * (10 + 10 + 128), 4 bits: 2 * 10, 32: 10
    [ "$(sql "SELECT work = 12844 * (3456 + 296 + 20 + 10) FROM runs")" -eq 1 ]
}

@test "the id is that of what is computed, not of its names" {
    plan a.grid --ids
    before=$output
    cp experiments/networks/tiny.cfg other.cfg
    sed -i 's/tiny/.\/other.cfg/; s/name = a/name = b/; s/truncquant/truncquant # x/; s/ # x//' a.grid
    echo '# a comment' >>other.cfg
    plan a.grid --ids
    [ "$output" = "$before" ]
    sed -i 's/filters=4/filters=5/' other.cfg
    plan a.grid --ids
    [ "$status" -eq 0 ]
    [ "${lines[0]}" != "${before%%$'\n'*}" ]
}

@test "a dry run records nothing" {
    plan a.grid --dry-run --pending --ids
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 2 ]
    [ ! -e a.db ]
    plan a.grid --ids
    attempt "${lines[0]}" 1 complete
    grid 'qat, truncquant, minmax'
    plan a.grid --dry-run --pending
    [ "${#lines[@]}" -eq 2 ]
    [[ $output == *scheme=truncquant*scheme=minmax* ]]
    [ "$(sql 'SELECT count(*) FROM runs')" -eq 2 ]
}

@test "pending are those without an attempt that counts: dead ones too, failed ones on request" {
    grid 'fp32, qat, minmax, truncquant, truncquant-minmax'
    plan a.grid --ids
    ids=("${lines[@]}")
    attempt "${ids[0]}" 10 complete
    attempt "${ids[1]}" 10 failed
    attempt "${ids[2]}" 10 ''
    attempt "${ids[3]}" 1000 ''
    plan a.grid --ids --pending
    [ "$output" = "${ids[3]}"$'\n'"${ids[4]}" ]
    plan a.grid --ids --pending --retry-failed
    [ "$output" = "${ids[1]}"$'\n'"${ids[3]}"$'\n'"${ids[4]}" ]
    sql "UPDATE runs SET excluded = 'by hand' WHERE run_id = '${ids[4]}'"
    plan a.grid --ids --pending
    [ "$output" = "${ids[3]}" ]
}

@test "an edited grid asks for what is new alone, and drops what it no longer names" {
    plan a.grid --ids
    for id in "${lines[@]}"; do
        attempt "$id" 10 complete
    done
    plan a.grid --pending
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    grid 'truncquant, minmax' 'seed = 1, 2'
    plan a.grid --pending
    [ "${#lines[@]}" -eq 3 ]
    [[ ${lines[0]} == *truncquant*seed=2* && ${lines[2]} == *minmax*seed=2* ]]
    [ "$(sql 'SELECT count(*) FROM runs')" -eq 5 ]
    [ "$(sql 'SELECT count(*) FROM grid_runs WHERE current')" -eq 4 ]
}

@test "--explain says where each value came from" {
    grid 'qat' $'[train]\nepochs = 3\nmomentum = 0.5\n[when scheme=qat]\nbatch = 64\n'
    plan a.grid --explain
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq $((1 + $(count_keys))) ]
    [[ $output =~ scheme\ +qat\ +a.grid:3 ]]
    [[ $output =~ rounder\ +nearest\ +scheme ]]
    [[ $output =~ epochs\ +3\ +a.grid:7 ]]
    [[ $output =~ momentum\ +0.9\ +no\ effect ]]
    [[ $output =~ batch\ +64\ +a.grid:10 ]]
    [[ $output =~ seed\ +1\ +default ]]
}

@test "notes are printed once for each network, and not when quiet" {
    sed -i 's/^\[net\]$/[net]\nlearning_rate=0.1/' experiments/networks/tiny.cfg
    grid 'qat, truncquant' $'[train]\nmomentum = 0.5'
    plan a.grid
    [ "$status" -eq 0 ]
    [ "${#stderr_lines[@]}" -eq 3 ]
    [ "${stderr_lines[0]}" = "truncquant: note: a.grid:7: momentum has no effect in any run of this grid" ]
    [[ ${stderr_lines[1]} == "truncquant: note: experiments/networks/tiny.cfg: cfg line 1: learning_rate"* ]]
    plan a.grid --quiet
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
}

@test "Darknet is not loaded" {
    LD_DEBUG=files run "$program" plan a.grid --db a.db
    [ "$status" -eq 0 ]
    [[ $output == *libsqlite3* && $output != *libdarknet* ]]
}

@test "mistakes in the grid name file and line, and record nothing" {
    grid 'qat' $'[train]\nepoch = 3'
    refuses "a.grid:7: unknown key 'epoch'; did you mean epochs?"
    grid 'qat' $'[train]\nepochs = three'
    refuses "a.grid:7: epochs takes a whole number from 1"
    grid 'qat, tuncquant'
    refuses "a.grid:3: unknown scheme 'tuncquant'; did you mean truncquant?"
    grid 'qat' $'[exclude]\nrule = scheme=qat'
    refuses "a.grid:7: the rule excludes every combination"
    : >a.grid
    refuses "a.grid:1: is empty"
    rm a.grid
    refuses "a.grid: cannot be opened"
}

@test "unknown networks and data sets are named with the line that asks for them" {
    sed -i 's/= tiny/= tony/' a.grid
    refuses "a.grid:4: network 'tony' is not in experiments/networks, "
    [[ $stderr == *"/usr/share/darknet/cfg; did you mean tiny?"* ]]
    sed -i 's/= tony/= .\/none.cfg/' a.grid
    refuses "a.grid:4: network file ./none.cfg cannot be read"
    grid qat
    sed -i 's/fashion-mnist/fashion-mnits/' a.grid
    refuses "a.grid:5: unknown data set 'fashion-mnits'; did you mean fashion-mnist?"
}

@test "a mistake in a network names the network's file and line" {
    sed -i 's/stride=2/stride=0/' experiments/networks/tiny.cfg
    refuses "experiments/networks/tiny.cfg:5: "
    printf '%s\n' '[net]' '[connected]' 'output=7' 'activation=linear' >experiments/networks/tiny.cfg
    refuses "experiments/networks/tiny.cfg:2: the network ends with 7 outputs"
}

@test "a broken data set is refused" {
    cp -r "$TRUNCQUANT_DATA" data
    truncate -s 1000 data/fashion-mnist/train-images-idx3-ubyte
    export TRUNCQUANT_DATA=$PWD/data TRUNCQUANT_CACHE=$PWD/cache
    refuses "$PWD/data/fashion-mnist/train-images-idx3-ubyte: "
}

@test "more images than there are, and batches that cannot be filled, are refused" {
    grid 'qat' $'[train]\nimages = 257'
    refuses "a.grid:7: 257 training images are asked for, but fashion-mnist has 256"
    grid 'qat' $'[evaluate]\nimages = 65'
    refuses "a.grid:7: 65 test images are asked for, but fashion-mnist has 64"
    grid 'qat' $'[train]\nbatch = 257'
    refuses "a.grid:7: a batch of 257 cannot be filled from the 256 training images"
}

@test "two names of one network are refused" {
    cp experiments/networks/tiny.cfg experiments/networks/twin.cfg
    sed -i 's/= tiny/= tiny, twin/' a.grid
    refuses "a.grid:4: tiny on fashion-mnist and twin on fashion-mnist are the same by content"
}

@test "a database that cannot be used is named" {
    echo 'no database' >a.db
    plan a.grid
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: a.db: "* ]]
    [ "$(cat a.db)" = 'no database' ]
}

@test "wrong use ends with status 2" {
    for arguments in '' 'a.grid b.grid' 'a.grid --ids --explain' 'a.grid --retry-failed' 'a.grid --id'; do
        # shellcheck disable=SC2086
        plan $arguments
        [ "$status" -eq 2 ]
        [ -n "$stderr" ]
        [ -z "$output" ]
    done
}

@test "how runs are to be computed is checked, and makes no other runs" {
    for arguments in '--engine foo' '--precision bf17' '--arithmetic int4' '--threads 0' '--engine reference --precision bf16'; do
        # shellcheck disable=SC2086
        plan a.grid $arguments
        [ "$status" -eq 2 ]
        [ "${#stderr_lines[@]}" -eq 1 ]
        [ -z "$output" ]
        [ ! -e a.db ]
    done
    plan a.grid --ids --dry-run
    ids=$output
    plan a.grid --ids --engine reference --arithmetic fp32
    [ "$status" -eq 0 ]
    [ "$output" = "$ids" ]
}

@test "every grid in experiments/ is valid, says what it asks and costs, and has a quick twin" {
    cd "$root"
    for grid in experiments/*.grid; do
        run --separate-stderr env -u TRUNCQUANT_DATA "$program" plan "$grid" --set "dataset=fashion-mnist image_size=0" --dry-run --db "$BATS_TEST_TMPDIR/no.db"
        echo "$grid: $stderr"
        [ "$status" -eq 0 ]
        [ "${#lines[@]}" -ge 2 ]
        [[ ${stderr_lines[-1]} == "truncquant: note: ${#lines[@]} runs, "* ]]
        [ "${#stderr_lines[@]}" -eq 1 ] # nothing in it is without effect
        [[ $(grep '^name' "$grid") == "name    = $(basename "$grid" .grid)" ]]
        [ "$grid" = experiments/demo.grid ] && continue
        grep -q '^# .*?' "$grid"
        grep -q '^# Estimated cost: [0-9,]* core-' "$grid"
        [ -e "${grid%.grid}.quick.grid" ] || [[ $grid == *.quick.grid || $grid == */headline-* || $grid == */control-* ]]
    done
}

@test "a grid of experiments/ whose data is not here says how to get it" {
    cd "$root"
    mkdir "$BATS_TEST_TMPDIR/none"
    for grid in experiments/*.grid; do
        run --separate-stderr env TRUNCQUANT_DATA="$BATS_TEST_TMPDIR/none" "$program" plan "$grid" --dry-run --db "$BATS_TEST_TMPDIR/no.db"
        echo "$grid: $stderr"
        case $(sed -n 's/^dataset *= *//p' "$grid") in
        fashion-mnist) ;;
        cifar10) [[ $stderr == *"run scripts/data.sh cifar10, or put cifar-10-binary.tar.gz"* ]] ;;
        imagenet | cifar10-jpeg) [[ $stderr == *"or a folder of images \$TRUNCQUANT_DATA/NAME" ]] ;;
        *) false ;;
        esac
    done
}

@test "quick grids take minutes on two cores" {
    cd "$root"
    for grid in experiments/*.quick.grid; do
        run --separate-stderr env -u TRUNCQUANT_DATA "$program" plan "$grid" --set "dataset=fashion-mnist image_size=0" --dry-run --db "$BATS_TEST_TMPDIR/no.db"
        [[ $stderr =~ about\ ([0-9]+)[0-9.]*\ core-minutes ]]
        [ "${BASH_REMATCH[1]}" -le 120 ]
    done
}

@test "the manual knows every key, and its example makes the runs it says" {
    manual=$(realpath "$root")/experiments/README.md
    plan a.grid --explain
    keys=$(printf '%s\n' "${lines[@]:1:$(count_keys)}" | sed -E 's/^ +([^ ]+) .*/\1/; s/^(train|evaluate)\.//')
    [ "$(wc -l <<<"$keys")" -eq "$(count_keys)" ]
    for key in $keys; do
        grep -q "| \`$key\` |" "$manual"
    done
    cp experiments/networks/tiny.cfg experiments/networks/lenet.cfg
    sed 's/filters=4/filters=5/' experiments/networks/tiny.cfg >experiments/networks/resnet8.cfg
    sed -n '/^    \[grid\]/,/^\*\*Commas/s/^    //p' "$manual" >manual.grid
    plan manual.grid
    [ "${#lines[@]}" -eq 18 ]
    grep -q '18 runs' "$manual"
}

# What is known instead of something wrong, as the message that was printed has it behind $1: words, sorted.
known() {
    sed -n "s/.*$1//p" <<<"$stderr" | sed 's/[);].*//; s/, / /g' | tr ' ' '\n' | sort
}

# The keys in the manual's row of a section, sorted.
documented() {
    grep "^| \`\[$1\]\`" "$manual" | cut -d'|' -f3 | grep -oE '`[^`]+`' | tr -d '`' | sort
}

@test "the manual knows every layer of a network, its keys, those that are our own, and every activation" {
    manual=$(realpath "$root")/experiments/README.md
    cfg=experiments/networks/tiny.cfg
    printf '%s\n' '[net]' '[zqz]' '[activation]' 'activation=zqz' >$cfg
    plan a.grid
    layers=$(known 'the layers are ')
    activations=$(known 'activation takes ')
    [ "$(wc -l <<<"$layers")" -gt 10 ]
    [ "$layers" = "$(sed -n '/^| section | keys | what/,/^$/p' "$manual" | grep -oE '^\| `\[[a-z]+\]' | tr -cd 'a-z\n' | sort)" ]
    for some in "$(head -n 8 <<<"$layers")" "$(tail -n +9 <<<"$layers")"; do # of a file, ten mistakes are said
        { echo '[net]' && printf '[%s]\nzqz=1\n' $some; } >$cfg
        plan a.grid
        for layer in $some; do
            [[ $stderr == *"zqz in [$layer]"* ]]
            diff <(known "zqz in .$layer.; delete it (known: ") <(documented "$layer")
        done
    done
    [ "$(wc -l <<<"$activations")" -gt 10 ]
    [ "$activations" = "$(sed -n '/^| activation | f(x)/,/^$/p' "$manual" | sed 1,2d | cut -d'|' -f2 | grep -oE '[a-z0-9]+' | sort)" ]
    own=$(sed -n '/^static void put_harness_keys/,/^}/p' "$(realpath "$root")/harness/cfg/print.c" | grep -oP '"\K[a-z]+(?=")' | sort)
    [ -n "$own" ]
    [ "$own" = "$(sed -n '/^| own key | of/,/^$/p' "$manual" | grep -oE '^\| `[a-z]+`' | tr -cd 'a-z\n' | sort)" ]
    [ "$own" = "$(grep -E '^\| `\[[a-z]+\]`' "$manual" | grep -oE '\*\*`[a-z]+`\*\*' | tr -cd 'a-z\n' | sort -u)" ]
}

@test "the manual has every column of the errors of layers" {
    plan a.grid
    for column in $(sql "SELECT name FROM pragma_table_info('layers') WHERE name NOT IN ('attempt', 'bits')"); do
        sed -n '/^## Errors of layers/,/^## /p' "$(realpath "$root")/experiments/README.md" | grep -qE "^\| .*\`$column\`.* \|"
    done
}

@test "schemes say what they need of widths and stored bits" {
    grid 'matquant, lsq, double-rounding' $'[train]\nwidths = 2 4\n[quant]\nstored_bits = 4'
    plan a.grid
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 3 ]
    rm a.db
    grid 'lsq' $'[train]\nwidths = 2 4'
    refuses "a.grid:7: scheme lsq stores codes of the step it learned at stored_bits 8, which is not among its widths; "
    grid 'double-rounding' $'[train]\nwidths = 2 4 8\n[quant]\nstored_bits = 4'
    refuses "a.grid:7: scheme double-rounding slices its codes from stored_bits 4, so it has no width 8; "
    grid 'matquant' $'[train]\nwidths = 4 8\n[quant]\nstored_bits = 6'
    refuses "a.grid:7: scheme matquant slices its codes from stored_bits 6, so it has no width 8; "
    grid 'matquant'
    refuses "a.grid:3: widths begin at 1, but the smallest of matquant is 2; "
    grid 'lsq' $'[quant]\nrounder = floor'
    refuses "a.grid:7: scheme lsq defines its own rounder; "
    grid 'matquant' $'[quant]\ndequantizer = low\n[train]\nwidths = 2 8'
    refuses "a.grid:7: scheme matquant defines its own dequantizer; "
    grid 'double-rounding' $'[quant]\nlayer_scale = pow2\n[train]\nwidths = 2 8'
    refuses "a.grid:7: layer_scale pow2 exists for range tanh only"
    grid 'lsq' $'[train]\nwidths = 2 4\n[quant]\nstored_bits = 4\n[evaluate]\nbits = 5 6 8'
    refuses "a.grid:11: none of the evaluated bits exists for lsq"
}

@test "step_rate is of schemes that learn steps alone" {
    grid 'qat, lsq' $'[train]\nstep_rate = 0.01, 0.1'
    plan a.grid
    [ "${#lines[@]}" -eq 3 ]
    [[ ${lines[0]} != *step_rate* && ${lines[1]} == *" step_rate=0.01"* ]]
}

@test "a direct result that does not exist is not counted as work" {
    # 12844 multiply-accumulates; lsq at 3 bits is truncated alone, at 4 both, at 32 direct alone.
    grid 'lsq' $'[train]\nepochs = 3\nimages = 200\nwidths = 4 32\nbatch = 64\n[quant]\nstored_bits = 4\n[evaluate]\nbits = 3 4 32\nimages = 10\ncalibration = 0\n'
    plan a.grid
    [ "$(sql "SELECT work = 12844 * (3456 + 10 + 20 + 10) FROM runs")" -eq 1 ]
}

@test "the cost: by a stated rate, then by what runs of the network, or others, took" {
    # 12844 multiply-accumulates; 3 * 2 * 192 images trained, 2 + 1 widths and inferences of 64 evaluated
    grid 'qat' $'[train]\nepochs = 1\nimages = 192\nwidths = 8 32\nbatch = 64\n[evaluate]\nbits = 8 32\ncalibration = 0\n'
    plan a.grid --dry-run
    [ "$stderr" = "truncquant: note: 1 run, 1.7e+07 multiply-accumulates (86 % training): about 0.0 core-minutes, at 4e10 a second and core, a rough figure: no run was measured yet" ]
    plan a.grid
    attempt "${output%% *}" 7200 complete
    sql "UPDATE attempts SET heartbeat_at = started_at + 7200, progress = 1" # the whole run
    plan a.grid --dry-run
    [[ $stderr == *": about 2.0 core-hours, as measured for each network (elsewhere)" ]]
    sql "UPDATE attempts SET host = '$(hostname)'"
    grid 'qat' $'seed = 1, 2, 3\n[train]\nepochs = 1\nimages = 192\nwidths = 8 32\nbatch = 64\n[evaluate]\nbits = 8 32\ncalibration = 0\n'
    plan a.grid --pending
    [[ $stderr == *"2 runs, "*": about 4.0 core-hours, as measured for each network" ]]
    sql "UPDATE runs SET network = 'other' WHERE seed = 1"
    plan a.grid --dry-run
    [[ $stderr == *": about 6.0 core-hours, by what was measured, on other networks in part" ]]
    plan a.grid --quiet
    [ -z "$stderr" ]
}

@test "--set: the command line instead of the file, in a grid of its own" {
    grid 'qat, truncquant' $'seed = 1, 2\n[when scheme=qat]\nepochs = 7'
    plan a.grid --ids
    plan a.grid --set 'seed=3,4 epochs=5' --explain
    [ "$status" -eq 0 ]
    [ "$(grep -c '  seed  *[34]  *--set' <<<"$output")" -eq 4 ]
    [ "$(grep -c '  epochs  *5  *--set' <<<"$output")" -eq 4 ]
    [ "$(sql "SELECT group_concat(grid || n, ' ') FROM (SELECT grid, count(*) AS n FROM grid_runs WHERE current GROUP BY 1)")" = "a4 a-3-4-54" ]
    plan a.grid --set 'widths="1 2" scheme=qat' --name
    [ "$output" = "a-1-2-qat" ]
    [ "$(sql "SELECT count(*) FROM grid_runs WHERE grid = 'a-1-2-qat'")" -eq 2 ]
    plan a.grid --set 'scheme=truncquant' --dry-run # [when scheme=qat] has nothing left to match
    [ "${#lines[@]}" -eq 2 ]
}

@test "an option whose value was forgotten does not take the next option for it" {
    printf '[grid]\nname = a\n' >a.grid
    missing() { # OPTION VALUE TAKEN VERB ARGUMENT ...
        run "$program" "${@:4}"
        [ "$status" -eq 2 ]
        [ "$output" = "truncquant: $4: $1 needs a value ($2), not $3; one that begins so is written $1=$3" ]
    }
    missing --set SETTINGS --db plan a.grid --set --db a.db
    missing --db FILE --set plan a.grid --db --set seed=1
    missing --db FILE --quiet status --db --quiet
    missing --db FILE -- status --db -- a
    missing --bits '"K ..."' --quiet evaluate 1234567 --bits --quiet
    missing --reason TEXT --db exclude 1234567 --reason --db a.db
    missing --output FILE --db export runs --output --db a.db
    missing --spec "FILE" --db run --spec --db a.db
    missing --data NAME --db check --data --db a.db
    [ ! -e a.db ]
    # Tied to the name it is the value; one dash is no option.
    run "$program" status --db=--quiet
    [ "$output" = "truncquant: --quiet: there is no such database; 'truncquant plan GRID' records runs, --db names another file" ]
    run "$program" run --spec - --db a.db </dev/null
    [[ $output == *"standard input: "* ]]
}

@test "--set: mistakes are its own" {
    for mistake in "epoch=3|unknown key 'epoch'; did you mean epochs?" "epochs=x|epochs takes a whole number from 1" \
        "epochs|'epochs' is not a condition; " "dataset=fashion|unknown data set 'fashion'; " \
        "seed=1 seed=2|seed is said twice; " "batch=300|a batch of 300 cannot be filled" \
        'widths="1 2|a condition has an opening quote only'; do
        plan a.grid --set "${mistake%%|*}"
        [ "$status" -eq 1 ]
        [[ $stderr == "truncquant: --set: ${mistake#*|}"* ]]
        [ ! -e a.db ]
    done
}

@test "what is pending is printed with the longest run first" {
    grid 'qat' $'[train]\nepochs = 2, 9, 5\n'
    plan a.grid --pending
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == *" epochs=9"* && ${lines[1]} == *" epochs=5"* && ${lines[2]} == *" epochs=2"* ]]
    plan a.grid
    [[ ${lines[0]} == *" epochs=2"* && ${lines[1]} == *" epochs=9"* ]]
}
