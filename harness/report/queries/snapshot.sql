-- Run before every other query of a table or figure, on this program's views, which have to be temporary: what is
-- derived from accuracies reads them many times over, and a view would find them among all evaluations each time.
-- They are found once here, for grid :grid (NULL: all runs), and take the view's place for the rest of the transaction.
CREATE TEMP TABLE snapshot AS SELECT :grid AS grid, * FROM accuracy
WHERE :grid IS NULL OR run_id IN (SELECT run_id FROM grid_runs WHERE grid = :grid AND current);
DROP VIEW temp.grid_accuracy;
CREATE TEMP VIEW grid_accuracy AS SELECT * FROM snapshot;
