# The README's numbers are those of published databases, and its examples work as they stand there.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_DIRNAME/../.."
    published=results/published/demo.db
}

# sql STATEMENTS [DATABASE]
sql() {
    sqlite3 -batch -init /dev/null "${2:-$published}" "$1"
}

# The README's indented block whose first line begins with $1, without the indentation.
block() {
    sed -n "/^    $1/,/^\$/p" README.md | sed 's/^    //'
}

# Means over seeds: scheme, inference, bits, calibrated, mean and deviation.
setup_file() {
    cd "$BATS_TEST_DIRNAME/../.."
    sqlite3 -batch -init /dev/null results/published/demo.db "
        SELECT scheme, inference, bits, calibrated, printf('%.6f ± %.6f', top1, top1_sd) FROM accuracy_summary
        WHERE dataset = 'fashion-mnist' AND network = 'resnet8' AND n = 3 AND images = 2000" >"$BATS_FILE_TMPDIR/means"
}

mean() {
    grep "^$1|$2|$3|$4|" "$BATS_FILE_TMPDIR/means" | cut -d'|' -f5
}

# Two "mean ± deviation" are equal to the digits of the first.
rounds_to() {
    awk -v a="$1" -v b="$2" 'BEGIN {
        split(a, x, " ± "); split(b, y, " ± ")
        exit !(b ~ /±/ && (x[1] - y[1]) ^ 2 <= 0.0502 ^ 2 && (x[2] - y[2]) ^ 2 <= 0.0502 ^ 2)
    }' || { echo "$1 is not $2" && return 1; }
}

@test "the table of results is that of the published database" {
    local scheme='' cells=0 row inference bits
    while IFS='|' read -r _ row inference one two four eight _; do
        row=$(tr -d ' `' <<<"$row") inference=$(tr -d ' ' <<<"$inference")
        scheme=${row:-$scheme}
        for bits in 1:"$one" 2:"$two" 4:"$four" 8:"$eight"; do
            rounds_to "$(xargs <<<"${bits#*:}")" "$(mean "$scheme" "$inference" "${bits%%:*}" 0)"
            cells=$((cells + 1))
        done
    done < <(sed -n '/^| trained by | run/,/^$/p' README.md | sed '1,2d; /^$/d')
    [ "$cells" -eq 24 ]
}

@test "what is said below the table is so" {
    [ "$(sql 'SELECT DISTINCT epochs, images FROM runs')" = "4|8000" ]
    # "to the last bit": every seed's losses are equal, too.
    same="SELECT count(*), sum(direct.loss <> cut.loss) FROM accuracy direct JOIN accuracy cut USING (run_id, bits, calibrated, split)
          WHERE direct.inference = 'direct' AND cut.inference = 'truncated' AND direct.scheme IN"
    [ "$(sql "$same ('truncquant')")" = "36|0" ]
    [ "$(sql "$same ('truncquant-minmax', 'adabits')" results/published/baselines.quick.db)" = "144|0" ]
}

@test "what a grid of the paper's length costs follows from the published runs" {
    text=$(tr '\n' ' ' <README.md)
    [[ $text =~ is\ ([0-9.e]+)\ multiply-accumulates:\ about\ ([0-9]+)\ core-hours\ at\ the\ ([0-9.e]+)\ a\ second ]]
    work=${BASH_REMATCH[1]} hours=${BASH_REMATCH[2]} rate=${BASH_REMATCH[3]}
    [[ $text =~ a\ run\ of\ five\ widths\ takes\ ([0-9]+)\ hours ]]
    measured=$(sql "SELECT sum(r.work) / sum(a.cpu_seconds) FROM runs r JOIN attempts a USING (run_id)
                    WHERE network = 'resnet20' AND widths = '1 2 4 8 32'" results/published/baselines.quick-resnet20.db)
    awk -v measured="$measured" -v work="$work" -v hours="$hours" -v rate="$rate" -v run="${BASH_REMATCH[1]}" 'BEGIN {
        # Of each of five seeds, three schemes with five widths, and fp32 with one.
        exit !(sprintf("%.1e", measured) + 0 == rate + 0 && (work / rate / 3600 / hours - 1) ^ 2 < 0.02 ^ 2 &&
               (work / 5 / (3 + 1 / 5) / rate / 3600 / run - 1) ^ 2 < 0.03 ^ 2)
    }'
}

@test "the example in SQL prints what the table has" {
    run --separate-stderr bash -c "$(block 'sqlite3 results')"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "${#lines[@]}" -eq 6 ]
    for line in "${lines[@]}"; do
        IFS='|' read -r scheme inference top1 seeds <<<"$line"
        [ "$seeds" -eq 3 ]
        sed -n "/^| .$scheme. | direct/,+1p" README.md | grep "| $inference |" | cut -d'|' -f5 | grep -qF "$top1 ±"
    done
}

@test "the example in Python prints what the table has" {
    block 'import sqlite3' >"$BATS_TEST_TMPDIR/example.py"
    run --separate-stderr python3 "$BATS_TEST_TMPDIR/example.py"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    grep -qxE 'truncquant +0\.0 points' <<<"$output"
    for scheme in qat minmax; do
        drop=$(sed -n "/^| .$scheme. | direct/,+1p" README.md | cut -d'|' -f5 | awk 'NR == 1 { d = $1 } NR == 2 { printf "%.1f", d - $1 }')
        awk -v drop="$drop" -v scheme="$scheme" '$1 == scheme && ($2 - drop) ^ 2 <= 0.11 ^ 2 { found = 1 } END { exit !found }' <<<"$output"
    done
}

@test "its picture is there, and named where it cannot be seen" {
    IFS=$'\t' read -r alternative picture < <(sed -nE 's/^!\[(.*)\]\((.*)\)$/\1\t\2/p' README.md)
    [ "${#alternative}" -gt 20 ]
    [ "$(head -c 4 "$picture" | tail -c 3)" = PNG ]
}
