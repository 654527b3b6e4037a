-- Each run's ID and what was asked of it.
SELECT n.number, n.run_id AS id, r.spec FROM page_runs n JOIN runs r ON r.run_id = n.run_id ORDER BY n.number;
