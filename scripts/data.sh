#!/bin/bash -p
# Fetch a data set: each file to NAME.part beside its place, where a later call goes on; checked against its
# published size and checksum; moved into place whole. The program's reader has the last word. What is there
# already is left alone.
set -euo pipefail

# shellcheck source=scripts/common.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/common.sh"
table=$root/scripts/data-sets.txt
into=${TRUNCQUANT_DATA-}
mirror=
name=

usage() {
    cat <<END
usage: scripts/data.sh NAME [options]

Fetches a data set, or goes on with it: $(names).

  --into DIR        where to (default: \$TRUNCQUANT_DATA); its files go to a folder below DIR
  --mirror URL|DIR  take the files from there, by their own names
  --table FILE      another table of data sets (default: scripts/data-sets.txt, which says its form)
END
}

names() {
    awk '!/^#/ && NF && !seen[$1]++ { printf "%s%s", n++ ? ", " : "", $1 }' "$table"
}

check_table() {
    local line
    [[ -f $table && -r $table ]] || die 1 "$table: cannot be read; name the table with --table"
    line=$(LC_ALL=C awk '/^#/ || !NF { next }
        { n++ }
        NF != 6 || $4 !~ /^(-|[0-9]+)$/ || $5 !~ /^[0-9a-f]+$/ || length($5) != 32 { print NR; bad = 1; exit }
        END { if (!n && !bad) print 1 }' "$table")
    [ -z "$line" ] ||
        die 1 "$table:$line: is no row of a table of data sets; scripts/data-sets.txt says how one is written"
}

parse() {
    local help=
    while [ $# -gt 0 ]; do
        case $1 in
        --help) help=1 ;;
        --into | --mirror | --table)
            [ -n "${2-}" ] || die 2 "$1 needs a value"
            declare -g "${1#--}=$2"
            shift
            ;;
        -*) die 2 "unknown option $1; 'scripts/data.sh --help' lists them" ;;
        *)
            [ -z "$name" ] || die 2 "one data set at a time; '$1' is one too many"
            [ -n "$1" ] || die 2 "the name is empty"
            name=$1
            ;;
        esac
        shift
    done
    check_table
    [ -z "$help" ] || { usage && exit 0; }
    [ -n "$name" ] || { usage >&2 && exit 2; }
    [ -n "$into" ] || die 2 "where to? name a folder with --into, or set TRUNCQUANT_DATA"
}

# The rows of the data set, compared as a text: a name may have any character.
rows() {
    name=$name awk '!/^#/ && $1 == ENVIRON["name"]' "$table"
}

# verify FILE SIZE MD5: silent when it is right; else what is wrong with it.
verify() {
    local size sum
    size=$(stat -c %s -- "$1")
    if [ "$2" != - ] && [ "$size" != "$2" ]; then
        echo "has $size bytes where $2 are published"
        return 1
    fi
    sum=$(md5sum <"$1") && sum=${sum%% *}
    [ "$sum" = "$3" ] || { echo "has the MD5 $sum where $3 is published" && return 1; }
}

# What curl's exit status means to who waits for the file.
explain() {
    case $1 in
    6 | 7) echo "the server cannot be reached; is there a network, or a --mirror?" ;;
    22) echo "the server refuses it: ${2:-no reason given}; name a --mirror" ;;
    23) echo "cannot be written; is the disk full? The same call goes on once there is room" ;;
    18 | 28 | 52 | 56) echo "the connection was lost; the same call goes on where it ended" ;;
    *) echo "${2:-curl ended with status $1}" ;;
    esac
}

# load SIZE URL PART OPTION...: curl, which writes no more than that, to a KiB; users' settings of curl do not matter.
load() {
    local kib=$((($1 + 1023) / 1024 + 1)) url=$2 part=$3
    shift 3
    (
        trap '' XFSZ # a write that fails is curl's to explain
        ulimit -S -f "$kib" 2>/dev/null || true # where less is allowed anyway
        exec curl --disable --fail --location --silent --show-error --retry 3 --connect-timeout 30 \
            --speed-limit 1 --speed-time 60 "$@" --output "$part" -- "$url" 2>&1
    )
}

