-- Top-1 on :split against the bits per quantized weight that a device stores which can run at each trained width up to k: cut,
-- it stores the k first planes of one code; directly, a code for each of these widths, so their sum. One row per width k: mean
-- over seeds. A block of panels is a network and a data set (`panel`), a panel a configuration (`place`, numbered in its
-- block). As trained, at the widths that were trained; calibrated, cut to all that were evaluated, and to widths by layer, whose
-- codes have `stored` bits in the mean. `chance` is as in accuracy.sql.
WITH classes AS MATERIALIZED (
    SELECT r.config_id, max(k.classes) AS n FROM run_classes k JOIN runs r ON r.run_id = k.run_id GROUP BY 1
),
trained AS ( -- each model of `dedicated` has one
    SELECT DISTINCT config_id, k.value AS bits
    FROM runs r, json_each('[' || replace(r.widths, ' ', ',') || ']') k WHERE k.value < 32
),
cells AS (
    SELECT s.*, s.bits IN (SELECT bits FROM trained t WHERE t.config_id = s.config_id) AS is_trained,
           s.config_id NOT IN (SELECT config_id FROM trained) AS untrained -- the weights of fp32, quantized afterwards
    FROM grid_accuracy_summary s
    JOIN curves c ON c.config_id = s.config_id
    WHERE s.grid IS :grid AND s.split = :split AND s.calibrated = :calibrated AND s.bits < 32
      AND (s.layer_bits <> '' OR s.act_bits = CASE c.act_bits WHEN 0 THEN s.bits ELSE c.act_bits END)
),
stored AS (
    SELECT *, sum(bits) OVER (PARTITION BY config_id ORDER BY bits) AS stored FROM cells
    WHERE inference = 'direct' AND layer_bits = '' AND is_trained
    UNION ALL
    SELECT *, mean_bits FROM cells WHERE inference = 'truncated' AND (is_trained OR untrained OR calibrated)
)
SELECT dense_rank() OVER (ORDER BY c.dataset, c.network) AS panel,
       dense_rank() OVER (PARTITION BY c.dataset, c.network ORDER BY c.place) AS place,
       c.style, c.dataset, c.network, c.scheme, c.label, s.split, s.inference, coalesce(nullif(s.layer_bits, ''), s.bits) AS bits,
       s.layer_bits <> '' AS by_layer, round(s.stored, 4) AS stored,
       round(s.top1, 4) AS top1, round(s.top1_sd, 4) AS top1_sd, s.n AS seeds, s.images,
       100.0 / classes.n AS chance,
       c.config_id AS caption_config, s.n AS caption_seeds, s.images AS caption_images
FROM stored s
JOIN curves c ON c.config_id = s.config_id
JOIN classes ON classes.config_id = c.config_id
ORDER BY panel, place, s.inference, s.layer_bits <> '', s.stored, s.layer_bits;
