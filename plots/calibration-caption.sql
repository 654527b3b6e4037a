-- What has to be said under the figure of calibration.sql besides its recipe and commits, one line a row: marks, seeds,
-- widths, activations.
SELECT 'circles: stored codes cut to k bits, batch norm as trained (open) and calibrated (filled)'
UNION ALL
SELECT 'cross: quantized to k bits, calibrated, too' WHERE EXISTS (SELECT 1 FROM figure WHERE mark = 'direct')
UNION ALL
SELECT 'calibrated on ' || group_concat(value, ' or ') || ' batches of training images'
FROM (SELECT DISTINCT value FROM config_settings
      WHERE key = 'calibration' AND config_id IN (SELECT caption_config FROM figure) ORDER BY 1)
HAVING count(*) > 0
UNION ALL
SELECT CASE hi WHEN 1 THEN 'one seed, no interval'
               ELSE printf('mean of %s seeds, line: 95 %% interval of the mean (Student''s t)%s', many, but) END
FROM seeds
UNION ALL
SELECT 'at a width k that was not trained: batch norms of the smallest' || char(10)
    || 'trained width above k or, where none is above, of the largest'
WHERE EXISTS (SELECT 1 FROM grid_borrowed b JOIN figure f ON f.caption_config = b.config_id AND f.bits = b.bits
              WHERE b.grid IS :grid AND b.split = :split AND b.layer_bits = '')
UNION ALL
SELECT 'activations have as many bits as the weights' || char(10) || 'unless the name of a row says otherwise'
WHERE EXISTS (SELECT 1 FROM grid_configurations
              WHERE grid IS :grid AND split = :split AND activations <> ''
                AND config_id IN (SELECT caption_config FROM figure));
