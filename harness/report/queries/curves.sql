-- Run before every query of a figure: its curves, a row per configuration of grid :grid (NULL: of any) that was evaluated on
-- :split. `label` is the name of grid_configurations. `place` is the order of the curves. `style` is the number of the
-- scheme's colour and mark, in every figure the same, whatever else it shows; `variant` numbers from 0 the labels of one scheme.
CREATE TEMP TABLE curves AS
WITH
configs AS (
    SELECT c.config_id, c.scheme, c.network, c.dataset, c.act_bits, c.label, p.place, p.style
    FROM grid_configurations c
    LEFT JOIN scheme_places p ON p.scheme = c.scheme
    WHERE grid IS :grid AND split = :split
),
labels AS ( -- the order of curves, and among those of their scheme
    SELECT label,
           row_number() OVER (ORDER BY min(place) IS NULL, min(place), min(scheme), label) AS place,
           row_number() OVER (PARTITION BY min(scheme) ORDER BY label) - 1 AS variant
    FROM configs
    GROUP BY label
)
SELECT d.config_id, d.scheme, d.network, d.dataset, d.act_bits, d.label, l.place, l.variant, d.style
FROM configs d
JOIN labels l ON l.label = d.label;
