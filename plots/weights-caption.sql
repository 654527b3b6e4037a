-- What has to be said under the figure of weights.sql besides its recipe and commits, one line a row: what is shown, of which
-- layer and seed, what the lines are.
SELECT 'u: weights of one layer, normalised to [0, 1] by the range map of its scheme,' || char(10)
    || 'in bins of 1/64: when training began, and at its end'
UNION ALL
SELECT printf('%s, %s: layer %d of the network''s file, the first of its quantized layers' || char(10)
              || 'that have the most weights, %,d', network, dataset, layer, weights)
FROM (SELECT DISTINCT network, dataset, layer, weights FROM figure ORDER BY 2, 1, 3)
UNION ALL
SELECT 'lines: where a code of 2 bits becomes the next: ' || group_concat(name, ';' || char(10))
FROM (SELECT CASE stage WHEN 'cut' THEN printf('nearest at %d bits, then cut', stored_bits) ELSE stage END || ' at '
             || group_concat(printf('%.3f', u), ', ') AS name
      FROM (SELECT DISTINCT stage, u, stored_bits * (stage = 'cut') AS stored_bits FROM figure WHERE share IS NULL
            ORDER BY stage DESC, 3 DESC, u)
      GROUP BY stage, stored_bits ORDER BY stage = 'nearest' DESC, stage, stored_bits DESC)
UNION ALL
SELECT 'one seed: ' || group_concat(seed, ', ') FROM (SELECT DISTINCT seed FROM figure ORDER BY 1)
UNION ALL
SELECT 'dedicated: the model of the smallest width' WHERE EXISTS (SELECT 1 FROM figure WHERE scheme = 'dedicated')
UNION ALL
SELECT 'what trains nothing begins with the weights of another scheme: ' || group_concat(scheme, ', ')
FROM (SELECT DISTINCT scheme FROM figure WHERE caption_parent ORDER BY 1) HAVING count(*);
