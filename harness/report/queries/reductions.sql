-- Reduction of a drop against the reference's (references.sql): 1 - drop / reference's drop, over the seeds that
-- both have. A row per cell and seed, with both drops, for whoever resamples; the other columns are the same for
-- all rows of a cell. bits 0 is the cross-bit drop (33: widths by layer) over the widths that both have at every common seed. The
-- reduction is NULL where the reference's own 95 % interval reaches down to 0 (there is nothing to reduce), or
-- where there is one seed. `borrowed` counts those of the two that were not trained at the width or, of the cross-bit
-- drop, at the stored one; `activations`: theirs differ in their bits.
WITH borrowed AS MATERIALIZED (
    SELECT config_id, bits, layer_bits FROM grid_borrowed_columns
    WHERE grid IS :grid AND split = :split AND calibrated = :calibrated
),
drops AS MATERIALIZED (
    SELECT * FROM grid_drops WHERE grid IS :grid AND calibrated = :calibrated AND split = :split
),
widths AS MATERIALIZED (
    SELECT c.config_id, c.bits, c.layer_bits, c.seed, c.images, c.drop_k AS points, r.drop_k AS reference,
           c.cross_k, r.cross_k AS reference_cross,
           count(c.cross_k + r.cross_k) OVER (PARTITION BY c.config_id, c.bits, c.layer_bits) AS seeds
    FROM reference_of p -- CROSS: in this order, or SQLite compares all drops of a seed
    CROSS JOIN drops c ON c.config_id = p.config_id AND p.ways = 1 AND p.reference_id <> p.config_id
    CROSS JOIN drops r ON r.config_id = p.reference_id AND r.seed = c.seed AND r.bits = c.bits
                AND r.layer_bits = c.layer_bits AND r.images = c.images
),
common AS (SELECT config_id, count(DISTINCT seed) AS seeds FROM widths WHERE layer_bits = '' GROUP BY config_id),
pairs AS (
    SELECT config_id, bits, layer_bits, seed, images, points, reference FROM widths
    UNION ALL
    SELECT config_id, 0, '', seed, min(images), avg(cross_k), avg(reference_cross)
    FROM widths JOIN common USING (config_id, seeds)
    WHERE layer_bits = ''
    GROUP BY config_id, seed
),
means AS (
    SELECT *, count(*) OVER cell AS n, min(images) OVER cell AS least, avg(points) OVER cell AS points_mean,
           avg(reference) OVER cell AS mean, group_concat(seed, ' ') OVER cell AS seeds
    FROM pairs
    WINDOW cell AS (PARTITION BY config_id, bits, layer_bits)
),
spreads AS (
    SELECT *, CASE WHEN n > 1 THEN sqrt(sum((reference - mean) * (reference - mean))
                                        OVER (PARTITION BY config_id, bits, layer_bits) / (n - 1)) END AS sd
    FROM means
)
SELECT c.dataset, c.network, c.scheme, trim(settings || coalesce(' layers ' || nullif(layer_bits, ''), '')) AS settings, against,
       '' AS inference, CASE layer_bits WHEN '' THEN bits ELSE 33 END AS bits, n, least AS images,
       ((s.config_id, bits, layer_bits) IN borrowed) + ((reference_id, bits, layer_bits) IN borrowed) AS borrowed,
       coalesce(nullif(c.act_bits, 0), bits) <> coalesce(nullif(r.act_bits, 0), bits) AS activations,
       CASE WHEN mean - t * sd / sqrt(n) > 0 THEN 1 - points_mean / mean END AS reduction,
       points, reference,
       s.config_id, layer_bits, CASE WHEN bits THEN coalesce(nullif(c.act_bits, 0), bits) ELSE nullif(c.act_bits, 0) END AS acts, seeds
FROM spreads s
JOIN reference_of p ON p.config_id = s.config_id
JOIN grid_configurations c ON c.grid IS :grid AND c.split = :split AND c.config_id = s.config_id
JOIN runs r ON r.run_id = (SELECT min(run_id) FROM runs WHERE config_id = reference_id)
LEFT JOIN student_t ON df = n - 1
ORDER BY c.dataset, c.network, place, c.scheme, c.settings, s.config_id, layer_bits, s.bits, s.seed;
