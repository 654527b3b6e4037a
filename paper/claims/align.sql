-- The loss that draws weights to values whose own codes are the cut of the stored ones, by its weight: what truncation
-- costs QAT and min-max at two bits, and their direct accuracy; mean ± deviation over seeds.
-- database = ablation-align.quick
-- grid = ablation-align.quick
SELECT c.run_id, c.scheme, c.seed, c.bits, c.inference, c.images, c.top1,
       coalesce(json_extract(r.params, '$.align'), 0) AS weight
FROM grid_cells c JOIN runs r ON r.run_id = c.run_id
WHERE c.grid IS :grid AND c.split = :split AND NOT c.calibrated AND c.bits = 2 AND c.scheme IN ('qat', 'minmax')
ORDER BY c.scheme, weight, c.seed, c.inference;
WITH points AS (
    SELECT d.scheme, d.weight, d.seed, d.top1 AS direct, d.top1 - t.top1 AS lost
    FROM claim d JOIN claim t ON t.run_id = d.run_id AND t.inference = 'truncated' AND t.images = d.images
    WHERE d.inference = 'direct'
),
numbers AS (
    SELECT scheme, weight, 'Drop' AS kind, lost AS x FROM points UNION ALL SELECT scheme, weight, 'Direct', direct FROM points
),
means AS (SELECT *, avg(x) OVER (PARTITION BY scheme, weight, kind) AS mean FROM numbers)
SELECT 'Align' || upper(substr(scheme, 1, 1)) || substr(scheme, 2)
       || CASE weight WHEN 0 THEN 'Off' WHEN 1 THEN 'One' WHEN 10 THEN 'Ten' ELSE 'Hundred' END || kind,
       max(mean), CASE WHEN count(*) > 1 THEN sqrt(sum((x - mean) * (x - mean)) / (count(*) - 1)) END
FROM means
GROUP BY scheme, weight, kind
ORDER BY scheme, weight, kind;
