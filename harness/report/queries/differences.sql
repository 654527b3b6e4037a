-- Differences in pairs, a row per cell: top-1 of a configuration less its reference's (references.sql), over the
-- seeds that both have. Runs of one seed start from equal weights and see equal batches, so that pairs differ by
-- less than either of them varies. `half` is half of the 95 % interval of the mean, by Student's t with n - 1
-- degrees of freedom; NULL for one seed. `borrowed` counts those of the two that were not trained at the width;
-- `activations`: theirs differ in their bits. Widths by layer are compared with the same widths by layer.
WITH borrowed AS MATERIALIZED (
    SELECT config_id, bits, layer_bits FROM grid_borrowed_columns
    WHERE grid IS :grid AND split = :split AND calibrated = :calibrated
),
cells AS MATERIALIZED (
    SELECT * FROM grid_cells WHERE grid IS :grid AND calibrated = :calibrated AND split = :split
),
pairs AS (
    SELECT c.config_id, c.bits, c.layer_bits, c.inference, c.images, c.seed, c.act_bits, c.top1 - r.top1 AS d,
           avg(c.top1 - r.top1) OVER (PARTITION BY c.config_id, c.bits, c.layer_bits, c.inference) AS mean
    FROM reference_of p -- CROSS: in this order, or SQLite compares all cells of a seed
    CROSS JOIN cells c ON c.config_id = p.config_id AND p.ways = 1 AND p.reference_id <> p.config_id
    CROSS JOIN cells r ON r.config_id = p.reference_id AND r.seed = c.seed AND r.bits = c.bits
                AND r.layer_bits = c.layer_bits AND r.inference = c.inference AND r.images = c.images
),
summary AS (
    SELECT config_id, bits, layer_bits, inference, count(*) AS n, min(images) AS images, max(mean) AS difference,
           CASE WHEN count(*) > 1 THEN sqrt(sum((d - mean) * (d - mean)) / (count(*) - 1)) END AS sd,
           group_concat(seed, ' ') AS seeds, min(act_bits) AS acts
    FROM pairs GROUP BY config_id, bits, layer_bits, inference
)
SELECT c.dataset, c.network, c.scheme, trim(settings || coalesce(' layers ' || nullif(layer_bits, ''), '')) AS settings, against,
       inference, CASE layer_bits WHEN '' THEN bits ELSE 33 END AS bits, n, s.images,
       ((s.config_id, bits, layer_bits) IN borrowed) + ((reference_id, bits, layer_bits) IN borrowed) AS borrowed,
       coalesce(nullif(c.act_bits, 0), bits) <> coalesce(nullif(r.act_bits, 0), bits) AS activations,
       difference, t * sd / sqrt(n) AS half,
       s.config_id, layer_bits, CASE layer_bits WHEN '' THEN acts END AS acts, seeds, sd
FROM summary s
JOIN reference_of p ON p.config_id = s.config_id
JOIN grid_configurations c ON c.grid IS :grid AND c.split = :split AND c.config_id = s.config_id
JOIN runs r ON r.run_id = (SELECT min(run_id) FROM runs WHERE config_id = reference_id)
LEFT JOIN student_t ON df = n - 1
ORDER BY c.dataset, c.network, place, c.scheme, c.settings, s.config_id, inference, layer_bits, s.bits;
