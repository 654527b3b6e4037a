/* Instructions built for, instructions there; processor.h is the manual. This file is compiled for
 * any x86-64 (Makefile), and calls nothing of ours: what it says must not need the instructions
 * that it misses. */
#include "base/processor.h"

#include <string.h>
#include <unistd.h>

enum { LEVELS = 4, TEXT = 1024, STATUS_FAILED = 1 };

/* Those of -march=x86-64-vN are of level N; others of none. */
struct instructions {
    const char *name, *macro; // Linux's; the compiler's, without its underscores
    unsigned leaf, subleaf;   // of CPUID
    unsigned reg, bit;        // EAX EBX ECX EDX
    unsigned long state;      // of XCR0: what the system has to save for them
    int level;
};

enum { EAX, EBX, ECX, EDX };
#define YMM 0x6ul
#define ZMM 0xe6ul
#define EGPR 0x80000ul
#define EXTENDED 0x80000001u

/* What compilers use of their own accord. What only intrinsics bring (AES, SHA, RDRAND, AMX) is
 * not ours, and virtual machines hide some of it. */
static const struct instructions known[] = {
    {"sse3", "SSE3", 1, 0, ECX, 0, 0, 2},
    {"ssse3", "SSSE3", 1, 0, ECX, 9, 0, 2},
    {"sse4_1", "SSE4_1", 1, 0, ECX, 19, 0, 2},
    {"sse4_2", "SSE4_2", 1, 0, ECX, 20, 0, 2},
    {"popcnt", "POPCNT", 1, 0, ECX, 23, 0, 2},
    {"lahf_lm", "LAHF_SAHF", EXTENDED, 0, ECX, 0, 0, 2},
    {"avx", "AVX", 1, 0, ECX, 28, YMM, 3},
    {"f16c", "F16C", 1, 0, ECX, 29, YMM, 3},
    {"fma", "FMA", 1, 0, ECX, 12, YMM, 3},
    {"movbe", "MOVBE", 1, 0, ECX, 22, 0, 3},
    {"abm", "LZCNT", EXTENDED, 0, ECX, 5, 0, 3},
    {"bmi1", "BMI", 7, 0, EBX, 3, 0, 3},
    {"bmi2", "BMI2", 7, 0, EBX, 8, 0, 3},
    {"avx2", "AVX2", 7, 0, EBX, 5, YMM, 3},
    {"avx512f", "AVX512F", 7, 0, EBX, 16, ZMM, 4},
    {"avx512dq", "AVX512DQ", 7, 0, EBX, 17, ZMM, 4},
    {"avx512cd", "AVX512CD", 7, 0, EBX, 28, ZMM, 4},
    {"avx512bw", "AVX512BW", 7, 0, EBX, 30, ZMM, 4},
    {"avx512vl", "AVX512VL", 7, 0, EBX, 31, ZMM, 4},
    {"sse4a", "SSE4A", EXTENDED, 0, ECX, 6, 0, 0},
    {"xop", "XOP", EXTENDED, 0, ECX, 11, YMM, 0},
    {"fma4", "FMA4", EXTENDED, 0, ECX, 16, YMM, 0},
    {"tbm", "TBM", EXTENDED, 0, ECX, 21, 0, 0},
    {"adx", "ADX", 7, 0, EBX, 19, 0, 0},
    {"avx512ifma", "AVX512IFMA", 7, 0, EBX, 21, ZMM, 0},
    {"avx512pf", "AVX512PF", 7, 0, EBX, 26, ZMM, 0},
    {"avx512er", "AVX512ER", 7, 0, EBX, 27, ZMM, 0},
    {"avx512vbmi", "AVX512VBMI", 7, 0, ECX, 1, ZMM, 0},
    {"avx512_vbmi2", "AVX512VBMI2", 7, 0, ECX, 6, ZMM, 0},
    {"gfni", "GFNI", 7, 0, ECX, 8, 0, 0},
    {"avx512_vnni", "AVX512VNNI", 7, 0, ECX, 11, ZMM, 0},
    {"avx512_bitalg", "AVX512BITALG", 7, 0, ECX, 12, ZMM, 0},
    {"avx512_vpopcntdq", "AVX512VPOPCNTDQ", 7, 0, ECX, 14, ZMM, 0},
    {"movdiri", "MOVDIRI", 7, 0, ECX, 27, 0, 0},
    {"avx512_4vnniw", "AVX5124VNNIW", 7, 0, EDX, 2, ZMM, 0},
    {"avx512_4fmaps", "AVX5124FMAPS", 7, 0, EDX, 3, ZMM, 0},
    {"avx512_vp2intersect", "AVX512VP2INTERSECT", 7, 0, EDX, 8, ZMM, 0},
    {"avx512_fp16", "AVX512FP16", 7, 0, EDX, 23, ZMM, 0},
    {"avx_vnni", "AVXVNNI", 7, 1, EAX, 4, YMM, 0},
    {"avx512_bf16", "AVX512BF16", 7, 1, EAX, 5, ZMM, 0},
    {"cmpccxadd", "CMPCCXADD", 7, 1, EAX, 7, 0, 0},
    {"avx_ifma", "AVXIFMA", 7, 1, EAX, 23, YMM, 0},
    {"avx_vnni_int8", "AVXVNNIINT8", 7, 1, EDX, 4, YMM, 0},
    {"avx_ne_convert", "AVXNECONVERT", 7, 1, EDX, 5, YMM, 0},
    {"avx_vnni_int16", "AVXVNNIINT16", 7, 1, EDX, 10, YMM, 0},
    {"avx10_1", "AVX10_1", 7, 1, EDX, 19, ZMM, 0},
    {"apx_f", "APX_F", 7, 1, EDX, 21, EGPR, 0},
};
enum { KNOWN = sizeof known / sizeof known[0] };

