# shellcheck shell=bash
# What grid.sh, figures.sh and data.sh share, which source it: the repository ($root), and how they speak.

# In an older one, "${list[@]}" of an empty list is an error under set -u. Asked before it reads anything newer.
if [ "${BASH_VERSINFO[0]}" -lt 4 ] || { [ "${BASH_VERSINFO[0]}" = 4 ] && [ "${BASH_VERSINFO[1]}" -lt 4 ]; }; then
    echo "${0##*/}: bash $BASH_VERSION is too old: 4.4 or newer is needed" >&2
    exit 1
fi

# What users have set for programs that are called here: none of it may change what they do. (The scripts begin with
# bash -p, which reads no BASH_ENV and takes no functions from outside.)
unset CDPATH BASH_ENV ENV GREP_OPTIONS TAR_OPTIONS POSIXLY_CORRECT UNZIP UNZIPOPT GNUTERM PERLLIB
# shellcheck disable=SC2086 # names
unset ${!PARALLEL@} ${!GNUPLOT@} ${!PERL5@}
# Numbers have points, and bytes their order, in every language; letters are the user's.
if [ -n "${LC_ALL-}" ]; then
    LANG=$LC_ALL
    # shellcheck disable=SC2086
    unset ${!LC_@}
fi
export LANG=${LANG-} LC_NUMERIC=C LC_COLLATE=C

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# Where results are by default ($home), and the program: those of the repository, or, of scripts that are installed, of
# the current folder, and beside them.
# shellcheck disable=SC2034 # for who sources this
home=$root truncquant=${TRUNCQUANT:-$root/build/truncquant}
if [ ! -d "$root/harness" ]; then
    # shellcheck disable=SC2034
    home=. truncquant=${TRUNCQUANT:-$(realpath -- "$root/../../bin/truncquant")}
fi

# say TEXT ...
say() {
    echo "${0##*/}: $*" >&2
}

# tell LINE ...: on standard output
tell() {
    printf '%s\n' "$@" 2>/dev/null || die 1 "standard output cannot be written to; is the disk full?"
}

# die STATUS TEXT ...
die() {
    local status=$1
    shift
    say "$@"
    exit "$status"
}

# once OPTION: what is said twice is a mistake, since taking either would be a guess
said=" "
once() {
    [[ $said != *" $1 "* ]] || die 2 "$1 is said twice; leave one out"
    said+="$1 "
}

# lock FD FILE TEXT: the open file, or an error: TEXT where another process has it.
lock() {
    local status=0
    flock --nonblock --conflict-exit-code 75 "$1" 2>/dev/null || status=$?
    [ "$status" = 0 ] && return
    [ "$status" = 75 ] && die 1 "$3"
    die 1 "$2: cannot be locked on $(stat --file-system --format=%T -- "$2" 2>/dev/null || echo this file system);" \
        "put it on a file system that has locks (a local disk, or this one mounted with them, as Lustre by -o flock)"
}

# ---- files that are made: all of them, to their end, or none ----

# stage FOLDER WHAT: $new, a folder in FOLDER, where WHAT are made before they take their places; it goes when the script
# ends, or begins another. Within FOLDER, taking a place is a change of names, which needs no room.
stage() {
    local folder=$1
    unstage
    staged=$1 staged_what=$2
    until [ -d "$folder" ]; do
        made+=("$folder")
        folder=$(dirname -- "$folder")
    done
    trap unstage EXIT
    mkdir -p -- "$1" 2>/dev/null || die 1 "$1 cannot be made, where $2 go; name another with --output"
    new=$(mktemp -d -- "$1/.new.XXXXXX" 2>/dev/null) && new=$(realpath -- "$new") || unwritten
}

# Folders that were made, and that nothing came to be in, go as well.
unstage() {
    [ -z "$new" ] || rm -rf -- "$new"
    [ ${#made[@]} = 0 ] || rmdir -- "${made[@]}" 2>/dev/null || true
    new="" made=()
}
new="" made=()

# unwritten [FILE]
# shellcheck disable=SC2120
unwritten() {
    die 1 "${1:+${1##*/}: }$staged cannot be written to, where $staged_what go; is the disk full? --output names another"
}

# written FILE: standard input, to its end. Status 74: it is not.
written() {
    { cat >"$1"; } 2>/dev/null || return 74
}

# place NAME ...: all that was made takes its place, and what is there by these names and was not made goes; or all stays
# as it was.
place() {
    local name lost='' kept=() gone=()
    for name; do
        [ ! -e "$staged/$name" ] && [ ! -L "$staged/$name" ] && continue
        kept+=("$staged/$name")
        [ -e "$new/$name" ] || gone+=("$staged/$name")
    done
    { sync -- "$new"/* && mkdir -- "$new/.old"; } 2>/dev/null || unwritten
    # A second name for each, or a copy where there can be none.
    [ ${#kept[@]} = 0 ] || cp -lP -- "${kept[@]}" "$new/.old/" 2>/dev/null ||
        cp -fpP -- "${kept[@]}" "$new/.old/" 2>/dev/null || unwritten
    trap '' HUP INT TERM
    { mv -f -- "$new"/* "$staged/" && { [ ${#gone[@]} = 0 ] || rm -f -- "${gone[@]}"; }; } 2>/dev/null && {
        trap - HUP INT TERM
        return
    }
    for name; do
        if [ ! -e "$new/.old/$name" ] && [ ! -L "$new/.old/$name" ]; then
            rm -f -- "$staged/$name"
        elif [ ! "$new/.old/$name" -ef "$staged/$name" ]; then
            mv -fT -- "$new/.old/$name" "$staged/$name" 2>/dev/null || lost=1
        fi
    done
    [ -z "$lost" ] || {
        trap - EXIT
        die 1 "$staged cannot be written to; the $staged_what that were there are in $new/.old"
    }
    unwritten
}
