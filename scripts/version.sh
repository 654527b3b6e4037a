#!/bin/sh
# Print the commit of the harness's source and whether it has uncommitted changes, as C definitions. With
# changes the commit has the start of their hash behind it, so that two versions of one commit differ.
set -eu
cd "$(dirname "$0")/.."
sources="harness baselines Makefile"
commit=$(git rev-parse HEAD 2>/dev/null || echo unknown)
dirty=0
# shellcheck disable=SC2086 # a list of names
if [ -n "$(git status --porcelain -- $sources 2>/dev/null)" ]; then
    dirty=1
    changes=$({ git diff HEAD -- $sources && git ls-files --others --exclude-standard -- $sources |
        while IFS= read -r file; do echo "$file" && cat "$file"; done; } | sha256sum | cut -c 1-10)
    commit=$commit+$changes
fi
printf '#define VERSION_COMMIT "%s"\n#define VERSION_DIRTY %d\n' "$commit" "$dirty"
