#!/bin/bash -p
# Make the report: its numbers and tables by `truncquant claims`, its figures by scripts/figures.sh, all from published
# databases, then LaTeX. What was made from the same files before is left alone; the old report stays until the new one is
# whole.
set -euo pipefail

# shellcheck source=scripts/common.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/common.sh"
databases=$root/results/published
sources=$root/paper
output=$root/build/paper
pdf=$root/paper/truncquant.pdf
page=$root/CLAIMS.md

usage() {
    cat <<'END'
usage: scripts/paper.sh [options]

  --databases FOLDER  where the databases are that claims name (default: results/published)
  --sources FOLDER    the report's own files: truncquant.tex, sections, claims (default: paper)
  --output FOLDER     numbers, tables, figures and what LaTeX writes (default: build/paper)
  --pdf FILE          the report (default: paper/truncquant.pdf)
  --page FILE         the page of claims (default: CLAIMS.md)
END
}

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        --help) usage && exit 0 ;;
        --databases | --sources | --output | --pdf | --page)
            [[ -n ${2-} && $2 != --* ]] || die 2 "$1 needs a value"
            once "$1"
            ;;&
        --databases) databases=$2 ;;
        --sources) sources=$2 ;;
        --output) output=$2 ;;
        --pdf) pdf=$2 ;;
        --page) page=$2 ;;
        *) die 2 "unknown argument $1; 'scripts/paper.sh --help' lists the options" ;;
        esac
        shift 2
    done
}

need() {
    local tool
    for tool in latexmk pdflatex bibtex; do
        command -v "$tool" >/dev/null || die 1 "$tool is missing; 'scripts/setup.sh --paper' installs it"
    done
    kpsewhich IEEEtran.cls >/dev/null || die 1 "LaTeX has no IEEEtran.cls; 'scripts/setup.sh --paper' installs it"
    command -v "$truncquant" >/dev/null || die 1 "there is no program $truncquant; 'make' builds it"
    "$truncquant" check --tool pdflatex || exit
    [ -d "$databases" ] || die 1 "there is no folder $databases; name that of the databases with --databases"
    [ -f "$sources/truncquant.tex" ] || die 1 "$sources/truncquant.tex is not there; name the folder with --sources"
    mkdir -p -- "$output" || die 1 "$output cannot be made; name another with --output"
}

# What the report depends on, by content: a fresh checkout has other times.
inputs() {
    {
        find "$sources" -type f ! -name '*.pdf' -print0
        find "$databases" -maxdepth 1 -name '*.db' -print0
        find "$root/plots" -type f -print0
        printf '%s\0' "$truncquant" "$root"/scripts/{paper,figures,common}.sh
    } | LC_ALL=C sort -z | xargs -0 sha256sum
}

# Each figure under the name of its claim, as wide as a column where that does not say otherwise.
draw() {
    local list name kind db grid split what wide
    list=$("$truncquant" claims "$sources/claims" --databases "$databases" --list) || exit
    rm -rf -- "$output/drawn" "$output/figures"
    mkdir -p -- "$output/figures"
    while IFS='|' read -r name kind db grid split what wide; do
        [ "$kind" = figure ] || continue
        TRUNCQUANT=$truncquant "$root/scripts/figures.sh" --db "$db" ${grid:+--grid "$grid"} --split "$split" --figure "$what" \
            --width "${wide:-3.4in}" --output "$output/drawn/$name" >/dev/null || exit
        cp -- "$output/drawn/$name/$what.pdf" "$output/figures/$name.pdf"
    done < <(tr '\t' '|' <<<"$list")
}

# In a folder of its own, so that an interrupted LaTeX leaves nothing that the next one trips over.
typeset() {
    local new
    new=$(mktemp -d -- "$output/.latex.XXXXXX") || exit
    trap 'rm -rf "$new"' RETURN
    "$truncquant" export citations --output "$output/citations.bib" || exit
    cp -- "$sources/references.bib" "$output/references.bib"
    # IEEE's style shows no eprint.
    sed -i 's/^  eprint = {\(.*\)},$/  howpublished = {arXiv:\1},/' "$output/citations.bib" "$output/references.bib"
    if ! (cd "$sources" && TEXINPUTS=.:$output: BIBINPUTS=$output: SOURCE_DATE_EPOCH=0 FORCE_SOURCE_DATE=1 \
        latexmk -norc -pdf -interaction=nonstopmode -halt-on-error -file-line-error -outdir="$new" truncquant.tex) \
        >"$output/latexmk.log" 2>&1 </dev/null; then
        die 1 "LaTeX failed: $(grep -m 1 -E '^[^ ]+:[0-9]+: |^! ' "$output/latexmk.log" || tail -n 1 "$output/latexmk.log"); $output/latexmk.log has it all"
    fi
    ! grep -E 'undefined (references|citations)|Overfull' "$new/truncquant.log" >"$output/warnings" ||
        die 1 "LaTeX warned: $(head -n 1 "$output/warnings"); $output/warnings has them all"
    cp -- "$new/truncquant.pdf" "$output/truncquant.pdf"
}

# replace FILE OLD: OLD by a copy, once that is whole
replace() {
    { cp -- "$1" "$2.new" && sync -- "$2.new" && mv -f -- "$2.new" "$2"; } 2>/dev/null || {
        rm -f -- "$2.new"
        die 1 "$2 cannot be written; is the disk full?"
    }
}

# From the root, where the page of claims names files as they stand in the tree, whoever's it is.
settle() {
    databases=$(realpath -m --relative-base="$root" -- "$databases")
    sources=$(realpath -m --relative-base="$root" -- "$sources")
    output=$(realpath -m -- "$output") pdf=$(realpath -m -- "$pdf") page=$(realpath -m -- "$page")
    truncquant=$(realpath -m -- "$truncquant")
    cd -- "$root"
}

parse "$@"
settle
need
inputs >"$output/inputs.new"
if cmp -s "$output/inputs.new" "$output/inputs" && [ -f "$pdf" ] && [ -f "$page" ] && cmp -s "$output/truncquant.pdf" "$pdf"; then
    tell "$pdf is up to date"
    exit 0
fi
rm -f -- "$output/inputs"
"$truncquant" claims "$sources/claims" --databases "$databases" --output "$output/CLAIMS.md" \
    --macros "$output/numbers.tex" --tables "$output/tables" --quiet || exit
draw
typeset
replace "$output/truncquant.pdf" "$pdf"
replace "$output/CLAIMS.md" "$page"
mv -f -- "$output/inputs.new" "$output/inputs"
tell "$pdf" "$page"
