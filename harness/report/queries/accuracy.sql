-- Top-1 on :split, a row per cell: mean and sample standard deviation over seeds (:top5: top-5, of data sets of more than
-- 20 classes alone; rows for programs, :tidy, always have both). A cell that was evaluated with several activation widths shows the run's own; one that was evaluated with others alone stands in a
-- row of its own, whose settings say so. So do widths by layer, each list of them, in a column of their own (33).
WITH borrowed AS MATERIALIZED (
    SELECT config_id, bits, layer_bits FROM grid_borrowed_columns
    WHERE grid IS :grid AND split = :split AND calibrated = :calibrated
),
cells AS (
    SELECT s.*, c.place, CASE WHEN :top5 AND NOT :tidy THEN top5 ELSE top1 END AS value,
           CASE WHEN :top5 AND NOT :tidy THEN top5_sd ELSE top1_sd END AS sd,
           CASE WHEN s.act_bits = coalesce(nullif(c.act_bits, 0), s.bits) THEN settings
                ELSE trim(trim(replace(settings, activations, '')) || ' ' ||
                          CASE s.act_bits WHEN 32 THEN 'float' ELSE s.act_bits || '-bit' END || ' activations')
           END AS settings,
           row_number() OVER (PARTITION BY s.config_id, s.inference, s.bits, s.layer_bits
                              ORDER BY s.act_bits = coalesce(nullif(c.act_bits, 0), s.bits) DESC,
                                       s.act_bits) AS nth
    FROM grid_accuracy_summary s
    JOIN grid_configurations c ON c.grid IS :grid AND c.split = :split AND c.config_id = s.config_id
    WHERE s.grid IS :grid AND s.calibrated = :calibrated AND s.split = :split
      AND (NOT :top5 OR s.config_id IN (SELECT r.config_id FROM run_classes k JOIN runs r ON r.run_id = k.run_id
                                        WHERE k.classes > 20))
)
SELECT dataset, network, scheme, trim(settings || coalesce(' layers ' || nullif(layer_bits, ''), '')) AS settings, '' AS against,
       inference, CASE layer_bits WHEN '' THEN bits ELSE 33 END AS bits, n, images,
       (config_id, bits, layer_bits) IN borrowed AS borrowed, act_bits <> bits AS activations, value, sd AS spread,
       config_id, layer_bits, CASE layer_bits WHEN '' THEN act_bits END AS acts, seeds, sd, t * sd / sqrt(n) AS half, top5, loss
FROM cells
LEFT JOIN student_t ON df = n - 1
WHERE nth = 1 OR :tidy
ORDER BY dataset, network, place, scheme, cells.settings, config_id, inference, layer_bits, cells.bits, nth;
