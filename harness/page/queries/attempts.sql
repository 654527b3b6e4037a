-- Every try of a run, whether it counts or not.
SELECT n.number, datetime(a.started_at, 'unixepoch') AS started, datetime(a.ended_at, 'unixepoch') AS ended,
       coalesce(a.outcome, 'not ended') AS outcome, a.reason, round(100 * a.progress, 1) AS "progress_%", a.engine, a.precision, a.threads,
       a.isa, a.host, substr(a.commit_id, 1, 10) || CASE a.dirty WHEN 1 THEN '-dirty' ELSE '' END AS "commit",
       round(a.cpu_seconds / 3600, 3) AS core_hours
FROM page_runs n JOIN attempts a ON a.run_id = n.run_id
ORDER BY n.number, a.sequence, a.started_at, a.host, a.pid;
