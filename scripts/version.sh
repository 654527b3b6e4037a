#!/bin/sh
# Print the commit of the harness's source and whether it has uncommitted changes, as C definitions.
set -eu
cd "$(dirname "$0")/.."
commit=$(git rev-parse HEAD 2>/dev/null || echo unknown)
dirty=0
[ -z "$(git status --porcelain -- harness baselines Makefile 2>/dev/null)" ] || dirty=1
printf '#define VERSION_COMMIT "%s"\n#define VERSION_DIRTY %d\n' "$commit" "$dirty"
