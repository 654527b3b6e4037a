-- Run after a table `shown` (config_id) was filled: what all that is shown has in common, a row per key and value, in the
-- order of a caption. `usual` 1: unless a row or curve names another. `panels`: of which networks or data sets alone the
-- value is, where each has one of its own; NULL: of all. Training images are counted, since `all` are not everywhere as
-- many; a key that only a few readers ask for is left out at its default, as is calibration where nothing is calibrated.
WITH panels AS MATERIALIZED (
    SELECT DISTINCT dataset, network FROM grid_evaluated JOIN shown USING (config_id) WHERE grid IS :grid AND split = :split
),
names AS (
    SELECT p.*, CASE WHEN datasets = 1 THEN network WHEN networks = 1 THEN dataset
                     ELSE network || ' on ' || dataset END AS panel
    FROM panels p, (SELECT count(DISTINCT dataset) AS datasets, count(DISTINCT network) AS networks FROM panels)
),
settings AS MATERIALIZED (
    SELECT s.key, s.usual, s.differs, n.panel, i.images,
           CASE s.key WHEN 'train.images' THEN printf('%,d', i.images) ELSE s.value END AS value
    FROM grid_settings s
    JOIN shown ON shown.config_id = s.config_id
    JOIN names n ON n.dataset = s.dataset AND n.network = s.network
    JOIN (SELECT config_id, max(images) AS images FROM runs GROUP BY config_id) i ON i.config_id = s.config_id
    WHERE s.grid IS :grid AND s.split = :split AND s.recipe AND (:calibrated = 1 OR s.key <> 'calibration')
),
in_panels AS (
    SELECT key, panel, min(value) <> max(value) AS mixed FROM settings GROUP BY key, panel
),
keys AS (
    SELECT key, count(DISTINCT value) AS n, max(differs) AS differs, max(mixed) AS mixed, min(images) AS lo, max(images) AS hi
    FROM settings JOIN in_panels USING (key, panel) GROUP BY key
),
said AS (
    SELECT key, value, 0 AS usual, NULL AS panels FROM keys JOIN settings USING (key) WHERE n = 1
    UNION
    SELECT key, min(value), 1, NULL FROM keys k JOIN settings s USING (key)
    WHERE n > 1 AND k.differs AND s.usual GROUP BY key HAVING count(DISTINCT value) = 1
    UNION
    SELECT key, value, 0, group_concat(panel, ', ')
    FROM (SELECT DISTINCT key, value, panel FROM keys k JOIN settings USING (key)
          WHERE n > 1 AND NOT k.differs AND NOT mixed ORDER BY panel)
    GROUP BY key, value
    UNION
    SELECT key, printf('%,d to %,d', lo, hi), 0, NULL FROM keys
    WHERE n > 1 AND NOT differs AND mixed AND key = 'train.images'
)
SELECT key, value, usual, panels
FROM (SELECT *, instr(' train.images epochs optimizer learning_rate schedule batch ', ' ' || key || ' ') AS first FROM said)
LEFT JOIN recipe_keys k USING (key)
WHERE first OR usual OR panels IS NOT NULL OR value IS NOT k.preset
ORDER BY first = 0, first, k.place, key, panels;
