/* Resampling a part of an image to a square, bilinear: a triangle filter that is as wide as a pixel
 * of the result where the image shrinks (else fine detail would alias), and as wide as one of the
 * source where it grows; as PIL does, which most training code uses. In whole numbers but for the
 * weights. */
#ifndef DATA_IMAGES_RESIZE_H
#define DATA_IMAGES_RESIZE_H

#include "data/images/image.h"

/* The part, in pixels of the source, whose corners become those of the result; and the pixels that
 * the filter may read, [left, right) and [top, bottom), which are not empty. */
struct crop {
    double x, y, w, h;
    int left, top, right, bottom;
};

/* `to`: planes, (3, size, size). */
void image_resize(const struct image *image, const struct crop *crop, int size, uint8_t *to);

#endif
