-- Run after snapshot.sql: how many runs have results, how many of these on the test split and on held-out images
-- (val); no row where none has. A table or figure is of one split: the one asked for, or test where a run was evaluated
-- on it, or val.
SELECT count(*), sum(test), sum(val)
FROM (SELECT max(split = 'test') AS test, max(split = 'val') AS val FROM grid_accuracy WHERE grid IS :grid GROUP BY run_id)
HAVING count(*) > 0;
