# scripts/data.sh: data sets fetched from a server on this machine, from folders, and what goes wrong on the way.

root=$BATS_TEST_DIRNAME/../..

setup() {
    site=$BATS_TEST_TMPDIR/site
    into="$BATS_TEST_TMPDIR/in to" # odd, but a folder
    table=$BATS_TEST_TMPDIR/table
    log=$BATS_TEST_TMPDIR/curl.log
    real_curl=$(command -v curl)
    mkdir "$site" "$BATS_TEST_TMPDIR/bin"
    export TRUNCQUANT="$BATS_TEST_TMPDIR/bin/none" TRUNCQUANT_DATA='' PATH="$BATS_TEST_TMPDIR/bin:$PATH"
    make_set
    start_server
    write_table
}

teardown() {
    kill "$server"
}

# Two files, one of them large enough to be cut.
make_set() {
    seq 1 60000 >"$site/large"
    echo small >"$site/small"
}

write_table() {
    local file size
    echo "# name folder file size md5 address" >"$table"
    for file in large small; do
        size=-
        [ $file = small ] || size=$(stat -c %s "$site/$file")
        echo "toy folder $file $size $(md5sum <"$site/$file" | cut -c 1-32) http://127.0.0.1:$port/$file" >>"$table"
    done
}

# A port that is free: the first on which the server stays.
start_server() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 20000))
        busybox httpd -f -p "127.0.0.1:$port" -h "$site" 3>&- 4>&- &
        server=$!
        until "$real_curl" -s -o /dev/null "http://127.0.0.1:$port/small"; do
            kill -0 "$server" || continue 2
            sleep 0.05
        done
        kill -0 "$server" && return
    done
    return 1
}

# curl_with OPTIONS...: curl gets them as well.
curl_with() {
    printf '#!/bin/bash\nexec %q %s "$@"\n' "$real_curl" "$*" >"$BATS_TEST_TMPDIR/bin/curl"
    chmod +x "$BATS_TEST_TMPDIR/bin/curl"
}

# curl that notes the bytes it loads; what it prints on stdout is none of the script's business.
curl_counts() {
    printf '#!/bin/bash\n%q --write-out "%%{http_code} %%{size_download}\\n" "$@" >>%q\n' "$real_curl" "$log" \
        >"$BATS_TEST_TMPDIR/bin/curl"
    chmod +x "$BATS_TEST_TMPDIR/bin/curl"
}

fetch() {
    run "$root/scripts/data.sh" --table "$table" --into "$into" "$@"
}

fetched() {
    cmp "$site/large" "$into/folder/large"
    cmp "$site/small" "$into/folder/small"
    [ -z "$(find "$into" -name '*.part')" ]
}

says() {
    local text
    for text in "$@"; do
        [[ $output == *"$text"* ]] || { echo "'$text' is not in: $output" && return 1; }
    done
}

@test "fetch: every file, then nothing more" {
    fetch toy
    [ "$status" = 0 ]
    fetched
    says "not read back" "now set TRUNCQUANT_DATA=$BATS_TEST_TMPDIR/in\\ to"
    curl_counts
    TRUNCQUANT_DATA="$into" fetch toy
    [ "$status" = 0 ]
    says "large: is there" "small: is there"
    [[ $output != *"now set"* ]]
    [ ! -e "$log" ] # nothing was asked of the server
}

@test "fetch: an interrupted download goes on where it ended" {
    # curl is killed in the middle, by the limit on the size of files
    printf '#!/bin/bash\nulimit -f 100\nexec %q "$@"\n' "$real_curl" >"$BATS_TEST_TMPDIR/bin/curl"
    chmod +x "$BATS_TEST_TMPDIR/bin/curl"
    fetch toy
    [ "$status" = 1 ]
    says "http://127.0.0.1:$port/large: cannot be written; is the disk full?"
    had=$(stat -c %s "$into/folder/large.part")
    [ ! -e "$into/folder/large" ]
    curl_counts
    fetch toy
    [ "$status" = 0 ]
    fetched
    whole=$(stat -c %s "$site/large")
    [ "$had" -gt 0 ]
    [ "$had" -lt "$whole" ]
    [ "$(head -1 "$log")" = "206 $((whole - had))" ]
}

