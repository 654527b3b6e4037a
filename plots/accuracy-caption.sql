-- What has to be said under the figure of accuracy.sql besides its recipe and commits, one line a row: calibration, seeds,
-- widths, activations.
WITH widths(n, text, borrowed) AS ( -- of models that have several: each width of a group has a model of its own
    SELECT count(*), group_concat(widths, ' or '),
           EXISTS (SELECT 1 FROM grid_borrowed WHERE grid IS :grid AND split = :split AND calibrated = :calibrated
                                                 AND config_id IN (SELECT caption_config FROM figure))
    FROM (SELECT DISTINCT r.widths
          FROM grid_accuracy a JOIN runs r ON r.run_id = a.run_id
          WHERE a.grid IS :grid AND a.split = :split AND a.calibrated = :calibrated
            AND a.config_id IN (SELECT caption_config FROM figure)
            AND r.widths <> '32' AND r."group" IS NULL
          ORDER BY 1)
)
SELECT CASE :calibrated WHEN 1 THEN 'batch norm calibrated for each width and inference'
                        ELSE 'batch norm not calibrated' END
UNION ALL
SELECT CASE hi WHEN 1 THEN 'one seed, no error bar'
               ELSE printf('mean of %s seeds, bar: ± 1 standard deviation over seeds%s', many, but) END
FROM seeds
UNION ALL
SELECT CASE WHEN n <= 3 THEN printf('quantized in training, one model for all k: %s bits', text)
            ELSE printf('quantized in training, one model for all k: %d sets of widths', n) END
    || CASE borrowed WHEN 1 THEN char(10) || 'at another width k: ' ||
            CASE :calibrated WHEN 1 THEN 'scale and shift' ELSE 'batch norms' END ||
            ' of the smallest' || char(10) || 'trained width above k or, where none is above, of the largest'
            ELSE '' END
FROM widths
WHERE n > 0
UNION ALL
SELECT 'activations have as many bits as the weights' || char(10) || 'unless the legend says otherwise'
WHERE EXISTS (SELECT 1 FROM grid_configurations
              WHERE grid IS :grid AND split = :split AND activations <> ''
                AND config_id IN (SELECT caption_config FROM figure))
UNION ALL
SELECT 'layers: bits of each quantized layer in the order of the network,' || char(10) || 'at the mean bits of a weight'
WHERE EXISTS (SELECT 1 FROM figure WHERE bits LIKE '% %')
UNION ALL
SELECT 'more than five curves in a panel: the figure dots' || CASE :calibrated WHEN 1 THEN '-calibrated' ELSE '' END
    || ' has them row by row'
WHERE (SELECT max(n) FROM (SELECT count(DISTINCT curve) AS n FROM figure WHERE bits < 32 GROUP BY panel)) > 5;
