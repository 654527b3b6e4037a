-- What truncation costs, a row per cell: mean and sample standard deviation over seeds of the drop at each width;
-- bits 0 is the cross-bit drop, 33 that of widths by layer.
WITH borrowed AS MATERIALIZED (
    SELECT config_id, bits, layer_bits FROM grid_borrowed_columns
    WHERE grid IS :grid AND split = :split AND calibrated = :calibrated
)
SELECT dataset, network, scheme, trim(settings || coalesce(' layers ' || nullif(layer_bits, ''), '')) AS settings, '' AS against,
       '' AS inference, CASE layer_bits WHEN '' THEN bits ELSE 33 END AS bits, n, images,
       (s.config_id, bits, layer_bits) IN borrowed AS borrowed, activations <> '' AS activations, points, points_sd,
       s.config_id, layer_bits, CASE WHEN bits THEN coalesce(nullif(c.act_bits, 0), bits) ELSE nullif(c.act_bits, 0) END AS acts, seeds,
       points_sd AS sd, t * points_sd / sqrt(n) AS half
FROM grid_drop_summary s
JOIN grid_configurations c ON c.grid IS :grid AND c.split = :split AND c.config_id = s.config_id
LEFT JOIN student_t ON df = n - 1
WHERE s.grid IS :grid AND s.calibrated = :calibrated AND s.split = :split
ORDER BY dataset, network, place, scheme, c.settings, s.config_id, layer_bits, s.bits;
