-- Run before differences.sql, in the place of references.sql: what each configuration is compared with is that of the same
-- scheme, on the same network and data set by content, from which one key alone differs, and which has that key at its
-- default. Where there are several, for several keys, the first key. The columns are those of references.sql.
CREATE TEMP TABLE reference_of AS
WITH texts AS (
    SELECT config_id, min(run_id), data_hash, cfg FROM runs GROUP BY config_id
),
configs AS MATERIALIZED (
    SELECT c.config_id, c.scheme, t.data_hash, t.cfg, CASE split WHEN 'val' THEN json_extract(params, '$.val') END AS held_out
    FROM grid_configurations c JOIN texts t ON t.config_id = c.config_id
    WHERE grid IS :grid AND split = :split
),
settings AS MATERIALIZED (
    SELECT g.config_id, j.key, j.value FROM grid_configurations g, json_each(g.params) j WHERE grid IS :grid AND split = :split
),
counts AS MATERIALIZED (
    SELECT c.config_id, count(s.key) AS n FROM configs c LEFT JOIN settings s ON s.config_id = c.config_id GROUP BY 1
),
near AS (
    SELECT c.config_id, r.config_id AS reference_id, c.scheme,
           (SELECT min(s.key) FROM settings s WHERE s.config_id = c.config_id AND NOT EXISTS
               (SELECT 1 FROM settings o WHERE o.config_id = r.config_id AND o.key = s.key)) AS key
    FROM configs c
    JOIN configs r ON r.scheme = c.scheme AND r.data_hash = c.data_hash AND r.cfg = c.cfg AND r.held_out IS c.held_out
    JOIN counts n ON n.config_id = c.config_id
    JOIN counts m ON m.config_id = r.config_id AND m.n = n.n - 1
    WHERE m.n = (SELECT count(*) FROM settings s JOIN settings o ON o.key = s.key AND o.value IS s.value
                 WHERE s.config_id = r.config_id AND o.config_id = c.config_id)
),
first AS (
    SELECT n.*, k.preset, row_number() OVER (PARTITION BY config_id ORDER BY k.place IS NULL, k.place, n.key) AS nth
    FROM near n LEFT JOIN recipe_keys k ON k.key = n.key
    WHERE k.recipe OR n.key = 'act_bits'
)
SELECT config_id, reference_id, scheme || ' ' || key || '=' || coalesce(preset, 'default') AS against, 1 AS ways,
       json_array(key) AS differing
FROM first WHERE nth = 1;
