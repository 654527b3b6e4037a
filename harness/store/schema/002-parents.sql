-- Runs that depend on others, and runs that belong together.

-- The run whose weights this one takes (ptq); NULL: it is trained itself.
ALTER TABLE runs ADD COLUMN parent TEXT REFERENCES runs DEFERRABLE INITIALLY DEFERRED;

-- Of schemes that train a model for each width (dedicated): the same for all widths of one seed, which
-- together are what a jointly trained run of another scheme is. NULL: the run stands for itself.
ALTER TABLE runs ADD COLUMN "group" TEXT CHECK (length("group") = 64);
