-- What has to be said under the figure of drops.sql, one line a row: images, calibration, seeds, commit.
WITH chosen AS (
    SELECT * FROM grid_drop_summary
    WHERE grid IS :grid AND split = :split AND calibrated = coalesce(:calibrated, 0) AND bits > 0
),
seeds(lo, hi) AS (SELECT min(n), max(n) FROM chosen),
sets(text) AS (
    SELECT printf('%s, %,d%s %s', dataset, lo, CASE WHEN hi > lo THEN printf(' to %,d', hi) ELSE '' END,
                  CASE :split WHEN 'val' THEN 'held-out images (val), not the test split'
                              ELSE :split || ' images' END)
    FROM (SELECT c.dataset, min(s.images) AS lo, max(s.images) AS hi
          FROM chosen s JOIN curves c ON c.config_id = s.config_id GROUP BY c.dataset)
),
commits(n, text) AS (
    SELECT count(*), group_concat(text, ', ')
    FROM (SELECT DISTINCT substr(commit_id, 1, 10) || CASE WHEN commit_id LIKE '%-dirty'
                                                          THEN ' (changed)' ELSE '' END AS text
          FROM grid_accuracy
          WHERE grid IS :grid AND split = :split AND calibrated = coalesce(:calibrated, 0)
            AND config_id IN (SELECT config_id FROM chosen)
          ORDER BY 1)
)
SELECT text FROM sets
UNION ALL
SELECT CASE coalesce(:calibrated, 0) WHEN 1 THEN 'batch norm calibrated for each width and inference'
                                     ELSE 'batch norm not calibrated: widths that were trained' END
    || char(10) || 'direct: quantized to k bits; truncated: stored codes cut to k bits'
    || CASE WHEN hi = 1 THEN char(10) || 'one seed, no interval'
            ELSE printf(char(10) || 'mean of %s seeds, bar: 95 %% interval of the mean (Student''s t)%s',
                        CASE WHEN lo = hi THEN hi ELSE lo || ' to ' || hi END,
                        CASE lo WHEN 1 THEN char(10) || '(none where there is one seed)' ELSE '' END) END
FROM seeds
UNION ALL
SELECT 'at a width k that was not trained: scale and shift of the smallest'
    || char(10) || 'trained width above k or, where none is above, of the largest'
WHERE EXISTS (SELECT 1 FROM grid_borrowed b JOIN chosen c ON c.config_id = b.config_id AND c.bits = b.bits
              WHERE b.grid IS :grid AND b.split = :split AND b.calibrated = coalesce(:calibrated, 0))
UNION ALL
SELECT 'activations have as many bits as the weights' || char(10) || 'unless the legend says otherwise'
WHERE EXISTS (SELECT 1 FROM grid_configurations
              WHERE grid IS :grid AND split = :split AND activations <> '' AND config_id IN (SELECT config_id FROM chosen))
UNION ALL
SELECT CASE WHEN n = 1 THEN 'commit ' || text WHEN n <= 3 THEN 'commits ' || text
            ELSE printf('from %d commits', n) END
FROM commits;
