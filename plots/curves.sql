-- Read before every query of a figure: names and styles of the curves, one row per configuration that has
-- finished runs in grid :grid (NULL: in any) that were evaluated on :split, so that no configuration of a search on
-- held-out images stands beside, or changes the name of, one of the test split. `place` is the order of the curves. `style`
-- is that of the scheme, for a known one the same in every figure, whatever else it shows; `variant` numbers from 0 the
-- labels of one scheme.
CREATE TEMP TABLE curves AS
WITH
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
free(style, nth) AS ( -- unknown schemes take, in their order, those that are left
    SELECT value, row_number() OVER (ORDER BY value)
    FROM generate_series(1, (SELECT count(*) + coalesce(max(style), 0) FROM labels))
    WHERE value NOT IN (SELECT style FROM labels WHERE style IS NOT NULL)
)
SELECT d.config_id, d.scheme, d.network, d.dataset, d.act_bits, d.label, l.place, l.variant,
       coalesce(l.style, f.style) AS style
FROM configs d
JOIN labels l ON l.label = d.label
LEFT JOIN unknown u ON u.scheme = l.scheme
LEFT JOIN free f ON f.nth = u.nth;
