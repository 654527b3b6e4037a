#!/bin/bash -p
# Write every table of a database as text, CSV and LaTeX, and print the texts. Those without results are left out, but for
# the accuracies: without them it is an error. Old tables are replaced only when all new ones are there.
set -euo pipefail

# shellcheck source=scripts/common.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/common.sh"
db=$home/results/results.db
output=$home/results/tables
chosen=() of_grid=() # options of the program
tables=(accuracy differences drops reductions ablations top5 authors)
tables+=("${tables[@]/%/-calibrated}" cost)
formats=(txt csv tex)

usage() {
    cat <<'END_OF_USAGE'
usage: scripts/tables.sh [options]

  --db FILE      the database (default: results/results.db)
  --grid GRID    only the runs of this grid, a name or a .grid file (default: all runs)
  --split NAME   results on these images: test, or val (held out of training); default: test where a
                 run was evaluated on it, else val
  --output DIR   where the tables go (default: results/tables)
END_OF_USAGE
}

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        --help) usage && exit 0 ;;
        --db | --grid | --split | --output)
            [[ -n ${2-} && $2 != --* ]] || die 2 "$1 needs a value"
            once "$1"
            ;;&
        --db) db=$2 ;;
        --output) output=$2 ;;
        --grid) chosen+=("$1" "$2") of_grid=("$1" "$2") ;;
        --split) chosen+=("$1" "$2") ;;
        *) die 2 "unknown argument $1; 'scripts/tables.sh --help' lists the options" ;;
        esac
        shift 2
    done
}

need() {
    local table format
    command -v "$truncquant" >/dev/null || die 1 "there is no program $truncquant; 'make' builds it"
    [ ! -e "$output" ] || [ -d "$output" ] || die 1 "$output is no folder, where tables go; name another with --output"
    for table in "${tables[@]}"; do
        for format in "${formats[@]}"; do
            [ ! "$output/$table.$format" -ef "$db" ] || die 2 "$output/$table.$format is the database; name another folder with --output"
        done
    done
}

# write TABLE: in $new, in every format. What runs cost is of a grid, whatever they were evaluated on.
write() {
    local format options=("${chosen[@]}")
    [ "$1" != cost ] || options=("${of_grid[@]}")
    for format in "${formats[@]}"; do
        "$truncquant" export "$1" --db "$db" "${options[@]}" --output "$new/$1.$format" --format "${format/txt/text}" || return
    done
}

# All of them; what is said of several is said once. Status 3 is that of a table without results.
write_all() {
    local table status now said=
    for table in "${tables[@]}"; do
        status=0
        now=$(write "$table" 2>&1) || status=$?
        [ "$status" != 3 ] || [ "$table" = accuracy ] || continue
        said+=$now$'\n'
        [ "$status" = 0 ] || { printf '%s\n' "$now" >&2 && exit "$status"; }
    done
    printf '%s' "$said" | awk 'NF && !seen[$0]++' >&2
}

# finish: into place, and onto the screen.
finish() {
    local table files=() texts=()
    for table in "${tables[@]}"; do
        files+=("${formats[@]/#/$table.}")
        [ ! -e "$new/$table.txt" ] || texts+=("$table.txt")
    done
    place "${files[@]}"
    for table in "${texts[@]}"; do
        { cat -- "$output/$table" && echo; } 2>/dev/null || die 1 "standard output cannot be written to; is the disk full?"
    done
}

parse "$@"
need
stage "$output" tables
write_all
finish
