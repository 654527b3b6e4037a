-- What ties a database to the folder in which its runs leave checkpoints and frozen models: NAME.runs/ beside NAME.db,
-- whose file `database` holds the same identity. It is drawn once; a copy of the database has it too, and a folder of
-- its own by its name.
CREATE TABLE identity (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    identity TEXT NOT NULL CHECK (length(identity) = 32),
    -- Attempts up to this one are of versions that left such files in runs/, which all databases of a folder shared.
    attempts_before INTEGER NOT NULL
) STRICT;
INSERT INTO identity (one, identity, attempts_before)
SELECT 1, lower(hex(randomblob(16))), coalesce(max(attempt), 0) FROM attempts;

-- The SHA-256 that ends the checkpoint (base/sealed.h) whose weights a complete attempt evaluated; NULL: an attempt
-- from before this was recorded, or one that did not come so far.
ALTER TABLE attempts ADD COLUMN weights_hash TEXT CHECK (length(weights_hash) = 64);
