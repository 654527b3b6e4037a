-- The runs that a table or figure lacks, in the order in which they were recorded: `finished` 0, those that have not finished;
-- 1, those that were evaluated on :split, but not with batch norms :calibrated. Excluded ones are not missed; those that were
-- evaluated on the other split alone are spoken of elsewhere. `runs`: how many there should be.
WITH asked AS MATERIALIZED (
    SELECT run_id FROM runs
    WHERE (:grid IS NULL OR run_id IN (SELECT run_id FROM grid_runs WHERE grid = :grid AND current))
      AND run_id NOT IN (SELECT run_id FROM excluded_runs)
),
here AS MATERIALIZED (
    SELECT run_id, max(:calibrated < 0 OR calibrated = :calibrated) AS some
    FROM grid_accuracy WHERE grid IS :grid AND split = :split GROUP BY run_id
)
SELECT substr(r.run_id, 1, 12) AS id, r.scheme, r.network, r.dataset, r.seed, h.run_id IS NOT NULL AS finished,
       (SELECT count(*) FROM asked) AS runs
FROM asked
JOIN runs r ON r.run_id = asked.run_id
LEFT JOIN here h ON h.run_id = asked.run_id
WHERE h.some = 0 OR h.run_id IS NULL AND NOT EXISTS (SELECT 1 FROM counted_attempts c WHERE c.run_id = asked.run_id)
ORDER BY r.recorded_at, r.sequence, r.run_id;
