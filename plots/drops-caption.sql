-- What has to be said under the figure of drops.sql besides its recipe and commits, one line a row: calibration, seeds,
-- widths, activations.
SELECT CASE :calibrated WHEN 1 THEN 'batch norm calibrated for each width and inference'
                        ELSE 'batch norm not calibrated: widths that were trained' END
UNION ALL
SELECT 'direct: quantized to k bits; truncated: stored codes cut to k bits'
UNION ALL
SELECT CASE hi WHEN 1 THEN 'one seed, no interval'
               ELSE printf('mean of %s seeds, bar: 95 %% interval of the mean (Student''s t)%s', many, but) END
FROM seeds
UNION ALL
SELECT 'at a width k that was not trained: scale and shift of the smallest'
    || char(10) || 'trained width above k or, where none is above, of the largest'
WHERE EXISTS (SELECT 1 FROM grid_borrowed b JOIN figure f ON f.caption_config = b.config_id AND f.bits IN (b.bits, b.layer_bits)
              WHERE b.grid IS :grid AND b.split = :split AND b.calibrated = :calibrated)
UNION ALL
SELECT 'activations have as many bits as the weights' || char(10) || 'unless the legend says otherwise'
WHERE EXISTS (SELECT 1 FROM grid_configurations
              WHERE grid IS :grid AND split = :split AND activations <> ''
                AND config_id IN (SELECT caption_config FROM figure))
UNION ALL
SELECT 'by layer: quantized layers have the bits of the legend, in the order' || char(10) || 'of the network'
WHERE EXISTS (SELECT 1 FROM figure WHERE bits LIKE '% %');
