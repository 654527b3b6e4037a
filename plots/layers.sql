-- What truncation does to the weights of each layer: |cut - direct|² / |direct|² of every quantized layer at every width below
-- the stored one, mean over seeds, one row per cell. A block of panels is a network and a data set (`panel`), a panel a
-- configuration (`place`, numbered in its block); `row` numbers the layers of a block and `column` the widths. `shade` is the
-- error's decimal logarithm, not below -5; NULL: exactly the same weights.
WITH errors AS (
    SELECT l.config_id, l.layer, l.bits, count(*) AS seeds, avg(l.truncation_error) AS error,
           avg(l.codes_differ) AS codes_differ
    FROM layer_errors l
    JOIN runs r ON r.run_id = l.run_id
    WHERE (:grid IS NULL OR l.run_id IN (SELECT run_id FROM grid_runs WHERE grid = :grid AND current))
      AND l.bits < r.stored_bits AND l.truncation_error IS NOT NULL
      AND l.bits IN (SELECT bits FROM shown_widths)
    GROUP BY l.config_id, l.layer, l.bits
)
SELECT dense_rank() OVER (ORDER BY c.dataset, c.network) AS panel,
       dense_rank() OVER (PARTITION BY c.dataset, c.network ORDER BY c.place) AS place,
       dense_rank() OVER (PARTITION BY c.dataset, c.network ORDER BY e.layer) AS row,
       dense_rank() OVER (ORDER BY e.bits) AS column,
       c.dataset, c.network, c.label, e.layer, e.bits,
       CAST(printf('%.6g', e.error) AS REAL) AS error, round(e.codes_differ, 6) AS codes_differ,
       CASE WHEN e.error > 0 THEN round(max(log10(e.error), -5), 4) END AS shade, e.seeds,
       c.config_id AS caption_config, e.seeds AS caption_seeds
FROM errors e JOIN curves c ON c.config_id = e.config_id
ORDER BY panel, place, row, e.bits;
