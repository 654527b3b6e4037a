-- What has to be said under the figure of training.sql besides its recipe and commits, one line a row: what the loss is,
-- seeds.
SELECT 'loss: cross-entropy against the labels, whatever the width learns from'
UNION ALL
SELECT CASE hi WHEN 1 THEN 'one seed, no band'
               ELSE printf('mean of %s seeds, band: ± 1 standard deviation over seeds%s', many, but) END
FROM seeds;
