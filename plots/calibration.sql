-- What batch-norm statistics have to do with the loss by truncation: top-1 on :split of codes that are cut to a width, with the
-- statistics of training (mark `trained`) and with ones that were estimated anew (`calibrated`), beside what is quantized
-- directly and calibrated, too (`direct`), where there is that. One row per mark: mean and half of its 95 % interval (Student's
-- t; NULL for one seed) over the runs that have both of the cut ones. Panels, rows and widths are as in dots.sql.
WITH classes AS MATERIALIZED (
    SELECT r.config_id, max(k.classes) AS n FROM run_classes k JOIN runs r ON r.run_id = k.run_id GROUP BY 1
),
runs_of AS (
    SELECT run_id, config_id, bits, split, min(images) AS images,
           max(top1) FILTER (WHERE inference = 'truncated' AND NOT calibrated) AS trained,
           max(top1) FILTER (WHERE inference = 'truncated' AND calibrated) AS calibrated,
           max(top1) FILTER (WHERE inference = 'direct' AND calibrated) AS direct
    FROM grid_cells
    WHERE grid IS :grid AND split = :split AND layer_bits = '' AND bits < 32
      AND NOT (inference = 'direct' AND NOT calibrated)
    GROUP BY run_id, config_id, bits, split
    HAVING min(images) = max(images)
),
marks AS (
    SELECT run_id, config_id, bits, split, images, m.value AS mark,
           CASE m.value WHEN 'trained' THEN trained WHEN 'calibrated' THEN calibrated ELSE direct END AS top1
    FROM runs_of, json_each('["trained", "calibrated", "direct"]') m
    WHERE trained IS NOT NULL AND calibrated IS NOT NULL
),
means AS (
    SELECT config_id, bits, split, mark, count(*) AS n, min(images) AS images, max(mean) AS top1,
           CASE WHEN count(*) > 1 THEN sqrt(sum((top1 - mean) * (top1 - mean)) / (count(*) - 1)) END AS top1_sd
    FROM (SELECT *, avg(top1) OVER (PARTITION BY config_id, bits, split, mark) AS mean FROM marks WHERE top1 IS NOT NULL)
    GROUP BY config_id, bits, split, mark
),
widths AS (
    SELECT bits FROM (SELECT DISTINCT bits FROM means) ORDER BY instr('23481657', bits) LIMIT 4
)
SELECT dense_rank() OVER (ORDER BY c.dataset, c.network) AS panel,
       dense_rank() OVER (PARTITION BY c.dataset, c.network ORDER BY c.place) AS row,
       dense_rank() OVER (ORDER BY m.bits) AS place,
       c.style, c.dataset, c.network, c.label, m.split, m.mark, m.bits,
       round(m.top1, 4) AS top1, round(t.t * m.top1_sd / sqrt(m.n), 4) AS half, m.n AS seeds, m.images,
       100.0 / classes.n AS chance,
       c.config_id AS caption_config, m.n AS caption_seeds, m.images AS caption_images
FROM means m
JOIN widths ON widths.bits = m.bits
JOIN curves c ON c.config_id = m.config_id
JOIN classes ON classes.config_id = c.config_id
LEFT JOIN student_t t ON t.df = m.n - 1
ORDER BY panel, row, m.bits, m.mark;
