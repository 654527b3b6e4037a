/* The rows of the table of keys, in order of section: what keys.c makes spec_keys of, with a
 * condition (`matters_if`) for each key that does not matter to every spec, and what spec.h counts.
 * Adding a key is a field of struct spec and a row here.
 *
 * The defaults are frozen: ids of runs leave out what is at its default, so a changed default or a
 * changed meaning needs a new SPEC_VERSION, and a new key needs the default that old runs had. So
 * it is with conditions: a key that does not matter is not in the id. */
SPEC_KEY("grid", "scheme", TEXT(KEY_SCHEME, scheme), .help = "the quantizer")
SPEC_KEY("grid", "network", TEXT(KEY_TEXT, network),
         .help = "a name in experiments/networks or among Darknet's own, or a path to a .cfg")
SPEC_KEY("grid", "dataset", TEXT(KEY_TEXT, dataset),
         .help = "a name that 'truncquant check' lists, or a path to a folder of images")
SPEC_KEY("grid", "seed", INT(seed, 0, SEED_MAX), .preset = "1",
         .help = "names every random stream of the run")

SPEC_KEY("quant", "range", CHOICE(axes.range, range_names, RANGE_TANH, RANGE_MINMAX),
         .matters_if = is_quantized, .help = "range map, instead of the scheme's")
SPEC_KEY("quant", "rounder", CHOICE(axes.rounder, rounder_names, ROUND_NEAREST, ROUND_FLOOR),
         .matters_if = is_quantized, .help = "rounder, instead of the scheme's")
SPEC_KEY("quant", "dequantizer",
         CHOICE(axes.dequantizer, dequantizer_names, DEQUANT_ENDPOINT, DEQUANT_LOW),
         .matters_if = is_quantized, .help = "dequantizer, instead of the scheme's")
SPEC_KEY("quant", "layer_scale", CHOICE(axes.scale, scale_names, SCALE_MEAN, SCALE_POW2),
         .preset = "mean", .matters_if = is_quantized,
         .help = "range tanh: mean|W|, or the power of two next to it")
SPEC_KEY("quant", "granularity",
         CHOICE(axes.granularity, granularity_names, PER_LAYER, PER_CHANNEL), .preset = "layer",
         .matters_if = is_quantized,
         .help = "range minmax: one range per layer or per output channel")
SPEC_KEY("quant", "act_bits", .type = KEY_ACT_BITS, IN(act_bits), .preset = "same",
         .help = "bits of activations: 1 ... 8, 32 (not quantized), or same as the weights")
SPEC_KEY("quant", "stored_bits", INT(stored_bits, 2, 8), .preset = "8",
         .matters_if = is_quantized_at_other_widths,
         .help = "bits of a frozen weight, which truncation cuts")
SPEC_KEY("quant", "projections",
         CHOICE(projections, projections_names, PROJECTIONS_FLOAT, PROJECTIONS_QUANTIZED),
         .preset = "float", .matters_if = has_quantized_layers,
         .help = "weights of projection shortcuts")
SPEC_KEY("quant", "shortcut_norm",
         CHOICE(shortcut_norm, shortcut_norm_names, NORM_PER_WIDTH, NORM_SHARED),
         .preset = "per-width", .matters_if = has_a_bank_for_each_of_several_widths,
         .help = "banks of the batch norm behind a projection")
SPEC_KEY(
    "quant", "norm_bank", CHOICE(norm_bank, norm_bank_names, BANK_PER_WIDTH, BANK_SHARED),
    .preset = "per-width", .matters_if = is_quantized,
    .help = "banks of batch norm; range tanh: shared is one, with bias correction of the weights")

SPEC_KEY("train", "widths", WIDTHS(widths), .preset = "1 2 4 8 32",
         .matters_if = is_quantized_in_training,
         .help = "bit-widths trained jointly (fp32: always 32)")
SPEC_KEY("train", "epochs", INT(epochs, 1, 100000), .preset = "200",
         .help = "passes over the images")
SPEC_KEY("train", "val", INT(val, 0, IMAGES_MAX), .preset = "0",
         .help = "images that are drawn from the training split, by the seed, and not trained on")
SPEC_SHARED_KEY("train", "images", COUNT(train_images, IMAGES_MAX), .preset = "all",
                .help = "so many training images")
SPEC_SHARED_KEY(
    "train", "select", CHOICE(train_select, select_names, SELECT_FIRST, SELECT_DRAWN),
    .preset = "first", .matters_if = takes_some_training_images,
    .help = "fewer images than all: the first, or drawn once, the same for all runs; a grid that "
            "says nothing gets drawn")
SPEC_KEY("train", "batch", INT(batch, 2, 65536), .preset = "128", .help = "images of a step")
SPEC_KEY(
    "train", "image_size", INT(image_size, 0, 4096), .preset = "0",
    .help =
        "folder of images: make each image_size x image_size on the fly; 0: all are of one size")
SPEC_KEY("train", "optimizer", CHOICE(optimizer, optimizer_names, OPTIMIZER_ADAM, OPTIMIZER_SGD),
         .preset = "adam", .help = "adam or sgd")
SPEC_KEY("train", "learning_rate", REAL(learning_rate, 1e-12, 1000), .preset = "0.001",
         .help = "at the start")
