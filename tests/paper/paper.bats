#!/usr/bin/env bats
# The report: made from databases, and from nothing else.

bats_require_minimum_version 1.5.0

setup() {
    root=$(realpath "$BATS_TEST_DIRNAME/../..")
    export TRUNCQUANT=$root/${BUILD:-build}/truncquant
    cd "$BATS_TEST_TMPDIR"
}

# make_paper DATABASES: x.pdf and x.md, here
make_paper() {
    run --separate-stderr "$root/scripts/paper.sh" --databases "$1" --output out --pdf x.pdf --page x.md
    echo "$output" "$stderr"
}

needs_latex() {
    command -v latexmk >/dev/null && kpsewhich IEEEtran.cls >/dev/null ||
        skip "no LaTeX with IEEEtran here; 'scripts/setup.sh --paper' installs it"
}

@test "the report in the tree is what its databases give, and a second call does nothing; another row is another text" {
    needs_latex
    make_paper "$root/results/published"
    [ "$status" -eq 0 ]
    cmp x.md "$root/CLAIMS.md"
    pdftotext -layout x.pdf new.txt
    pdftotext -layout "$root/paper/truncquant.pdf" tree.txt
    diff tree.txt new.txt
    [ "$(stat -c %s "$root/paper/truncquant.pdf")" -lt 1000000 ]
    [ "$(pdfinfo x.pdf | awk '/^Pages/ { print $2 }')" -ge 4 ]
    [ "$(pdfinfo x.pdf | awk '/^Pages/ { print $2 }')" -le 6 ]

    touch -d 2001-01-01 x.pdf x.md
    make_paper "$root/results/published"
    [ "$status" -eq 0 ]
    [ "$output" = "$PWD/x.pdf is up to date" ]
    [ "$(date -r x.pdf +%Y)" = 2001 ]

    # QAT's cut two bits, as trained: 34.6 is no other number of the report.
    cp -r "$root/results/published" copied
    sqlite3 -batch copied/headline-fashion.db "
        UPDATE evaluations SET correct1 = CAST(images * 0.3456 AS INTEGER), correct5 = images
        WHERE bits = 2 AND inference = 'truncated' AND calibration_batches = 0 AND attempt IN (
            SELECT attempt FROM attempts JOIN runs USING (run_id) WHERE scheme = 'qat' AND widths = '1 2 4 8 32')"
    make_paper copied
    [ "$status" -eq 0 ]
    pdftotext -layout x.pdf changed.txt
    run ! grep -q '34\.6' new.txt
    grep -q '^ *cut .* 34\.6 ' changed.txt
}

@test "no number is typed in the report's text" {
    run -0 python3 "$root/tests/paper/typed.py" "$root"/paper/truncquant.tex "$root"/paper/sections/*.tex
    [ -z "$output" ]
    printf '%s\n' 'It is 81.0 there.' '% 12' '$2^k-1$ and \ref{a1} \cite{b2020}' '$x = 79.5$' >made.tex
    run -1 python3 "$root/tests/paper/typed.py" made.tex
    [ "${#lines[@]}" -eq 2 ]
    [[ ${lines[0]} == "made.tex:1: 81.0"* ]]
    [[ ${lines[1]} == "made.tex:4: 79.5"* ]]
}

@test "every claim is of the report, and every figure of the report is a claim" {
    cat "$root"/paper/truncquant.tex "$root"/paper/sections/*.tex >text.tex
    "$TRUNCQUANT" claims "$root/paper/claims" --databases "$root/results/published" --output x.md --macros x.tex --quiet
    while IFS=$'\t' read -r name kind _; do
        case $kind in
        figure) grep -q "includegraphics.*{$name}" text.tex && grep -q "(claims: $name)" text.tex ;;
        table) grep -q "input{tables/$name}" text.tex ;;
        numbers)
            sed -n "/^% $name: /,/^%/s/.*newcommand{\\\\\([A-Za-z]*\)}.*/\1/p" x.tex >macros
            grep -qwFf macros text.tex
            ;;
        esac
    done < <("$TRUNCQUANT" claims "$root/paper/claims" --databases "$root/results/published" --list)
    for name in $(grep -o 'includegraphics[^{]*{[^}]*' text.tex | sed 's/.*{//'); do [ -f "$root/paper/claims/$name.sql" ]; done
}

