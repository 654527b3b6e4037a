#!/bin/bash -p
# Draw every figure of a database: `truncquant export figures` gives the numbers, which stay beside the figure as NAME.csv,
# and what has to be said about them, NAME.txt; plots/NAME.gp draws them as NAME.svg, NAME.pdf and NAME.png. Each grid has a
# folder of its own. Old figures are replaced only when all new ones are there, and only those are drawn of which the
# numbers, the caption or the drawing are others than before.
set -euo pipefail

# shellcheck source=scripts/common.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/common.sh"
db=$home/results/results.db
into=$home/results/figures
output="" # where the figures go: the folder of a grid in `into`, or the one that is asked for
grid=""
figures=() # those to be drawn
chosen=() # options of the program
width=""
burnt="" # whether captions are in the pictures
formats=(svg pdf png)
drawing=""

usage() {
    cat <<'END'
usage: scripts/figures.sh [options]

  --db FILE      the database (default: results/results.db)
  --grid GRID    the runs of this grid, a name or a .grid file (default: of each grid, or, with --output, all runs together)
  --split NAME   results on these images: test, or val (held out of training); default: test where a
                 run was evaluated on it, else val
  --figure LIST  only these figures, separated by commas ('truncquant export figures' lists them); others stay as they are
  --scheme LIST  only these schemes, separated by commas
  --panel LIST   only the panels of these networks, data sets, or both: resnet20,cifar10
  --widths LIST  only these widths of weights: 2,4
  --into DIR     where each grid gets a folder for its figures (default: results/figures)
  --output DIR   the figures go into this folder itself
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
        --db | --grid | --split | --figure | --scheme | --panel | --widths | --into | --output | --width)
            [[ -n ${2-} && $2 != --* ]] || die 2 "$1 needs a value"
            once "$1"
            ;;&
        --db) db=$2 ;;
        --into) into=$2 ;;
        --output) output=$2 ;;
        --width)
            [[ $2 =~ ^([0-9]+|[0-9]*\.[0-9]+)in$ ]] && awk -v "w=${2%in}" 'BEGIN { exit !(w >= 3 && w <= 20) }' ||
                die 2 "--width $2: is no width from 3in to 20in, such as 3.4in"
            width=${2%in}
            ;;
        --grid) grid=$2 ;;
        --figure) IFS=', ' read -ra figures <<<"$2" ;;
        --split | --scheme | --panel | --widths) chosen+=("$1" "$2") ;;
        *) die 2 "unknown argument $1; 'scripts/figures.sh --help' lists the options" ;;
        esac
        shift 2
    done
    [[ $said != *" --into "* || $said != *" --output "* ]] ||
        die 2 "--into and --output are two places; leave one out"
}

