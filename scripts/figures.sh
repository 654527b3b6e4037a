#!/bin/bash
# Draw every figure from the database, and from nothing else: NAME.sql gives the numbers, which stay beside
# the figure as NAME.csv, NAME-caption.sql what has to be said about them (NAME.txt), and NAME.gp draws
# both as NAME.svg and NAME.png. Old figures are replaced only when all new ones are there.
set -euo pipefail

here=$PWD
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
db=results/results.db
output=results/figures
grid=
# The file may have the views of another version; this one's stand before them.
views=".read \"|sed -e '/^DROP VIEW/d' -e 's/^CREATE VIEW/CREATE TEMP VIEW/' results/schema/views.sql\""

usage() {
    cat <<'END'
usage: scripts/figures.sh [options]

  --db FILE      the database (default: results/results.db)
  --grid NAME    only the runs of this grid (default: all runs)
  --output DIR   where the figures go (default: results/figures)
END
}

die() {
    echo "figures.sh: $2" >&2
    exit "$1"
}

# A path as the caller means it, as seen from the root; short where it can be, for messages.
from_root() {
    (cd "$here" && realpath --no-symlinks --relative-base="$root" -- "$1")
}

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        --help) usage && exit 0 ;;
        --db | --grid | --output)
            [ -n "${2-}" ] || die 2 "$1 needs a value"
            ;;&
        --db) db=$(from_root "$2") ;;
        --output) output=$(from_root "$2") ;;
        --grid) grid=$2 ;;
        *) die 2 "unknown argument $1; 'scripts/figures.sh --help' lists the options" ;;
        esac
        shift 2
    done
    # It goes into SQL, and no grid can be called anything else.
    [[ $grid =~ ^[A-Za-z0-9._-]*$ ]] || die 2 "'$grid' is no name of a grid"
}

need() {
    local tool problem
    for tool in sqlite3 gnuplot; do
        command -v $tool >/dev/null || die 1 "$tool is missing; 'scripts/setup.sh' installs it"
    done
    [ -f "$db" ] || die 1 "there is no database $db; 'make grid GRID=FILE' runs a grid into one"
    problem=$(sqlite3 -readonly -bail "$db" "$views" "SELECT 1 FROM grid_accuracy, scheme_places LIMIT 1" 2>&1 >/dev/null) ||
        die 1 "$db is no database of truncquant, or one of another version; ${problem#Error: in prepare, }"
}

# query FILE CALIBRATED [sqlite3 option ...]: the rows of plots/FILE.
query() {
    local file=plots/$1 calibrated=$2 name=NULL
    [ -z "$grid" ] || name="\"'$grid'\""
    shift 2
    sqlite3 -readonly -bail -batch "$@" "$db" ".timeout 10000" ".parameter init" \
        ".parameter set :grid $name" ".parameter set :calibrated $calibrated" \
        "$views" \
        ".read plots/curves.sql" ".read $file" 2>"$new/messages" ||
        die 1 "$db cannot be read: $(cat "$new/messages")"
}

# figure NAME SOURCE CALIBRATED: into $new; returns 1 when there are no numbers for it.
figure() {
    local name=$1 source=$2 caption format
    query "$source.sql" "$3" -csv -header >"$new/$name.csv"
    [ -s "$new/$name.csv" ] || { rm "$new/$name.csv" && return 1; }
    query "$source-caption.sql" "$3" -list -noheader >"$new/$name.txt"
    caption=$(cat "$new/$name.txt")
    for format in svg png; do
        gnuplot -c "plots/$source.gp" "$new/$name.csv" "$new/$name.$format" $format "$caption" \
            2>"$new/messages" || die 1 "gnuplot could not draw $name: $(cat "$new/messages")"
    done
}

parse "$@"
need
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
figure accuracy accuracy 0 ||
    die 1 "no finished runs ${grid:+of grid $grid }in $db yet; 'truncquant status' says how far they are"
figure accuracy-calibrated accuracy 1 || true
figure training training 0 || true
figure staircase staircase 0

# What is not drawn now would be of other runs.
mkdir -p "$output"
for name in accuracy accuracy-calibrated training staircase; do
    if [ -f "$new/$name.csv" ]; then
        mv -- "$new/$name".{csv,txt,svg,png} "$output/"
        printf '%s\n' "$output/$name.svg" "$output/$name.png"
    else
        rm -f -- "$output/$name".{csv,txt,svg,png}
    fi
done
