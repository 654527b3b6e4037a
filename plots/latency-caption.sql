-- What has to be said under the figure of latency.sql besides its recipe and commits, one line a row: calibration, what was
-- timed, seeds, widths, activations.
SELECT CASE :calibrated WHEN 1 THEN 'batch norm calibrated for each width and inference'
                        ELSE 'batch norm not calibrated' END
UNION ALL
SELECT printf('latency: median of %s%d calls, whose scores are those of the portable kernels',
              CASE WHEN min(calls) < max(calls) THEN 'at least ' ELSE '' END, min(calls))
    || char(10) || 'bar along it: from the fastest call to the 95th percentile, cut by the frame'
FROM figure
UNION ALL
SELECT CASE hi WHEN 1 THEN 'accuracy of one seed'
               ELSE printf('accuracy: mean of %s seeds, bar: ± 1 standard deviation over seeds%s', many, but) END
FROM seeds
UNION ALL
SELECT 'at a width k that was not trained: scale and shift of the smallest'
    || char(10) || 'trained width above k or, where none is above, of the largest'
WHERE EXISTS (SELECT 1 FROM grid_borrowed b JOIN figure f ON f.caption_config = b.config_id AND f.bits = b.bits
              WHERE b.grid IS :grid AND b.split = :split AND b.calibrated = :calibrated AND b.layer_bits = '')
UNION ALL
SELECT 'activations have as many bits as the weights' || char(10) || 'unless the legend says otherwise'
WHERE EXISTS (SELECT 1 FROM grid_configurations
              WHERE grid IS :grid AND split = :split AND activations <> ''
                AND config_id IN (SELECT caption_config FROM figure))
UNION ALL
SELECT 'timed by commit ' || group_concat(version, ', ')
FROM (SELECT DISTINCT substr(l.commit_id, 1, 10) || CASE l.dirty WHEN 1 THEN '-dirty' ELSE '' END AS version
      FROM latencies l
      JOIN runs r ON r.run_id = l.run_id
      WHERE l.run_id NOT IN (SELECT run_id FROM excluded_runs)
        AND (r.config_id, l.processor, l.kernels, l.threads, l.batch, l.bits) IN
            (SELECT caption_config, caption_processor, kernels, threads, batch, bits FROM figure)
      ORDER BY 1);
