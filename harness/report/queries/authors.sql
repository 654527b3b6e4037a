-- Beside what TruncQuant's authors report (arXiv 2506.11431: ResNet-20 on CIFAR-10, top-1, mean and deviation), ours of the
-- same network: rows of three, `against` says whose. A difference is ours less theirs. At 32 bits nothing is cut: there,
-- theirs has the same numbers for both, and ours of `truncated` is that of `direct`. Ours have activations of as many bits
-- as the weights, like theirs.
WITH theirs(scheme, inference, bits, top1, sd) AS (
    VALUES ('qat', 'direct', 1, 72.5, 1.4), ('qat', 'direct', 2, 86.0, 0.2), ('qat', 'direct', 4, 87.5, 0.2),
           ('qat', 'direct', 8, 87.7, 0.3), ('qat', 'direct', 32, 87.7, 0.3),
           ('qat', 'truncated', 1, 72.6, 1.4), ('qat', 'truncated', 2, 57.5, 6.9), ('qat', 'truncated', 4, 84.9, 0.5),
           ('qat', 'truncated', 8, 87.7, 0.3), ('qat', 'truncated', 32, 87.7, 0.3),
           ('truncquant', 'truncated', 1, 72.1, 1.2), ('truncquant', 'truncated', 2, 85.8, 0.3),
           ('truncquant', 'truncated', 4, 87.6, 0.3), ('truncquant', 'truncated', 8, 87.8, 0.3),
           ('truncquant', 'truncated', 32, 87.8, 0.3)
),
ours AS MATERIALIZED (
    SELECT s.*, c.settings, c.place, i.inference AS as_inference,
           t.top1 AS their_top1, t.sd AS their_sd, half.t * s.top1_sd / sqrt(s.n) AS half
    FROM grid_accuracy_summary s
    JOIN grid_configurations c ON c.grid IS :grid AND c.split = :split AND c.config_id = s.config_id AND c.act_bits = 0
    JOIN (SELECT 'direct' AS inference UNION ALL SELECT 'truncated') i
      ON i.inference = s.inference OR s.bits = 32 AND s.inference = 'direct'
    JOIN theirs t ON t.scheme = s.scheme AND t.inference = i.inference AND t.bits = s.bits
    LEFT JOIN student_t half ON half.df = s.n - 1
    WHERE s.grid IS :grid AND s.split = :split AND s.calibrated = :calibrated AND s.layer_bits = '' AND s.act_bits = s.bits
      AND s.network = 'resnet20' AND s.dataset IN ('cifar10', 'cifar-10', 'cifar10-jpeg')
),
said AS (
    SELECT *, 1 AS line, 'ours' AS whose, top1 AS value, top1_sd AS deviation FROM ours
    UNION ALL
    SELECT *, 2, 'theirs', their_top1, their_sd FROM ours
    UNION ALL
    SELECT *, 3, 'difference', top1 - their_top1, NULL FROM ours
)
SELECT dataset, network, scheme, settings, whose AS against, as_inference AS inference, bits, n, images, 0 AS borrowed,
       0 AS activations, value, deviation, config_id, layer_bits, bits AS acts, CASE line WHEN 2 THEN NULL ELSE seeds END AS seeds,
       deviation AS sd, CASE line WHEN 1 THEN half END AS half, CASE line WHEN 1 THEN top5 END AS top5,
       CASE line WHEN 1 THEN loss END AS loss
FROM said
ORDER BY dataset, network, place, scheme, settings, config_id, as_inference, line, bits;
