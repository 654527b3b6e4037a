# Each script in surroundings that mean it ill: settings of users for the tools that it calls, functions and options of
# shells, languages with a decimal comma or none at all, no folder for temporary files, files that only their owner reads.

load runs

setup() {
    tiny_data "$BATS_TEST_TMPDIR" 128 32
    use_data "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    export TRUNCQUANT=$program
    surroundings "$BATS_TEST_TMPDIR/home"
}

# surroundings HOME: its settings, and the variables of `hostile`
surroundings() {
    mkdir -p "$1/.parallel" "$1/.config/gnuplot" locales
    echo 'exit' | tee "$1/.gnuplot" >"$1/.config/gnuplot/gnuplotrc"
    printf '%s\n' '.headers on' '.mode html' >"$1/.sqliterc"
    echo '--dry-run' >"$1/.parallel/config"
    printf '%s\n' 'output = "/dev/null"' 'nonsense' >"$1/.curlrc"
    echo 'echo hostile; exit 9' | tee "$1/.bashrc" >"$1/.bash_profile"
    variables=(HOME="$1" BASH_ENV="$1/.bashrc" ENV="$1/.bashrc" SHELLOPTS=noexec:nounset CDPATH=.:/tmp IFS=/
        POSIXLY_CORRECT=1 GREP_OPTIONS=-v TAR_OPTIONS=--nonsense GZIP=-l UNZIP=-l UNZIPOPT=-l
        GNUPLOT_LIB=/none GNUPLOT_DRIVER_DIR=/none GNUPLOT_FONTPATH=/none GNUTERM=dumb
        PARALLEL=--dry-run PARALLEL_HOME="$1/.parallel" PERL5OPT=-Mnonsense PERL5LIB=/none PERLLIB=/none
        GIT_DIR=/none GIT_WORK_TREE=/none MAKEFLAGS= TMPDIR="/no such place" OMP_NUM_THREADS=1)
    for name in awk cat cp mv rm sed grep realpath mktemp gnuplot parallel curl printf; do
        variables+=("BASH_FUNC_$name%%=() { echo hostile; }")
    done
    # Where it cannot be made, the name alone is hostile.
    localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8 2>/dev/null || true
    variables+=(LOCPATH="$PWD/locales" LC_ALL=de_DE.UTF-8)
}

# hostile COMMAND ...: in those surroundings
hostile() {
    run --separate-stderr env "${variables[@]}" bash -p -c 'umask 077; exec "$@"' - "$@"
    echo "$output"
    echo "$stderr" >&2
}

# small_grid: my.grid, whose runs take a second
small_grid() {
    tiny_network
    printf '%s\n' '[grid]' 'name = mine' 'scheme = qat' 'network = ./tiny.cfg' 'dataset = fashion-mnist' '[train]' \
        'widths = 2 32' 'epochs = 1' 'batch = 64' '[evaluate]' 'calibration = 0' >my.grid
}

# same_pictures FOLDER FOLDER: but for the times in a PDF
same_pictures() {
    [ "$(ls "$1")" = "$(ls "$2")" ]
    for file in "$1"/*.{csv,txt,svg,png}; do
        cmp "$file" "$2/${file##*/}"
    done
}

@test "grid.sh, figures.sh and tables.sh: neither what users have set nor having no language changes anything" {
    small_grid
    hostile "$root/scripts/grid.sh" my.grid --db a.db
    [ "$status" -eq 0 ]
    [ "$(sql "SELECT outcome FROM attempts")" = complete ]
    "$root/scripts/figures.sh" --db a.db --output plain --width 3.4in
    grep -q '^ width="3.4in" height="[0-9.]*in"$' plain/accuracy.svg
    hostile "$root/scripts/figures.sh" --db a.db --output hostile --width 3.4in
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    same_pictures plain hostile
    # As cron and containers have it.
    run --separate-stderr env -u LANG -u LC_ALL -u LC_CTYPE "$root/scripts/figures.sh" --db a.db --output mute --width 3.4in
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    same_pictures plain mute
    "$root/scripts/tables.sh" --db a.db --output tables >printed
    hostile "$root/scripts/tables.sh" --db a.db --output hostile-tables
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    diff -r tables hostile-tables
    [ "$output" = "$(cat printed)" ]
    hostile "$program" check --tool "GNU parallel"
    [ "$status" -eq 0 ]
}

@test "data.sh: what users have set changes nothing" {
    mkdir -p site/toy
    seq 1000 >site/one && seq 5 >site/toy/two && (cd site && zip -q -r toy.zip toy && rm -r toy)
    for file in one toy.zip; do
        echo "toy folder $file $(stat -c %s site/$file) $(md5sum <site/$file | cut -c 1-32) file://$PWD/site/$file"
    done >table
    TRUNCQUANT=none hostile "$root/scripts/data.sh" toy --table table --into "in to"
    [ "$status" -eq 0 ]
    [ "$stderr" = "data.sh: not read back, as none is not built; its first run checks the files" ]
    cmp "in to/folder/one" site/one
    [ "$(cat "in to/folder/toy/two")" = "$(seq 5)" ]
}

@test "version.sh, manual.sh, embed-sql.sh and what scripts say of themselves: what users have set changes nothing" {
    for call in "grid.sh --help" "figures.sh --help" "tables.sh --help" "data.sh --help" \
        "version.sh gcc -O2 -- harness/main.c" "manual.sh page $program" "embed-sql.sh plots/drops.sql"; do
        cd "$root"
        # shellcheck disable=SC2086 # words
        plain=$(scripts/$call)
        # shellcheck disable=SC2086
        hostile scripts/$call
        [ "$status" -eq 0 ]
        [ "$output" = "$plain" ]
    done
}

@test "make install: whoever installs it, everyone can read it" {
    hostile make --silent -C "$root" -o build/truncquant -o build/libtruncquant.a -o build/libtruncquant.so install \
        DESTDIR="$PWD/installed" PREFIX=/usr
    [ "$status" -eq 0 ]
    find installed ! -type l \( -type d ! -perm 755 -o -type f ! -perm -644 \) >closed
    cat closed
    [ ! -s closed ]
}
