-- Learning curves: evaluations during training, which a grid may ask for. They are in tables of their own, so that no
-- query of evaluations, which are of the weights that a run ended with, can come upon one of weights on their way.

-- What a grid ("": nobody's, a single specification) asks for besides the run itself. It is no part of the run.
CREATE TABLE curve_requests (
    grid TEXT NOT NULL,
    run_id TEXT NOT NULL REFERENCES runs,
    every INTEGER NOT NULL CHECK (every >= 0), -- epochs; 0: it asks no more
    split TEXT NOT NULL CHECK (split IN ('test', 'val')),
    PRIMARY KEY (grid, run_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX curve_requests_by_run ON curve_requests (run_id);

-- The columns are those of `evaluations`; nothing is calibrated here.
CREATE TABLE epoch_evaluations (
    attempt INTEGER NOT NULL REFERENCES attempts,
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    split TEXT NOT NULL CHECK (split IN ('test', 'val')),
    bits INTEGER NOT NULL,
    act_bits INTEGER NOT NULL,
    stored_bits INTEGER NOT NULL,
    bank INTEGER NOT NULL,
    inference TEXT NOT NULL CHECK (inference IN ('direct', 'truncated')),
    precision TEXT NOT NULL,
    images INTEGER NOT NULL CHECK (images > 0),
    correct1 INTEGER NOT NULL CHECK (correct1 BETWEEN 0 AND images),
    correct5 INTEGER NOT NULL CHECK (correct5 BETWEEN correct1 AND images),
    loss_sum REAL, -- NULL: not a number
    PRIMARY KEY (attempt, epoch, split, bits, inference)
) STRICT, WITHOUT ROWID;
