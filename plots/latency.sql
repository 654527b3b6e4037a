-- Truncated top-1 on :split against what a width costs a device, one row per point: `what` is latency (`x`: milliseconds of a
-- call, the median; `low`, `high`: the fastest, and what 95 of 100 do not exceed; means over the runs that were timed) or
-- bytes (`x`: thousands of bytes that are read of the model file). A panel is a network and a data set and, for latencies, a
-- processor, its kernels and a batch; a curve a configuration, a point a width.
WITH timed AS (
    SELECT r.config_id, l.processor, l.kernels, l.threads, l.batch, l.bits,
           1e3 * avg(l.median_seconds) AS x, 1e3 * avg(l.min_seconds) AS low, 1e3 * avg(l.p95_seconds) AS high,
           min(l.calls) AS calls, max(l.bytes_read) / 1e3 AS bytes
    FROM latencies l JOIN runs r ON r.run_id = l.run_id
    WHERE l.run_id NOT IN (SELECT run_id FROM excluded_runs)
    GROUP BY 1, 2, 3, 4, 5, 6
),
costs AS (
    SELECT config_id, bits, 'latency' AS what, processor, kernels, threads, batch, x, low, high, calls FROM timed
    UNION ALL
    SELECT config_id, bits, 'read', '', '', 0, 0, max(bytes), max(bytes), max(bytes), min(calls) FROM timed GROUP BY 1, 2
)
SELECT dense_rank() OVER (ORDER BY c.dataset, c.network, t.what, t.processor, t.batch, t.threads, t.kernels) AS panel,
       dense_rank() OVER (ORDER BY c.place) AS curve,
       c.style, c.variant, c.dataset, c.network, c.label, s.split, t.what,
       replace(t.processor, ',', ';') AS processor, -- gnuplot ends a text at a comma
       t.kernels, t.batch, t.threads, s.bits, round(t.x, 4) AS x, round(t.low, 4) AS low, round(t.high, 4) AS high,
       round(s.top1, 4) AS top1, round(s.top1_sd, 4) AS top1_sd, s.n AS seeds, s.images, t.calls,
       c.config_id AS caption_config, s.n AS caption_seeds, s.images AS caption_images,
       t.processor AS caption_processor
FROM grid_accuracy_summary s
JOIN curves c ON c.config_id = s.config_id
JOIN costs t ON t.config_id = s.config_id AND t.bits = s.bits
WHERE s.grid IS :grid AND s.split = :split AND s.calibrated = :calibrated AND s.inference = 'truncated' AND s.layer_bits = ''
  AND s.act_bits = CASE c.act_bits WHEN 0 THEN s.bits ELSE c.act_bits END
ORDER BY panel, curve, s.bits;
