-- What truncation costs, a row per cell: mean and sample standard deviation over seeds of the drop at each width;
-- bits 0 is the cross-bit drop.
WITH borrowed AS MATERIALIZED (
    SELECT config_id, bits FROM grid_borrowed_columns
    WHERE grid IS :grid AND split = :split AND calibrated = :calibrated
)
SELECT dataset, network, scheme, settings, '' AS against, '' AS inference, bits, n, images,
       (s.config_id, bits) IN borrowed AS borrowed, activations <> '' AS activations, points, points_sd
FROM grid_drop_summary s
JOIN grid_configurations c ON c.grid IS :grid AND c.split = :split AND c.config_id = s.config_id
WHERE s.grid IS :grid AND s.calibrated = :calibrated AND s.split = :split
ORDER BY dataset, network, place, scheme, settings, s.config_id, bits;