/* All macros that the compiler defines as 1 under the flags of the rest; most are of other things.
 */
static const char *const defined[] = {
#include "instructions.inc"
};

#ifdef __x86_64__
#include <cpuid.h>

/* What the system saves of the registers; 0 where it does not say. */
static unsigned long saved_state(void) {
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (unsigned long)high << 32 | low;
}

static int is_there(const struct instructions *i) {
    unsigned r[4];
    if (!__get_cpuid_count(i->leaf, i->subleaf, &r[EAX], &r[EBX], &r[ECX], &r[EDX]))
        return 0;
    return (r[i->reg] >> i->bit & 1) && (saved_state() & i->state) == i->state;
}
#else
static int is_there(const struct instructions *i) {
    (void)i;
    return 0;
}
#endif

static int is_built_for(const struct instructions *i) {
#ifdef __x86_64__
    for (size_t at = 0; at < sizeof defined / sizeof defined[0]; at++)
        if (!strcmp(defined[at], i->macro))
            return 1;
#endif
    (void)i;
    return 0;
}

/* What would not fit is left out. */
static void add_name(char *text, size_t size, const char *separator, const char *name) {
    size_t at = strlen(text);
    if (at + strlen(separator) + strlen(name) + 1 > size)
        return;
    strcpy(text + at, at ? separator : "");
    strcat(text, name);
}

/* Those that the program is built for and the processor lacks; or the other way round. */
static void list_features(char *text, size_t size, const char *separator, int built) {
    text[0] = '\0';
    for (int i = 0; i < KNOWN; i++)
        if (is_built_for(&known[i]) == built && is_there(&known[i]) == !built)
            add_name(text, size, separator, known[i].name);
}

static int level_of(int (*has)(const struct instructions *)) {
    int level = LEVELS;
    for (int i = 0; i < KNOWN; i++)
        if (known[i].level && known[i].level <= level && !has(&known[i]))
            level = known[i].level - 1;
    return level;
}

static const char *const level_names[LEVELS] = {"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"};

const char *processor_level(void) {
    return level_names[level_of(is_there) - 1];
}

void processor_built_for(char *text, size_t size) {
    text[0] = '\0';
#ifdef __x86_64__
    int level = level_of(is_built_for);
    add_name(text, size, "", level_names[level - 1]);
    for (int i = 0; i < KNOWN; i++)
        if (is_built_for(&known[i]) && (!known[i].level || known[i].level > level))
            add_name(text, size, " ", known[i].name);
#else
    (void)size;
#endif
}

void processor_has_more(char *text, size_t size) {
    list_features(text, size, " ", 0);
}

/* Before the constructors of the rest; those of libraries have run. stdio is left alone. */
__attribute__((constructor(101))) static void refuse_older_processor(void) {
    char lacking[TEXT], text[2 * TEXT] = "";
    list_features(lacking, sizeof lacking, ", ", 1);
    if (!lacking[0])
        return;
    add_name(text, sizeof text, "",
             "truncquant: was built for a newer processor: this one has no ");
    add_name(text, sizeof text, "", lacking);
    add_name(text, sizeof text, "",
             "; build it here ('make clean && make'), or for both machines "
             "('make clean && make OPTIMIZE=\"-O3 -march=");
    add_name(text, sizeof text, "", processor_level());
    add_name(text, sizeof text, "", "\"')\n");
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(STATUS_FAILED);
    _exit(STATUS_FAILED);
}
