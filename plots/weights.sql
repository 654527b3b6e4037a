-- How the weights of one layer lie in [0, 1] by the range map, u = r(W), when training began and at the end: of the first seed
-- of each configuration, the layer that has the most weights (the first of several), one row per bin of 1/64; of `dedicated`,
-- the model of the smallest width. Then the boundaries of 2 bits: `nearest`; `cut`, nearest at N bits, then cut; `floor`.
-- A block of panels is a network and a data set (`panel`), a panel a configuration (`place`, numbered in its block). `share` is
-- of the layer's weights, in per cent.
WITH chosen AS (
    SELECT * FROM (
        SELECT h.*, r.stored_bits, r.parent, row_number() OVER (PARTITION BY h.config_id
                   ORDER BY h.seed, CAST(r.widths AS INTEGER), h.run_id, h.weights DESC, h.layer) AS nth
        FROM weight_histograms h
        JOIN runs r ON r.run_id = h.run_id
        WHERE h.stage = 'end' AND h.config_id IN (SELECT config_id FROM curves)
          AND (:grid IS NULL OR h.run_id IN (SELECT run_id FROM grid_runs WHERE grid = :grid AND current)))
    WHERE nth = 1
),
bins AS (
    SELECT c.config_id, h.stage, b.key / 4 / 64.0 AS u, round(100.0 * sum(b.value) / h.weights, 4) AS share
    FROM chosen c
    JOIN weight_histograms h ON h.run_id = c.run_id AND h.layer = c.layer
    JOIN json_each(h.counts) b
    GROUP BY c.config_id, h.stage, b.key / 4
),
boundaries AS (
    SELECT config_id, 'nearest' AS stage, round((i.value - 0.5) / 3, 4) AS u FROM chosen, json_each('[1, 2, 3]') i
    UNION ALL
    SELECT config_id, 'cut', round(((i.value << (stored_bits - 2)) - 0.5) / ((1 << stored_bits) - 1), 4)
    FROM chosen, json_each('[1, 2, 3]') i
    UNION ALL
    SELECT config_id, 'floor', i.value / 4.0 FROM chosen, json_each('[1, 2, 3]') i
)
SELECT dense_rank() OVER (ORDER BY c.dataset, c.network) AS panel,
       dense_rank() OVER (PARTITION BY c.dataset, c.network ORDER BY c.place) AS place,
       c.style, c.dataset, c.network, c.scheme, c.label, o.seed, o.layer, o.weights, o.stored_bits,
       d.stage, d.share, d.u, c.config_id AS caption_config, 1 AS caption_seeds, o.parent IS NOT NULL AS caption_parent
FROM (SELECT * FROM bins UNION ALL SELECT *, NULL FROM boundaries) d
JOIN chosen o ON o.config_id = d.config_id
JOIN curves c ON c.config_id = d.config_id
ORDER BY panel, place, d.stage = 'start' DESC, d.stage = 'end' DESC, d.stage, d.u;