@test "fetch: a part that is whole is not fetched again" {
    mkdir -p "$into/folder"
    cp "$site/large" "$into/folder/large.part"
    curl_counts
    fetch toy
    [ "$status" = 0 ]
    fetched
    [ "$(cat "$log")" = "200 6" ] # the small one
}

@test "fetch: a part that is longer than the file is started again" {
    mkdir -p "$into/folder"
    cat "$site/large" "$site/large" >"$into/folder/large.part"
    fetch toy
    [ "$status" = 0 ]
    fetched
}

@test "fetch: a wrong checksum" {
    echo other >"$site/small"
    fetch toy
    [ "$status" = 1 ]
    says "folder/small: what was fetched has the MD5 $(md5sum <"$site/small" | cut -c 1-32) where" "it was removed"
    [ ! -e "$into/folder/small" ]
    [ ! -e "$into/folder/small.part" ]
    cmp "$site/large" "$into/folder/large" # what is right stays
    echo small >"$site/small"
    fetch toy
    [ "$status" = 0 ]
    fetched
}

@test "fetch: a part of another file is found out" {
    mkdir -p "$into/folder"
    yes | head -c 1000 >"$into/folder/large.part"
    fetch toy
    [ "$status" = 1 ]
    says "folder/large: what was fetched has the MD5"
    fetch toy
    [ "$status" = 0 ]
    fetched
}

@test "fetch: a server that sends more than was published is stopped there" {
    local published
    published=$(stat -c %s "$site/large")
    head -c 30000000 /dev/zero >>"$site/large"
    curl_counts
    fetch toy
    [ "$status" = 1 ]
    says "large: the server sends more than the $published bytes that are published; name a --mirror"
    [ ! -e "$into/folder/large" ] && [ ! -e "$into/folder/large.part" ]
    [ "$(tail -n 1 "$log" | cut -d ' ' -f 2)" -lt 1000000 ]
}

@test "fetch: users' settings of curl change nothing" {
    mkdir "$BATS_TEST_TMPDIR/home"
    printf '%s\n' 'head' 'proxy = "http://127.0.0.1:1"' >"$BATS_TEST_TMPDIR/home/.curlrc"
    HOME=$BATS_TEST_TMPDIR/home fetch toy
    [ "$status" = 0 ]
    fetched
}

@test "fetch: a wrong size" {
    truncate -s -5 "$site/large"
    fetch toy
    [ "$status" = 1 ]
    says "folder/large: what was fetched has $(stat -c %s "$site/large") bytes where"
}

@test "fetch: a file of that name that is not it is left alone" {
    mkdir -p "$into/folder"
    echo mine >"$into/folder/small"
    fetch toy
    [ "$status" = 1 ]
    says "folder/small: is there, but has the MD5" "remove it"
    [ "$(cat "$into/folder/small")" = mine ]
}

@test "fetch: the server does not have it, or is not there" {
    rm "$site/small"
    fetch toy
    [ "$status" = 1 ]
    says "http://127.0.0.1:$port/small: the server refuses it" "404" "--mirror"
    [ ! -e "$into/folder/small.part" ]
    kill "$server"
    wait "$server" || true
    curl_with --retry 0
    fetch toy
    [ "$status" = 1 ]
    says "small: the server cannot be reached"
    sleep 100 3>&- & # for teardown
    server=$!
}

@test "fetch: a full disk" {
    run bash -c 'trap "" XFSZ; ulimit -f 64; "$@"' - "$root/scripts/data.sh" --table "$table" --into "$into" toy
    [ "$status" = 1 ]
    says "large: cannot be written; is the disk full?"
    [ ! -e "$into/folder/large" ]
    [ -s "$into/folder/large.part" ]
    fetch toy # and there is room again
    [ "$status" = 0 ]
    fetched
}

@test "fetch: from a mirror, which is an address or a folder" {
    sed -i 's/127.0.0.1:[0-9]*/nowhere.invalid/' "$table"
    fetch toy --mirror "http://127.0.0.1:$port/"
    [ "$status" = 0 ]
    fetched
    rm -r "$into"
    fetch toy --mirror "$site"
    [ "$status" = 0 ]
    fetched
    rm -r "$into"
    mkdir "$BATS_TEST_TMPDIR/all sets"
    cp -r "$site" "$BATS_TEST_TMPDIR/all sets/folder"
    fetch toy --mirror "$BATS_TEST_TMPDIR/all sets"
    [ "$status" = 0 ]
    fetched
    rm -r "$into"
    mkdir "$BATS_TEST_TMPDIR/empty"
    fetch toy --mirror "$BATS_TEST_TMPDIR/empty"
    [ "$status" = 1 ]
    says "empty/large: not there, nor in folder"
}

