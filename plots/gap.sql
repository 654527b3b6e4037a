-- What truncation costs, as the gap between two curves: mean top-1 on :split of a configuration at each width, quantized
-- directly and cut, over the seeds that have both, evaluated on as many images; one row per width. A block of panels is a network
-- and a data set (`panel`), a panel a configuration (`place`, numbered in its block). As trained, at the widths that were trained
-- (others use a neighbour's batch norms, so that their loss means nothing), as in drops.sql; here the stored width is one, too.
WITH pairs AS (
    SELECT run_id, config_id, bits, split, min(images) AS images,
           max(top1) FILTER (WHERE inference = 'direct') AS direct,
           max(top1) FILTER (WHERE inference = 'truncated') AS truncated
    FROM grid_cells
    WHERE grid IS :grid AND split = :split AND calibrated = :calibrated AND layer_bits = '' AND bits < 32
      AND (calibrated OR ' ' || widths || ' ' LIKE '% ' || bits || ' %')
    GROUP BY run_id, config_id, bits, split
    HAVING min(images) = max(images)
),
means AS (
    SELECT config_id, bits, split, avg(direct) AS direct, avg(truncated) AS truncated, count(*) AS seeds,
           min(images) AS images
    FROM pairs
    WHERE direct IS NOT NULL AND truncated IS NOT NULL
    GROUP BY config_id, bits, split
)
SELECT dense_rank() OVER (ORDER BY c.dataset, c.network) AS panel,
       dense_rank() OVER (PARTITION BY c.dataset, c.network ORDER BY c.place) AS place,
       c.style, c.dataset, c.network, c.label, m.split, m.bits,
       round(m.direct, 4) AS direct, round(m.truncated, 4) AS truncated, round(m.direct - m.truncated, 4) AS lost,
       m.seeds, m.images,
       c.config_id AS caption_config, m.seeds AS caption_seeds, m.images AS caption_images
FROM means m JOIN curves c ON c.config_id = m.config_id
ORDER BY panel, place, m.bits;
