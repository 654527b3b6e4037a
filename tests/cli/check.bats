# truncquant check: a machine that has everything, and machines that lack one thing each.

truncquant=$BATS_TEST_DIRNAME/../../${BUILD:-build}/truncquant

# A machine with everything: fakes of the tools, a small data set, a cache and a place for the database.
setup() {
    export TRUNCQUANT_DATA="$BATS_TEST_TMPDIR/data" TRUNCQUANT_CACHE="$BATS_TEST_TMPDIR/cache"
    export FAKES="$BATS_TEST_TMPDIR/fakes" DB="$BATS_TEST_TMPDIR/r.db"
    "$BATS_TEST_DIRNAME/../tiny-data.sh" "$TRUNCQUANT_DATA" 10 10
    mkdir "$FAKES"
    fake gnuplot 'echo "gnuplot 5.4 patchlevel 4"'
    fake parallel 'echo "GNU parallel 20221122"; echo "Copyright"'
    fake sqlite3 'echo "3.40.1 2022-12-28"'
    fake bash 'echo "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)"'
    fake curl 'echo "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1"'
    fake pdflatex 'echo "pdfTeX 3.141592653-2.6-1.40.24 (TeX Live 2022/Debian)"; echo "kpathsea version 6.3.4"'
    fake unzip 'echo "UnZip 6.00 of 20 April 2009, by Debian."'
}

# fake NAME COMMANDS
fake() {
    printf '#!/bin/sh\n%s\n' "$2" >"$FAKES/$1"
    chmod +x "$FAKES/$1"
}

check() {
    run env PATH="$FAKES" "$truncquant" check --db "$DB" "$@"
}

# lacks NAME TEXT...: status 1, one line "missing NAME: ..." with all the texts, and the count at the end.
lacks() {
    local line name=$1
    [ "$status" = 1 ]
    line=$(grep "^missing  $name: " <<<"$output")
    [ "$(wc -l <<<"$line")" = 1 ]
    shift
    for text in "$@"; do
        [[ $line == *"$text"* ]] || return 1
    done
    [[ $output == *"truncquant: check: 1 of the things that the main job needs is missing"* ]]
}

@test "check: everything is there" {
    check
    [ "$status" = 0 ]
    for name in Darknet OpenBLAS oneDNN SQLite 'JPEG and PNG' 'data formats' gnuplot 'GNU parallel' bash curl \
        unzip pdflatex 'sqlite3 tool'; do
        grep "^ok       $name: " <<<"$output"
    done
    grep -E '^(ok|note)     *processor: .*[1-9][0-9]* cores? allowed' <<<"$output"
    grep -E '^(ok|note)     *memory: [0-9.]+ GiB free of [0-9.]+' <<<"$output"
    grep "^ok       data set fashion-mnist: $TRUNCQUANT_DATA/fashion-mnist, will be prepared" <<<"$output"
    [ "$(grep -c '^missing' <<<"$output")" = 0 ]
    [ "$(grep -Evc '^(ok     |missing|note   )  [^:]+: .' <<<"$output")" = 0 ] # nothing but such lines
}

@test "check: it changes nothing" {
    check
    [ ! -e "$TRUNCQUANT_CACHE" ]
    [ ! -e "$DB" ]
    grep -E "^(ok|note) +cache folder: $TRUNCQUANT_CACHE, will be made" <<<"$output"
}

@test "check: a prepared data set is said to be" {
    printf '[grid]\nname=t\nscheme=qat\nnetwork=lenet\ndataset=fashion-mnist\nseed=1\n[train]\nbatch=10\n' >"$BATS_TEST_TMPDIR/t.grid"
    cd "$BATS_TEST_DIRNAME/../.."
    "$truncquant" plan "$BATS_TEST_TMPDIR/t.grid" --db "$DB"
    check
    [ "$status" = 0 ]
    [[ $output == *"data set fashion-mnist: $TRUNCQUANT_DATA/fashion-mnist, prepared"* ]]
    grep -E "^(ok|note) +cache folder: .*; prepared data sets: 1, 0 MiB, which may be removed" <<<"$output"
    touch "$TRUNCQUANT_DATA/fashion-mnist/train-labels-idx1-ubyte"
    check
    [[ $output == *"data set fashion-mnist: $TRUNCQUANT_DATA/fashion-mnist, will be prepared"* ]]
}

@test "check: only cores that the process may use count" {
    run taskset -c 0 env PATH="$FAKES" "$truncquant" check --db "$DB"
    [[ $output == *", 1 core allowed;"* ]]
}

@test "check: no gnuplot" {
    rm "$FAKES/gnuplot"
    check
    lacks gnuplot "not found" "apt-get install gnuplot-nox"
}

