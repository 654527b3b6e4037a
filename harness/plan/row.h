/* A run as the database keeps it, from a spec and the network and data set that it names. What
 * `plan` records for a grid and what anything else records for a single spec is made here alike. */
#ifndef PLAN_ROW_H
#define PLAN_ROW_H

#include "cfg/cfg.h"
#include "data/dataset.h"
#include "spec/spec.h"
#include "store/store.h"

/* What only the data set can show to be wrong: more images asked for than there are, no full batch.
 * Returns the key to change, or NULL. */
const struct spec_key *row_fault(const struct spec *spec, const struct dataset *data,
                                 struct error *e);

/* What a plan leaves unsaid (said[k] 0 for key k): where fewer images are asked for than there are,
 * they are drawn. Sets chosen[k] where that is so. */
void row_choose_images(struct spec *spec, const struct dataset *data, const int said[SPEC_KEYS],
                       int chosen[SPEC_KEYS]);

/* What the first images lack, where the spec takes those: 1, with `text` ("of the first 400 test
 * images, ..."), when they are of fewer classes than the split has. `key`: evaluate.select or
 * train.select. */
int row_lacks_classes(const struct spec *spec, const struct dataset *data, const char *key,
                      char *text, size_t size);

/* Make the content of the weights file that `init` names part of the spec, once it is known to be
 * one of the network. Nothing to do without one. -1 when it is not, or is another than the spec
 * says already. */
int row_pin_init(struct spec *spec, const struct cfg *cfg, struct error *e);

/* The row; its texts are owned: free with store_free_run. `cfg_text` is the cfg file's own text. */
int row_make(struct run_row *row, const struct spec *spec, const struct quantizer *const *table,
             const struct cfg *cfg, const char *cfg_text, const struct dataset *data,
             const char *grid, struct error *e);

/* By what its files are named that people look for: SCHEME-NETWORK-DATASET-SEED-ID12, letters,
 * digits, '-', '_' and '.' alone. */
enum { ROW_FILE_NAME = 200 };
void row_file_name(const struct run_row *row, char name[ROW_FILE_NAME]);

/* A key and its value as a member of the JSON object `params`: numbers bare, other texts quoted. */
void row_print_param(FILE *out, const struct spec *spec, const struct spec_key *key);

#endif
