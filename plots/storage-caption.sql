-- What has to be said under the figure of storage.sql besides its recipe and commits, one line a row: calibration, what is
-- stored, seeds, widths, activations.
SELECT CASE :calibrated WHEN 1 THEN 'batch norm calibrated for each width and inference'
                        ELSE 'batch norm not calibrated: widths that were trained' END
UNION ALL
SELECT 'stored by a device that can run at each trained width up to k; not counted: layers in float,'
    || char(10) || 'batch norms, and one scale for each layer'
UNION ALL
SELECT 'grey: dedicated, a model for each width' WHERE EXISTS (SELECT 1 FROM figure WHERE scheme = 'dedicated')
UNION ALL
SELECT CASE hi WHEN 1 THEN 'one seed, no error bar'
               ELSE printf('mean of %s seeds, bar: ± 1 standard deviation over seeds%s', many, but) END
FROM seeds
UNION ALL
SELECT 'points without a line: widths by layer, at their mean' WHERE EXISTS (SELECT 1 FROM figure WHERE by_layer)
UNION ALL
SELECT 'at a width k that was not trained: scale and shift of the smallest'
    || char(10) || 'trained width above k or, where none is above, of the largest'
WHERE EXISTS (SELECT 1 FROM grid_borrowed b JOIN figure f ON f.caption_config = b.config_id AND f.bits IN (b.bits, b.layer_bits)
              WHERE b.grid IS :grid AND b.split = :split AND b.calibrated = :calibrated)
UNION ALL
SELECT 'activations have as many bits as the weights' || char(10) || 'unless the title of a panel says otherwise'
WHERE EXISTS (SELECT 1 FROM grid_configurations
              WHERE grid IS :grid AND split = :split AND activations <> ''
                AND config_id IN (SELECT caption_config FROM figure));
