-- Databases that are joined (store/merge/): what of a row says where and when it belongs, so that no order of rows does.

-- The order in which runs were recorded, among those of one second.
ALTER TABLE runs ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET sequence = rowid;

-- The identity of the database in which an attempt was made: it went on with the work of those before it there, not of
-- those that others made meanwhile. NULL: an attempt from before this was recorded.
ALTER TABLE attempts ADD COLUMN origin TEXT CHECK (length(origin) = 32);

-- When a program last recorded that its quantizer has this fingerprint; 0: nobody knows.
ALTER TABLE fingerprints ADD COLUMN recorded_at REAL NOT NULL DEFAULT 0;
UPDATE fingerprints SET recorded_at = coalesce((
    SELECT max(a.started_at) FROM attempts a JOIN runs r ON r.run_id = a.run_id
    WHERE r.scheme = fingerprints.scheme AND a.fingerprint = fingerprints.fingerprint), 0);

-- 1: hosts, paths, command lines, reasons and commits are pseudonyms (`truncquant export database --anonymous`), by which
-- attempts cannot be told from those of other files.
ALTER TABLE identity ADD COLUMN anonymous INTEGER NOT NULL DEFAULT 0 CHECK (anonymous IN (0, 1));
