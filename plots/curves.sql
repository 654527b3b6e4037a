-- Read before every query of a figure: names and styles of the curves, one row per configuration that has
-- finished runs in grid :grid (NULL: in any). The label is the scheme, with the parameters in which its
-- configurations differ on some network, and with the start of config_id if that still leaves two alike
-- (the .cfg file was changed, say). `style` is the same for a known scheme in every figure.
CREATE TEMP TABLE curves AS
WITH
configs AS (
    SELECT r.config_id, r.scheme, r.network, r.dataset, min(r.params) AS params,
           min(r.act_bits) AS act_bits
    FROM grid_accuracy_summary s JOIN runs r ON r.config_id = s.config_id
    WHERE s.grid IS :grid
    GROUP BY r.config_id
),
settings AS (
    SELECT c.config_id, c.scheme, c.network, c.dataset, j.key, j.value
    FROM configs c, json_each(c.params) j
),
varying AS (
    SELECT DISTINCT scheme, key
    FROM settings s
    GROUP BY scheme, network, dataset, key
    HAVING count(DISTINCT value) > 1
        OR count(*) < (SELECT count(*) FROM configs c
                       WHERE c.scheme = s.scheme AND c.network = s.network AND c.dataset = s.dataset)
),
labelled AS (
    SELECT c.*, scheme || coalesce(' (' || (
               SELECT group_concat(key || ' ' || value, '; ')
               FROM (SELECT s.key, s.value FROM settings s
                     JOIN varying v ON v.scheme = s.scheme AND v.key = s.key
                     WHERE s.config_id = c.config_id ORDER BY s.key)) || ')', '') AS label
    FROM configs c
),
distinct_labels AS (
    SELECT config_id, scheme, network, dataset, act_bits,
           label || CASE WHEN count(*) OVER (PARTITION BY label, network, dataset) > 1
                         THEN ' ' || substr(config_id, 1, 6) ELSE '' END AS label
    FROM labelled
),
known(label, style) AS (
    VALUES ('fp32', 1), ('qat', 2), ('minmax', 3), ('truncquant', 4), ('truncquant-minmax', 5)
),
styles AS (
    SELECT d.label, coalesce(style, 5 + dense_rank() OVER (PARTITION BY style IS NULL
                                                           ORDER BY d.label)) AS style
    FROM (SELECT DISTINCT label FROM distinct_labels) d LEFT JOIN known k ON k.label = d.label
)
SELECT d.config_id, d.scheme, d.network, d.dataset, d.act_bits, d.label, s.style
FROM distinct_labels d JOIN styles s ON s.label = d.label;
