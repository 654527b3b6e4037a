-- What has to be said under the figure of training.sql, one line a row: training images, what the loss is, seeds, commit.
WITH chosen AS (
    SELECT t.config_id, coalesce(r."group", r.run_id) AS model, r.run_id, r.dataset,
           r.images
    FROM training t JOIN runs r USING (run_id) JOIN curves c ON c.config_id = t.config_id
    WHERE :grid IS NULL
       OR r.run_id IN (SELECT run_id FROM grid_runs WHERE grid = :grid AND current)
),
seeds(lo, hi) AS (
    SELECT min(n), max(n) FROM (SELECT count(DISTINCT model) AS n FROM chosen GROUP BY config_id)
)
SELECT printf('%s, %,d%s training images', dataset, min(images),
              CASE WHEN max(images) > min(images) THEN printf(' to %,d', max(images)) ELSE '' END)
FROM chosen GROUP BY dataset
UNION ALL
SELECT 'loss: cross-entropy against the labels, whatever the width learns from'
UNION ALL
SELECT CASE WHEN hi = 1 THEN 'one seed, no band'
            ELSE printf('mean of %s seeds, band: ± 1 standard deviation over seeds%s',
                        CASE WHEN lo = hi THEN hi ELSE lo || ' to ' || hi END,
                        CASE lo WHEN 1 THEN char(10) || '(none where there is one seed)' ELSE '' END) END
FROM seeds
UNION ALL
SELECT CASE WHEN n = 1 THEN 'commit ' || text WHEN n <= 3 THEN 'commits ' || text ELSE printf('from %d commits', n) END
FROM (SELECT count(*) AS n, group_concat(text, ', ') AS text
      FROM (SELECT DISTINCT substr(version, 1, 10) || CASE WHEN version LIKE '%-dirty' THEN ' (changed)' ELSE '' END AS text
            FROM counted_attempts WHERE run_id IN (SELECT run_id FROM chosen) ORDER BY 1));
