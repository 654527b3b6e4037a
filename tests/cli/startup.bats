# What is made sure of before anything is computed: a processor that has the program's instructions, rounding as it is
# by default, an environment that changes no result, matrix products that are right.

load runs

setup_file() {
    tiny_data "$BATS_FILE_TMPDIR" 96 48
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    tiny_network
    spec ./tiny.cfg
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0 # which preloaded libraries come before
}

# spec NETWORK: a.spec
spec() {
    printf '%s\n' 'scheme = truncquant' "network = $1" 'dataset = fashion-mnist' 'seed = 1' 'batch = 16' \
        'epochs = 1' 'widths = 1 2 32' 'bits = 1 2 4 32' 'calibration = 2' >a.spec
}

# library NAME CODE: NAME.so, to be preloaded
library() {
    printf '%s\n' "$2" >"$1.c"
    "${CC:-gcc}" -D_GNU_SOURCE -shared -fPIC -O1 -o "$1.so" "$1.c" -lm -ldl
}

# on PROCESSOR COMMAND ...: as QEMU emulates it, without its warnings
on() {
    # or the program would be executed once more, without QEMU
    OPENBLAS_NUM_THREADS=1 run --separate-stderr qemu-x86_64 -cpu "$1" "${@:2}"
    mapfile -t stderr_lines < <(grep -v '^qemu-x86_64: warning' <<<"$stderr")
    echo "$output" "${stderr_lines[@]}"
}

# program_for LEVEL: ./LEVEL, which says whether its own first code ran
program_for() {
    make -s -C "$root" BUILD="$PWD/of-$1" OPTIMIZE="-O1 -march=$1" "$PWD/of-$1/harness/base/processor.o"
    echo 'int puts(const char *); int main(void) { return puts("runs") < 0; }' >main.c
    "${CC:-gcc}" -o "$1" main.c "of-$1/harness/base/processor.o"
}

# refused LEVEL NAME ...: on a processor that has LEVEL and lacks the names
refused() {
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ ${stderr_lines[0]} == "truncquant: was built for a newer processor: this one has no "* ]]
    [[ ${stderr_lines[0]} == *"make clean && make'"*"OPTIMIZE=\"-O3 -march=$1\""* ]]
    for name in "${@:2}"; do [[ ${stderr_lines[0]} == *" $name"[,\;]* ]]; done
}

@test "a program for a newer processor says so and ends" {
    for level in x86-64 x86-64-v2 x86-64-v3 x86-64-v4; do program_for $level; done
    on Conroe ./x86-64
    [ "$status" -eq 0 ] && [ "$output" = runs ]
    on Conroe ./x86-64-v2
    refused x86-64 sse4_1 sse4_2 popcnt
    on Nehalem ./x86-64-v2
    [ "$status" -eq 0 ] && [ "$output" = runs ]
    on Nehalem ./x86-64-v3
    refused x86-64-v2 avx avx2 fma bmi1 bmi2 movbe abm f16c
    on Haswell ./x86-64-v3
    [ "$status" -eq 0 ] && [ "$output" = runs ]
    on Haswell ./x86-64-v4
    refused x86-64-v3 avx512f avx512dq avx512cd avx512bw avx512vl
}

@test "registers that the system does not save count as not there" {
    program_for x86-64-v3
    on Haswell,-xsave ./x86-64-v3
    refused x86-64-v2 avx avx2 fma
}

@test "the program itself, whatever verb: no older processor runs into its instructions" {
    grep -q '"AVX"' "$root/${BUILD:-build}/instructions.inc" || skip "it is built for any processor"
    for verb in --help check plan "run --spec a.spec"; do
        on Nehalem "$program" $verb
        refused x86-64-v2 avx
    done
    [ ! -e results ]
}