@test "fetch: an archive is unpacked whole" {
    mkdir "$BATS_TEST_TMPDIR/gzip"
    echo content >"$BATS_TEST_TMPDIR/gzip/file"
    (cd "$BATS_TEST_TMPDIR" && zip -q -r "$site/gzip.zip" gzip)
    echo "packed p gzip.zip - $(md5sum <"$site/gzip.zip" | cut -c 1-32) http://127.0.0.1:$port/gzip.zip" >>"$table"
    fetch packed
    [ "$status" = 0 ]
    [ "$(cat "$into/p/gzip/file")" = content ]
    [ "$(ls "$into/p")" = gzip ]
    fetch packed
    [ "$status" = 0 ]
    says "gzip: is there"
}

@test "fetch: the program reads what was fetched" {
    printf '#!/bin/bash\n[ "$2" != --tool ] || exit 0\necho "$TRUNCQUANT_DATA: $*"\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/none"
    chmod +x "$BATS_TEST_TMPDIR/bin/none"
    fetch toy
    [ "$status" = 1 ]
    says "$into: check --data toy"
}

@test "fetch: names of all kinds" {
    for name in toyy '../toy' 't.y' '*' 'toy folder' '$(touch x)' $'toy\nfolder' '# name' 'ключ'; do
        fetch "$name"
        [ "$status" = 2 ]
        says "unknown data set '" "known are toy"
        [ "${#lines[@]}" = 1 ]
    done
    [ ! -e "$into" ]
    fetch ''
    [ "$status" = 2 ]
    fetch
    [ "$status" = 2 ]
    fetch toy toy
    [ "$status" = 2 ]
    fetch toy --mirro x
    [ "$status" = 2 ]
    run "$root/scripts/data.sh" toy --table "$table"
    [ "$status" = 2 ]
    says "TRUNCQUANT_DATA"
    run "$root/scripts/data.sh" --help
    [ "$status" = 0 ]
    says "mnist, fashion-mnist, kmnist, emnist, cifar10, cifar100, svhn"
}

@test "fetch: two at once" {
    mkdir -p "$into/folder"
    exec 7>"$into/folder/.lock"
    flock 7
    fetch toy
    exec 7>&-
    [ "$status" = 1 ]
    says "another call is at it"
}

@test "fetch: what is no table of data sets is refused with one line, that of the mistake" {
    printf 'a\0\1\377\n\0b\n' >"$BATS_TEST_TMPDIR/junk"
    run "$root/scripts/data.sh" --table "$BATS_TEST_TMPDIR/junk" --into "$into" toy
    [ "$status" = 1 ]
    [[ $output == "data.sh: $BATS_TEST_TMPDIR/junk:"*": is no row of a table of data sets; "* ]]
    [ "${#lines[@]}" = 1 ]
    run "$root/scripts/data.sh" --table "$BATS_TEST_TMPDIR" --help
    [ "$status" = 1 ]
    [ "$output" = "data.sh: $BATS_TEST_TMPDIR: cannot be read; name the table with --table" ]
    sed -i '$s/ [0-9a-f]* http/ 0123 http/' "$table"
    fetch toy
    [ "$status" = 1 ]
    says "$table:$(wc -l <"$table"): is no row"
    : >"$table"
    fetch toy
    [ "$status" = 1 ]
    says "$table:1: is no row"
    [ ! -e "$into" ]
}

@test "fetch: the table" {
    [ "$(grep -vc '^#' "$root/scripts/data-sets.txt")" = 17 ]
    run awk '!/^#/ && (NF != 6 || $4 !~ /^(-|[0-9]+)$/ || $5 !~ /^[0-9a-f]+$/ || length($5) != 32 || $6 !~ "^https?://.*/" $3 "$")' \
        "$root/scripts/data-sets.txt"
    [ -z "$output" ]
}