# download URL PART SIZE: goes on behind what PART has; from the start where the server cannot do that. SIZE is what is
# published, or -, where what would fill a disk is refused all the same.
download() {
    local status=0 said most=$3
    need curl
    [ "$most" != - ] || most=$((2 << 30))
    said=$(load "$most" "$1" "$2" --continue-at -) || status=$?
    if [ "$status" = 33 ] || { [ "$status" = 22 ] && [[ $said == *416* ]]; }; then
        rm -f -- "$2"
        status=0
        said=$(load "$most" "$1" "$2") || status=$?
    fi
    if [ -f "$2" ] && [ "$(stat -c %s -- "$2")" -gt "$most" ]; then
        rm -f -- "$2"
        die 1 "$1: the server sends more than the $most bytes that are published; name a --mirror"
    fi
    [ "$status" = 0 ] && return
    [ -s "$2" ] || rm -f -- "$2"
    die 1 "$1: $(explain "$status" "${said##*curl: }")"
}

# need TOOL: what fetching takes, if there is a program that can judge it.
need() {
    [ ! -x "$truncquant" ] || "$truncquant" check --tool "$1" || exit
}

# The file of that name in the mirror's folder, or in the folder of its set there.
copy() {
    local from=$mirror/$2
    [ -f "$from" ] || from=$mirror/$1/$2
    [ -f "$from" ] || die 1 "$mirror/$2: not there, nor in $1; name the folder that has it"
    cp -- "$from" "$3" 2>/dev/null || die 1 "$3: cannot be written, or $from not be read; is the disk full?"
}

# fetch FOLDER FILE SIZE MD5 URL
fetch() {
    local place=$into/$1/$2 part=$into/$1/$2.part url=$5 wrong="is no file"
    [ -z "$mirror" ] || url=${mirror%/}/$2
    if [ -f "$place" ] && wrong=$(verify "$place" "$3" "$4"); then
        tell "$place: is there"
        return
    fi
    [ ! -e "$place" ] || die 1 "$place: is there, but $wrong; remove it, and it is fetched"
    if [ ! -f "$part" ] || ! verify "$part" "$3" "$4" >/dev/null; then
        tell "$place: fetching"
        if [ -d "$mirror" ]; then
            copy "$1" "$2" "$part"
        else
            download "$url" "$part" "$3"
        fi
    fi
    wrong=$(verify "$part" "$3" "$4") || {
        rm -f -- "$part"
        die 1 "$place: what was fetched $wrong; it was removed; try again, or name a --mirror"
    }
    { sync -- "$part" && mv -f -- "$part" "$place"; } 2>/dev/null || die 1 "$place: cannot be written; is the disk full?"
}

# An archive's folder appears whole; the archive goes.
unpack() {
    local folder=$into/$1 new=$into/$1/unpacked.$$
    need unzip
    rm -rf -- "$folder"/unpacked.*
    unzip -q "$folder/$2" -d "$new" >/dev/null 2>&1 </dev/null && sync -f -- "$folder" && mv -- "$new/${2%.zip}" "$folder/" || {
        rm -rf -- "$new"
        die 1 "$folder/$2: cannot be unpacked; is the disk full?"
    }
    rm -rf -- "$new" "${folder:?}/$2"
}

# Read every file of what was fetched; sets that share a folder are read one by one.
read_back() {
    local set
    if [ ! -x "$truncquant" ]; then
        say "not read back, as $truncquant is not built; its first run checks the files"
        return
    fi
    for set in "$@"; do
        TRUNCQUANT_DATA=$into "$truncquant" check --data "$set"
    done
}

parse "$@"
files=$(rows)
[ -n "$files" ] || die 2 "unknown data set '${name//[[:cntrl:]]/?}'; known are $(names)"
folder=$(awk 'NR == 1 { print $2 }' <<<"$files")
mkdir -p -- "$into/$folder" 2>/dev/null || die 1 "$into/$folder: cannot be made; name another place with --into"
into=$(realpath -- "$into")
{ : >>"$into/$folder/.lock"; } 2>/dev/null || die 1 "$into/$folder: cannot be written to; name another place with --into"
exec 8>"$into/$folder/.lock"
lock 8 "$into/$folder/.lock" "$into/$folder: another call is at it; wait for it"
while read -r _ folder file size sum url; do
    if [[ $file == *.zip && -d $into/$folder/${file%.zip} ]]; then
        tell "$into/$folder/${file%.zip}: is there"
        continue
    fi
    fetch "$folder" "$file" "$size" "$sum" "$url"
    [[ $file != *.zip ]] || unpack "$folder" "$file"
done <<<"$files"
case $name in
emnist) read_back emnist-{balanced,byclass,bymerge,digits,letters,mnist} ;;
*) read_back "$name" ;;
esac
[ "${TRUNCQUANT_DATA-}" = "$into" ] || tell "now set TRUNCQUANT_DATA=$(printf %q "$into")"
