-- ResNet with eight layers on Fashion-MNIST, trained for some length: top-1 of each scheme at each width, quantized
-- directly and cut, with batch norms as trained and calibrated, and what truncation costs; mean ± deviation over seeds.
-- database = headline-fashion
-- grid = headline-fashion
SELECT c.run_id,
       c.scheme || CASE WHEN c.widths = '2 4 8 32' AND c.scheme IN ('qat', 'truncquant') THEN '-Without' ELSE '' END -- the width of one bit
                || CASE WHEN json_extract(r.params, '$.width_weight') IS NULL THEN '' ELSE '-Control' END AS scheme, c.seed, c.bits, c.inference, c.calibrated, c.images, c.top1
FROM grid_cells c JOIN runs r ON r.run_id = c.run_id
WHERE c.grid IS :grid AND c.split = :split AND c.layer_bits = '' AND c.bits IN (1, 2, 3, 4, 8, 32)
  AND c.inference IN ('direct', 'truncated') AND c.widths IN ('1 2 4 8 32', '2 4 8 32', '32')
  AND r."group" IS NULL
ORDER BY 2, c.seed, c.bits, c.inference, c.calibrated;
WITH points AS ( -- a number of one seed: as trained or calibrated, direct, cut, or what cutting costs
    SELECT scheme, seed, bits, calibrated, CASE inference WHEN 'direct' THEN 'Direct' ELSE 'Cut' END AS kind, top1 AS x FROM claim
    UNION ALL
    SELECT d.scheme, d.seed, d.bits, d.calibrated, 'Drop', d.top1 - t.top1
    FROM claim d JOIN claim t ON t.run_id = d.run_id AND t.bits = d.bits AND t.calibrated = d.calibrated
                             AND t.inference = 'truncated' AND t.images = d.images
    WHERE d.inference = 'direct'
),
means AS (SELECT *, avg(x) OVER (PARTITION BY scheme, bits, calibrated, kind) AS mean FROM points)
SELECT CASE :grid WHEN 'headline-fashion' THEN 'Fashion' WHEN 'headline-cifar10-jpeg' THEN 'Cifar' WHEN 'control-lenet' THEN 'Control' ELSE 'Quick' END
       || upper(substr(scheme, 1, 1)) || replace(replace(substr(scheme, 2), '-', ''), 'p32', 'loat')
       || CASE bits WHEN 1 THEN 'One' WHEN 2 THEN 'Two' WHEN 3 THEN 'Three' WHEN 4 THEN 'Four' WHEN 8 THEN 'Eight' ELSE 'Float' END
       || kind || CASE calibrated WHEN 1 THEN 'Calibrated' ELSE '' END,
       max(mean), CASE WHEN count(*) > 1 THEN sqrt(sum((x - mean) * (x - mean)) / (count(*) - 1)) END
FROM means
WHERE x IS NOT NULL
GROUP BY scheme, bits, calibrated, kind
ORDER BY scheme, bits, calibrated, kind;
