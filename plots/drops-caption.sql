-- What has to be said under the figure of drops.sql besides its recipe and commits, one line a row: calibration, seeds,
-- widths, activations.
WITH chosen AS (
    SELECT * FROM grid_drop_summary
    WHERE grid IS :grid AND split = :split AND calibrated = coalesce(:calibrated, 0) AND bits > 0
),
seeds(lo, hi) AS (SELECT min(n), max(n) FROM chosen)
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
              WHERE grid IS :grid AND split = :split AND activations <> '' AND config_id IN (SELECT config_id FROM chosen));
