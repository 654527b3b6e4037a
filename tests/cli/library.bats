# The device library as others get it: installed, found by pkg-config, linked both ways by the example that the README
# shows; and built for aarch64, where scores have the same bits.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 128 8
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_FILE_TMPDIR"
    printf '%s\n' '[grid]' 'name = library' 'scheme = truncquant' "network = $root/experiments/networks/resnet8.cfg" \
        'dataset = fashion-mnist' '[train]' 'epochs = 1' 'batch = 32' 'widths = 1 2 4 8' '[evaluate]' 'bits = 8' \
        'calibration = 0' >library.grid
    "$program" plan library.grid --db a.db --quiet
    id=$(sql 'SELECT run_id FROM runs')
    "$program" run "$id" --db a.db --quiet
    "$program" pack "$id" --db a.db --output model.tqm --quiet
    tail -c +17 data/fashion-mnist/t10k-images-idx3-ubyte >images
    make --silent -C "$root" BUILD="$root/${BUILD:-build}" install-library DESTDIR="$BATS_FILE_TMPDIR/root" PREFIX=/opt
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    export PKG_CONFIG_LIBDIR=$PWD/root/opt/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$PWD/root
}

# What truncquant infer says of the first image at every width, as the example says it.
expected() {
    for k in 1 2 3 4 5 6 7 8; do
        "$program" infer model.tqm data/fashion-mnist/t10k-images-idx3-ubyte --bits $k | head -n 1 | sed "s/.*: \(.*\);.*/$k bits: \1/"
    done
}

@test "the example is built against the installed library, shared and static" {
    command -v pkg-config >/dev/null || skip "no pkg-config"
    cc=${CC:-gcc}
    # shellcheck disable=SC2046 # several words
    $cc -std=c11 -Wall -Wextra -Werror -o shared "$root/runtime/example/classify.c" $(pkg-config --cflags --libs truncquant)
    readelf -d shared | grep -q 'NEEDED.*libtruncquant.so.1'
    # shellcheck disable=SC2046
    $cc -std=c11 -o static "$root/runtime/example/classify.c" $(pkg-config --cflags truncquant) \
        root/opt/lib/libtruncquant.a -lm
    LD_LIBRARY_PATH=root/opt/lib ./shared model.tqm images >said
    ./static model.tqm images | cmp - said
    [ "$(wc -l <said)" -eq 8 ]
    [ "$(sed 's/,.*//' said)" = "$(expected)" ]
    run ! ./static model.tqm model.tqm.none
    run ! ./static images images
    [[ $output == "classify: "*"no model file"* ]]
}

@test "the README shows lines of the example, in their order, which are about 40 in all" {
    example=$root/runtime/example/classify.c
    [ "$(wc -l <"$example")" -le 42 ]
    awk '/core of it is$/ { there = 1 } /^### Environment/ { there = 0 } there && /^    /' "$root/README.md" >shown
    [ "$(wc -l <shown)" -ge 8 ]
    grep -Fx -f shown "$example" | cmp - shown
}

@test "it needs libc and libm alone, and gives its own names alone" {
    library=root/opt/lib/libtruncquant.so.1
    [ -z "$(readelf -d "$library" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -vE '^(libc|libm|ld-linux.*)\.so')" ]
    [ -z "$(nm -D --defined-only "$library" | awk '{ print $3 }' | grep -v '^tq_')" ]
}

@test "what computes calls nothing that allocates, locks or prints" {
    cd "$root/${BUILD:-build}/runtime"
    [ -e steps.o ]
    called=$(find . -name '*.o' ! -name model.o ! -name graph.o ! -name hash.o ! -name session.o -exec nm -u {} + | awk '$1 == "U" { print $2 }' | sort -u |
        grep -vE '^(tq_.*|mem(cpy|set|move)|sqrt|_GLOBAL_OFFSET_TABLE_|__cpu_.*|__stack_chk_fail)$') || true
    echo "$called"
    [ -z "$called" ]
}

@test "threads share a model" {
    flags="-std=c11 -O1 -g -fsanitize=thread"
    echo 'int main(void) { return 0; }' >try.c
    ${CC:-gcc} -fsanitize=thread -o try try.c 2>/dev/null && ./try || skip "no ThreadSanitizer here"
    make --silent -C "$root" BUILD="$PWD/tsan" OPTIMIZE='-O1 -g -fsanitize=thread' "$PWD/tsan/libtruncquant.a" >/dev/null
    ${CC:-gcc} $flags -D_GNU_SOURCE -I"$root" -o threads "$root/tests/runtime/programs/threads.c" tsan/libtruncquant.a -lm \
        -lpthread
    head -c 2352 images >three
    run ./threads model.tqm three
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$output" = "3 images, the same in all threads" ]
}

@test "on aarch64 scores have the same bits" {
    compiler=aarch64-linux-gnu-gcc
    command -v $compiler >/dev/null || skip "no $compiler (Debian's gcc-aarch64-linux-gnu)"
    command -v qemu-aarch64 >/dev/null || skip "no qemu-aarch64 (Debian's qemu-user)"
    sources="$root/tests/runtime/programs/scores.c $(ls "$root"/runtime/*.c)"
    flags="-std=c11 -O2 -D_GNU_SOURCE -ffp-contract=off -I$root"
    $compiler $flags -static -o scores.aarch64 $sources -lm
    ${CC:-gcc} $flags -o scores.own "$root/tests/runtime/programs/scores.c" root/opt/lib/libtruncquant.a -lm
    qemu-aarch64 ./scores.aarch64 model.tqm images >theirs 2>kernels
    cat kernels
    grep -q '^portable, 8 images' kernels
    ./scores.own model.tqm images >own
    [ "$(wc -l <own)" -eq 640 ]
    [ "$(sort -u own | wc -l)" -gt 600 ]
    cmp own theirs
}
