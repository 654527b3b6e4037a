-- Top-1 on :split against bit-width, one row per point. A panel is a network and a data set, a
-- curve a configuration and an inference. :calibrated takes the results with (1) or without (0)
-- calibrated batch norm. `x` puts 32 bits next to 8; `chance` is the accuracy of guessing. Widths by layer are curves of
-- their own, each of one point, at the mean bits of a weight.
WITH classes AS MATERIALIZED (
    SELECT r.config_id, max(k.classes) AS n FROM run_classes k JOIN runs r ON r.run_id = k.run_id GROUP BY 1
)
SELECT dense_rank() OVER (ORDER BY c.dataset, c.network) AS panel,
       dense_rank() OVER (ORDER BY c.place) AS curve,
       c.style, c.variant, c.dataset, c.network, c.label, s.split, s.inference,
       coalesce(nullif(s.layer_bits, ''), s.bits) AS bits,
       CASE s.bits WHEN 32 THEN 9
                   WHEN 0 THEN round(CASE WHEN s.mean_bits > 8 THEN 8 + (s.mean_bits - 8) / 24 ELSE s.mean_bits END, 4)
                   ELSE s.bits END AS x,
       round(s.top1, 4) AS top1, round(s.top1_sd, 4) AS top1_sd, s.n AS seeds, s.images,
       100.0 / classes.n AS chance,
       c.config_id AS caption_config, s.n AS caption_seeds, s.images AS caption_images
FROM grid_accuracy_summary s
JOIN layer_curves c ON c.config_id = s.config_id AND c.layer_bits = s.layer_bits
JOIN classes ON classes.config_id = c.config_id
WHERE s.grid IS :grid AND s.split = :split AND s.calibrated = :calibrated
  -- with the run's own activations, not those of evaluations that were added later
  AND s.act_bits = CASE c.act_bits WHEN 0 THEN s.bits ELSE c.act_bits END
ORDER BY panel, curve, s.inference, x;
