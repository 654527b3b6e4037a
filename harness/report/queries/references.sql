-- Run before differences.sql and reductions.sql: which configuration each is compared with. The reference of a
-- configuration is that of scheme :against, evaluated on :split as it is, on the same network and data set, by
-- content, from which the fewest keys differ; where several are equally near (`ways` above 1) there is none, nor where
-- only the names are the same (`ways` 0). Of val, the contents are the held-out images too: the seed draws others for
-- another number of them (`val`), also where as many of them were evaluated. On the test split `val` is a key like
-- others: all runs see the same images there. fp32 and ptq train at 32 bits whatever the grid says, so that their
-- widths tell nothing of what they belong to. `differing`: the keys that differ, a JSON array. `against` names the reference
-- where there are several on a network; "" where there is one each. :settings is a JSON object of what else the
-- reference has; null stands for a key at its default.
CREATE TEMP TABLE reference_of AS
WITH texts AS ( -- min: of the row whose other columns these are; a literal backslash would end the JSON
    SELECT config_id, min(run_id), data_hash, replace(cfg, '\', '/') AS cfg FROM runs GROUP BY config_id
),
contents AS ( -- without what a .cfg file may say in several ways: comments, blanks
    SELECT config_id, group_concat(line, char(10)) AS cfg
    FROM (SELECT config_id, replace(replace(replace(value, ' ', ''), char(9), ''), char(13), '') AS line
          FROM texts, json_each('[' || replace(json_quote(cfg), '\n', '","') || ']')
          ORDER BY config_id, key)
    WHERE line <> '' AND line NOT LIKE '#%' AND line NOT LIKE ';%'
    GROUP BY config_id
),
configs AS MATERIALIZED (
    SELECT c.*, t.data_hash, n.cfg, CASE split WHEN 'val' THEN json_extract(params, '$.val') END AS held_out
    FROM grid_configurations c
    JOIN texts t ON t.config_id = c.config_id
    LEFT JOIN contents n ON n.config_id = c.config_id
    WHERE grid IS :grid AND split = :split
),
refs AS MATERIALIZED (
    SELECT * FROM configs
    WHERE scheme = :against
      AND NOT EXISTS (SELECT 1 FROM json_each(:settings) w
                      WHERE w.value IS NOT (SELECT j.value FROM json_each(params) j WHERE j.key = w.key))
),
several(yes) AS (SELECT EXISTS (SELECT 1 FROM refs GROUP BY dataset, network HAVING count(*) > 1)),
settings AS MATERIALIZED (
    SELECT config_id, key, value FROM configs, json_each(params)
    WHERE NOT (scheme IN ('fp32', 'ptq') AND key = 'widths' AND value = '32')
),
near AS MATERIALIZED (
    SELECT c.config_id, r.config_id AS reference_id,
           CASE WHEN yes THEN trim(r.scheme || ' ' || r.settings) ELSE '' END AS against,
           (SELECT json_group_array(DISTINCT key)
            FROM (SELECT * FROM (SELECT key, value FROM settings WHERE config_id = c.config_id
                                 EXCEPT SELECT key, value FROM settings WHERE config_id = r.config_id)
                  UNION ALL
                  SELECT * FROM (SELECT key, value FROM settings WHERE config_id = r.config_id
                                 EXCEPT SELECT key, value FROM settings WHERE config_id = c.config_id))) AS differing
    FROM configs c
    JOIN refs r ON r.dataset = c.dataset AND r.network = c.network AND r.data_hash = c.data_hash AND r.cfg IS c.cfg
               AND r.held_out IS c.held_out
    JOIN several
),
nearest AS (
    SELECT config_id, min(reference_id) AS reference_id, min(against) AS against, min(differing) AS differing,
           count(*) AS ways
    FROM (SELECT *, min(json_array_length(differing)) OVER (PARTITION BY config_id) AS least FROM near)
    WHERE json_array_length(differing) = least
    GROUP BY config_id
)
SELECT config_id, reference_id, coalesce(against, '') AS against, coalesce(ways, 0) AS ways, differing
FROM (SELECT DISTINCT c.config_id FROM configs c JOIN refs r ON r.dataset = c.dataset AND r.network = c.network)
LEFT JOIN nearest USING (config_id);
