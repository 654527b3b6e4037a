#!/usr/bin/env bats
# `claims`: what a number rests on, as a page and as macros; what no longer is as the page says; what is wrong in a claim.

load runs

setup() {
    cd "$BATS_TEST_TMPDIR"
    mkdir claims databases
    "$program" merge "$root/results/published/ablation-align.quick.db" --db databases/made.db --quiet
    claim qat-cut '-- What two bits of QAT give,' '-- cut and as they are.' '-- database = made' \
        "SELECT run_id, seed, inference, top1 FROM grid_cells
         WHERE grid IS :grid AND split = :split AND scheme = 'qat' AND bits = 2 AND NOT calibrated;
         SELECT inference || 'Two', printf('%.2f', avg(top1)) FROM claim GROUP BY 1
         UNION ALL SELECT 'lost', printf('%.2f %%', -12.5);"
}

# claim NAME LINE ...
claim() {
    printf '%s\n' "${@:2}" >"claims/$1.sql"
}

claims() {
    run --separate-stderr "$program" claims claims --databases databases "$@"
    echo "$output" "$stderr"
}

# refused STATUS TEXT: one line that has it, and no page
refused() {
    claims
    [ "$status" -eq "$1" ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == *"$2"* ]]
    [ ! -e CLAIMS.md ]
}

