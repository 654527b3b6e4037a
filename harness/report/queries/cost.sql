-- What runs cost, a row per network, data set, scheme and way of computing, of all attempts that ended, however they did:
-- core-hours of all of them, and of a finished run; the most memory; images that went through training at all widths per
-- second of the clock. Attempts that have not
-- ended (they run, or were killed) told nothing.
WITH tries AS (
    SELECT r.run_id, r.network, r.dataset, r.scheme, coalesce(p.place, 1000) AS place, a.attempt, a.engine, a.precision, a.threads,
           a.cpu_seconds, a.peak_bytes, a.outcome,
           EXISTS (SELECT 1 FROM attempts c WHERE c.run_id = r.run_id AND c.outcome = 'complete') AS finished
    FROM runs r
    JOIN attempts a ON a.run_id = r.run_id
    LEFT JOIN scheme_places p ON p.scheme = r.scheme
    WHERE r.run_id NOT IN (SELECT run_id FROM excluded_runs)
      AND (:grid IS NULL OR r.run_id IN (SELECT run_id FROM grid_runs WHERE grid = :grid AND current))
),
trained AS (
    SELECT attempt, sum(images) AS images, sum(seconds) AS seconds
    FROM (SELECT t.attempt, max(e.images) AS images, max(e.seconds) AS seconds
          FROM tries t CROSS JOIN epochs e ON e.attempt = t.attempt GROUP BY t.attempt, e.epoch)
    GROUP BY attempt
)
SELECT dataset, network, scheme, engine, precision, threads, count(DISTINCT run_id) AS runs, count(*) AS attempts,
       round(sum(cpu_seconds) / 3600, 2) AS "core-hours",
       round(sum(cpu_seconds) FILTER (WHERE finished) / 3600 / count(DISTINCT CASE WHEN finished THEN run_id END), 3)
           AS "per run",
       round(max(peak_bytes) / 1e6, 0) AS "MB",
       round(sum(t.images) / sum(t.seconds), 0) AS "images/s",
       sum(outcome IS NULL) AS "open"
FROM tries LEFT JOIN trained t ON t.attempt = tries.attempt
GROUP BY dataset, network, scheme, engine, precision, threads
ORDER BY dataset, network, min(place), scheme, engine, precision, threads;
