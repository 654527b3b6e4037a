/* Scales and offsets of codes; steps.h is the manual. */
#include "deploy/steps.h"

float *steps_scales(const struct integers *x, size_t channels) {
    float *scales = need(channels, sizeof *scales);
    for (size_t c = 0; c < channels; c++)
        scales[c] = x->form.unit[c] * (float)x->form.factor;
    return scales;
}

float *steps_offsets(const struct integers *x, size_t channels) {
    float *offsets = need(channels, sizeof *offsets);
    for (size_t c = 0; c < channels; c++)
        offsets[c] =
            x->form.unit[c] * (float)x->form.odd + (x->form.has_offset ? x->form.offset[c] : 0);
    return offsets;
}
