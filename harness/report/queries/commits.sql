-- Run after a table `shown` (config_id) was filled: the versions of the program (`evaluated` 0) that the weights of what
-- is shown went through and (1) that evaluated it. :calibrated -1: with both kinds of batch norms.
WITH cells AS MATERIALIZED (
    SELECT run_id, commit_id FROM grid_accuracy JOIN shown USING (config_id)
    WHERE grid IS :grid AND split = :split AND (:calibrated < 0 OR calibrated = :calibrated)
)
SELECT DISTINCT 0 AS evaluated, version FROM training_versions WHERE run_id IN (SELECT run_id FROM cells)
UNION
SELECT DISTINCT 1, commit_id FROM cells
ORDER BY 1, 2;
