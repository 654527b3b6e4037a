-- How long a run's packed model takes on a device (`truncquant latency`): a row for each width that was measured in one
-- process, which alternated them. Seconds are of a call, of `batch` images. A time stands here only beside the largest
-- difference of scores from those of the portable kernels in the same process.
CREATE TABLE latencies (
    run_id TEXT NOT NULL REFERENCES runs,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    measured_at REAL NOT NULL,    -- the same in all rows of a measurement
    bits INTEGER NOT NULL CHECK (bits BETWEEN 1 AND 8),
    act_bits INTEGER NOT NULL,    -- 32: float
    processor TEXT NOT NULL,      -- its name
    kernels TEXT NOT NULL,        -- the library's, by the instructions that they use
    compiled TEXT NOT NULL,       -- the library: compiler and flags
    commit_id TEXT NOT NULL,      -- of the program that measured
    dirty INTEGER NOT NULL CHECK (dirty IN (0, 1)),
    threads INTEGER NOT NULL CHECK (threads > 0),
    batch INTEGER NOT NULL CHECK (batch > 0),
    calls INTEGER NOT NULL CHECK (calls > 0), -- that were timed
    min_seconds REAL NOT NULL,
    median_seconds REAL NOT NULL,
    p95_seconds REAL NOT NULL,    -- 95 of 100 calls took no longer
    switch_seconds REAL NOT NULL, -- to set this width where another was set; median
    bytes_read INTEGER NOT NULL,  -- of the file, for this width
    plane_bytes INTEGER NOT NULL, -- of those, in planes
    session_bytes INTEGER NOT NULL, -- that a session needs besides
    residual REAL NOT NULL CHECK (residual >= 0), -- of scores against the portable kernels
    PRIMARY KEY (run_id, host, pid, measured_at, bits)
) STRICT, WITHOUT ROWID;
