# shellcheck shell=bash
# What grid.sh, figures.sh and data.sh share, which source it before they go anywhere: where they are called from
# ($here), the repository ($root), and how they speak.

here=$PWD
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

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

# A path as the caller means it, as seen from the root, whether or not there is anything; short where it can be, for
# messages.
from_root() {
    [ -n "$1" ] || die 2 "the name of a file is empty; leave it out, or fill it in"
    (cd "$here" && realpath --canonicalize-missing --no-symlinks --relative-base="$root" -- "$1")
}
