-- Top-1 on :split, a row per cell: mean and sample standard deviation over seeds. A cell that was
-- evaluated with several activation widths shows the run's own.
WITH borrowed AS MATERIALIZED (
    SELECT DISTINCT config_id, bits FROM grid_borrowed
    WHERE grid IS :grid AND split = :split AND calibrated = :calibrated
),
cells AS (
    SELECT s.*, c.settings, c.place,
           row_number() OVER (PARTITION BY s.config_id, s.inference, s.bits
                              ORDER BY s.act_bits = CASE r.act_bits WHEN 0 THEN s.bits ELSE r.act_bits END DESC,
                                       s.act_bits) AS nth
    FROM grid_accuracy_summary s
    JOIN grid_configurations c ON c.grid IS :grid AND c.split = :split AND c.config_id = s.config_id
    JOIN (SELECT config_id, max(act_bits) AS act_bits FROM runs GROUP BY 1) r ON r.config_id = s.config_id
    WHERE s.grid IS :grid AND s.calibrated = :calibrated AND s.split = :split
)
SELECT dataset, network, scheme, settings, '' AS against, inference, bits, n, images,
       (config_id, bits) IN borrowed AS borrowed, top1, top1_sd
FROM cells
WHERE nth = 1
ORDER BY dataset, network, place, scheme, settings, config_id, inference, bits;