need() {
    command -v "$truncquant" >/dev/null || die 1 "there is no program $truncquant; 'make' builds it"
    "$truncquant" check --tool gnuplot || exit
    local list all name
    list=$("$truncquant" export figures) || exit
    mapfile -t all <<<"$list"
    for name in "${figures[@]}"; do
        [[ " ${all[*]} " == *" $name "* ]] || die 2 "--figure $name: there is none of that name, but ${all[*]}"
    done
    [ ${#figures[@]} -gt 0 ] || figures=("${all[@]}")
}

# grids [OPTION ...]: those of the database, each with the number of its finished runs. Of one whose name is no folder's (the
# program takes no such name for a grid) nothing is said.
grids() {
    local list
    list=$("$truncquant" export grids --format csv --db "$db" "$@") || exit
    sed -nE 's/^([A-Za-z0-9][A-Za-z0-9._-]*),[0-9]+,([0-9]+)$/\1 \2/p' <<<"$list"
}

# What must not be replaced, and what cannot be written to.
check_output() {
    [ ! -e "$output" ] || [ -d "$output" ] || die 1 "$output is no folder, where figures go; name another with --output"
    local name suffix
    for name in "${figures[@]}"; do # figures take the place of what is called like them
        for suffix in csv txt "${formats[@]}"; do
            [ ! "$output/$name.$suffix" -ef "$db" ] || die 2 "$output/$name.$suffix is the database; name another folder with --output"
        done
    done
}

# What decides a picture besides its numbers and its caption; the SVG keeps it.
drawing() {
    { cat -- "$new/.styles" "$root"/plots/*.gp "$root/scripts/figures.sh" && gnuplot --version && echo "$width $burnt"; } |
        sha256sum | cut -c 1-16
}

# keep NAME: the old pictures, where they are what would be drawn.
keep() {
    local format
    cmp -s -- "$new/$1.csv" "$output/$1.csv" && cmp -s -- "$new/$1.txt" "$output/$1.txt" &&
        grep -qsF "<!-- drawing $drawing -->" -- "$output/$1.svg" || return
    for format in "${formats[@]}"; do [ -s "$output/$1.$format" ] || return; done
    for format in "${formats[@]}"; do cp -p -- "$output/$1.$format" "$new/" 2>/dev/null || unwritten "$1.$format"; done
}

# describe NAME: its caption as the description of the SVG, and the width at which it is printed.
describe() {
    local caption
    caption=$(sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g' "$new/$1.txt")
    NAME=$1 CAPTION=$caption WIDTH=$width DRAWING=$drawing awk '
        /^<\/svg>/ { print "<!-- drawing " ENVIRON["DRAWING"] " -->" }
        /^<title>/ && !titled++ { print "<title>" ENVIRON["NAME"] "</title>"; next }
        /^<desc>/ && !described++ { print "<desc>" ENVIRON["CAPTION"] "</desc>"; next }
        / width="[0-9]+" height="[0-9]+"/ && !sized++ && ENVIRON["WIDTH"] {
            match($0, /height="[0-9]+/)
            printf " width=\"%.4gin\" height=\"%.4fin\"\n", ENVIRON["WIDTH"], substr($0, RSTART + 8, RLENGTH - 8) / 108
            next
        }
        { print }' "$new/$1.svg" | written "$new/.described" && mv -- "$new/.described" "$new/$1.svg" 2>/dev/null ||
        unwritten "$1.svg"
}

# burn NAME: its caption, in lines that fit into the picture.
burn() {
    [ -n "$width" ] || { cat "$new/$1.txt" && return; }
    sed ':more; /[,;]$/ { N; s/\n/ /; b more }' "$new/$1.txt" |
        fold --spaces --width="$(awk -v w="$width" 'BEGIN { print int((108 * w - 28) / 7.2) }')"
}

# draw NAME: in $new. gnuplot does not look whether what it writes arrives, so it writes into a pipe; it takes letters for
# those of figures in a locale of their kind alone.
draw() {
    local caption="" format said status
    [ -z "$burnt" ] || caption=$(burn "$1")
    for format in "${formats[@]}"; do
        status=0
        said=$({ (cd "$root" && env LC_ALL=C.UTF-8 gnuplot --default-settings -c "plots/${1%-calibrated}.gp" "$new/$1.csv" \
            /dev/stdout "$format" "$caption" "$new/.styles" "$width" 2>&3) | written "$new/$1.$format"; } 3>&1 </dev/null) ||
            status=$?
        [ "$status" != 74 ] || unwritten "$1.$format"
        [ "$status" = 0 ] && [ -s "$new/$1.$format" ] || die 1 "gnuplot could not draw $1: $said"
        # A curve may have no point in a panel; anything else that gnuplot warns of is a fault of the figure.
        said=$(printf '%s\n' "$said" | sed '/warning: Skipping data file with no valid points$/d; /^[[:space:]]*$/d')
        [ -z "$said" ] || die 1 "gnuplot warned of $1: $said"
    done
    describe "$1"
}

# Into place; what is not drawn now would be of other runs.
finish() {
    local name files=() drawn=()
    for name in "${figures[@]}"; do
        files+=("$name.csv" "$name.txt" "${formats[@]/#/$name.}")
        [ ! -e "$new/$name.svg" ] || drawn+=("${formats[@]/#/$output/$name.}")
    done
    place "${files[@]}"
    tell "${drawn[@]}"
}

# draw_all [OPTION ...]: every figure of what the options choose, into $output. `status` is that of the program: 3, there is
# nothing to draw.
draw_all() {
    local names name some=""
    check_output
    stage "$output" figures
    status=0
    names=$("$truncquant" export figures --db "$db" --output "$new" "${chosen[@]}" "$@") || status=$?
    [ $status = 0 ] || return 0
    "$truncquant" export styles --output "$new/.styles" || exit
    drawing=$(drawing)
    for name in $names; do
        if [[ " ${figures[*]} " == *" $name "* ]]; then
            keep "$name" || draw "$name"
            some=1
        else
            rm -f -- "$new/$name".{csv,txt}
        fi
    done
    [ -n "$some" ] || die 3 "$db has no numbers for ${figures[*]}"
    finish
}

# Each grid of the database that has results; where no run is of a grid, all of them.
draw_grids() {
    local list name finished some=3
    list=$(grids) || exit
    while read -r name finished; do
        [ "${finished:-0}" -gt 0 ] || continue
        output=$into/$name
        draw_all --grid "$name"
        [ $status = 0 ] || [ $status = 3 ] || exit $status
        [ $status = 3 ] || some=0
    done <<<"$list"
    if [ -z "$output" ]; then
        output=$into
        draw_all
        some=$status
    fi
    exit $some
}

parse "$@"
need
if [ -n "$output" ]; then
    draw_all ${grid:+--grid "$grid"}
elif [ -n "$grid" ]; then
    name=$(grids --grid "$grid") || exit
    [ -n "$name" ] || die 2 "--grid $grid: is no name of a folder; name one with --output"
    output=$into/${name% *}
    draw_all --grid "$grid"
else
    draw_grids
fi
exit $status
