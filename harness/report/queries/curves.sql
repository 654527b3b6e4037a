-- Run before every query of a figure: its curves, a row per configuration of grid :grid (NULL: of any) that was evaluated on
-- :split. `label` is the name of grid_configurations. `place` is the order of the curves. `style` is that of the scheme, for a
-- known one the same in every figure, whatever else it shows; `variant` numbers from 0 the labels of one scheme.
CREATE TEMP TABLE curves AS
WITH RECURSIVE
configs AS (
    SELECT config_id, scheme, network, dataset, act_bits, label
    FROM grid_configurations
    WHERE grid IS :grid AND split = :split
),
labels AS ( -- the order of curves, and among those of their scheme
    SELECT d.label, min(d.scheme) AS scheme, min(p.place) AS style,
           row_number() OVER (ORDER BY min(p.place) IS NULL, min(p.place), min(d.scheme), d.label) AS place,
           row_number() OVER (PARTITION BY min(d.scheme) ORDER BY d.label) - 1 AS variant
    FROM configs d
    LEFT JOIN scheme_places p ON p.scheme = d.scheme
    GROUP BY d.label
),
unknown(scheme, nth) AS (
    SELECT scheme, row_number() OVER (ORDER BY scheme) FROM labels WHERE style IS NULL GROUP BY scheme
),
numbers(style) AS (
    VALUES (1)
    UNION ALL
    SELECT style + 1 FROM numbers WHERE style < (SELECT count(*) + coalesce(max(l.style), 0) FROM labels l)
),
free(style, nth) AS ( -- unknown schemes take, in their order, those that are left
    SELECT style, row_number() OVER (ORDER BY style) FROM numbers
    WHERE style NOT IN (SELECT l.style FROM labels l WHERE l.style IS NOT NULL)
)
SELECT d.config_id, d.scheme, d.network, d.dataset, d.act_bits, d.label, l.place, l.variant,
       coalesce(l.style, f.style) AS style
FROM configs d
JOIN labels l ON l.label = d.label
LEFT JOIN unknown u ON u.scheme = l.scheme
LEFT JOIN free f ON f.nth = u.nth;