@test "check: what no script calls, or data.sh alone, may be missing" {
    rm "$FAKES"/{sqlite3,curl,unzip}
    check
    [ "$status" = 0 ]
    for name in "sqlite3 tool" curl unzip; do
        grep "^note     $name: not found; apt-get install ${name%% *}" <<<"$output"
    done
}

@test "check: an old version of a tool is named, with the first that will do" {
    while read -r tool name least old; do
        cp "$FAKES/$tool" "$BATS_TEST_TMPDIR/kept"
        fake "$tool" "echo '$old'"
        check
        lacks "${name//_/ }" "$old is too old: $least or newer is needed; Debian 12's "
        run env PATH="$FAKES" "$truncquant" check --tool "${name//_/ }"
        [ "$status" = 1 ]
        [[ $output == "truncquant: ${name//_/ }: $old is too old: $least or newer is needed; Debian 12's "*" is new enough" ]]
        fake "$tool" "echo '${old%% [0-9]*} $least'" # the first that will do
        [ "$tool" != bash ] || fake bash 'echo "GNU bash, version 4.4.0(1)-release"'
        run env PATH="$FAKES" "$truncquant" check --tool "${name//_/ }"
        [ "$status" = 0 ]
        [ -z "$output" ]
        mv "$BATS_TEST_TMPDIR/kept" "$FAKES/$tool"
    done <<'END'
gnuplot gnuplot 5.4 gnuplot 5.0 patchlevel 7
gnuplot gnuplot 5.4 gnuplot 5.2 patchlevel 8
gnuplot gnuplot 5.4 gnuplot 4.6 patchlevel 6
parallel GNU_parallel 20210822 GNU parallel 20161222
bash bash 4.4 GNU bash, version 4.3.48(1)-release (x86_64-pc-linux-gnu)
bash bash 4.4 GNU bash, version 3.2.57(1)-release (x86_64-apple-darwin20)
END
    fake gnuplot 'echo "gnuplot 6.0 patchlevel 1"'
    fake curl 'echo "curl 7.12.2 (i386)"'
    fake pdflatex 'echo "pdfTeX 3.14159265-2.6-1.40.15 (TeX Live 2015/dev/Debian)"'
    check
    [[ $output == *"note     pdflatex: pdfTeX 1.40.15 is too old: 1.40.17 or newer"* ]]
    [ "$status" = 0 ]
    [[ $output == *"note     curl: curl 7.12.2 (i386) is too old: 7.12.3 or newer"* ]]
    run "$truncquant" check --tool emacs
    [ "$status" = 2 ]
}

# pretend FUNCTION TYPE VALUE PARAMETERS: a library whose function says so, for old
pretend() {
    echo "$2 $1($4); $2 $1($4) { return $3; }" >"$BATS_TEST_TMPDIR/$1.c"
    pretended=$BATS_TEST_TMPDIR/$1.so
    "${CC:-gcc}" -shared -fPIC -o "$pretended" "$BATS_TEST_TMPDIR/$1.c"
}

old() {
    run env LD_PRELOAD="$pretended" ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" PATH="$FAKES" \
        "$truncquant" "$@" --db "$DB"
}

@test "check: an old version of a library is named; a database is not opened with an old SQLite" {
    pretend sqlite3_libversion_number int 3038005 void
    old check
    lacks SQLite "is too old: 3.39 or newer is needed"
    echo "a database" >"$DB"
    old status
    [ "$status" = 1 ]
    [[ $output == "truncquant: SQLite "*" is too old: 3.39 or newer is needed; update libsqlite3" ]]
    rm "$DB"
    pretend sqlite3_compileoption_used int 0 "const char *name"
    old check
    lacks SQLite "is built without ENABLE_MATH_FUNCTIONS"
    pretend png_get_libpng_ver "const char *" '"1.6.31"' "const void *p"
    old check
    lacks "JPEG and PNG" "libpng 1.6.31 is too old: 1.6.32 or newer"
    pretend zlibVersion "const char *" '"1.1.4"' void
    old check
    lacks "data formats" "zlib 1.1.4 is too old: 1.2 or newer"
    pretend archive_version_number int 2008005 void
    old check
    lacks "data formats" "libarchive 2.8.5 is too old: 3 or newer"
}

@test "check: no parallel" {
    rm "$FAKES/parallel"
    check
    lacks "GNU parallel" "not found" "apt-get install parallel"
}

@test "check: the parallel of moreutils is another program" {
    fake parallel 'echo "parallel: invalid option -- -" >&2; exit 1'
    check
    lacks "GNU parallel" "another program" "invalid option" "apt-get install parallel"
}