@test "a claim's number is that of its rows, and the page has its runs, its query and its cost" {
    claims --macros macros.tex
    [ "$status" -eq 0 ]
    mean=$(sql "SELECT printf('%.2f', avg(100.0 * correct1 / e.images)) FROM evaluations e JOIN attempts USING (attempt)
                JOIN runs USING (run_id) WHERE scheme = 'qat' AND bits = 2 AND inference = 'truncated'
                AND calibration_batches = 0" databases/made.db)
    grep -qxF "\\newcommand{\\truncatedTwo}{$mean}" macros.tex
    grep -qxF '\newcommand{\lost}{\(-\)12.50 \%}' macros.tex
    grep -qxF "| truncatedTwo | $mean |" CLAIMS.md
    grep -qxF 'What two bits of QAT give, cut and as they are.' CLAIMS.md
    while read -r id commit; do
        grep -q "^| ${id:0:12} | qat .*${commit:0:10}" CLAIMS.md
        grep -q "^| $id | " CLAIMS.md
    done <<<"$(sql "SELECT run_id, commit_id FROM runs JOIN attempts USING (run_id) WHERE scheme = 'qat'" databases/made.db | tr '|' ' ')"
    grep -q 'FROM grid_cells' CLAIMS.md
    hours=$(sql "SELECT printf('%.2f', sum(cpu_seconds) / 3600) FROM attempts JOIN runs USING (run_id) WHERE scheme = 'qat'" databases/made.db)
    grep -q "$hours core-hours" CLAIMS.md
    cp CLAIMS.md once.md
    claims
    cmp CLAIMS.md once.md
}

@test "a measured number has one digit, as in tables, and its deviation; 0 has no sign" {
    claim reals '-- Reals.' '-- database = made' "SELECT run_id FROM runs LIMIT 1;
        SELECT 'a', 12.25, 0.75 UNION ALL SELECT 'b', -0.04, NULL UNION ALL SELECT 'c', 3, NULL UNION ALL SELECT 'd', 79.05, NULL;"
    claims
    [ "$status" -eq 0 ]
    for row in "a | $(printf '%.1f ± %.1f' 12.25 0.75)" 'b | 0.0' 'c | 3' "d | $(awk 'BEGIN { printf "%.1f", 79.05 }')"; do
        grep -qxF "| $row |" CLAIMS.md
    done
}

@test "a number of negative sign, the signs of TeX, and a name that is LaTeX" {
    claim signs '-- Signs.' '-- database = made' "SELECT run_id FROM runs LIMIT 1;
        SELECT 'a', '-1.5 ± 2 × 3 % a_b & \$x {y} \\z ~ ^ # 1-2' UNION ALL SELECT 'b', '−7';"
    claims --macros macros.tex
    [ "$status" -eq 0 ]
    grep -qxF '\newcommand{\a}{\(-\)1.5 \(\pm\) 2 \(\times\) 3 \% a\_b \& \$x \{y\} \textbackslash{}z \textasciitilde{} \textasciicircum{} \# 1-2}' macros.tex
    grep -qxF '\newcommand{\b}{\(-\)7}' macros.tex
}

@test "--check names what is stale, new and gone, and writes nothing" {
    claim other '-- Another.' '-- database = made' "SELECT run_id FROM runs; SELECT 'other', count(*) FROM claim;"
    claims
    claims --check
    [ "$status" -eq 0 ]
    [ -z "$output$stderr" ]
    sql "UPDATE evaluations SET correct1 = correct1 + 1 WHERE bits = 2 AND inference = 'truncated' AND calibration_batches = 0" databases/made.db
    claim fresh '-- Third.' '-- database = made' "SELECT run_id FROM runs; SELECT 'fresh', count(*) FROM claim;"
    rm claims/other.sql
    cp CLAIMS.md before.md
    claims --check
    [ "$status" -eq 1 ]
    [ "$output" = "stale: qat-cut"$'\n'"new: fresh"$'\n'"gone: other" ]
    [[ $stderr == *"CLAIMS.md: is not what the databases say (3 claims)"* ]]
    cmp CLAIMS.md before.md
}

@test "a figure and a table are claims: their runs, and the table as TeX" {
    claim picture '-- A picture.' '-- database = made' '-- figure = gap' '-- width = 7in'
    claim rows '-- A table.' '-- database = made' '-- table = accuracy'
    claims --tables tables --macros macros.tex
    [ "$status" -eq 0 ]
    "$program" export accuracy --format tex --split test --db databases/made.db >expected.tex
    cmp expected.tex tables/rows.tex
    [ "$(ls tables)" = rows.tex ]
    [ "$(sed -n '/^## picture/,/^## /p' CLAIMS.md | grep -c '^| [0-9a-f]\{12\} |')" -eq "$(sql 'SELECT count(*) FROM runs' databases/made.db)" ]
    claims --list
    [ "${lines[0]}" = $'picture\tfigure\tdatabases/made.db\t\ttest\tgap\t7in' ]
}

@test "a figure that was drawn from other numbers is called stale" {
    claim picture '-- A picture.' '-- database = made' '-- grid = ablation-align.quick' '-- figure = gap'
    mkdir -p figures/ablation-align.quick
    "$program" export figure gap --grid ablation-align.quick --split test --db databases/made.db --output figures/ablation-align.quick/gap.csv
    claims
    claims --check --figures figures
    [ "$status" -eq 0 ]
    sed -i '2s/[0-9]/7/g' figures/ablation-align.quick/gap.csv
    claims --check --figures figures
    [ "$status" -eq 1 ]
    [ "$output" = "stale: figures/ablation-align.quick/gap.csv" ]
    [[ $stderr == *"1 figure was drawn from other numbers"* ]]
    claims --figures figures
    [ "$status" -eq 2 ]
}

@test "runs that this program would compute otherwise are called stale" {
    sql "UPDATE attempts SET fingerprint = '$(printf '0%.0s' {1..64})' WHERE run_id IN (SELECT run_id FROM runs WHERE scheme = 'qat')" databases/made.db
    claims
    [ "$status" -eq 0 ]
    grep -q 'stale\*\*: this program would compute them otherwise' CLAIMS.md
    grep -q '^| [0-9a-f]* | qat .* | stale |$' CLAIMS.md
}

@test "what is wrong in a claim gets one line that names its file" {
    q="SELECT run_id FROM runs; SELECT 'n', 1;"
    while IFS='|' read -r text lines; do
        rm -f claims/*
        printf -- "${lines//\~/%}" >claims/x.sql
        refused 1 "claims/x.sql$text"
    done <<END
:1: does not say what is claimed|-- database = made\n$q
: names no database|-- Words.\n$q
: has no query|-- Words.\n-- database = made\n
:3: says 'database' twice|-- Words.\n-- database = made\n-- database = made\n$q
: database = a/b: is a path|-- Words.\n-- database = a/b\n$q
: has queries, a figure or a table besides like = x|-- Words.\n-- database = made\n-- like = x\n$q
: like = y: no claim of that name has queries|-- Words.\n-- database = made\n-- like = y\n
: width = 7in: is of figures alone|-- Words.\n-- database = made\n-- width = 7in\n$q
: is of a figure, which has no query here|-- Words.\n-- database = made\n-- figure = gap\n$q
: there is no figure nothing|-- Words.\n-- database = made\n-- figure = nothing\n
: 'nothing' cannot be exported|-- Words.\n-- database = made\n-- table = nothing\n
: databases/made.db: no runs of a grid 'nothing'|-- Words.\n-- database = made\n-- grid = nothing\n$q
: its first query: |-- Words.\n-- database = made\nSELECT nothing; $q
: has no rows in databases/made.db|-- Words.\n-- database = made\nSELECT run_id FROM runs WHERE 0; SELECT 'n', 1;
: its second query has 1 columns; select a name, a number|-- Words.\n-- database = made\nSELECT run_id FROM runs; SELECT 1;
: its second query gives no number|-- Words.\n-- database = made\nSELECT run_id FROM runs; SELECT 'n', 1 WHERE 0;
: 'n1' cannot be a macro|-- Words.\n-- database = made\nSELECT run_id FROM runs; SELECT 'n1', 1;
: the number n is NULL|-- Words.\n-- database = made\nSELECT run_id FROM runs; SELECT 'n', NULL;
: its rows are of no run|-- Words.\n-- database = made\nSELECT 'none' AS run_id; SELECT 'n', 1;
: databases/none.db|-- Words.\n-- database = none\n$q
: the number n is another claim's, too|-- Words.\n-- database = made\nSELECT run_id FROM runs; SELECT 'n', 1 UNION ALL SELECT 'n', 2;
END
    rm claims/*
    refused 1 'claims: holds no claim'
    rmdir claims
    refused 1 'claims: the folder of claims cannot be read'
}

@test "a page is no database and no claim's database is changed" {
    sums=$(sha256sum databases/made.db)
    claims --output databases/made.db
    [ "$status" -eq 1 ]
    [[ $stderr == *"is a database"* ]]
    claims --check --macros m.tex
    [ "$status" -eq 2 ]
    claims
    [ "$(sha256sum databases/made.db)" = "$sums" ]
}
