# make install: the program, its manual and completion, and the scripts work from where they are put.

load runs

setup_file() {
    export PREFIX=$BATS_FILE_TMPDIR/usr
    local build=${BUILD:-build} # as it is: other tests use it now
    make -s -C "$BATS_TEST_DIRNAME/../.." -o "$build/truncquant" install PREFIX=/usr DESTDIR="$BATS_FILE_TMPDIR" \
        BUILD="$build" >/dev/null
}

@test "the manual has every verb and every option of each" {
    local verb option page=$PREFIX/share/man/man1/truncquant.1
    for verb in $("$PREFIX/bin/truncquant" --help | sed -n 's/^  \([a-z]*\)  *.*/\1/p'); do
        grep -qx "\.SS $verb" "$page"
        for option in $("$PREFIX/bin/truncquant" "$verb" --help | grep -oE '^  --[a-z-]+' | sed 's/-/\\\\-/g'); do
            sed -n "/^\.SS $verb\$/,/^\.S[SH]/p" "$page" | grep -q "^\.B ${option//  /}"
        done
    done
    [ "$verb" = check ]
    if command -v groff >/dev/null; then
        [ -z "$(groff -man -Tascii -ww "$page" 2>&1 >/dev/null)" ]
    fi
}

@test "completion offers verbs, and the options of the verb that stands there" {
    # shellcheck source=/dev/null
    . "$PREFIX/share/bash-completion/completions/truncquant"
    COMP_WORDS=(truncquant ev) COMP_CWORD=1
    _truncquant
    [ "${COMPREPLY[*]}" = evaluate ]
    COMP_WORDS=(truncquant status --w) COMP_CWORD=2
    _truncquant
    [ "${COMPREPLY[*]}" = --watch ]
}

@test "a grid runs, and figures are drawn, by what is installed" {
    tiny_data "$BATS_TEST_TMPDIR" 128 32
    use_data "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    unset TRUNCQUANT
    printf '%s\n' '[grid]' 'name = x' 'scheme = qat' 'network = lenet' 'dataset = fashion-mnist' '[train]' \
        'widths = 2 32' 'epochs = 1' 'batch = 64' '[evaluate]' 'calibration = 0' >x.grid
    run "$PREFIX/bin/truncquant-grid" x.grid
    [ "$status" -eq 0 ]
    [ -e results/results.db ]
    run "$PREFIX/bin/truncquant-figures"
    [ "$status" -eq 0 ]
    [ -s results/figures/x/accuracy.svg ]
    run "$PREFIX/bin/truncquant" --version
    [[ $output == "truncquant $(cat "$BATS_TEST_DIRNAME/../../VERSION") (commit "* ]]
}