@test "all that compilers use of their own accord is asked for, whatever -march" {
    # What only intrinsics bring, what the system alone uses, and kinds of processors.
    others='ABM AES AMX_.* CLDEMOTE CLFLUSHOPT CLWB CLZERO CRC32 ENQCMD FSGSBASE HRESET KL LWP MOVDIR64B MWAITX PCLMUL
        PCONFIG PKU PREFETCHI PREFETCHWT1 PRFCHW PTWRITE RAOINT RDPID RDRND RDSEED RTM SERIALIZE SGX SHA SHA512 SHSTK
        SM3 SM4 TSXLDTRK UINTR USER_MSR VAES VPCLMULQDQ WAITPKG WBNOINVD WIDEKL XSAVE XSAVEC XSAVEOPT XSAVES
        3dNOW.* GCC_ASM_FLAG_OUTPUTS__ MMX_WITH_SSE SSE_MATH SSE2_MATH'
    grep -oE '^ *\{"[a-z0-9_]+", "[A-Z0-9_]+"' "$root/harness/base/processor.c" | cut -d'"' -f4 >known
    [ "$(wc -l <known)" -gt 40 ]
    kinds=$("${CC:-gcc}" -march=none -E -x c /dev/null 2>&1 | sed -n "s/.*switch are: //p" | sed 's/;.*//')
    [ "$(wc -w <<<"$kinds")" -gt 20 ] || skip "this compiler does not list its processors"
    macros() { "${CC:-gcc}" -march="$1" -dM -E -x c /dev/null | sed -n 's/^#define __\([A-Z0-9_]*\)__ 1$/\1/p'; }
    macros x86-64 | sort -u >base
    for kind in $kinds; do
        macros "$kind" 2>/dev/null || true # those of 32 bits
    done | sort -u | comm -23 - base >used
    [ "$(wc -l <used)" -gt 40 ]
    run ! grep -vxE -f known -e "$(tr -s ' \n' '|' <<<"$others" | sed 's/|$//')" used
}

# same_as_plain LABEL [NAME=VALUE ...] -- OPTION ...: the results of a run under that environment are those without it
same_as_plain() {
    local label=$1 setting=()
    shift
    while [ "$1" != -- ]; do
        setting+=("$1")
        shift
    done
    mkdir -p plain "$label"
    "$program" run --spec a.spec --db plain/r.db --quiet "${@:2}"
    env "${setting[@]}" "$program" run --spec a.spec --db "$label/r.db" --quiet "${@:2}"
    results plain/r.db >first
    results "$label/r.db" >second
    [ "$(wc -l <first)" -gt 15 ]
    diff first second
    [ "$(sql 'SELECT libraries FROM attempts' plain/r.db)" = "$(sql 'SELECT libraries FROM attempts' "$label/r.db")" ]
    rm -r plain "$label"
}

@test "a library that changes rounding when it is loaded changes no result" {
    library rounding '
        #include <fenv.h>
        #include <xmmintrin.h>
        __attribute__((constructor)) static void start(void) {
            unsigned short word = 0x0c7f; /* x87: up to 24 bits, towards zero */
            __asm__ volatile("fldcw %0" : : "m"(word));
            _mm_setcsr(_mm_getcsr() | 0x8040 | 0x4000); /* to zero what is denormal; upwards */
        }'
    for engine in onednn reference; do
        for threads in 1 2; do
            same_as_plain rounded "LD_PRELOAD=$PWD/rounding.so" -- --engine $engine --threads $threads
        done
    done
}

@test "nothing in the environment changes results under the same record" {
    spec lenet
    same_as_plain others OMP_THREAD_LIMIT=1 OMP_DYNAMIC=true OMP_MAX_ACTIVE_LEVELS=1 -- --threads 2
    same_as_plain levels OMP_MAX_ACTIVE_LEVELS=0 OMP_NUM_THREADS=3 OMP_SCHEDULE=dynamic -- --threads 2
    same_as_plain onednn ONEDNN_DEFAULT_FPMATH_MODE=ANY DNNL_DEFAULT_FPMATH_MODE=BF16 \
        ONEDNN_CPU_ISA_HINTS=PREFER_YMM DNNL_PRIMITIVE_CACHE_CAPACITY=0 -- --threads 2
    same_as_plain blas OPENBLAS_NUM_THREADS=2 GOTO_NUM_THREADS=3 OPENBLAS_BLOCK_FACTOR=20 OMP_ADAPTIVE=1 \
        MALLOC_PERTURB_=165 -- --threads 2 --engine reference
}

@test "instructions that the C library may not use are recorded" {
    for caps in -FMA,-AVX2 -FMA; do
        mkdir -- "of$caps"
        GLIBC_TUNABLES=glibc.malloc.check=0:glibc.cpu.hwcaps=$caps "$program" run --spec a.spec --db "of$caps/r.db" --quiet
        sql 'SELECT libraries FROM attempts' "of$caps/r.db" >>libraries
    done
    [ "$(grep -cE ', glibc 2\.[0-9]+ hwcaps [0-9a-f]{12}$' libraries)" -eq 2 ]
    [ "$(uniq libraries | wc -l)" -eq 2 ]
}

