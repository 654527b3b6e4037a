-- What has to be said under the figure of gap.sql besides its recipe and commits, one line a row: calibration, marks, seeds,
-- widths, activations.
SELECT CASE :calibrated WHEN 1 THEN 'batch norm calibrated for each width and inference'
                        ELSE 'batch norm not calibrated: widths that were trained' END
UNION ALL
SELECT 'shaded: what truncation costs; number: the most, in points of top-1'
UNION ALL
SELECT CASE hi WHEN 1 THEN 'one seed' ELSE printf('mean of %s seeds', many) END
FROM seeds
UNION ALL
SELECT 'at a width k that was not trained: scale and shift of the smallest'
    || char(10) || 'trained width above k or, where none is above, of the largest'
WHERE EXISTS (SELECT 1 FROM grid_borrowed b JOIN figure f ON f.caption_config = b.config_id AND f.bits = b.bits
              WHERE b.grid IS :grid AND b.split = :split AND b.calibrated = :calibrated AND b.layer_bits = '')
UNION ALL
SELECT 'activations have as many bits as the weights' || char(10) || 'unless the title of a panel says otherwise'
WHERE EXISTS (SELECT 1 FROM grid_configurations
              WHERE grid IS :grid AND split = :split AND activations <> ''
                AND config_id IN (SELECT caption_config FROM figure));
