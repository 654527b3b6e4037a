-- What has to be said under the figure of ablation.sql besides its recipe and commits, one line a row: calibration, panels,
-- seeds, widths.
SELECT CASE :calibrated WHEN 1 THEN 'batch norm calibrated for each width and inference'
                        ELSE 'batch norm not calibrated' END
UNION ALL
SELECT 'direct: quantized to k bits; truncated: stored codes cut to k bits'
UNION ALL
SELECT CASE hi WHEN 1 THEN 'one seed, no error bar'
               ELSE printf('mean of %s seeds, bar: ± 1 standard deviation over seeds%s', many, but) END
FROM seeds
UNION ALL
SELECT 'at a width k that was not trained: ' || CASE :calibrated WHEN 1 THEN 'scale and shift' ELSE 'batch norms' END
    || ' of the smallest' || char(10) || 'trained width above k or, where none is above, of the largest'
WHERE EXISTS (SELECT 1 FROM grid_borrowed b JOIN figure f ON f.caption_config = b.config_id AND f.bits = b.bits
              WHERE b.grid IS :grid AND b.split = :split AND b.calibrated = :calibrated AND b.layer_bits = '');
