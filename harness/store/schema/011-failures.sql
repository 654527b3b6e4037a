-- What ended an attempt that did not complete: 'own', what the run itself came to (a loss that is not a number, bad input)
-- and would come to again; 'outside', a signal, a disk, a machine, which it need not meet again. NULL: complete, without an
-- end, or from before this was recorded.
ALTER TABLE attempts ADD COLUMN cause TEXT CHECK (cause IN ('own', 'outside'));

-- Where the attempt's messages went: a file on its host. NULL: to no file, or from before this was recorded.
ALTER TABLE attempts ADD COLUMN log TEXT;

-- The job of a batch system that it was part of (Slurm: JOB, or ARRAY_TASK); NULL: none.
ALTER TABLE attempts ADD COLUMN job TEXT;

-- Attempts that are no reason any more not to try their run again (`truncquant retry`): each by what tells it from all
-- others in any database.
CREATE TABLE retries (
    run_id TEXT NOT NULL REFERENCES runs,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at REAL NOT NULL,
    asked_at REAL NOT NULL,
    PRIMARY KEY (run_id, host, pid, started_at)
) STRICT, WITHOUT ROWID;
