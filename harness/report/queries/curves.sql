-- Run before every query of a figure: its curves, a row per configuration of grid :grid (NULL: of any) that was evaluated on
-- :split. `label` is the name of grid_configurations. `place` is the order of the curves. `style` is the number of the
-- scheme's colour and mark, in every figure the same, whatever else it shows; `variant` numbers from 0 the labels of one scheme.
-- layer_curves has these, with layer_bits '', and one more for each list of widths by layer, which changes no other.
CREATE TEMP TABLE layer_curves AS
WITH
configs AS (
    SELECT c.config_id, '' AS layer_bits, c.scheme, c.network, c.dataset, c.act_bits, c.label, p.place, p.style
    FROM grid_configurations c
    LEFT JOIN scheme_places p ON p.scheme = c.scheme
    WHERE grid IS :grid AND split = :split
),
every AS (
    SELECT * FROM configs
    UNION ALL
    SELECT config_id, l.layer_bits, scheme, network, dataset, act_bits, label || ' layers ' || l.layer_bits, place, style
    FROM configs
    JOIN (SELECT DISTINCT config_id, layer_bits FROM grid_accuracy
          WHERE grid IS :grid AND split = :split AND layer_bits <> '') l USING (config_id)
),
labels AS ( -- the order of curves, and among those of their scheme
    SELECT label,
           row_number() OVER (ORDER BY min(place) IS NULL, min(place), min(scheme), max(layer_bits <> ''), label) AS place,
           row_number() OVER (PARTITION BY min(scheme) ORDER BY max(layer_bits <> ''), label) - 1 AS variant
    FROM every
    GROUP BY label
)
SELECT d.config_id, d.layer_bits, d.scheme, d.network, d.dataset, d.act_bits, d.label, l.place, l.variant, d.style
FROM every d
JOIN labels l ON l.label = d.label;

CREATE TEMP VIEW curves AS
SELECT config_id, scheme, network, dataset, act_bits, label, place, variant, style FROM layer_curves WHERE layer_bits = '';
