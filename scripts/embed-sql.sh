#!/bin/sh
# Print each SQL file as one entry of a C table: {"NAME", "text"}. The text is escaped line by line.
set -eu
for file in "$@"; do
    printf '{"%s",\n' "$(basename "$file" .sql)"
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$/\\n"/' "$file"
    printf '},\n'
done