@test "every scheme that the text names is cited from the registry, and grids of claims are in experiments" {
    "$TRUNCQUANT" export citations >registry.bib
    grep -oh 'cite{[^}]*}' "$root"/paper/sections/*.tex | sed 's/cite{//; s/}//' | tr ',' '\n' | sort -u >cited
    while read -r key; do
        grep -q "{$key," registry.bib "$root/paper/references.bib"
    done <cited
    run ! grep -Fxf <(grep -o '^@misc{[^,]*' registry.bib) <(grep -o '^@[a-z]*{[^,]*' "$root/paper/references.bib")
    for key in $(sed -n 's/^@misc{\(.*\),$/\1/p' registry.bib); do grep -qx "$key" cited; done
    sed -n 's/^-- grid = //p' "$root"/paper/claims/*.sql | sort -u | while read -r grid; do [ -f "$root/experiments/$grid.grid" ]; done
}

@test "what is missing or wrong gets one line, and the old report stays" {
    needs_latex
    echo old >x.pdf
    echo old >x.md
    make_paper none
    [ "$status" -eq 1 ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    cp -r "$root/paper" sources
    echo '\undefinedthing' >>sources/sections/limits.tex
    run --separate-stderr "$root/scripts/paper.sh" --sources sources --output out --pdf x.pdf --page x.md
    [ "$status" -eq 1 ]
    [[ $stderr == "paper.sh: LaTeX failed: "*limits.tex:* ]]
    [ "$(cat x.pdf x.md)" = old$'\n'old ]
    mkdir bin
    for tool in bash readlink dirname realpath sed cat; do ln -s "$(command -v $tool)" bin/; done
    run --separate-stderr env "PATH=$PWD/bin" "$root/scripts/paper.sh" --output out --pdf x.pdf --page x.md
    [ "$status" -eq 1 ]
    [[ $stderr == *"latexmk is missing; 'scripts/setup.sh --paper' installs it" ]]
    run -2 "$root/scripts/paper.sh" --nothing
    run -2 "$root/scripts/paper.sh" --pdf
}

@test "what published runs cost, and how many there are, is what docs/reproducing.md says" {
    for db in "$root"/results/published/*.db; do
        name=$(basename "$db" .db)
        line=$(grep "^| \`$name\`" "$root/docs/reproducing.md")
        hours=$(sqlite3 -batch "file:$db?immutable=1" "
            SELECT printf('%.1f', sum(coalesce(cpu_seconds, threads * max(0, heartbeat_at - started_at))) / 3600) FROM attempts
            WHERE run_id IN (SELECT run_id FROM attempts WHERE outcome = 'complete')")
        [[ $line == *"| $hours |" ]]
        read -r all complete <<<"$(sqlite3 -batch -separator ' ' "file:$db?immutable=1" "
            SELECT count(*), count(*) FILTER (WHERE run_id IN (SELECT run_id FROM attempts WHERE outcome = 'complete')) FROM runs")"
        [ "$all" = "$complete" ] || [[ $line == *"(the first $complete of $all runs)"* ]]
    done
}

@test "a tarball makes the same claims" {
    git -C "$root" rev-parse HEAD >/dev/null 2>&1 || skip "this tree is no repository, of which a tarball could be made"
    [ -z "$(git -C "$root" status --porcelain)" ] || skip "this tree has uncommitted changes, which a tarball leaves out"
    make -s -C "$root" dist BUILD="$PWD/made" >/dev/null
    tar -xzf made/*.tar.gz
    cd truncquant-*
    [ ! -e .git ]
    "$TRUNCQUANT" claims --check
    "$TRUNCQUANT" claims --output x.md --macros x.tex --tables x --quiet
    cmp x.md "$root/CLAIMS.md"
}
