-- The order of attempts, whatever the clocks of their machines said: a count that goes on with each beginning and each
-- end of an attempt at a run, at the run whose weights it takes, and at those that take its. Two databases count each
-- for itself: where theirs are equal, times decide. 0: from before this was recorded; those stand first, by their times.
ALTER TABLE attempts ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN end_sequence INTEGER NOT NULL DEFAULT 0;
