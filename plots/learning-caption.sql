-- What has to be said under the figure of learning.sql besides its recipe and commits, one line a row: of which images
-- and weights it is, seeds.
SELECT split || ': evaluated during training on ' ||
       CASE split WHEN 'val' THEN 'images held out of it' ELSE 'the test split' END || ', ' ||
       CASE WHEN min(images) = max(images) THEN printf('%,d', max(images))
            ELSE printf('%,d to %,d', min(images), max(images)) END || ' images'
FROM figure GROUP BY split
UNION ALL
SELECT 'batch norm as trained, not calibrated'
UNION ALL
SELECT CASE hi WHEN 1 THEN 'one seed, no band'
               ELSE printf('mean of %s seeds, band: ± 1 standard deviation over seeds%s', many, but) END
FROM seeds;
