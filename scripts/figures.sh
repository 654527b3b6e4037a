#!/bin/bash
# Draw every figure of a database: `truncquant export figures` gives the numbers, which stay beside the figure as NAME.csv,
# and what has to be said about them, NAME.txt; plots/NAME.gp draws them as NAME.svg, NAME.pdf and NAME.png. Old figures are
# replaced only when all new ones are there.
set -euo pipefail

# shellcheck source=scripts/common.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/common.sh"
db=$home/results/results.db
output=$home/results/figures
chosen=() # options of the program
width=""
burnt="" # whether captions are in the pictures
formats=(svg pdf png)

usage() {
    cat <<'END'
usage: scripts/figures.sh [options]

  --db FILE      the database (default: results/results.db)
  --grid GRID    only the runs of this grid, a name or a .grid file (default: all runs)
  --split NAME   results on these images: test, or val (held out of training); default: test where a
                 run was evaluated on it, else val
  --output DIR   where the figures go (default: results/figures)
  --width WIDTH  as wide as they are printed, 3.4in or 7in or between 3in and 20in, with letters of 8 points there
                 (default: as wide as their panels want)
  --caption      the caption, NAME.txt and the description of the SVG, in the pictures, too
END
}

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        --help) usage && exit 0 ;;
        --caption)
            once "$1"
            burnt=1
            shift
            continue
            ;;
        --db | --grid | --split | --output | --width)
            [[ -n ${2-} && $2 != --* ]] || die 2 "$1 needs a value"
            once "$1"
            ;;&
        --db) db=$2 ;;
        --output) output=$2 ;;
        --width)
            [[ $2 =~ ^([0-9]+|[0-9]*\.[0-9]+)in$ ]] && awk -v "w=${2%in}" 'BEGIN { exit !(w >= 3 && w <= 20) }' ||
                die 2 "--width $2: is no width from 3in to 20in, such as 3.4in"
            width=${2%in}
            ;;
        --grid | --split) chosen+=("$1" "$2") ;;
        *) die 2 "unknown argument $1; 'scripts/figures.sh --help' lists the options" ;;
        esac
        shift 2
    done
}

need() {
    command -v "$truncquant" >/dev/null || die 1 "there is no program $truncquant; 'make' builds it"
    "$truncquant" check --tool gnuplot || exit
    [ ! -e "$output" ] || [ -d "$output" ] || die 1 "$output is no folder, where figures go; name another with --output"
    local name suffix
    for name in $("$truncquant" export figures); do # figures take the place of what is called like them
        for suffix in csv txt "${formats[@]}"; do
            [ ! "$output/$name.$suffix" -ef "$db" ] || die 2 "$output/$name.$suffix is the database; name another folder with --output"
        done
    done
}

# describe NAME: its caption as the description of the SVG, and the width at which it is printed.
describe() {
    local caption
    caption=$(sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g' "$new/$1.txt")
    NAME=$1 CAPTION=$caption WIDTH=$width awk '
        /^<title>/ && !titled++ { print "<title>" ENVIRON["NAME"] "</title>"; next }
        /^<desc>/ && !described++ { print "<desc>" ENVIRON["CAPTION"] "</desc>"; next }
        / width="[0-9]+" height="[0-9]+"/ && !sized++ && ENVIRON["WIDTH"] {
            match($0, /height="[0-9]+/)
            printf " width=\"%.4gin\" height=\"%.4fin\"\n", ENVIRON["WIDTH"], substr($0, RSTART + 8, RLENGTH - 8) / 108
            next
        }
        { print }' "$new/$1.svg" >"$new/described"
    mv "$new/described" "$new/$1.svg"
}

# draw NAME: in $new.
draw() {
    local caption="" format
    [ -z "$burnt" ] || caption=$(cat "$new/$1.txt")
    for format in "${formats[@]}"; do
        (cd "$root" && gnuplot --default-settings -c "plots/${1%-calibrated}.gp" "$new/$1.csv" "$new/$1.$format" \
            "$format" "$caption" "$new/styles" "$width") \
            >"$new/messages" 2>&1 || die 1 "gnuplot could not draw $1: $(cat "$new/messages")"
        # A curve may have no point in a panel; anything else that gnuplot warns of is a fault of the figure.
        sed -i '/warning: Skipping data file with no valid points$/d; /^[[:space:]]*$/d' "$new/messages"
        [ ! -s "$new/messages" ] || die 1 "gnuplot warned of $1: $(cat "$new/messages")"
    done
    describe "$1"
}

# Into place; what is not drawn now would be of other runs.
place() {
    local name drawn=() files
    mkdir -p -- "$output" 2>/dev/null || die 1 "$output cannot be made, where figures go; name another with --output"
    for name in $("$truncquant" export figures); do
        files=("$name.csv" "$name.txt" "${formats[@]/#/$name.}")
        if [ -f "$new/$name.csv" ]; then
            mv -f -- "${files[@]/#/$new/}" "$output/" 2>/dev/null ||
                die 1 "$output cannot be written to, where figures go; is the disk full? --output names another"
            drawn+=("${formats[@]/#/$output/$name.}")
        else
            rm -f -- "${files[@]/#/$output/}"
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
