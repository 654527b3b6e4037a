#!/bin/bash
# Draw every figure of a database: `truncquant export figures` gives the numbers, which stay beside the figure as NAME.csv,
# and what has to be said about them, NAME.txt; plots/NAME.gp draws both as NAME.svg and NAME.png. Old figures are replaced
# only when all new ones are there.
set -euo pipefail

# shellcheck source=scripts/common.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/common.sh"
db=$home/results/results.db
output=$home/results/figures
chosen=() # options of the program

usage() {
    cat <<'END'
usage: scripts/figures.sh [options]

  --db FILE      the database (default: results/results.db)
  --grid GRID    only the runs of this grid, a name or a .grid file (default: all runs)
  --split NAME   results on these images: test, or val (held out of training); default: test where a
                 run was evaluated on it, else val
  --output DIR   where the figures go (default: results/figures)
END
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
        --grid | --split) chosen+=("$1" "$2") ;;
        *) die 2 "unknown argument $1; 'scripts/figures.sh --help' lists the options" ;;
        esac
        shift 2
    done
}

need() {
    command -v gnuplot >/dev/null || die 1 "gnuplot is missing; 'scripts/setup.sh' installs it"
    command -v "$truncquant" >/dev/null || die 1 "there is no program $truncquant; 'make' builds it"
    [ ! -e "$output" ] || [ -d "$output" ] || die 1 "$output is no folder, where figures go; name another with --output"
    local name suffix
    for name in $("$truncquant" export figures); do # figures take the place of what is called like them
        for suffix in csv txt svg png; do
            [ ! "$output/$name.$suffix" -ef "$db" ] || die 2 "$output/$name.$suffix is the database; name another folder with --output"
        done
    done
}

# draw NAME: in $new.
draw() {
    local caption format
    caption=$(cat "$new/$1.txt")
    for format in svg png; do
        (cd "$root" && gnuplot --default-settings -c "plots/${1%-calibrated}.gp" "$new/$1.csv" "$new/$1.$format" \
            $format "$caption" "$new/styles") \
            2>"$new/messages" || die 1 "gnuplot could not draw $1: $(cat "$new/messages")"
    done
}

# Into place; what is not drawn now would be of other runs.
place() {
    local name drawn=()
    mkdir -p -- "$output" 2>/dev/null || die 1 "$output cannot be made, where figures go; name another with --output"
    for name in $("$truncquant" export figures); do
        if [ -f "$new/$name.csv" ]; then
            mv -f -- "$new/$name".{csv,txt,svg,png} "$output/" 2>/dev/null ||
                die 1 "$output cannot be written to, where figures go; is the disk full? --output names another"
            drawn+=("$output/$name.svg" "$output/$name.png")
        else
            rm -f -- "$output/$name".{csv,txt,svg,png}
        fi
    done
    tell "${drawn[@]}"
}

parse "$@"
need
new=$(realpath "$(mktemp -d)")
trap 'rm -rf "$new"' EXIT
names=$("$truncquant" export figures --db "$db" --output "$new" "${chosen[@]}") || exit
"$truncquant" export styles >"$new/styles" || exit
for name in $names; do draw "$name"; done
place
