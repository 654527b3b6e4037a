-- What truncation costs at each width: direct less truncated top-1 on :split in points, mean over seeds and half of
-- its 95 % interval (Student's t; NULL for one seed), one row per point. A panel is a network and a data set, a
-- curve a configuration. The rows are those of harness/report/queries/drops.sql, but for the cross-bit drop. `place` puts
-- the widths that there are side by side; widths by layer, which are curves of their own, share the last.
SELECT dense_rank() OVER (ORDER BY c.dataset, c.network) AS panel,
       dense_rank() OVER (ORDER BY c.place) AS curve,
       dense_rank() OVER (ORDER BY s.layer_bits <> '', s.bits) AS place,
       c.style, c.variant, c.dataset, c.network, c.label, s.split, coalesce(nullif(s.layer_bits, ''), s.bits) AS bits,
       round(s.points, 4) AS points, round(t.t * s.points_sd / sqrt(s.n), 4) AS half, s.n AS seeds, s.images,
       c.config_id AS caption_config, s.n AS caption_seeds, s.images AS caption_images
FROM grid_drop_summary s
JOIN layer_curves c ON c.config_id = s.config_id AND c.layer_bits = s.layer_bits
LEFT JOIN student_t t ON t.df = s.n - 1
WHERE s.grid IS :grid AND s.split = :split AND s.calibrated = :calibrated AND (s.bits > 0 OR s.layer_bits <> '')
ORDER BY panel, curve, place;
