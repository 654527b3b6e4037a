-- Run before differences.sql and reductions.sql: which configuration each is compared with. The reference of a
-- configuration is that of scheme :against, on the same network and data set, from which the fewest keys differ;
-- where several are equally near (`ways` above 1) there is none. :settings is a JSON object of what else the
-- reference has; null stands for a key at its default.
CREATE TEMP TABLE reference_of AS
WITH configs AS MATERIALIZED (SELECT * FROM grid_configurations WHERE grid IS :grid),
refs AS (
    SELECT * FROM configs
    WHERE scheme = :against
      AND NOT EXISTS (SELECT 1 FROM json_each(:settings) w
                      WHERE w.value IS NOT (SELECT j.value FROM json_each(params) j WHERE j.key = w.key))
),
near AS MATERIALIZED (
    SELECT c.config_id, r.config_id AS reference_id,
           (SELECT count(DISTINCT key)
            FROM (SELECT * FROM (SELECT key, value FROM json_each(c.params)
                                 EXCEPT SELECT key, value FROM json_each(r.params))
                  UNION ALL
                  SELECT * FROM (SELECT key, value FROM json_each(r.params)
                                 EXCEPT SELECT key, value FROM json_each(c.params)))) AS differing
    FROM configs c JOIN refs r ON r.dataset = c.dataset AND r.network = c.network
),
nearest AS (SELECT config_id, min(differing) AS differing FROM near GROUP BY config_id)
SELECT config_id, min(reference_id) AS reference_id, count(*) AS ways
FROM near JOIN nearest USING (config_id, differing)
GROUP BY config_id;