SPEC_KEY("train", "momentum", REAL(momentum, 0, 0.9999), .preset = "0.9",
         .matters_if = has_momentum, .help = "of sgd")
SPEC_KEY("train", "decay", REAL(decay, 0, 1), .preset = "0",
         .help = "coupled weight decay, on all parameters")
SPEC_KEY("train", "schedule", CHOICE(schedule, schedule_names, SCHEDULE_STEP, SCHEDULE_POLY),
         .preset = "step", .help = "of the learning rate")
SPEC_KEY("train", "milestones", REALS(milestones, 0, 1), .preset = "0.5 0.75 0.9",
         .matters_if = has_milestones,
         .help = "schedule step: shares of all steps after which the rate falls")
SPEC_KEY("train", "gamma", REAL(gamma, 1e-12, 1), .preset = "0.1", .matters_if = has_milestones,
         .help = "schedule step: factor of the rate at a milestone")
SPEC_KEY("train", "power", REAL(power, 0, 100), .preset = "4", .matters_if = has_a_power,
         .help = "of schedule poly (1 - share of steps), and of the warm-up")
SPEC_KEY("train", "warmup", REAL(warmup, 0, 0.5), .preset = "0",
         .help = "share of all steps in which the rate rises from 0; 0: none")
SPEC_KEY("train", "from", CHOICE(from, from_names, FROM_GRID, FROM_CFG), .preset = "grid",
         .help = "cfg: what of the recipe the grid leaves unsaid is that of the network's [net]")
SPEC_KEY("train", "augment", CHOICE(augment, augment_names, AUGMENT_AUTO, AUGMENT_CROP_FLIP),
         .preset = "auto",
         .help =
             "auto is crop-flip for colour photographs and none for others; with image_size, the "
             "crop is resized")
SPEC_KEY("train", "distill", CHOICE(distill, distill_names, DISTILL_RECURSIVE, DISTILL_HIGHEST),
         .preset = "recursive", .matters_if = is_trained_at_several_widths,
         .help = "teacher of a width: the next above, the labels alone, or the highest")
SPEC_KEY("train", "width_weight", FACTORS(width_weight, 0, 1000), .preset = "1",
         .matters_if = is_trained_jointly,
         .help = "factor of each width's gradient, in ascending widths; 1 is 1 for all")
SPEC_KEY("train", "align", REAL(align, 0, 1e6), .preset = "0", .matters_if = can_be_aligned,
         .help = "rounder nearest: weight of the loss that aligns codes with truncation; 0: none")
SPEC_KEY("train", "kurtosis", REAL(kurtosis, 0, 1e6), .preset = "0",
         .matters_if = is_quantized_in_training,
         .help = "weight of the loss that makes weights uniform (KURE); 0: none")
SPEC_KEY("train", "step_rate", REAL(step_rate, 0, 1000), .preset = "1", .matters_if = learns_steps,
         .help = "learned steps of quantizers: factor of their learning rate")
SPEC_KEY("train", "init", TEXT(KEY_FILE, init), .preset = "none",
         .help = "a Darknet weights file of the network to start from, or none")
SPEC_KEY("train", "init_layers", COUNT(init_layers, 4096), .preset = "all",
         .matters_if = starts_from_a_file,
         .help = "the first so many layers of the cfg start from that file, the others as drawn")

SPEC_KEY("evaluate", "bits", WIDTHS(bits), .preset = "1 2 3 4 5 6 7 8 32",
         .matters_if = has_other_widths, .help = "bit-widths to evaluate")
SPEC_KEY("evaluate", "calibration", INT(calibration, 0, 100000), .preset = "20",
         .help = "training batches that re-estimate the running statistics; 0: never")
SPEC_KEY("evaluate", "calibrate_at",
         CHOICE(calibrate_at, calibrate_at_names, CALIBRATE_ALL, CALIBRATE_WIDTHS), .preset = "all",
         .matters_if = is_calibrated_at_other_widths,
         .help = "calibrate at all evaluated widths or at the trained ones only")
SPEC_KEY("evaluate", "split", CHOICE(split, split_names, EVALUATE_TEST, EVALUATE_VAL),
         .preset = "test", .help = "test, or the images that val holds out")
SPEC_SHARED_KEY("evaluate", "images", COUNT(test_images, IMAGES_MAX), .preset = "all",
                .help = "so many images of the evaluated split")
SPEC_SHARED_KEY("evaluate", "select", CHOICE(test_select, select_names, SELECT_FIRST, SELECT_DRAWN),
                .preset = "first", .matters_if = takes_some_evaluated_images,
                .help = "fewer images than all: the first, or drawn once, as in training")
SPEC_KEY("evaluate", "every", INT(every, 0, 100000), .preset = "0", .matters_if = is_trained,
         .request = 1,
         .help = "evaluate during training, too, after so many epochs each; 0: never; no other run")
SPEC_KEY("evaluate", "every_split", CHOICE(every_split, split_names, EVALUATE_TEST, EVALUATE_VAL),
         .preset = "val", .matters_if = is_evaluated_in_training, .request = 1,
         .help = "on which images: val, those that val holds out, or test")
