-- Widths by layer: an evaluation at which quantized layers have bits of their own. It is of no single width: its `bits` is
-- 0, which no query that asks for a width finds, and `layer_bits` says those of each quantized layer in the order of the
-- network, "8 4 4 2". Its `act_bits` 0: each layer's input has as many as its weights; its `bank` 0: each norm takes that of
-- the layer it feeds, or all share one.
CREATE TEMP TABLE evaluations_kept AS SELECT * FROM evaluations;
DROP TABLE evaluations; -- only a new table can have the new constraint
CREATE TABLE evaluations (
    evaluation INTEGER NOT NULL PRIMARY KEY,
    attempt INTEGER NOT NULL REFERENCES attempts,
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    split TEXT NOT NULL,
    bits INTEGER NOT NULL,     -- of weights; 0: by layer
    act_bits INTEGER NOT NULL, -- 32: float; 0: by layer
    stored_bits INTEGER NOT NULL,
    bank INTEGER NOT NULL,     -- the width whose batch norms were used; 0: all share one, or by layer
    inference TEXT NOT NULL CHECK (inference IN ('direct', 'truncated', 'truncated-activations')),
    calibration_batches INTEGER NOT NULL CHECK (calibration_batches >= 0), -- 0: not calibrated
    precision TEXT NOT NULL,
    images INTEGER NOT NULL CHECK (images > 0),
    correct1 INTEGER NOT NULL CHECK (correct1 BETWEEN 0 AND images),
    correct5 INTEGER NOT NULL CHECK (correct5 BETWEEN correct1 AND images),
    loss_sum REAL,             -- NULL: not a number
    layer_bits TEXT NOT NULL DEFAULT '', -- '': one width, `bits`
    mean_bits REAL,            -- of a quantized weight, over all layers; NULL: one width
    UNIQUE (attempt, epoch, split, bits, layer_bits, act_bits, stored_bits, bank, inference,
            calibration_batches, precision, images),
    CHECK ((bits = 0) = (layer_bits <> '')),
    CHECK ((mean_bits IS NULL) = (layer_bits = ''))
) STRICT;
INSERT INTO evaluations (evaluation, attempt, epoch, split, bits, act_bits, stored_bits, bank, inference,
                         calibration_batches, precision, images, correct1, correct5, loss_sum)
SELECT evaluation, attempt, epoch, split, bits, act_bits, stored_bits, bank, inference,
       calibration_batches, precision, images, correct1, correct5, loss_sum
FROM evaluations_kept ORDER BY evaluation;
DROP TABLE temp.evaluations_kept;
