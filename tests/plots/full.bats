# A disk that is full for one call, or from one on, of all by which a script and what it starts make or change files
# (tests/preload/full.c): what was there stays, byte for byte, or all that is new is there; never half, never in silence.
# make test tries some of these calls, FULL_STEP=1 (make test-long) every one.

bats_require_minimum_version 1.5.0

root=$(realpath "$BATS_TEST_DIRNAME/../..")
build=$root/${BUILD:-build}

setup() {
    cd "$BATS_TEST_TMPDIR"
    export TRUNCQUANT=$build/truncquant db="$PWD/my results.db"
    newest=$(basename "$(printf '%s\n' "$root"/harness/store/schema/[0-9]*.sql | tail -n 1)")
    cat "$root"/harness/store/schema/[0-9]*.sql "$root/harness/store/schema/views.sql" "$root/tests/plots/database.sql" - \
        <<<"PRAGMA user_version = $((10#${newest%%-*}));" | sqlite3 -bail "$db"
    mkdir fakes
    fake gnuplot <<'END_OF_FAKE'
[ "$1" = --version ] && echo "gnuplot 5.4 patchlevel 4" && exit
case $6 in svg) printf '<svg\n width="10" height="10"\n<title>\n<desc>\n</svg>\n' ;; *) echo "$6 of ${3##*/}" ;; esac
END_OF_FAKE
    PATH=$PWD/fakes:$PATH
}

# fake NAME: a program of that name, with its text on stdin
fake() {
    { echo '#!/bin/bash' && cat; } >"fakes/$1"
    chmod +x "fakes/$1"
}

# full FROM TO COMMAND ...
full() {
    head -c 8 /dev/zero >calls
    env FULL_CALLS="$PWD/calls" FULL_FROM="$1" FULL_TO="$2" LD_PRELOAD="$build/tests/preload/full.so" \
        ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" "${@:3}"
}

# safe FOLDER: where not even a name could be changed back, what was there is in FOLDER, which is said
safe() {
    local file
    for file in old/*; do
        cmp -s "$file" "$1/${file##*/}" || cmp "$file" "out/${file##*/}"
    done
}

# every_call SCRIPT OPTION ...: SCRIPT makes out/ anew, which is as old/, or becomes as want/
every_call() {
    local last n to
    rm -rf out && cp -a old out
    full 0 0 "$@" >/dev/null
    diff -r out want
    last=$(od -An -t d8 calls)
    [ "$last" -gt 30 ]
    for ((n = 1; n <= last; n += ${FULL_STEP:-91})); do
        for to in "$n" 1000000; do
            rm -rf out && cp -a old out
            run --separate-stderr full "$n" "$to" "$@"
            # A call may be one that matters to nobody, such as a second name where a copy will do.
            if [ "$status" = 0 ]; then
                diff -r out want
            else
                echo "call $n of $last to $to: $stderr"
                [[ $stderr == *" are in "* ]] && safe "${stderr##* are in }" || diff -r out old
                [ "${#stderr_lines[@]}" = 1 ]
                [[ $stderr == *full* || $stderr == *"No space left"* || $stderr == *"cannot be"* ]]
            fi
        done
    done
}

@test "figures.sh: a full disk leaves all old figures, or none" {
    mkdir old
    for name in accuracy.csv drops.svg accuracy-calibrated.png learning.pdf; do echo old >old/$name; done
    "$root/scripts/figures.sh" --db "$db" --grid three --output want
    [ ! -e want/learning.pdf ]
    every_call "$root/scripts/figures.sh" --db "$db" --grid three --output out
}

@test "tables.sh: a full disk leaves all old tables, or none" {
    mkdir old
    for name in accuracy.csv drops.txt accuracy-calibrated.tex; do echo old >old/$name; done
    "$root/scripts/tables.sh" --db "$db" --grid three --output want
    [ ! -e want/accuracy-calibrated.tex ]
    every_call "$root/scripts/tables.sh" --db "$db" --grid three --output out
}

@test "data.sh: a full disk leaves nothing half, and the same call goes on" {
    local last n to status
    mkdir site
    echo small >site/small && seq 20000 >site/large
    for file in small large; do
        echo "toy folder $file $(stat -c %s site/$file) $(md5sum <site/$file | cut -c 1-32) http://localhost/$file"
    done >table
    export TRUNCQUANT=none
    fetch=("$root/scripts/data.sh" toy --table table --mirror site --into out)
    full 0 0 "${fetch[@]}"
    last=$(od -An -t d8 calls)
    for ((n = 1; n <= last; n += ${FULL_STEP:-29})); do
        for to in "$n" 1000000; do
            rm -rf out
            run --separate-stderr full "$n" "$to" "${fetch[@]}"
            if [ "$status" != 0 ]; then
                [ "$(grep -vc "data.sh: not read back" <<<"$stderr")" = 1 ]
                [ ! -e out/folder/large ] || cmp out/folder/large site/large
                run -0 "${fetch[@]}"
            fi
            diff --exclude=.lock out/folder site
        done
    done
}

@test "grid.sh: a full disk is no success while a run is left" {
    local last n to status
    fake program <<'END_OF_FAKE'
left() { for id in one two three; do [ -e "ended/$id" ] || echo $id log-$id; done; }
case $1 in
check) [ "$2" = --tool ] || echo 2 ;;
plan) [[ " $* " == *" --name "* ]] && echo mine || left ;;
status) [ "$(left | wc -l)" = 0 ] && echo "3 done" || echo "$((3 - $(left | wc -l))) done, $(left | wc -l) pending" ;;
run) echo "begins" && : >"ended/$2" || exit ;;
esac
END_OF_FAKE
    : >my.grid
    TRUNCQUANT=$PWD/fakes/program
    attempt() {
        rm -rf ended my.runs && mkdir ended
        run --separate-stderr full "$1" "$2" "$root/scripts/grid.sh" my.grid --db my.db --jobs 1
    }
    attempt 0 0
    [ "$status" = 0 ]
    last=$(od -An -t d8 calls)
    [ "$last" -gt 10 ]
    for ((n = 1; n <= last; n += ${FULL_STEP:-23})); do
        for to in "$n" 1000000; do
            attempt "$n" "$to"
            [ "$status" != 0 ] || [ "$(ls ended | wc -l)" = 3 ]
            [ "$status" = 0 ] || [ -n "$stderr" ]
        done
    done
}
