/* The target of model files (runtime/FORMAT.md), whose checksums are right; fuzz_tqm.h is the
 * manual. */
#include "fuzz/fuzz_tqm.h"

#include "fuzz/target.h"
#include "runtime/format.h"
#include "runtime/hash.h"
#include "runtime/truncquant.h"

#include <stdlib.h>

void tqm_seal(uint8_t *bytes, size_t size) {
    if (size < TQ_HEADER)
        return;
    uint32_t sections = tq_u32(bytes + TQ_AT_SECTIONS);
    size_t table = tq_aligned(TQ_HEADER + TQ_ENTRY * (uint64_t)sections);
    if (sections > TQ_FIXED_SECTIONS + TQ_BITS || size < table)
        return;
    for (uint32_t i = 0; i < sections; i++) {
        uint8_t *entry = bytes + TQ_HEADER + i * TQ_ENTRY;
        uint64_t at = tq_u64(entry + TQ_AT_OFFSET), length = tq_u64(entry + TQ_AT_LENGTH);
        if (at > size || length > size - at)
            continue;
        uint64_t sum = tq_hash(bytes + at, length, 0);
        memcpy(entry + TQ_AT_SUM, &sum, sizeof sum);
    }
    uint64_t sum =
        tq_hash(bytes + TQ_HEADER, table - TQ_HEADER, tq_hash(bytes, TQ_AT_HEADER_SUM, 0));
    memcpy(bytes + TQ_AT_HEADER_SUM, &sum, sizeof sum);
}

static void compute(const struct tq_model *m) {
    enum { MOST = 1 << 24 };
    const struct tq_info *i = tq_model_info(m);
    size_t values = (size_t)i->channels * (size_t)i->height * (size_t)i->width;
    struct tq_session *s = NULL;
    if (tq_session_bytes(m, NULL) > MOST || values > MOST || i->classes > MOST)
        return;
    uint8_t *image = need(values, 1);
    float *scores = need((size_t)i->classes, sizeof *scores);
    if (!tq_session_open(m, NULL, &s))
        for (int k = i->min_bits; k <= i->planes; k += 3)
            if (!tq_set_bits(s, k))
                tq_infer_bytes(s, image, 1, scores);
    tq_session_close(s);
    free(image);
    free(scores);
}

int tqm_try(const uint8_t *bytes, size_t size) {
    struct tq_model *m;
    int code = tq_open_memory(bytes, size, 0, &m);
    const char *text = tq_model_message(m);
    FUZZ_HOLDS(!code == !text[0] && !strchr(text, '\n'));
    snprintf(fuzz_why, sizeof fuzz_why, "%s", text);
    if (!code)
        compute(m);
    tq_close(m);
    return !code;
}

int fuzz_tqm(const uint8_t *bytes, size_t size) {
    uint8_t *aligned = need_aligned(size + 1, 1);
    memcpy(aligned, bytes, size);
    tqm_seal(aligned, size);
    int taken = tqm_try(aligned, size);
    free(aligned);
    return taken;
}
