-- The tables: what was planned, what was tried, what was measured. One row is written once and then
-- stays; only an attempt that has not ended changes (heartbeat, progress, end). Times are seconds since
-- 1970 (UTC). How a number was computed belongs to the attempt, never to the run.

PRAGMA application_id = 1414622836; -- "TQnt": tells our files from those of other programs

CREATE TABLE runs (
    run_id TEXT NOT NULL PRIMARY KEY CHECK (length(run_id) = 64),
    config_id TEXT NOT NULL CHECK (length(config_id) = 64), -- the same without the seed
    spec TEXT NOT NULL,        -- "key = value" lines
    cfg TEXT NOT NULL,         -- the network's .cfg file, whole
    grid TEXT NOT NULL,        -- the grid that first asked for it
    scheme TEXT NOT NULL,
    network TEXT NOT NULL,
    dataset TEXT NOT NULL,
    data_hash TEXT NOT NULL,
    params TEXT NOT NULL CHECK (json_valid(params) AND json_type(params) = 'object'),
    seed INTEGER NOT NULL,
    widths TEXT NOT NULL,      -- "1 2 4 8 32"
    epochs INTEGER NOT NULL CHECK (epochs >= 0),
    batch INTEGER NOT NULL CHECK (batch > 0),
    images INTEGER NOT NULL CHECK (images >= 0), -- of one epoch
    act_bits INTEGER NOT NULL, -- 0: as many as the weights
    stored_bits INTEGER NOT NULL,
    work REAL NOT NULL CHECK (work >= 0), -- multiply-accumulates, for the time left
    recorded_at INTEGER NOT NULL DEFAULT (unixepoch()),
    excluded TEXT              -- why it should not count; NULL: it counts
) STRICT;
CREATE INDEX runs_by_config ON runs (config_id);

-- Which grids ask for a run: several may.
CREATE TABLE grid_runs (
    grid TEXT NOT NULL,
    run_id TEXT NOT NULL REFERENCES runs,
    current INTEGER NOT NULL DEFAULT 1 CHECK (current IN (0, 1)), -- 0: only an earlier edition did
    PRIMARY KEY (grid, run_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX grid_runs_by_run ON grid_runs (run_id);

CREATE TABLE attempts (
    attempt INTEGER NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs,
    engine TEXT NOT NULL,
    precision TEXT NOT NULL,
    threads INTEGER NOT NULL,
    isa TEXT NOT NULL,
    libraries TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    dirty INTEGER NOT NULL CHECK (dirty IN (0, 1)), -- uncommitted changes in the harness
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_start INTEGER NOT NULL, -- clock ticks after boot: tells a reused pid; 0: unknown
    command TEXT NOT NULL,
    started_at REAL NOT NULL,
    heartbeat_at REAL NOT NULL,
    resumed_at REAL NOT NULL CHECK (resumed_at BETWEEN 0 AND 1), -- share of the run behind at the start
    progress REAL NOT NULL CHECK (progress BETWEEN 0 AND 1),     -- share behind at the heartbeat
    ended_at REAL,
    outcome TEXT CHECK (outcome IN ('complete', 'failed', 'interrupted')),
    reason TEXT,
    cpu_seconds REAL,
    peak_bytes INTEGER,
    UNIQUE (run_id, host, pid, started_at),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX attempts_by_run ON attempts (run_id, started_at);

CREATE TABLE epochs (
    attempt INTEGER NOT NULL REFERENCES attempts,
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    bits INTEGER NOT NULL,
    loss REAL NOT NULL,     -- cross-entropy against the labels, mean over the epoch's images
    accuracy REAL NOT NULL, -- top-1 on the training batches, per cent
    learning_rate REAL NOT NULL,
    seconds REAL NOT NULL,
    images INTEGER NOT NULL,
    PRIMARY KEY (attempt, epoch, bits)
) STRICT, WITHOUT ROWID;

CREATE TABLE evaluations (
    evaluation INTEGER NOT NULL PRIMARY KEY,
    attempt INTEGER NOT NULL REFERENCES attempts,
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    split TEXT NOT NULL,
    bits INTEGER NOT NULL,
    act_bits INTEGER NOT NULL, -- 32: float
    stored_bits INTEGER NOT NULL,
    bank INTEGER NOT NULL,     -- the width whose batch norms were used
    inference TEXT NOT NULL CHECK (inference IN ('direct', 'truncated')),
    calibration_batches INTEGER NOT NULL CHECK (calibration_batches >= 0), -- 0: not calibrated
    precision TEXT NOT NULL,
    images INTEGER NOT NULL CHECK (images > 0),
    correct1 INTEGER NOT NULL CHECK (correct1 BETWEEN 0 AND images),
    correct5 INTEGER NOT NULL CHECK (correct5 BETWEEN correct1 AND images),
    loss_sum REAL,             -- NULL: not a number
    UNIQUE (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference,
            calibration_batches, precision, images)
) STRICT;

CREATE TABLE layers (
    attempt INTEGER NOT NULL REFERENCES attempts,
    layer INTEGER NOT NULL, -- number in the cfg
    bits INTEGER NOT NULL,
    name TEXT NOT NULL,
    quantization_error REAL, -- NULL here and below: does not exist
    truncation_error REAL,
    codes_differ REAL CHECK (codes_differ BETWEEN 0 AND 1),
    scale REAL NOT NULL,
    PRIMARY KEY (attempt, layer, bits)
) STRICT, WITHOUT ROWID;

-- The text of views.sql as this file has it, so that views are made anew only when it changed.
CREATE TABLE schema_texts (
    name TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
