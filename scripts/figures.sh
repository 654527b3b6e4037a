#!/bin/bash
# Draw every figure from the database, and from nothing else: NAME.sql gives the numbers, which stay beside
# the figure as NAME.csv; what has to be said about them (NAME.txt) is what the program says of its tables, too, and
# NAME-caption.sql; and NAME.gp draws both as NAME.svg and NAME.png. Old figures are replaced only when all new ones are
# there.
set -euo pipefail

# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"
truncquant=${TRUNCQUANT:-build/truncquant}
db=results/results.db
output=results/figures
grid=
split=
# The file may have the views of another version; this one's stand before them.
views=".read \"|sed -e '/^DROP VIEW/d' -e 's/^CREATE VIEW/CREATE TEMP VIEW/' harness/store/schema/views.sql\""

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

# The name in a grid file, or what is a name itself, as for 'truncquant export --grid'.
grid_name() {
    local file name
    [[ $1 == */* || $1 == *.grid ]] || { echo "$1" && return; }
    file=$(from_root "$1") || exit
    [[ -f $file && -r $file ]] || die 1 "there is no grid $file that can be read; give its name or its file"
    name=$(sed -n '/^\[grid\]/,/^\[/s/^name[[:blank:]]*=[[:blank:]]*\([A-Za-z0-9._-]*\).*/\1/p' "$file")
    [ -n "$name" ] || die 1 "$file: [grid] has no name; add the line 'name = ...'"
    echo "$name"
}

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        --help) usage && exit 0 ;;
        --db | --grid | --split | --output)
            [[ -n ${2-} && $2 != --* ]] || die 2 "$1 needs a value"
            ;;&
        --db) db=$(from_root "$2") ;;
        --output) output=$(from_root "$2") ;;
        --grid) grid=$(grid_name "$2") || exit ;;
        --split)
            [[ $2 == test || $2 == val ]] || die 2 "--split $2 is unknown; take test or val"
            split=$2
            ;;
        *) die 2 "unknown argument $1; 'scripts/figures.sh --help' lists the options" ;;
        esac
        shift 2
    done
    local file
    for file in "$output"/*.{csv,txt,svg,png}; do # figures take the place of what is called like them
        [ ! "$file" -ef "$db" ] || die 2 "$file is the database; name another folder with --output"
    done
    # It goes into SQL, and no grid can be called anything else.
    [[ $grid =~ ^[A-Za-z0-9._-]*$ ]] || die 2 "'$grid' is no name of a grid"
}

# A database that has a log, or had one, wants files beside it. Where none can be made, and no log lies there, nobody
# writes to it: a copy is read.
find_readable() {
    local real
    file=$db real=$(realpath -- "$db")
    if [ ! -w "$(dirname -- "$real")" ] && [ ! -s "$real-wal" ] && [ ! -s "$real-journal" ]; then
        file=$new/copy.db
        cp -- "$db" "$file" || die 1 "$db cannot be copied to $new; is the disk full?"
    fi
}

# The views are of this version's tables: what a file of an older schema lacks is added to a copy.
find_current() {
    local version part number newer=()
    version=$(sqlite3 -readonly "$file" 'PRAGMA user_version' 2>/dev/null) || return 0 # need says why
    [ "$version" -gt 0 ] || return 0
    for part in harness/store/schema/[0-9]*.sql; do
        number=${part##*/}
        [ "$((10#${number%%-*}))" -le "$version" ] || newer+=(".read $part" "PRAGMA user_version = $((10#${number%%-*}))")
    done
    [ ${#newer[@]} -gt 0 ] || return 0
    sqlite3 -readonly "$file" ".timeout 10000" ".backup '$new/current.db'" 2>"$new/messages" &&
        sqlite3 -bail "$new/current.db" "${newer[@]}" >"$new/messages" 2>&1 ||
        die 1 "$db is of an older version, and no copy of it can be brought up to date: $(cat "$new/messages")"
    file=$new/current.db
}

need_output() {
    [ ! -e "$output" ] || [ -d "$output" ] || die 1 "$output is no folder, where figures go; name another with --output"
}

# Into place; what is not drawn now would be of other runs.
place() {
    local name drawn=()
    mkdir -p -- "$output" 2>/dev/null || die 1 "$output cannot be made, where figures go; name another with --output"
    for name in accuracy accuracy-calibrated drops drops-calibrated training learning staircase; do
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

need() {
    local tool problem
    for tool in sqlite3 gnuplot; do
        command -v $tool >/dev/null || die 1 "$tool is missing; 'scripts/setup.sh' installs it"
    done
    command -v "$truncquant" >/dev/null || die 1 "there is no program $truncquant; 'make' builds it"
    [ -f "$db" ] || die 1 "there is no database $db; 'make grid GRID=FILE' runs a grid into one"
    find_readable
    find_current
    problem=$(sqlite3 -readonly -bail "$file" "$views" "SELECT 1 FROM grid_accuracy, scheme_places LIMIT 1" 2>&1 >/dev/null) &&
        return
    [[ $problem != *readonly* ]] || [ ! -s "$db-journal" ] ||
        die 1 "$db was left amid a change, which its -journal file undoes; 'sqlite3 FILE .schema' does that where both" \
            "can be written"
    [[ $problem != *"unable to open"* ]] || [ ! -s "$db-wal" ] ||
        die 1 "$db has rows in its -wal file, which cannot be read in a read-only folder; copy both to another folder"
    die 1 "$db is no database of truncquant, or one of another version; ${problem#Error: in prepare, }"
}

# ask CALIBRATED SQL [sqlite3 option ...]: the rows of a query, or of a .read.
ask() {
    local calibrated=$1 sql=$2 name=NULL
    [ -z "$grid" ] || name="\"'$grid'\""
    shift 2
    sqlite3 -readonly -bail -batch "$@" "$file" ".timeout 10000" ".parameter init" \
        ".parameter set :grid $name" ".parameter set :calibrated $calibrated" \
        ".parameter set :split \"'$split'\"" \
        "$views" ".read harness/report/queries/snapshot.sql" \
        ".read plots/curves.sql" "$sql" 2>"$new/messages" ||
        die 1 "$db cannot be read: $(cat "$new/messages")"
}

# caption NAME SOURCE CALIBRATED: what all curves have in common first, what they come from last.
caption() {
    local said
    said=$("$truncquant" export caption "$1" --db "$file" --split "$split" ${grid:+--grid "$grid"} 2>&1) || die 1 "$said"
    head -n -1 <<<"$said"
    ask "$3" ".read plots/$2-caption.sql" -list -noheader
    tail -n 1 <<<"$said"
}

# figure NAME SOURCE CALIBRATED: into $new; returns 1 when there are no numbers for it.
figure() {
    local name=$1 source=$2 caption format
    ask "$3" ".read plots/$source.sql" -csv -header >"$new/$name.csv"
    [ -s "$new/$name.csv" ] || { rm "$new/$name.csv" && return 1; }
    if [ "$name" = staircase ]; then
        ask "$3" ".read plots/$source-caption.sql" -list -noheader >"$new/$name.txt"
    else
        caption "$name" "$source" "$3" >"$new/$name.txt"
    fi
    caption=$(cat "$new/$name.txt")
    for format in svg png; do
        gnuplot -c "plots/$source.gp" "$new/$name.csv" "$new/$name.$format" $format "$caption" \
            2>"$new/messages" || die 1 "gnuplot could not draw $name: $(cat "$new/messages")"
    done
}

# A figure is of one split: the one asked for, or test where a run was evaluated on it, or val.
choose_split() {
    local asked=$split of="${grid:+of grid $grid }in $db" other=val counts runs test val drawn
    counts=$(ask 0 ".read harness/report/queries/splits.sql" -separator ' ')
    [ -n "$counts" ] || die 1 "no finished runs $of yet; 'truncquant status' says how far they are"
    read -r runs test val <<<"$counts"
    [ -n "$split" ] || { [ "$test" -gt 0 ] && split=test || split=val; }
    [ "$split" = test ] && drawn=$test || { drawn=$val && other=test; }
    [ "$drawn" -gt 0 ] || die 1 "no finished run $of was evaluated on $split ($runs on $other);" \
        "--split $other draws those, 'truncquant evaluate ID --split $split' adds to them"
    if [ -z "$asked" ] && [ "$split" = val ]; then
        say "no run was evaluated on the test split: figures of the held-out images (val)"
    elif [ "$drawn" -lt "$runs" ]; then
        say "not drawn: $((runs - drawn)) of $runs runs, evaluated on $other alone (--split $other)"
    fi
}

parse "$@"
need_output
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
need
choose_split
figure accuracy accuracy 0 || true
figure accuracy-calibrated accuracy 1 || true
figure drops drops 0 || true
figure drops-calibrated drops 1 || true
figure training training 0 || true
figure learning learning 0 || true
figure staircase staircase 0
place
