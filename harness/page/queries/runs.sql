-- The runs of the page, numbered from 0 in the order in which tables show schemes; `run` is the start of the ID.
CREATE TEMP TABLE page_runs AS
SELECT row_number() OVER (ORDER BY r.dataset, r.network, p.place IS NULL, p.place, r.scheme, r.config_id, r.seed, r.run_id) - 1 AS number,
       r.run_id
FROM runs r LEFT JOIN scheme_places p ON p.scheme = r.scheme
WHERE :grid IS NULL OR r.run_id IN (SELECT run_id FROM grid_runs WHERE grid = :grid AND current);
CREATE UNIQUE INDEX temp.page_runs_by_id ON page_runs (run_id);
SELECT substr(n.run_id, 1, 12) AS run, r.scheme, coalesce(c.settings, '') AS settings, r.network, r.dataset AS data_set, r.seed,
       CASE WHEN s.excluded IS NOT NULL THEN 'excluded' WHEN s.stale IS NOT NULL THEN 'stale'
            WHEN d.run_id IS NOT NULL THEN 'diverged' ELSE s.state END AS state,
       r.epochs, r.images, t.direct AS best, t.truncated AS cut,
       (SELECT sum(coalesce(cpu_seconds, threads * max(0, heartbeat_at - started_at))) / 3600 FROM attempts a
        WHERE a.run_id = n.run_id) AS core_hours
FROM page_runs n
JOIN runs r ON r.run_id = n.run_id
JOIN run_status s ON s.run_id = n.run_id
LEFT JOIN diverged_runs d ON d.run_id = n.run_id
LEFT JOIN grid_configurations c ON c.config_id = r.config_id AND c.grid IS :grid AND c.split = :split
LEFT JOIN (SELECT run_id, max(top1) FILTER (WHERE inference = 'direct') AS direct,
                  max(top1) FILTER (WHERE inference = 'truncated') AS truncated
           FROM grid_cells WHERE grid IS :grid AND split = :split AND bits = 2 AND layer_bits = '' AND NOT calibrated
           GROUP BY run_id) t ON t.run_id = n.run_id
ORDER BY n.number;
