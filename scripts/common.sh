# shellcheck shell=bash
# What grid.sh, figures.sh and data.sh share, which source it: the repository ($root), and how they speak.

# In an older one, "${list[@]}" of an empty list is an error under set -u. Asked before it reads anything newer.
if [ "${BASH_VERSINFO[0]}" -lt 4 ] || { [ "${BASH_VERSINFO[0]}" = 4 ] && [ "${BASH_VERSINFO[1]}" -lt 4 ]; }; then
    echo "${0##*/}: bash $BASH_VERSION is too old: 4.4 or newer is needed" >&2
    exit 1
fi

# What users have set for programs that are called here: none of it may change what they do.
unset CDPATH GREP_OPTIONS TAR_OPTIONS POSIXLY_CORRECT PARALLEL GNUPLOT_LIB GNUPLOT_DRIVER_DIR

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
