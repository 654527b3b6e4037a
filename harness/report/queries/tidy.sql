-- Run before a table is printed for programs: of each configuration the grids that it is in, all settings that are not at
-- their defaults but those that the scheme's name says, and who evaluated it.
CREATE TEMP TABLE tidy AS
WITH said AS (
    SELECT c.config_id, j.key, k.place, CASE j.type WHEN 'text' THEN j.value ELSE params -> fullkey END AS value
    FROM grid_configurations c, json_each(c.params) j
    LEFT JOIN recipe_keys k ON k.key = j.key
    WHERE c.grid IS :grid AND c.split = :split AND j.key NOT IN ('range', 'rounder', 'dequantizer')
),
settings AS (
    SELECT config_id, group_concat(key || '=' || value, '; ') AS settings
    FROM (SELECT * FROM said ORDER BY config_id, place IS NULL, place, key) GROUP BY config_id
),
grids AS (
    SELECT config_id, group_concat(grid, ' ') AS grids
    FROM (SELECT DISTINCT r.config_id, g.grid FROM grid_runs g JOIN runs r ON r.run_id = g.run_id
          WHERE g.current AND (:grid IS NULL OR g.grid = :grid) ORDER BY 1, 2)
    GROUP BY config_id
),
commits AS (
    SELECT config_id, group_concat(commit_id, ' ') AS commits
    FROM (SELECT DISTINCT config_id, commit_id FROM grid_accuracy
          WHERE grid IS :grid AND split = :split AND calibrated = :calibrated ORDER BY 1, 2)
    GROUP BY config_id
)
SELECT c.config_id, g.grids, m.commits,
       trim(coalesce(s.settings, '') || coalesce('; ' || d.diverged, ''), '; ') AS settings
FROM grid_configurations c
LEFT JOIN settings s ON s.config_id = c.config_id
LEFT JOIN grids g ON g.config_id = c.config_id
LEFT JOIN commits m ON m.config_id = c.config_id
LEFT JOIN grid_diverged d ON d.grid IS c.grid AND d.split = c.split AND d.config_id = c.config_id
WHERE c.grid IS :grid AND c.split = :split;
CREATE UNIQUE INDEX temp.tidy_of ON tidy (config_id);
