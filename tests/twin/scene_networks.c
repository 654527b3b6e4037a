/* The networks on which the twin and the engines are compared: small, and together with every
 * operator, every geometry that Darknet gets wrong on the CPU, and every activation. */
#include "twin/scene.h"

#define CONV(filters, size, stride, more)                                                          \
    "[convolutional]\nfilters=" #filters "\nsize=" #size "\nstride=" #stride "\npad=1\n" more "\n"
#define BLOCK "[batchnorm]\n[activation]\nactivation=relu\n"
#define PLAIN "bias=0\nactivation=linear\n"
#define NORMED(act) "batch_normalize=1\nactivation=" act "\n"

// clang-format off
const char scene_lenet[] = "[net]\n"
    CONV(4, 3, 1, "activation=relu")                              // 0: 6x6
    "[maxpool]\nsize=2\nstride=2\npadding=0\n"                    // 1: 3x3
    CONV(6, 3, 1, "activation=relu")                              // 2
    "[maxpool]\nsize=2\nstride=2\n"                               // 3: 2x2, padded by 1
    "[connected]\noutput=8\nbatch_normalize=1\nactivation=relu\n" // 4
    "[connected]\noutput=6\nactivation=relu\n"                    // 5
    "[connected]\nactivation=linear\n[softmax]\n";

const char scene_resnet[] = "[net]\n"
    CONV(4, 3, 1, PLAIN)                                          // 0
    BLOCK CONV(4, 3, 1, PLAIN)                                    // 1 2 3
    BLOCK CONV(4, 3, 1, PLAIN)                                    // 4 5 6
    "[shortcut]\nfrom=-7\nactivation=linear\n"                    // 7: 6 + 0
    BLOCK CONV(6, 3, 2, PLAIN)                                    // 8 9 10
    BLOCK CONV(6, 3, 1, PLAIN)                                    // 11 12 13
    "[route]\nlayers=-5\n"                                        // 14: layer 9
    CONV(6, 1, 2, "projection=1\n" PLAIN) "[batchnorm]\n"         // 15 16
    "[shortcut]\nfrom=-4\nactivation=linear\n"                    // 17: 16 + 13
    "[batchnorm]\n[avgpool]\n[connected]\nactivation=linear\n[softmax]\n";

/* Layer 1, a 1x1 convolution, reads layer 0, which the shortcut adds again later: the skip whose
 * gradient is lost when the convolution's overwrites it. Layers 3 and 4 add another to a 1x1 and to
 * a norm. */
const char scene_bottleneck[] = "[net]\n"                         //
    CONV(4, 3, 1, NORMED("leaky"))                                // 0
    CONV(4, 1, 1, NORMED("leaky"))                                // 1
    CONV(4, 3, 1, "groups=2\n" NORMED("logistic"))                // 2
    CONV(4, 1, 1, "activation=linear")                            // 3
    "[shortcut]\nfrom=-4\nactivation=leaky\nalpha=.7\nbeta=1.3\n" // 4
    "[batchnorm]\n[activation]\nactivation=tanh\n"                // 6
    "[shortcut]\nfrom=-3\nactivation=linear\n"                    // 7: 6 + 4
    "[dropout]\nprobability=.3\n"                                 // 8
    CONV(4, 1, 2, "projection=1\n" NORMED("elu"))                 // 9: 3x3
    CONV(4, 3, 1, "activation=loggy")                             // 10
    CONV(5, 3, 2, "bias=0\nactivation=selu")                      // 11
    "[batchnorm]\n[avgpool]\n[connected]\nactivation=linear\n";

/* Inverted residuals, as mobilenet-v2 has them: a block of oneDNN's lanes and a part of one,
 * strides 1 and 2. The factor in front of layer 4 takes values above 6. */
const char scene_inverted[] = "[net]\n"                            //
    CONV(4, 3, 1, NORMED("relu6"))                                // 0
    "[convolutional]\nfilters=16\n" NORMED("relu6")               // 1
    CONV(16, 3, 1, "groups=16\n" NORMED("relu6"))                 // 2
    "[convolutional]\nfilters=4\n" NORMED("linear")               // 3
    "[shortcut]\nfrom=-4\nactivation=relu6\nalpha=9\n"            // 4: 9 * 3 + 0
    "[convolutional]\nfilters=6\n" NORMED("relu6")                // 5
    CONV(6, 3, 2, "groups=6\n" NORMED("relu6"))                   // 6: 3x3
    "[convolutional]\nfilters=5\n" NORMED("linear")               // 7
    "[avgpool]\n[connected]\nactivation=linear\n[softmax]\n";

const char scene_zoo[] = "[net]\n"                                  //
    CONV(4, 3, 2, "activation=relie")                               // 0: 3x3
    CONV(4, 3, 1, "groups=4\nquantize=0\nactivation=ramp")          // 1
    "[upsample]\nstride=2\nscale=.8\n"                              // 2: 4x6x6
    CONV(4, 5, 1, "quantize=0\nbatch_normalize=1\nactivation=plse") // 3
    "[route]\nlayers=-1,-2\n"                                       // 4: 8x6x6
    "[reorg]\nstride=2\n"                                           // 5: 32x3x3
    CONV(8, 1, 1, "quantize=0\nactivation=hardtan")                 // 6
    "[maxpool]\nsize=3\nstride=1\n"                                 // 7: padded by 2
    "[reorg]\nstride=2\nreverse=1\n"                                // 8: 2x6x6
    "[maxpool]\nsize=2\nstride=2\npadding=0\n"                      // 9: 2x3x3
    "[route]\nlayers=-1,0,6\n"                                      // 10: 14x3x3
    CONV(6, 3, 1, "quantize=1\nactivation=lhtan")                   // 11
    "[convolutional]\nfilters=3\nsize=1\npadding=1\nactivation=linear\n" // 12: 5x5
    "[connected]\noutput=5\nactivation=leaky\n"                     // 12
    "[connected]\nbatch_normalize=1\nactivation=linear\n[softmax]\n";

/* What each layer reads is read again by a later one: in backward everything has to add. */
const char scene_fanout[] = "[net]\n"
    CONV(4, 3, 1, "activation=linear")                            // 0
    "[activation]\nactivation=leaky\n[shortcut]\nfrom=-2\n"        // 1, 2 = 1 + 0
    "[batchnorm]\n[activation]\nactivation=relu\n"                // 3 4
    CONV(4, 3, 1, "activation=linear") "[shortcut]\nfrom=-3\n"    // 5, 6 = 5 + 3
    "[dropout]\nprobability=.4\n[shortcut]\nfrom=-2\n"           // 7, 8 = 7 + 6
    "[maxpool]\nsize=3\nstride=1\n[shortcut]\nfrom=-2\n"         // 9, 10 = 9 + 8
    "[route]\nlayers=-1,-3\n"                                     // 11: 10 and 8
    CONV(4, 1, 1, PLAIN) "[shortcut]\nfrom=10\n"                  // 12, 13 = 12 + 10
    "[batchnorm]\n[shortcut]\nfrom=-2\n"                          // 14, 15 = 14 + 13
    "[connected]\noutput=6\nactivation=tanh\n"                    // 16
    "[connected]\noutput=6\nactivation=linear\n[shortcut]\nfrom=-2\n" // 17, 18 = 17 + 16
    "[connected]\nactivation=linear\n[softmax]\n";
// clang-format on
