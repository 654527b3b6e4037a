-- An ablation as small multiples: where a scheme has several configurations on a network and data set, top-1 on :split
-- against bit-width of each, one row per point. A block of panels is a network and a data set (`panel`), a panel a scheme and an
-- inference (`place`, numbered in its block), a curve what a configuration has of its own, which is its name without the
-- scheme's (`setting`). `x` and `chance` are as in accuracy.sql.
WITH classes AS MATERIALIZED (
    SELECT r.config_id, max(k.classes) AS n FROM run_classes k JOIN runs r ON r.run_id = k.run_id GROUP BY 1
),
several AS (
    SELECT c.*, rtrim(ltrim(substr(c.label, length(c.scheme) + 1), ' ('), ')') AS setting
    FROM (SELECT *, count(*) OVER (PARTITION BY dataset, network, scheme) AS n FROM curves) c
    WHERE n > 1
),
points AS (
    SELECT c.*, s.bits, s.split, s.inference, s.top1, s.top1_sd, s.n AS seeds, s.images
    FROM grid_accuracy_summary s JOIN several c ON c.config_id = s.config_id
    WHERE s.grid IS :grid AND s.split = :split AND s.calibrated = :calibrated AND s.layer_bits = ''
      AND s.act_bits = CASE c.act_bits WHEN 0 THEN s.bits ELSE c.act_bits END
),
first AS (SELECT scheme, min(place) AS place FROM several GROUP BY scheme)
SELECT dense_rank() OVER (ORDER BY p.dataset, p.network) AS panel,
       dense_rank() OVER (PARTITION BY p.dataset, p.network ORDER BY first.place, p.inference) AS place,
       dense_rank() OVER (ORDER BY length(p.setting), p.setting) AS curve,
       p.dataset, p.network, p.scheme, coalesce(nullif(p.setting, ''), 'as the caption says') AS setting, p.split, p.inference, p.bits,
       CASE p.bits WHEN 32 THEN 9 ELSE p.bits END AS x,
       round(p.top1, 4) AS top1, round(p.top1_sd, 4) AS top1_sd, p.seeds, p.images,
       100.0 / classes.n AS chance,
       p.config_id AS caption_config, p.seeds AS caption_seeds, p.images AS caption_images
FROM points p
JOIN first ON first.scheme = p.scheme
JOIN classes ON classes.config_id = p.config_id
ORDER BY panel, place, curve, x;
