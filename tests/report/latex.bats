# Tables in LaTeX: every one of several databases compiles, and none is wider than a page of two columns.

bats_require_minimum_version 1.5.0

setup() {
    root=$BATS_TEST_DIRNAME/../..
    truncquant=$root/${BUILD:-build}/truncquant
    cd "$BATS_TEST_TMPDIR"
    if ! command -v pdflatex >/dev/null || ! kpsewhich IEEEtran.cls booktabs.sty >/dev/null; then
        echo "# NOT TESTED: LaTeX with IEEEtran and booktabs is not here; scripts/setup.sh --test installs it" >&3
        skip "no LaTeX with IEEEtran and booktabs"
    fi
}

# tables DATABASE: every table that has rows, as NAME.tex; prints how many.
tables() {
    local name status n=0
    for name in accuracy differences drops reductions ablations top5 authors cost {accuracy,differences,drops}-calibrated; do
        status=0
        "$truncquant" export "$name" --db "$1" --format tex --output "$name.tex" 2>/dev/null || status=$?
        [ $status = 0 ] && n=$((n + 1)) || [ $status = 3 ]
    done
    echo $n
}

# A page of each table; that which is wider than the page is an error, and so is any box that overflows.
compile() {
    {
        printf '%s\n' '\documentclass[journal]{IEEEtran}' '\usepackage{booktabs}' '\newsavebox{\tablebox}' '\begin{document}'
        for file in *.tex; do
            printf '%s\n' '\begin{table*}\caption{A table}\centering' "\\sbox{\\tablebox}{\\input{$file}}" \
                "\\typeout{WIDTH $file \\the\\wd\\tablebox}" \
                '\ifdim\wd\tablebox>\textwidth\errmessage{it is too wide}\fi' '\usebox{\tablebox}\end{table*}\clearpage'
        done
        echo '\end{document}'
    } >document.latex
    pdflatex -interaction=nonstopmode -halt-on-error document.latex >said || { tail -n 20 said && return 1; }
    run -1 grep -A3 -E '^Overfull|Missing character' said
}

@test "tables of a database with holes, with their intervals, minus signs and bold cells" {
    python3 "$BATS_TEST_DIRNAME/derived_tables.py" make holes.db "$root"/harness/store/schema/[0-9]*.sql \
        "$root/harness/store/schema/views.sql"
    sqlite3 holes.db "UPDATE attempts SET classes = 100;
        UPDATE runs SET network = 'resnet20', dataset = 'cifar10' WHERE network = 'net_a';
        UPDATE runs SET params = '{\"align\": 0.1}', scheme = 'qat' WHERE scheme = 'steady'"
    [ "$(tables holes.db)" = 11 ]
    grep -q '\\textbf{' accuracy.tex
    grep -q '\$-\$[0-9]' differences.tex
    run -1 grep -E '& -[0-9]|−' ./*.tex
    grep -q '^\\multicolumn{[0-9]*}{@{}l@{}}{\\emph{resnet20 on cifar10}}' accuracy.tex
    compile
}

@test "tables of a published database" {
    [ "$(tables "$root/results/published/baselines.quick-resnet20.db")" -gt 5 ]
    compile
}

@test "names that mean something to LaTeX, and names without an end, are broken into lines" {
    cp "$root/results/published/ablation-align.quick.db" names.db
    sqlite3 names.db "UPDATE runs SET scheme = 'a_b%<i>\"\$x^~&#{}\\|' WHERE scheme = 'minmax';
        UPDATE runs SET scheme = printf('%.60c', 'm') WHERE scheme = 'truncquant';
        UPDATE runs SET network = 'a_b%<i>\"\$x', dataset = printf('%.200c', 'W') WHERE seed = 2;
        UPDATE runs SET config_id = replace(config_id, 'a', 'b') WHERE seed = 2;
        UPDATE runs SET params = json_set(params, '\$.init', 'some/where/' || printf('%.90c', 'w') || '.weights'),
                        config_id = substr(config_id, 2) || 'f' WHERE scheme = 'qat' AND seed = 1"
    [ "$(tables names.db)" -gt 7 ]
    grep -qF 'b\%$<$i$>$\allowbreak{}\char34{}\$x' accuracy.tex
    compile
    # as CSV has them
    "$truncquant" export accuracy --db names.db --format csv --output names.csv
    python3 -c "import csv; rows = list(csv.DictReader(open('names.csv')))
assert {r['network'] for r in rows} == {'a_b%<i>\"\$x', 'resnet8'}
assert 'a_b%<i>\"\$x^~&#{}\\\\|' in {r['scheme'] for r in rows}"
}
