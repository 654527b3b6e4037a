-- What cutting changes in the quantized layers of the networks of some length on Fashion-MNIST, mean over layers and seeds: the
-- share of codes that are others, the error of the cut weights relative to the direct ones, and the largest of a layer.
-- database = headline-fashion
-- grid = headline-fashion
SELECT l.run_id, l.scheme, l.seed, l.layer, l.bits, l.codes_differ, l.truncation_error
FROM layer_errors l JOIN runs r ON r.run_id = l.run_id JOIN grid_runs g ON g.run_id = l.run_id AND g.grid = :grid AND g.current
WHERE l.scheme IN ('qat', 'minmax') AND r.widths = '1 2 4 8 32' AND l.bits IN (2, 3, 4) AND l.truncation_error IS NOT NULL
ORDER BY l.scheme, l.seed, l.bits, l.layer;
WITH named AS (
    SELECT *, 'Layers' || upper(substr(scheme, 1, 1)) || substr(scheme, 2)
              || CASE bits WHEN 2 THEN 'Two' WHEN 3 THEN 'Three' ELSE 'Four' END AS name
    FROM claim
)
SELECT name || 'Codes', 100 * avg(codes_differ) FROM named GROUP BY name
UNION ALL SELECT name || 'Error', printf('%.2f', avg(truncation_error)) FROM named GROUP BY name
UNION ALL SELECT name || 'Worst', printf('%.2f', max(truncation_error)) FROM named GROUP BY name
UNION ALL SELECT 'LayersCount', count(DISTINCT layer) FROM named;
