-- Run after a table `figure` was filled that has caption_seeds: over how many seeds its means are, for its caption. `lo`,
-- `hi`: the least and the most; `many`: "3", "1 to 3"; `but`: a line to be added where some have one.
CREATE TEMP TABLE seeds AS
SELECT lo, hi, CASE WHEN lo = hi THEN hi || '' ELSE lo || ' to ' || hi END AS many,
       CASE WHEN lo = 1 AND hi > 1 THEN char(10) || '(none where there is one seed)' ELSE '' END AS but
FROM (SELECT min(caption_seeds) AS lo, max(caption_seeds) AS hi FROM figure);
