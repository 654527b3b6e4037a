-- What a number rests on besides its run's specification: the program that computes, and the quantizer.

-- SHA-256 of the files that compute, the compiler and its flags; NULL: an attempt from before this was recorded.
ALTER TABLE attempts ADD COLUMN sources TEXT CHECK (length(sources) = 64);

-- SHA-256 of what the run's quantizer returns for fixed inputs: it changes when the quantizer's results do, which
-- the run's id cannot know. NULL: an attempt from before this was recorded.
ALTER TABLE attempts ADD COLUMN fingerprint TEXT CHECK (length(fingerprint) = 64);

-- The fingerprint of each quantizer (runs.scheme) in the program that last recorded runs or attempts of it.
CREATE TABLE fingerprints (
    scheme TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL CHECK (length(fingerprint) = 64)
) STRICT, WITHOUT ROWID;
