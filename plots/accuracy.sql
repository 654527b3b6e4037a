-- Top-1 on the test split against bit-width, one row per point. A panel is a network and a data set, a
-- curve a configuration and an inference. :calibrated takes the results with (1) or without (0, NULL)
-- calibrated batch norm. `x` puts 32 bits next to 8; `chance` is the accuracy of guessing, for the sets of
-- harness/data/sets.c (a test compares them): how many classes another folder of images has is not recorded.
WITH classes(dataset, n) AS (
    VALUES ('fashion-mnist', 10), ('mnist', 10), ('kmnist', 10), ('emnist-balanced', 47),
           ('emnist-byclass', 62), ('emnist-bymerge', 47), ('emnist-digits', 10), ('emnist-letters', 26),
           ('emnist-mnist', 10), ('cifar10', 10), ('cifar100', 100), ('svhn', 10)
)
SELECT dense_rank() OVER (ORDER BY c.dataset, c.network) AS panel,
       dense_rank() OVER (ORDER BY c.place) AS curve,
       c.style, c.dataset, c.network, c.label, s.inference, s.bits,
       CASE s.bits WHEN 32 THEN 9 ELSE s.bits END AS x,
       round(s.top1, 4) AS top1, round(s.top1_sd, 4) AS top1_sd, s.n AS seeds, s.images,
       100.0 / classes.n AS chance
FROM grid_accuracy_summary s
JOIN curves c ON c.config_id = s.config_id
LEFT JOIN classes ON classes.dataset = c.dataset
WHERE s.grid IS :grid AND s.split = 'test' AND s.calibrated = coalesce(:calibrated, 0)
  -- with the run's own activations, not those of evaluations that were added later
  AND s.act_bits = CASE c.act_bits WHEN 0 THEN s.bits ELSE c.act_bits END
ORDER BY panel, curve, s.inference, x;
