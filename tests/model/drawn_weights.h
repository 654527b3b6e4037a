/* Darknet's own reading, writing and computing with a weights file, as the check on ours. */
#ifndef TESTS_MODEL_DRAWN_WEIGHTS_H
#define TESTS_MODEL_DRAWN_WEIGHTS_H

/* Each in a process of its own, since Darknet exits, aborts and leaks. Returns 0, or -1 when it
 * died. */

/* Darknet's class scores (`classes`) of one image, from its files. */
int darknet_scores(const char *cfg, const char *weights, const float *image, int inputs,
                   float *scores, int classes);

/* A weights file by Darknet of values drawn at random, batch norms and their statistics included.
 */
int darknet_draw_weights(const char *cfg, const char *weights);

#endif
