-- What has to be said under the figure of dots.sql besides its recipe and commits, one line a row: calibration, marks, seeds,
-- widths, activations.
SELECT CASE :calibrated WHEN 1 THEN 'batch norm calibrated for each width and inference'
                        ELSE 'batch norm not calibrated' END
UNION ALL
SELECT 'open, above: quantized to k bits; filled, below: stored codes cut to k bits'
UNION ALL
SELECT CASE hi WHEN 1 THEN 'one seed, no interval'
               ELSE printf('mean of %s seeds, bar: 95 %% interval of the mean (Student''s t)%s', many, but) END
FROM seeds
UNION ALL
SELECT 'at a width k that was not trained: ' || CASE :calibrated WHEN 1 THEN 'scale and shift' ELSE 'batch norms' END
    || ' of the smallest' || char(10) || 'trained width above k or, where none is above, of the largest'
WHERE EXISTS (SELECT 1 FROM grid_borrowed b JOIN figure f ON f.caption_config = b.config_id AND f.bits = b.bits
              WHERE b.grid IS :grid AND b.split = :split AND b.calibrated = :calibrated AND b.layer_bits = '')
UNION ALL
SELECT 'activations have as many bits as the weights' || char(10) || 'unless the name of a row says otherwise'
WHERE EXISTS (SELECT 1 FROM grid_configurations
              WHERE grid IS :grid AND split = :split AND activations <> ''
                AND config_id IN (SELECT caption_config FROM figure));
