-- What each run asks for when it begins costs the same however many runs there are.
CREATE INDEX runs_by_scheme ON runs (scheme, run_id);
CREATE INDEX runs_by_parent ON runs (parent) WHERE parent IS NOT NULL;
CREATE INDEX runs_excluded ON runs (run_id, excluded) WHERE excluded IS NOT NULL;
