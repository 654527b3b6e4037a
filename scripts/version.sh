#!/bin/sh
# Print, as C definitions, which program this is: VERSION_RELEASE, what the file VERSION says; VERSION_SOURCES, the hash of what decides the bits of its results
# (the files that compute, without comments; the compiler; its flags), and for the record VERSION_COMMIT and
# VERSION_DIRTY, the commit of the harness's and the device library's sources and whether they have uncommitted changes. With changes the
# commit has the start of their hash behind it, so that two versions of one commit differ.
#
#     scripts/version.sh COMPILER FLAG... -- FILE...
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."
archived='$Format:%H$' # `git archive` puts the commit here

compiler=${1-} flags=
while [ $# -gt 1 ] && [ "$2" != -- ]; do
    flags="$flags $2"
    shift
done
[ $# -gt 2 ] || { echo "usage: scripts/version.sh COMPILER FLAG... -- FILE..." >&2 && exit 2; }
shift 2

# Comments do not compute. A compiler that cannot take them out leaves them in.
without_comments() {
    # shellcheck disable=SC2086 # it may be two words, such as "ccache gcc"
    cat "$@" | $compiler -fpreprocessed -dD -E -P -x c - 2>/dev/null || cat "$@"
}

# What a compiler predefines says which it is, whatever it is called, and what `native` means on this machine.
hash_sources() {
    echo "$flags"
    # shellcheck disable=SC2086
    $compiler $flags -dM -E -x c /dev/null | LC_ALL=C sort
    without_comments "$@" | sed 's/^[[:blank:]]*//; s/[[:blank:]]\{1,\}/ /g; /^$/d'
}

sources=$(hash_sources "$@" | sha256sum | cut -c 1-64)

# Asked of a tree that another user owns, too; and only where these files are git's: the tree may lie, unpacked,
# inside another repository. A hook of another one, in which this may run, names that.
ask_git() {
    env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE -u GIT_OBJECT_DIRECTORY -u GIT_NAMESPACE -u GIT_PREFIX \
        git -c safe.directory='*' "$@" 2>/dev/null
}

commit=unknown dirty=0
if ask_git ls-files --error-unmatch scripts/version.sh >/dev/null; then
    commit=$(ask_git rev-parse HEAD) || commit=unknown
    set -- 'harness/*.[ch]' 'baselines/*.[ch]' 'runtime/*.[ch]' 'runtime/*.inc' Makefile
    if [ -n "$(ask_git status --porcelain --untracked-files=all -- "$@")" ]; then
        dirty=1
        changes=$({ ask_git diff HEAD -- "$@" && ask_git ls-files --others --exclude-standard -- "$@" |
            while IFS= read -r file; do echo "$file" && cat "$file"; done; } | sha256sum | cut -c 1-10)
        commit=$commit+$changes
    fi
elif [ "${archived#\$}" = "$archived" ]; then
    commit=$archived
fi
printf '#define VERSION_RELEASE "%s"\n' "$(cat VERSION)"
printf '#define VERSION_SOURCES "%s"\n#define VERSION_COMMIT "%s"\n#define VERSION_DIRTY %d\n' \
    "$sources" "$commit" "$dirty"
