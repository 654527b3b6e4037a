-- Top-1 on :split with half of the 95 % interval of its mean over seeds (Student's t; NULL for one seed), one row per point:
-- a configuration, at a width, quantized directly or cut. It is read row by row where the curves of accuracy.sql tangle. A
-- block of panels is a network and a data set (`panel`), a panel one of up to four widths (`place`), the same in all blocks: of
-- 2, 3, 4, 8, 1, 6, 5, 7 the first that there are. `row` numbers the configurations of a block; `chance` is as in accuracy.sql.
WITH classes AS MATERIALIZED (
    SELECT r.config_id, max(k.classes) AS n FROM run_classes k JOIN runs r ON r.run_id = k.run_id GROUP BY 1
),
points AS MATERIALIZED (
    SELECT c.*, s.bits, s.split, s.inference, s.top1, s.top1_sd, s.n, s.images
    FROM grid_accuracy_summary s
    JOIN curves c ON c.config_id = s.config_id AND s.layer_bits = ''
    WHERE s.grid IS :grid AND s.split = :split AND s.calibrated = :calibrated AND s.bits < 32
      -- with the run's own activations, not those of evaluations that were added later
      AND s.act_bits = CASE c.act_bits WHEN 0 THEN s.bits ELSE c.act_bits END
),
widths AS (
    SELECT bits FROM (SELECT DISTINCT bits FROM points) ORDER BY instr('23481657', bits) LIMIT 4
)
SELECT dense_rank() OVER (ORDER BY p.dataset, p.network) AS panel,
       dense_rank() OVER (PARTITION BY p.dataset, p.network ORDER BY p.place) AS row,
       dense_rank() OVER (ORDER BY p.bits) AS place,
       p.style, p.dataset, p.network, p.label, p.split, p.inference, p.bits,
       round(p.top1, 4) AS top1, round(t.t * p.top1_sd / sqrt(p.n), 4) AS half, p.n AS seeds, p.images,
       100.0 / classes.n AS chance,
       p.config_id AS caption_config, p.n AS caption_seeds, p.images AS caption_images
FROM points p
JOIN widths ON widths.bits = p.bits
JOIN classes ON classes.config_id = p.config_id
LEFT JOIN student_t t ON t.df = p.n - 1
ORDER BY panel, row, p.bits, p.inference;
