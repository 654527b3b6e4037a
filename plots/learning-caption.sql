-- What has to be said under the figure of learning.sql besides its recipe and commits, one line a row: of which images
-- and weights it is, seeds.
WITH chosen AS (
    SELECT t.config_id, t.split, t.images, coalesce(r."group", r.run_id) AS model
    FROM learning_curves t JOIN runs r USING (run_id) JOIN curves c ON c.config_id = t.config_id
    WHERE :grid IS NULL
       OR r.run_id IN (SELECT run_id FROM grid_runs WHERE grid = :grid AND current)
),
seeds(lo, hi) AS (
    SELECT min(n), max(n) FROM (SELECT count(DISTINCT model) AS n FROM chosen GROUP BY config_id, split)
)
SELECT split || ': evaluated during training on ' ||
       CASE split WHEN 'val' THEN 'images held out of it' ELSE 'the test split' END || ', ' ||
       CASE WHEN min(images) = max(images) THEN printf('%,d', max(images))
            ELSE printf('%,d to %,d', min(images), max(images)) END || ' images'
FROM chosen GROUP BY split
UNION ALL
SELECT 'batch norm as trained, not calibrated'
UNION ALL
SELECT CASE WHEN hi = 1 THEN 'one seed, no band'
            ELSE printf('mean of %s seeds, band: ± 1 standard deviation over seeds%s',
                        CASE WHEN lo = hi THEN hi ELSE lo || ' to ' || hi END,
                        CASE lo WHEN 1 THEN char(10) || '(none where there is one seed)' ELSE '' END) END
FROM seeds;