@test "check: a tool that fails silently counts as missing" {
    fake gnuplot 'exit 3'
    check
    lacks gnuplot "apt-get install gnuplot-nox"
}

@test "check: one data set, read whole" {
    run "$truncquant" check --data fashion-mnist
    [ "$status" = 0 ]
    [[ $output == "ok       data set fashion-mnist: "*" training and "*" test images of 1 x 28 x 28, 10 classes" ]]
    truncate -s -1 "$TRUNCQUANT_DATA/fashion-mnist/train-images-idx3-ubyte"
    run "$truncquant" check --data fashion-mnist
    [ "$status" = 1 ]
    [[ $output == *"train-images-idx3-ubyte: has "*" bytes where its header promises"* ]]
}

@test "check: the data set is not whole" {
    rm "$TRUNCQUANT_DATA/fashion-mnist/t10k-labels-idx1-ubyte"
    check
    lacks "data set fashion-mnist" "$TRUNCQUANT_DATA/fashion-mnist/t10k-labels-idx1-ubyte: not found" \
        "apt-get install dataset-fashion-mnist"
}

@test "check: other data sets are not needed" {
    check
    [ "$status" = 0 ]
    grep "^note     data sets not here: mnist, kmnist, .*, svhn; scripts/data.sh NAME" <<<"$output"
    mkdir "$TRUNCQUANT_DATA/kmnist"
    check
    [ "$status" = 0 ]
    grep "^note     data set kmnist: .*/kmnist/train-images.*: not found.*scripts/data.sh kmnist" <<<"$output"
    rmdir "$TRUNCQUANT_DATA/kmnist"
    mv "$TRUNCQUANT_DATA/fashion-mnist" "$TRUNCQUANT_DATA/kmnist"
    mkdir "$TRUNCQUANT_DATA/fashion-mnist"
    check
    grep "^ok       data set kmnist: $TRUNCQUANT_DATA/kmnist" <<<"$output"
    lacks "data set fashion-mnist"
}

@test "check: folders of images are listed, with what is in them or wrong with them" {
    for name in whole 'of two words' uneven empty littered; do
        mkdir -p "$TRUNCQUANT_DATA/$name"/{train,val}/{a,b}
        touch "$TRUNCQUANT_DATA/$name"/train/{a,b}/{1,2,3}.jpg "$TRUNCQUANT_DATA/$name"/val/{a,b}/1.PNG
    done
    mkdir -p "$TRUNCQUANT_DATA/whole/val/a/x.jpg" "$TRUNCQUANT_DATA/uneven/train/c" "$TRUNCQUANT_DATA/onlytest/test" \
        "$TRUNCQUANT_DATA/photos" "$TRUNCQUANT_DATA/emnist" "$TRUNCQUANT_DATA/.hidden/train"
    touch "$TRUNCQUANT_DATA/uneven/train/c/1.jpg" "$TRUNCQUANT_DATA/a file" "$TRUNCQUANT_DATA/littered/train/a/x.txt"
    rm "$TRUNCQUANT_DATA/empty/val/b/1.PNG"
    check
    [ "$status" = 0 ] # none of them is needed
    there=$TRUNCQUANT_DATA
    grep -xF "ok       image folder of two words: $there/of two words, 2 classes, 6 training and 2 test images by their names" <<<"$output"
    grep -xF "ok       image folder whole: $there/whole, 2 classes, 6 training and 3 test images by their names" <<<"$output"
    grep "^note     image folder empty: $there/empty/val/b: has no image, so the class cannot be tested" <<<"$output"
    grep "^note     image folder uneven: $there/uneven/val: has no class 'c', which train has" <<<"$output"
    grep "^note     image folder littered: $there/littered: 1 of its 9 files are no images" <<<"$output"
    grep "^note     image folder onlytest: $there/onlytest: has no folder 'train' (it holds test)" <<<"$output"
    grep -xF "note     no data sets: photos; images belong in NAME/train/CLASS and NAME/test/CLASS" <<<"$output"
    [[ $output != *hidden* && $output != *'a file'* && $output != *'image folder emnist'* ]]
    check --quiet
    [ -z "$output" ]
}

@test "check: no place for the cache" {
    run env -u TRUNCQUANT_CACHE -u XDG_CACHE_HOME -u HOME PATH="$FAKES" "$truncquant" check --db "$DB"
    lacks "cache folder" "set TRUNCQUANT_CACHE"
    : >"$BATS_TEST_TMPDIR/occupied"
    run env TRUNCQUANT_CACHE="$BATS_TEST_TMPDIR/occupied/below" PATH="$FAKES" "$truncquant" check --db "$DB"
    lacks "cache folder" "Not a directory" "TRUNCQUANT_CACHE"
}