# wrong_products CONDITION: wrong.so, an OpenBLAS whose last value is off where the condition on m, n, k holds
wrong_products() {
    library wrong "
        #include <dlfcn.h>
        void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                         const float *b, int ldb, float beta, float *c, int ldc) {
            void (*real)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *,
                         int) = dlsym(RTLD_NEXT, \"cblas_sgemm\");
            real(order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            if ($1)
                c[(m - 1) * ldc + n - 1] *= 1.01f;
        }"
    export LD_PRELOAD=$PWD/wrong.so
}

# complains: that products are wrong, and what to do
complains() {
    [ "$status" -eq 1 ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "truncquant: OpenBLAS (kernels for "*") multiplies wrongly: "* ]]
    [[ $stderr == *"set OPENBLAS_CORETYPE to "*"install a newer libopenblas0" ]]
}

@test "a run whose matrices OpenBLAS multiplies wrongly is refused, and nothing is recorded" {
    # Each product of tiny.cfg alone: both convolutions (36 = 4 x 3 x 3) and the scores, forward, of inputs, of weights.
    for wrong in 'm == 4 && k == 9' 'm == 9 && k == 4' 'm == 4 && n == 9' 'm == 8 && k == 36' 'm == 36 && k == 8' \
        'm == 8 && n == 36' 'm == 16 && n == 10' 'm == 10 && k == 16' 'm == 16 && k == 10'; do
        (
            wrong_products "$wrong"
            for engine in onednn reference; do
                go run --spec a.spec --quiet --engine $engine
                complains
            done
        )
        [ "$(sql 'SELECT count(*) FROM attempts')" -eq 0 ]
    done
    (
        wrong_products 'm == 7'
        go run --spec a.spec --quiet
        [ "$status" -eq 0 ]
    )
    (
        wrong_products 'm == 8 && k == 36'
        go evaluate "$(sql 'SELECT run_id FROM runs')" --bits 3
        complains
    )
    [ "$(sql 'SELECT count(*) FROM attempts')" -eq 1 ]
}

@test "kernels for another processor are named when they crash" {
    library illegal '
        void cblas_sgemm(void) { __asm__ volatile("ud2"); }'
    LD_PRELOAD=$PWD/illegal.so go run --spec a.spec --quiet
    [ "$status" -eq 1 ]
    [[ $stderr == "truncquant: OpenBLAS took kernels with instructions that this processor has not; set "* ]]
    [ "$(sql 'SELECT count(*) FROM attempts')" -eq 0 ]
    LD_PRELOAD=$PWD/illegal.so run "$program" check
    [ "$status" -eq 1 ]
    [[ $output == *"missing  OpenBLAS: "*" crash (Illegal instruction); set OPENBLAS_CORETYPE"* ]]
}

@test "check tells whether products are right" {
    run "$program" check
    [[ $output == *"ok       OpenBLAS: "*", kernels for "*", whose matrix products are right"* ]]
    wrong_products 'n == 49'
    run "$program" check
    [ "$status" -eq 1 ]
    [[ $output == *"missing  OpenBLAS: OpenBLAS (kernels for "*") multiplies wrongly: "* ]]
}

# OpenBLAS starts threads when it is loaded, and ends the process where it cannot.
@test "where no thread can be started, what needs none goes on" {
    [[ ${BUILD-} != *sanitize* ]] || skip "a sanitizer's program starts in another order"
    library no_threads '#include <errno.h>
int pthread_create(void *t, const void *a, void *(*f)(void *), void *x) { (void)t, (void)a, (void)f, (void)x; return EAGAIN; }'
    unset OPENBLAS_NUM_THREADS OMP_NUM_THREADS
    LD_PRELOAD=$PWD/no_threads.so run --separate-stderr "$program" status --db none.db
    [ "$status" -eq 1 ]
    [ "$stderr" = "truncquant: none.db: there is no such database; 'truncquant plan GRID' records runs, --db names another file" ]
    LD_PRELOAD=$PWD/no_threads.so run --separate-stderr "$program" run --spec a.spec --db a.db --quiet --threads 1
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
}

@test "memory that is out is no library that lacks" {
    [[ ${BUILD-} != *sanitize* ]] || skip "a sanitizer takes more memory than that"
    run bash -c "ulimit -v 400000; exec '$program' check --db a.db"
    [ "$status" -eq 1 ]
    [[ $output == *"Darknet cannot be loaded"*": memory is out; "*"(ulimit -v)"* ]]
    [[ $output != *"install the package darknet"* ]]
}
