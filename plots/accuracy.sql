-- Top-1 on :split against bit-width, one row per point. A panel is a network and a data set, a
-- curve a configuration and an inference. :calibrated takes the results with (1) or without (0, NULL)
-- calibrated batch norm. `x` puts 32 bits next to 8; `chance` is the accuracy of guessing, by the number of classes
-- that an attempt on the same data recorded, or, where all are older than that, by the sets of harness/data/sets.c
-- (a test compares them).
WITH known(dataset, n) AS (
    VALUES ('fashion-mnist', 10), ('mnist', 10), ('kmnist', 10), ('emnist-balanced', 47),
           ('emnist-byclass', 62), ('emnist-bymerge', 47), ('emnist-digits', 10), ('emnist-letters', 26),
           ('emnist-mnist', 10), ('cifar10', 10), ('cifar100', 100), ('svhn', 10),
           ('cifar-10', 10), ('cifar-100', 100) -- as they were called before
),
-- A file that no program has written to since has no such column: `classes` then is that of `none`.
recorded(config_id, data_hash, n) AS (
    SELECT r.config_id, r.data_hash,
           (SELECT classes FROM attempts a WHERE a.run_id = r.run_id AND classes IS NOT NULL LIMIT 1)
    FROM runs r, (SELECT NULL AS classes) none
),
classes(config_id, n) AS (
    SELECT config_id, max(n) OVER (PARTITION BY data_hash) FROM recorded
)
SELECT dense_rank() OVER (ORDER BY c.dataset, c.network) AS panel,
       dense_rank() OVER (ORDER BY c.place) AS curve,
       c.style, c.variant, c.dataset, c.network, c.label, s.split, s.inference, s.bits,
       CASE s.bits WHEN 32 THEN 9 ELSE s.bits END AS x,
       round(s.top1, 4) AS top1, round(s.top1_sd, 4) AS top1_sd, s.n AS seeds, s.images,
       100.0 / coalesce((SELECT max(n) FROM classes WHERE classes.config_id = c.config_id), known.n) AS chance
FROM grid_accuracy_summary s
JOIN curves c ON c.config_id = s.config_id
LEFT JOIN known ON known.dataset = c.dataset
WHERE s.grid IS :grid AND s.split = :split AND s.calibrated = coalesce(:calibrated, 0)
  -- with the run's own activations, not those of evaluations that were added later
  AND s.act_bits = CASE c.act_bits WHEN 0 THEN s.bits ELSE c.act_bits END
ORDER BY panel, curve, s.inference, x;