@test "check: no place for the database" {
    : >"$BATS_TEST_TMPDIR/occupied"
    DB=$BATS_TEST_TMPDIR/occupied/r.db check
    lacks "database folder" "Not a directory" "--db"
}

@test "check: a database that other verbs refuse" {
    cd "$BATS_TEST_TMPDIR"
    DB=$PWD/fakes check
    lacks "database folder" "$PWD/fakes: is not a file; name a database file"
    echo "only words, and enough of them" >junk
    DB=junk check
    lacks "database folder" "junk: is not a database; name another file with --db"
    "$(PATH=${PATH#"$FAKES":} command -v sqlite3)" other.db "CREATE TABLE t (a)"
    DB=other.db check
    lacks "database folder" "other.db: is a database of another program"
    DB=nowhere/r.db check
    lacks "database folder" "nowhere does not exist; make it, or name another place with --db"
    DB=:memory: check
    lacks "database folder" ":memory:: means something else to SQLite; write ./:memory:"
    ln -s nowhere/r.db link
    for name in empty.db new.db link; do
        [ $name != empty.db ] || : >empty.db
        DB=$name check
        [ "$status" = 0 ]
    done
    [ ! -s empty.db ]
    [ ! -e new.db ]
}

@test "check: a database of ours" {
    printf '[grid]\nname=t\nscheme=qat\nnetwork=lenet\ndataset=fashion-mnist\nseed=1\n[train]\nbatch=10\n' >"$BATS_TEST_TMPDIR/t.grid"
    cd "$BATS_TEST_DIRNAME/../.."
    "$truncquant" plan "$BATS_TEST_TMPDIR/t.grid" --db "$DB"
    before=$(sha256sum "$DB")
    check
    [ "$status" = 0 ]
    [ "$(sha256sum "$DB")" = "$before" ]
}

@test "check: where data sets are looked for" {
    check
    grep "^ok       data folders: $TRUNCQUANT_DATA (TRUNCQUANT_DATA), then /usr/share/datasets" <<<"$output"
    run env -u TRUNCQUANT_DATA PATH="$FAKES" "$truncquant" check --db "$DB"
    grep "^ok       data folders: /usr/share/datasets; TRUNCQUANT_DATA can name one" <<<"$output"
    for wrong in "$BATS_TEST_TMPDIR/nowhere" "$FAKES/gnuplot"; do
        TRUNCQUANT_DATA=$wrong check
        grep "^note     data folders: TRUNCQUANT_DATA=$wrong cannot be read (.*), so that data sets are found in /usr" <<<"$output"
    done
}

@test "check: quiet says only what is missing" {
    check --quiet
    [ "$status" = 0 ]
    [ -z "$output" ]
    rm "$FAKES/gnuplot"
    check --quiet
    lacks gnuplot
    [ "${#lines[@]}" = 2 ]
}

@test "check: a library that is not Darknet" {
    TRUNCQUANT_DARKNET=libz.so.1 check
    lacks Darknet "parse_network_cfg" "install"
}

@test "check: a Darknet that crashes when it is loaded" {
    echo '#include <stdlib.h>
        __attribute__((constructor)) static void start(void) { abort(); }' >"$BATS_TEST_TMPDIR/crash.c"
    "${CC:-gcc}" -shared -fPIC -o "$BATS_TEST_TMPDIR/crash.so" "$BATS_TEST_TMPDIR/crash.c"
    TRUNCQUANT_DARKNET="$BATS_TEST_TMPDIR/crash.so" check
    lacks Darknet "crashes (Aborted)" "reinstall"
}

@test "check: Darknet's memory stays out of the process" {
    # A gnuplot that looks through the mappings of every process above it.
    fake gnuplot '
        pid=$PPID
        while [ "$pid" -gt 1 ]; do
            while read -r line; do
                case $line in *libdarknet*) echo "Darknet is mapped"; exit ;; esac
            done <"/proc/$pid/maps"
            while read -r key value; do [ "$key" = PPid: ] && break; done <"/proc/$pid/status"
            pid=$value
        done 2>/dev/null
        echo "gnuplot 5.4"'
    check
    [ "$status" = 0 ]
}

@test "check: wrong use" {
    check something
    [ "$status" = 2 ]
    [[ $output == "truncquant: check: takes no operand, but got 'something'" ]]
    check --quit
    [ "$status" = 2 ]
    [[ $output == *"did you mean --quiet?"* ]]
    check --help
    [ "$status" = 0 ]
    [[ $output == "usage: truncquant check"* ]]
}

@test "check: output that cannot be written is a failure" {
    run bash -c "PATH=$FAKES '$truncquant' check --db '$DB' >/dev/full"
    [ "$status" = 1 ]
    [[ $output == *"output cannot be written"* ]]
}
