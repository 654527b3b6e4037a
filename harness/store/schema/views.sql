-- The views: every figure and table reads these. Runs that do not count (excluded_runs) are left out of all but
-- run_status.

-- The order of schemes in tables and figures, and the number of each one's colour and mark. Quantizers say that of
-- themselves: for tables and figures the program puts a temporary table made from its registry in the place of this view
-- (harness/report/schemes.c), where a scheme without a place comes after the others, by name. For who asks without the
-- program, schemes stand in the order in which they were first recorded.
DROP VIEW IF EXISTS scheme_places;
CREATE VIEW scheme_places (scheme, place, style) AS
SELECT scheme, row_number() OVER (ORDER BY min(rowid)), NULL FROM runs GROUP BY scheme;

-- The runs that do not count, and why: marked as such (`truncquant exclude`), or taking the weights of a run that
-- is, even if they were recorded after it was marked.
DROP VIEW IF EXISTS excluded_runs;
CREATE VIEW excluded_runs AS
WITH RECURSIVE weights(run_id, of) AS (
    SELECT run_id, parent FROM runs WHERE parent IS NOT NULL
    UNION
    SELECT w.run_id, r.parent FROM weights w JOIN runs r ON r.run_id = w.of WHERE r.parent IS NOT NULL
)
SELECT run_id, excluded FROM runs WHERE excluded IS NOT NULL
UNION ALL
SELECT w.run_id, min('takes the weights of run ' || substr(p.run_id, 1, 12) || ': ' || p.excluded)
FROM weights w
JOIN runs r ON r.run_id = w.run_id AND r.excluded IS NULL
JOIN runs p ON p.run_id = w.of AND p.excluded IS NOT NULL
GROUP BY w.run_id;

-- The fingerprint of each quantizer whose numbers count, so that those of two versions of its code are never in one
-- mean: that of the program, where it has results, else the newest.
DROP VIEW IF EXISTS taken_fingerprints;
CREATE VIEW taken_fingerprints AS
SELECT scheme, fingerprint
FROM (SELECT r.scheme, a.fingerprint,
             row_number() OVER (PARTITION BY r.scheme
                                ORDER BY a.fingerprint IS f.fingerprint DESC, max(a.ended_at) DESC, a.fingerprint) AS place
      FROM attempts a
      JOIN runs r ON r.run_id = a.run_id
      LEFT JOIN fingerprints f ON f.scheme = r.scheme
      WHERE a.outcome = 'complete' AND a.fingerprint IS NOT NULL
      GROUP BY r.scheme, a.fingerprint)
WHERE place = 1;

-- Complete attempts of that fingerprint; those from before there were any count where a run has no others.
DROP VIEW IF EXISTS taken_attempts;
CREATE VIEW taken_attempts AS
SELECT a.*
FROM attempts a
JOIN runs r ON r.run_id = a.run_id
LEFT JOIN taken_fingerprints t ON t.scheme = r.scheme
WHERE a.outcome = 'complete'
  AND (a.fingerprint = t.fingerprint
       OR a.fingerprint IS NULL
          AND NOT EXISTS (SELECT 1 FROM attempts b WHERE b.run_id = a.run_id AND b.outcome = 'complete'
                                                     AND b.fingerprint IS NOT NULL));

-- Complete attempts at runs that take another's weights, each with those of that other: whether it had ended when the
-- attempt began, and whether it is one that is taken. Which was first their database counted; times tell only where they
-- are of two, or of one that did not count yet.
DROP VIEW IF EXISTS parent_attempts;
CREATE VIEW parent_attempts AS
SELECT a.attempt, a.run_id, r.parent, t.attempt IS NOT NULL AS taken,
       CASE WHEN p.origin IS a.origin AND p.end_sequence <> a.sequence THEN p.end_sequence < a.sequence
            ELSE p.ended_at <= a.started_at END AS had_ended
FROM runs r
CROSS JOIN attempts a ON a.run_id = r.run_id -- in this order: few runs have a parent
CROSS JOIN attempts p ON p.run_id = r.parent
LEFT JOIN (SELECT attempt FROM taken_attempts) t ON t.attempt = p.attempt
WHERE r.parent IS NOT NULL AND a.outcome = 'complete' AND p.outcome = 'complete';

-- Those of them whose weights that other, having run again, no longer has.
DROP VIEW IF EXISTS outlived_attempts;
CREATE VIEW outlived_attempts AS
SELECT attempt, run_id, parent
FROM parent_attempts
GROUP BY attempt
HAVING max(taken) AND NOT max(taken AND had_ended) AND max(had_ended);

-- The attempt that counts for a run: the earliest of those. Attempts of a run that tie are told apart by what they are,
-- never by their number, which in a joined database is another (store/merge/).
DROP VIEW IF EXISTS counted_attempts;
CREATE VIEW counted_attempts AS
SELECT a.*, a.commit_id || CASE a.dirty WHEN 1 THEN '-dirty' ELSE '' END AS version
FROM attempts a
WHERE a.attempt = (SELECT b.attempt FROM taken_attempts b
                   WHERE b.run_id = a.run_id AND b.attempt NOT IN (SELECT attempt FROM outlived_attempts)
                   ORDER BY b.end_sequence, b.ended_at, b.started_at, b.host, b.pid LIMIT 1);

-- The attempts of a finished run that began no later than the one that counts, and whether they are of its own database
-- (origin): another's clock is all there is to go by.
DROP VIEW IF EXISTS past_attempts;
CREATE VIEW past_attempts AS
SELECT a.*, a.attempt = c.attempt AS counts, a.origin IS c.origin AS own
FROM attempts a
JOIN counted_attempts c ON c.run_id = a.run_id
WHERE CASE WHEN a.origin IS c.origin AND a.sequence <> c.sequence THEN a.sequence < c.sequence
           ELSE a.started_at <= c.started_at END;

-- Finished runs that this program would not compute again to the same results, though their ids are the same, and
-- why. `truncquant run --again` computes them anew.
DROP VIEW IF EXISTS stale_runs;
CREATE VIEW stale_runs AS
WITH others AS (
    SELECT r.run_id, 'computed by another version of its quantizer, ' || r.scheme AS why
    FROM runs r
    JOIN fingerprints f ON f.scheme = r.scheme
    WHERE EXISTS (SELECT 1 FROM attempts a
                  WHERE a.run_id = r.run_id AND a.outcome = 'complete' AND a.fingerprint IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM attempts a
                      WHERE a.run_id = r.run_id AND a.outcome = 'complete' AND a.fingerprint = f.fingerprint)
)
SELECT run_id, why FROM others
UNION ALL
SELECT r.run_id, 'takes the weights of run ' || substr(r.parent, 1, 12) || ', which was ' || o.why
FROM runs r JOIN others o ON o.run_id = r.parent
WHERE r.run_id NOT IN (SELECT run_id FROM others)
  AND EXISTS (SELECT 1 FROM attempts a WHERE a.run_id = r.run_id AND a.outcome = 'complete')
UNION ALL
SELECT o.run_id, 'takes the weights of run ' || substr(o.parent, 1, 12) || ', which ran again since'
FROM outlived_attempts o
WHERE o.run_id NOT IN (SELECT run_id FROM others) AND o.parent NOT IN (SELECT run_id FROM others)
  AND NOT EXISTS (SELECT 1 FROM taken_attempts t
                  WHERE t.run_id = o.run_id AND t.attempt NOT IN (SELECT attempt FROM outlived_attempts))
GROUP BY o.run_id;

-- How many classes a run's data have: as an attempt on the same data recorded, or, where all are older than that, by the
-- sets of harness/data/sets.c (a test compares them), or by the content of what results were published of before that.
-- NULL: nobody knows.
DROP VIEW IF EXISTS run_classes;
CREATE VIEW run_classes AS
WITH known(dataset, n) AS (
    VALUES ('fashion-mnist', 10), ('mnist', 10), ('kmnist', 10), ('emnist-balanced', 47),
           ('emnist-byclass', 62), ('emnist-bymerge', 47), ('emnist-digits', 10), ('emnist-letters', 26),
           ('emnist-mnist', 10), ('cifar10', 10), ('cifar100', 100), ('svhn', 10),
           ('cifar-10', 10), ('cifar-100', 100) -- as they were called before
),
recorded(data_hash, n) AS (
    SELECT r.data_hash, max(a.classes) FROM attempts a JOIN runs r ON r.run_id = a.run_id GROUP BY 1
),
published(data_hash, n) AS (
    VALUES ('8789eb1207ecac8ca5a8270952ad097cd2bf92dee74d6f2bdf83f199a97a512e', 10) -- cifar10-jpeg of baselines.quick
)
SELECT r.run_id, coalesce(c.n, p.n, k.n) AS classes
FROM runs r
LEFT JOIN recorded c ON c.data_hash = r.data_hash
LEFT JOIN published p ON p.data_hash = r.data_hash
LEFT JOIN known k ON k.dataset = r.dataset;

-- Trained widths at which a finished run diverged: their mean training loss in the last epoch is more than twice that of
-- guessing, ln(classes), and the model that came of it is no better than guessing there when it is evaluated. A loss near
-- that of guessing is no divergence: little training has it, and so has a width that is too low to learn. Nor are
-- evaluations alone a sign: of widths that were not trained, and of codes that were cut after a training that did not
-- foresee it, the loss is anything. Where nobody knows how many classes there are, they are taken to be a million.
DROP VIEW IF EXISTS diverged_widths;
CREATE VIEW diverged_widths AS
WITH limits AS MATERIALIZED (SELECT run_id, ln(coalesce(classes, 1e6)) AS guessing FROM run_classes),
suspects AS MATERIALIZED (
    SELECT r.run_id, r.epochs, a.attempt, e.bits, e.loss, k.guessing
    FROM limits k
    CROSS JOIN runs r ON r.run_id = k.run_id
    CROSS JOIN attempts a ON a.run_id = r.run_id
    CROSS JOIN epochs e ON e.attempt = a.attempt AND e.epoch = r.epochs AND e.loss > 2 * k.guessing
)
SELECT s.run_id, s.bits, s.loss, s.guessing
FROM suspects s
CROSS JOIN counted_attempts c ON c.run_id = s.run_id -- in this order: few are suspect
WHERE s.attempt = (SELECT attempt FROM ( -- which trained what counts, as in `past_attempts` and `training`
                       SELECT a.*, a.origin IS c.origin AS own FROM attempts a
                       JOIN epochs e ON e.attempt = a.attempt AND e.epoch = s.epochs AND e.bits = s.bits
                       WHERE a.run_id = s.run_id
                         AND CASE WHEN a.origin IS c.origin AND a.sequence <> c.sequence THEN a.sequence < c.sequence
                                  ELSE a.started_at <= c.started_at END)
                   ORDER BY own DESC, origin IS NULL DESC, sequence DESC, started_at DESC, host DESC, pid DESC
                   LIMIT 1)
  AND NOT EXISTS (SELECT 1 FROM evaluations v
                  WHERE v.attempt = c.attempt AND v.bits = s.bits AND v.inference = 'direct'
                    AND v.loss_sum / v.images < s.guessing);

-- The runs, and in words why; those that take the weights of one (ptq) are diverged with it.
DROP VIEW IF EXISTS diverged_runs;
CREATE VIEW diverged_runs AS
WITH own AS MATERIALIZED (
    SELECT run_id,
           printf('training loss %s at %s bit%s, where guessing has %.2f',
                  CASE WHEN max(loss) < 1e3 THEN printf('%.2f', max(loss))
                       WHEN max(loss) < 1e12 THEN printf('%,d', round(max(loss)))
                       ELSE printf('%.1e', max(loss)) END,
                  group_concat(bits, ', '), CASE max(bits) WHEN 1 THEN '' ELSE 's' END, guessing) AS why
    FROM (SELECT * FROM diverged_widths ORDER BY run_id, bits)
    GROUP BY run_id
)
SELECT run_id, why FROM own
UNION ALL
SELECT r.run_id, 'takes the weights of run ' || substr(r.parent, 1, 12) || ': ' || o.why
FROM own o JOIN runs r ON r.parent = o.run_id
WHERE EXISTS (SELECT 1 FROM counted_attempts c WHERE c.run_id = r.run_id);

-- The evaluation of each finished run, one row per cell, with the version of the program that computed it:
-- `evaluate` records attempts of its own. Where a cell was evaluated more than once, that counts on whose number of
-- images the most cells of the run were (numbers are compared across cells, which one evaluated on other images
-- would leave), among those the most images, otherwise (other calibration batches, bank, precision, or version)
-- the first; the others are in the table. What is sorted to find them is kept narrow: this is what tables wait for.
-- `layer_bits` is '' where all layers have the same bits; else it tells cells apart whose `bits` are 0, for none. These
-- are no cells of a table of widths: they are counted for themselves, however many of them a search has left.
DROP VIEW IF EXISTS accuracy;
CREATE VIEW accuracy AS
SELECT r.run_id, r.config_id, r.scheme, r.network, r.dataset, r.seed,
       e.bits, e.layer_bits, coalesce(e.mean_bits, e.bits) AS mean_bits,
       e.act_bits, e.inference, e.calibration_batches > 0 AS calibrated, e.split,
       100.0 * e.correct1 / e.images AS top1,
       100.0 * e.correct5 / e.images AS top5,
       e.loss_sum / e.images AS loss,
       e.images, a.commit_id || CASE a.dirty WHEN 1 THEN '-dirty' ELSE '' END AS commit_id, r.params
FROM (SELECT evaluation,
             row_number() OVER (PARTITION BY run, calibrated, split, bits, layer_bits, act_bits, inference
                                ORDER BY cells DESC, images DESC, ended, stored_bits, bank, batches, precision) AS place
      FROM (SELECT *, sum(nth = 1) OVER (PARTITION BY run, calibrated, split, images, layer_bits = '') AS cells
            FROM (SELECT r.rowid AS run, a.ended, v.evaluation, v.calibration_batches > 0 AS calibrated, v.split,
                         v.images, v.bits, v.layer_bits, v.act_bits, v.inference,
                         v.stored_bits, v.bank, v.calibration_batches AS batches, v.precision,
                         row_number() OVER (PARTITION BY r.rowid, v.calibration_batches > 0, v.split, v.images,
                                                         v.bits, v.layer_bits, v.act_bits, v.inference) AS nth
                  FROM runs r
                  JOIN (SELECT *, row_number() OVER (PARTITION BY run_id
                                                        ORDER BY end_sequence, ended_at, started_at, host, pid) AS ended
                        FROM taken_attempts) a ON a.run_id = r.run_id
                   AND a.attempt NOT IN (SELECT attempt FROM outlived_attempts)
                  JOIN evaluations v ON v.attempt = a.attempt
                   AND v.epoch = (SELECT max(w.epoch) FROM evaluations w WHERE w.attempt = a.attempt)
                  WHERE r.run_id NOT IN (SELECT run_id FROM excluded_runs)))) chosen
JOIN evaluations e ON e.evaluation = chosen.evaluation
JOIN attempts a ON a.attempt = e.attempt
JOIN runs r ON r.run_id = a.run_id
WHERE chosen.place = 1;

-- The same for each grid that names the run, and once for all runs (grid NULL).
DROP VIEW IF EXISTS grid_accuracy;
CREATE VIEW grid_accuracy AS
SELECT NULL AS grid, a.* FROM accuracy a
UNION ALL
SELECT g.grid, a.* FROM accuracy a JOIN grid_runs g ON g.run_id = a.run_id AND g.current;

-- Mean and sample standard deviation over the seeds of one configuration. The deviation is taken about
-- the mean (two passes): the sum of squares alone would cancel. It is NULL for one seed.
DROP VIEW IF EXISTS grid_accuracy_summary;
CREATE VIEW grid_accuracy_summary AS
SELECT grid, config_id, scheme, network, dataset, bits, layer_bits, avg(mean_bits) AS mean_bits,
       act_bits, inference, calibrated, split,
       count(*) AS n,
       max(mean) AS top1,
       CASE WHEN count(*) > 1
            THEN sqrt(sum((top1 - mean) * (top1 - mean)) / (count(*) - 1)) END AS top1_sd,
       avg(loss) AS loss,
       min(images) AS images,
       group_concat(DISTINCT commit_id) AS commits,
       avg(top5) AS top5,
       group_concat(seed, ' ') AS seeds, -- in no order
       CASE WHEN count(*) > 1
            THEN sqrt(sum((top5 - mean5) * (top5 - mean5)) / (count(*) - 1)) END AS top5_sd
FROM (SELECT *, avg(top1) OVER cell AS mean, avg(top5) OVER cell AS mean5
      FROM grid_accuracy
      WINDOW cell AS (PARTITION BY grid, config_id, bits, layer_bits, act_bits, inference, calibrated, split))
GROUP BY grid, config_id, bits, layer_bits, act_bits, inference, calibrated, split;

DROP VIEW IF EXISTS accuracy_summary;
CREATE VIEW accuracy_summary AS
SELECT config_id, scheme, network, dataset, bits, layer_bits, mean_bits, act_bits, inference, calibrated, split,
       n, top1, top1_sd, loss, images, commits, top5, seeds
FROM grid_accuracy_summary
WHERE grid IS NULL;

-- Student's t: half of a two-sided 95 % interval is t * sd / sqrt(n), with df = n - 1. Up to 30 degrees of
-- freedom as tabled; beyond, the expansion in 1/df about the normal quantile (Abramowitz and Stegun 26.7.5),
-- right to 3e-8.
DROP VIEW IF EXISTS student_t;
CREATE VIEW student_t AS
WITH RECURSIVE tabled(df, t) AS (
    VALUES (1, 12.70620474), (2, 4.30265273), (3, 3.182446305), (4, 2.776445105), (5, 2.570581836),
           (6, 2.446911851), (7, 2.364624252), (8, 2.306004135), (9, 2.262157163), (10, 2.228138852),
           (11, 2.20098516), (12, 2.17881283), (13, 2.160368656), (14, 2.144786688), (15, 2.131449546),
           (16, 2.119905299), (17, 2.109815578), (18, 2.10092204), (19, 2.093024054), (20, 2.085963447),
           (21, 2.079613845), (22, 2.073873068), (23, 2.06865761), (24, 2.063898562), (25, 2.059538553),
           (26, 2.055529439), (27, 2.051830516), (28, 2.048407142), (29, 2.045229642), (30, 2.042272456)
),
beyond(df) AS (
    VALUES (31)
    UNION ALL
    SELECT df + 1 FROM beyond WHERE df < 1000
)
SELECT df, t FROM tabled
UNION ALL
SELECT df, 1.95996398454 + (2.3722712303 + (2.82249861574 + (2.55584967951 + 1.58953405339 / df) / df) / df) / df
FROM beyond;

-- The configurations of which runs diverged, in words for their names: "diverged", at which widths if not at all that are
-- trained, and how many if not all.
DROP VIEW IF EXISTS grid_diverged;
CREATE VIEW grid_diverged AS
WITH diverged AS MATERIALIZED (SELECT run_id FROM diverged_runs),
of AS (
    SELECT a.grid, a.split, a.config_id, count(DISTINCT a.run_id) AS runs, count(DISTINCT d.run_id) AS n
    FROM grid_accuracy a LEFT JOIN diverged d ON d.run_id = a.run_id
    WHERE a.config_id IN (SELECT r.config_id FROM diverged JOIN runs r USING (run_id))
    GROUP BY 1, 2, 3 HAVING n > 0
),
widths AS (
    SELECT config_id, group_concat(bits, ' ') AS bits, count(*) AS n
    FROM (SELECT DISTINCT r.config_id, w.bits FROM diverged_widths w JOIN runs r USING (run_id) ORDER BY 1, 2)
    GROUP BY 1
),
trained AS (
    SELECT config_id, max(1 + length(widths) - length(replace(widths, ' ', ''))) AS n FROM runs GROUP BY 1
)
SELECT o.grid, o.split, o.config_id,
       'diverged' || CASE WHEN w.n < t.n THEN ' at ' || w.bits ELSE '' END
                  || CASE WHEN o.n < o.runs THEN printf(' (%d of %d)', o.n, o.runs) ELSE '' END AS diverged
FROM of o
JOIN trained t ON t.config_id = o.config_id
LEFT JOIN widths w ON w.config_id = o.config_id;

-- The keys of a spec (harness/spec/key_rows.h, in its order: a test compares them), each with the value that `params`
-- leaves out. `recipe`: part of how a model was made, which is said wherever what is compared differs in it. The others
-- the scheme's name says, tables say of themselves (act_bits), or decide which cells there are: they tell configurations
-- of one scheme apart, and are no difference between schemes.
DROP VIEW IF EXISTS recipe_keys;
CREATE VIEW recipe_keys (key, place, preset, recipe) AS
VALUES ('range', 1, NULL, 0), ('rounder', 2, NULL, 0), ('dequantizer', 3, NULL, 0), ('layer_scale', 4, 'mean', 1),
       ('granularity', 5, 'layer', 1), ('act_bits', 6, 'same', 0), ('stored_bits', 7, '8', 1),
       ('projections', 8, 'float', 1), ('shortcut_norm', 9, 'per-width', 1), ('norm_bank', 10, 'per-width', 1),
       ('widths', 11, '1 2 4 8 32', 1), ('epochs', 12, '200', 1), ('val', 13, '0', 1), ('train.images', 14, 'all', 1),
       ('train.select', 15, 'first', 1), ('batch', 16, '128', 1), ('image_size', 17, '0', 1),
       ('optimizer', 18, 'adam', 1), ('learning_rate', 19, '0.001', 1), ('momentum', 20, '0.9', 1),
       ('decay', 21, '0', 1), ('schedule', 22, 'step', 1), ('milestones', 23, '0.5 0.75 0.9', 1),
       ('gamma', 24, '0.1', 1), ('power', 25, '4', 1), ('warmup', 26, '0', 1), ('from', 27, 'grid', 1),
       ('augment', 28, 'auto', 1), ('distill', 29, 'recursive', 1), ('width_weight', 30, '1', 1), ('align', 31, '0', 1),
       ('kurtosis', 32, '0', 1), ('step_rate', 33, '1', 1), ('init', 34, 'none', 1),
       ('init_layers', 35, 'all', 1), ('bits', 36, '1 2 3 4 5 6 7 8 32', 0), ('calibration', 37, '20', 1),
       ('calibrate_at', 38, 'all', 0), ('split', 39, 'test', 0), ('evaluate.images', 40, 'all', 0),
       ('evaluate.select', 41, 'first', 1);

-- The value of each key that matters to a configuration, one at its default too: which keys do is what
-- harness/spec/key_rows.h says, but for two that only one range has (a test compares them). ptq has the
-- recipe of its parent; what a configuration of `dedicated` consists of, models of one width each, is no width of its
-- own. A key that this version does not know is `default` where it is not said.
DROP VIEW IF EXISTS config_settings;
CREATE VIEW config_settings AS
WITH said AS MATERIALIZED (
    SELECT c.config_id, j.key, CASE j.type WHEN 'text' THEN j.value ELSE params -> fullkey END AS value
    FROM (SELECT config_id, min(params) AS params FROM runs GROUP BY config_id) c, json_each(c.params) j
),
configs AS MATERIALIZED (
    SELECT config_id, max(parent IS NOT NULL OR scheme = 'ptq') AS takes, max("group" IS NOT NULL) AS alone,
           max(scheme = 'fp32' OR json_extract(params, '$.range') IS 'none') AS floats,
           min(json_extract(params, '$.range')) AS range, min(json_extract(params, '$.rounder')) AS rounder,
           coalesce(min(json_extract(params, '$.widths')), 'several') AS widths,
           min(json_extract(params, '$.norm_bank')) AS norm_bank,
           min(json_extract(params, '$.act_bits')) AS act_bits,
           min(json_extract(params, '$.optimizer')) AS optimizer, min(json_extract(params, '$.schedule')) AS schedule,
           max(coalesce(json_extract(params, '$.warmup'), 0)) > 0 AS warmup,
           min(json_extract(params, '$.init')) IS NOT NULL AS starts_from_file,
           min(json_extract(params, '$.calibration')) IS NOT 0 AS calibrates,
           min(json_extract(params, '$."train.images"')) IS NOT NULL AS trains_some,
           min(json_extract(params, '$."evaluate.images"')) IS NOT NULL AS evaluates_some
    FROM runs GROUP BY config_id
)
SELECT c.config_id, k.key, k.place, k.recipe, coalesce(s.value, k.preset) AS value
FROM configs c
CROSS JOIN recipe_keys k
LEFT JOIN said s ON s.config_id = c.config_id AND s.key = k.key
WHERE (s.value IS NOT NULL AND NOT (k.key = 'widths' AND (floats OR takes)))
   OR (k.preset IS NOT NULL AND CASE k.key
           WHEN 'layer_scale' THEN range IS 'tanh'
           WHEN 'granularity' THEN range IS 'minmax'
           WHEN 'stored_bits' THEN NOT floats AND NOT alone
           WHEN 'projections' THEN NOT floats OR coalesce(act_bits, 32) <> 32
           WHEN 'norm_bank' THEN NOT floats
           WHEN 'widths' THEN NOT floats AND NOT takes AND NOT alone
           WHEN 'width_weight' THEN NOT floats AND NOT takes AND NOT alone
           WHEN 'align' THEN NOT floats AND NOT takes AND NOT alone AND rounder IS NOT 'floor'
           WHEN 'kurtosis' THEN NOT floats AND NOT takes
           WHEN 'distill' THEN NOT floats AND NOT takes AND NOT alone AND (widths = 'several' OR widths LIKE '% %')
           WHEN 'shortcut_norm' THEN NOT floats AND NOT takes AND NOT alone AND (widths = 'several' OR widths LIKE '% %')
                                     AND norm_bank IS NOT 'shared'
           WHEN 'step_rate' THEN range IS 'own'
           WHEN 'init_layers' THEN starts_from_file
           WHEN 'momentum' THEN optimizer IS 'sgd'
           WHEN 'milestones' THEN schedule IS NULL
           WHEN 'gamma' THEN schedule IS NULL
           WHEN 'power' THEN schedule IS 'poly' OR warmup
           WHEN 'bits' THEN NOT alone
           WHEN 'calibrate_at' THEN NOT alone AND calibrates
           WHEN 'train.select' THEN trains_some
           WHEN 'evaluate.select' THEN evaluates_some
           ELSE 1 END)
UNION ALL
SELECT c.config_id, u.key, 1000, 1, coalesce(s.value, 'default')
FROM (SELECT DISTINCT key FROM said WHERE key NOT IN (SELECT key FROM recipe_keys)) u
CROSS JOIN configs c
LEFT JOIN said s ON s.config_id = c.config_id AND s.key = u.key;

-- The configurations that have finished runs evaluated on a split, in a grid (NULL: in any), with what is said of their
-- activations: such models and others are not compared by their quantizers alone.
DROP VIEW IF EXISTS grid_evaluated;
CREATE VIEW grid_evaluated AS
SELECT a.grid, a.split, a.config_id, a.dataset, a.network, a.scheme, min(a.params) AS params,
       max(r.act_bits) AS act_bits, -- 0: as many as the weights
       CASE WHEN NOT max(a.act_bits = r.act_bits AND a.bits <> r.act_bits) THEN ''
            WHEN max(r.act_bits) = 32 THEN 'float activations'
            ELSE max(r.act_bits) || '-bit activations' END AS activations
FROM grid_accuracy a JOIN runs r ON r.run_id = a.run_id
GROUP BY a.grid, a.split, a.config_id;

-- Their settings, and which of these are said of them in a table or figure. A recipe is compared among all schemes of a
-- network and data set: where these differ in a key (`differs`), each configuration names its value (`named`), unless
-- more than half of all that have the key share it (`usual`): that is said once, in the caption. What all of a network
-- and data set share stands in the caption alone. Other keys are compared within a scheme.
DROP VIEW IF EXISTS grid_settings;
CREATE VIEW grid_settings AS
SELECT grid, split, config_id, dataset, network, scheme, key, place, recipe, value, differs,
       differs AND most AS usual, CASE recipe WHEN 1 THEN differs AND NOT most ELSE in_scheme END AS named
FROM (SELECT *, recipe AND max(in_panel) OVER (PARTITION BY grid, split, key) AS differs
      FROM (SELECT c.grid, c.split, c.config_id, c.dataset, c.network, c.scheme, s.key, s.place, s.recipe, s.value,
                   min(s.value) OVER panel <> max(s.value) OVER panel AS in_panel,
                   min(s.value) OVER scheme <> max(s.value) OVER scheme AS in_scheme,
                   2 * count(*) OVER (PARTITION BY c.grid, c.split, s.key, s.value)
                     > count(*) OVER (PARTITION BY c.grid, c.split, s.key) AS most
            FROM grid_evaluated c
            JOIN config_settings s ON s.config_id = c.config_id
            WHERE NOT (s.key = 'act_bits' AND c.activations <> '')
            WINDOW panel AS (PARTITION BY c.grid, c.split, c.dataset, c.network, s.key),
                   scheme AS (PARTITION BY c.grid, c.split, c.dataset, c.network, c.scheme, s.key)));

-- The configurations with their names. A table is of one split: those of a search on held-out images neither stand beside
-- those of the test split nor change their names. `settings` are what is named of them, their activations, where that
-- leaves two of a scheme alike (another .cfg of the same name) the start of their id, and that they diverged: "" where
-- there is nothing to say. `label` is the same for the curves of figures.
DROP VIEW IF EXISTS grid_configurations;
CREATE VIEW grid_configurations AS
WITH texts AS (
    SELECT grid, split, config_id, group_concat(key || '=' || value, ' ') AS settings,
           group_concat(key || ' ' || value, '; ') AS phrases
    FROM (SELECT * FROM grid_settings WHERE named ORDER BY grid, split, config_id, place, key)
    GROUP BY 1, 2, 3
),
said AS (
    SELECT c.*, trim(coalesce(t.settings, '') || ' ' || activations) AS settings,
           trim(coalesce(t.phrases, '') || '; ' || activations, '; ') AS phrases
    FROM grid_evaluated c
    LEFT JOIN texts t ON t.grid IS c.grid AND t.split = c.split AND t.config_id = c.config_id
),
parted AS (
    SELECT *, CASE WHEN count(*) OVER (PARTITION BY grid, split, dataset, network, scheme, settings) > 1
                   THEN ' ' || substr(config_id, 1, 8) ELSE '' END AS id
    FROM said
)
SELECT c.grid, c.split, c.config_id, c.dataset, c.network, c.scheme, c.params, c.act_bits, c.activations,
       coalesce(p.place, 1000) AS place, -- of the scheme
       trim(c.settings || id || coalesce(' ' || d.diverged, '')) AS settings,
       c.scheme || coalesce(' (' || nullif(trim(phrases || coalesce('; ' || d.diverged, ''), '; '), '') || ')', '') || id AS label
FROM parted c
LEFT JOIN grid_diverged d ON d.grid IS c.grid AND d.split = c.split AND d.config_id = c.config_id
LEFT JOIN scheme_places p ON p.scheme = c.scheme;

-- The versions of the program that the weights of a run went through: that of the attempt that counts, of those before it
-- whose work it went on with (each began further on than the one before it), and of all that its parent went through.
-- Attempts in other databases (origin) count where none in its own began from the start: the checkpoint came from there.
DROP VIEW IF EXISTS training_versions;
CREATE VIEW training_versions AS
WITH RECURSIVE sources(run_id, of) AS (
    SELECT run_id, run_id FROM runs
    UNION
    SELECT s.run_id, r.parent FROM sources s JOIN runs r ON r.run_id = s.of WHERE r.parent IS NOT NULL
),
tries AS (
    SELECT *, counts OR lead(resumed_at) OVER (PARTITION BY run_id ORDER BY place) > resumed_at AS went_on,
           place >= max(place) FILTER (WHERE resumed_at = 0) OVER (PARTITION BY run_id) AS since_start
    FROM (SELECT a.run_id, a.commit_id || CASE a.dirty WHEN 1 THEN '-dirty' ELSE '' END AS version, a.counts, a.resumed_at,
                 row_number() OVER (PARTITION BY a.run_id ORDER BY own, sequence, started_at, host, pid) AS place
          FROM (SELECT *, max(own AND resumed_at = 0) OVER (PARTITION BY run_id) AS began_here FROM past_attempts) a
          WHERE own OR origin IS NULL OR NOT began_here)
)
SELECT DISTINCT s.run_id, t.version
FROM sources s JOIN tries t ON t.run_id = s.of
WHERE went_on AND since_start IS NOT 0;

-- The cells that compare with others: computed with the run's own activations, not those of evaluations that
-- were added with other ones.
DROP VIEW IF EXISTS grid_cells;
CREATE VIEW grid_cells AS
SELECT a.*, r.widths, r.stored_bits
FROM grid_accuracy a JOIN runs r ON r.run_id = a.run_id
WHERE a.act_bits = CASE r.act_bits WHEN 0 THEN a.bits ELSE r.act_bits END;

-- Results at widths that a model of several was not trained at: they borrow the batch norms of the smallest trained
-- width above or, where none is above, of the largest. Not where all widths share them, and each width of a group has
-- a model of its own. Widths by layer borrow where one of them does.
DROP VIEW IF EXISTS grid_borrowed;
CREATE VIEW grid_borrowed AS
SELECT a.grid, a.run_id, a.config_id, a.calibrated, a.split, a.bits, a.layer_bits, r.stored_bits
FROM grid_accuracy a JOIN runs r ON r.run_id = a.run_id
WHERE r.widths <> '32' AND r."group" IS NULL AND ' ' || r.widths || ' ' NOT LIKE '% ' || a.bits || ' %'
  AND (a.layer_bits = '' OR EXISTS (SELECT 1 FROM json_each('[' || replace(a.layer_bits, ' ', ',') || ']') k
                                    WHERE ' ' || r.widths || ' ' NOT LIKE '% ' || k.value || ' %'))
  AND json_extract(r.params, '$.norm_bank') IS NOT 'shared';

-- The same by column of a table, each once; bits 0 without layer_bits is the cross-bit drop, which borrows where its
-- stored width does.
DROP VIEW IF EXISTS grid_borrowed_columns;
CREATE VIEW grid_borrowed_columns AS
SELECT DISTINCT grid, config_id, calibrated, split, CASE cross WHEN 1 THEN 0 ELSE bits END AS bits, layer_bits
FROM grid_borrowed CROSS JOIN (SELECT 0 AS cross UNION ALL SELECT 1) -- so that accuracies are gone through once
WHERE cross = 0 OR bits = stored_bits;

-- What truncation costs a run at width k, in points of top-1: drop_k = direct - truncated, and against its own
-- stored width, cross_k = truncated at N - truncated at k. As trained, for the widths below N that were trained
-- (others use a neighbour's batch norms, so that their drops mean nothing); calibrated, for all below N, and for the
-- same widths by layer (bits 0), which have no cross_k.
DROP VIEW IF EXISTS grid_drops;
CREATE VIEW grid_drops AS
SELECT grid, run_id, config_id, dataset, network, seed, calibrated, split, bits, layer_bits,
       direct - truncated AS drop_k, CASE layer_bits WHEN '' THEN stored - truncated END AS cross_k, images
FROM (SELECT grid, run_id, config_id, dataset, network, seed, calibrated, split, bits, layer_bits, stored_bits,
             widths, min(images) AS images,
             max(top1) FILTER (WHERE inference = 'direct') AS direct,
             max(top1) FILTER (WHERE inference = 'truncated') AS truncated,
             max(max(top1) FILTER (WHERE inference = 'truncated' AND bits = stored_bits))
                 OVER (PARTITION BY grid, run_id, calibrated, split, min(images)) AS stored
      FROM grid_cells
      WHERE inference IN ('direct', 'truncated')
      GROUP BY grid, run_id, calibrated, split, bits, layer_bits
      HAVING min(images) = max(images))
WHERE bits < stored_bits AND drop_k IS NOT NULL
  AND (calibrated OR ' ' || widths || ' ' LIKE '% ' || bits || ' %');

-- Mean and deviation of both over the seeds of a configuration. bits 0 without layer_bits is the cross-bit drop: a run's
-- mean of cross_k over the widths that all of the configuration's runs have.
DROP VIEW IF EXISTS grid_drop_summary;
CREATE VIEW grid_drop_summary AS
WITH drops AS MATERIALIZED (SELECT * FROM grid_drops),
counted AS (
    SELECT grid, config_id, calibrated, split, count(DISTINCT run_id) AS runs FROM drops
    WHERE layer_bits = '' GROUP BY 1, 2, 3, 4
),
shared AS (
    SELECT d.*, count(cross_k) OVER (PARTITION BY d.grid, d.config_id, d.calibrated, d.split, bits) AS at_width
    FROM drops d
    WHERE layer_bits = ''
),
points AS (
    SELECT grid, config_id, calibrated, split, bits, layer_bits, drop_k AS points, images, seed FROM drops
    UNION ALL
    SELECT s.grid, s.config_id, s.calibrated, s.split, 0, '', avg(cross_k), min(images), min(seed)
    FROM shared s
    JOIN counted c ON c.grid IS s.grid AND c.config_id = s.config_id AND c.calibrated = s.calibrated
                  AND c.split = s.split AND c.runs = s.at_width
    GROUP BY s.grid, s.run_id, s.config_id, s.calibrated, s.split
)
SELECT grid, config_id, calibrated, split, bits, layer_bits, count(*) AS n, max(mean) AS points,
       CASE WHEN count(*) > 1
            THEN sqrt(sum((points - mean) * (points - mean)) / (count(*) - 1)) END AS points_sd,
       min(images) AS images,
       group_concat(seed, ' ') AS seeds -- in no order
FROM (SELECT *, avg(points) OVER (PARTITION BY grid, config_id, calibrated, split, bits, layer_bits) AS mean
      FROM points)
GROUP BY grid, config_id, calibrated, split, bits, layer_bits;

-- Training curves of finished runs. A run that was interrupted has its first epochs in an earlier
-- attempt; where attempts overlap, the latest up to the one that counts is what the weights went through. Those that were
-- made in another database (origin) come last: its checkpoint was another.
DROP VIEW IF EXISTS training;
CREATE VIEW training AS
SELECT r.run_id, r.config_id, r.scheme, r.network, r.dataset, r.seed,
       e.epoch, e.bits, e.loss, e.accuracy, e.learning_rate, e.seconds, e.images
FROM runs r
JOIN (SELECT p.*, a.run_id,
             row_number() OVER (PARTITION BY a.run_id, p.epoch, p.bits
                                ORDER BY a.own DESC, a.origin IS NULL DESC, a.sequence DESC,
                                         a.started_at DESC, a.host DESC, a.pid DESC) AS place
      FROM epochs p
      JOIN past_attempts a ON a.attempt = p.attempt
     ) e ON e.run_id = r.run_id AND e.place = 1
WHERE r.run_id NOT IN (SELECT run_id FROM excluded_runs);

-- Learning curves of finished runs: evaluations after epochs of training, with batch norms as trained. Attempts as in
-- `training`. What a run ended with is in `accuracy` alone.
DROP VIEW IF EXISTS learning_curves;
CREATE VIEW learning_curves AS
SELECT r.run_id, r.config_id, r.scheme, r.network, r.dataset, r.seed,
       p.epoch, p.split, p.bits, p.act_bits, p.inference,
       100.0 * p.correct1 / p.images AS top1, 100.0 * p.correct5 / p.images AS top5,
       p.loss_sum / p.images AS loss, p.images
FROM runs r
JOIN (SELECT q.*, a.run_id,
             row_number() OVER (PARTITION BY a.run_id, q.epoch, q.split, q.bits, q.inference
                                ORDER BY a.own DESC, a.origin IS NULL DESC, a.sequence DESC,
                                         a.started_at DESC, a.host DESC, a.pid DESC) AS place
      FROM epoch_evaluations q
      JOIN past_attempts a ON a.attempt = q.attempt
     ) p ON p.run_id = r.run_id AND p.place = 1
WHERE r.run_id NOT IN (SELECT run_id FROM excluded_runs);

-- Per layer and width, of finished runs.
DROP VIEW IF EXISTS layer_errors;
CREATE VIEW layer_errors AS
SELECT r.run_id, r.config_id, r.scheme, r.network, r.dataset, r.seed,
       l.layer, l.name, l.bits, l.quantization_error, l.truncation_error, l.codes_differ, l.scale,
       a.version AS commit_id
FROM runs r
JOIN counted_attempts a ON a.run_id = r.run_id
JOIN layers l ON l.attempt = a.attempt
WHERE r.run_id NOT IN (SELECT run_id FROM excluded_runs);

-- How the weights of each layer lay when training began and at the end, of finished runs.
DROP VIEW IF EXISTS weight_histograms;
CREATE VIEW weight_histograms AS
SELECT r.run_id, r.config_id, r.scheme, r.network, r.dataset, r.seed,
       h.layer, h.stage, h.weights, h.counts, a.version AS commit_id
FROM runs r
JOIN counted_attempts a ON a.run_id = r.run_id
JOIN histograms h ON h.attempt = a.attempt
WHERE r.run_id NOT IN (SELECT run_id FROM excluded_runs);

-- Times of packed models on devices, a row per width of a measurement: seconds of a call of `batch` images; `speedup` over the
-- largest width that was measured with it. `top1` is the truncated accuracy on the test split, as trained; NULL: not evaluated.
DROP VIEW IF EXISTS latency;
CREATE VIEW latency AS
SELECT r.run_id, r.config_id, r.scheme, r.network, r.dataset, r.seed,
       l.processor, l.kernels, l.compiled, l.threads, l.batch, l.bits, l.act_bits, a.top1,
       l.median_seconds, l.min_seconds, l.p95_seconds,
       first_value(l.median_seconds) OVER (PARTITION BY l.run_id, l.host, l.pid, l.measured_at ORDER BY l.bits DESC)
         / l.median_seconds AS speedup,
       l.switch_seconds, l.bytes_read, l.plane_bytes, l.session_bytes, l.residual, l.calls, l.measured_at, l.host, l.pid,
       l.commit_id || CASE l.dirty WHEN 1 THEN '-dirty' ELSE '' END AS commit_id
FROM latencies l
JOIN runs r ON r.run_id = l.run_id
LEFT JOIN accuracy a ON a.run_id = l.run_id AND a.bits = l.bits AND a.act_bits = l.act_bits AND a.layer_bits = ''
                    AND a.inference = 'truncated' AND NOT a.calibrated AND a.split = 'test'
WHERE l.run_id NOT IN (SELECT run_id FROM excluded_runs);

-- Where each run stands by its last attempt alone, as if none had been complete, and whether one was. What was ended from
-- outside (a disk, a machine) is tried again by itself, three times from the same point on: `ends` counts how often it
-- was, the last attempt included. Attempts in `retries` count for nothing here. A sign of life that is yet to come is none:
-- some clock was set back.
DROP VIEW IF EXISTS last_attempts;
CREATE VIEW last_attempts AS
SELECT run_id,
       CASE WHEN attempt IS NULL OR outcome = 'interrupted' OR asked THEN 'pending'
            WHEN outcome = 'failed' AND cause = 'outside' AND ends <= 3 THEN 'pending'
            WHEN outcome = 'failed' THEN 'failed'
            WHEN abs((julianday('now') - 2440587.5) * 86400.0 - heartbeat_at) <= 120 THEN 'running'
            WHEN ends <= 3 THEN 'dead'
            ELSE 'failed' END AS state,
       coalesce(progress, 0.0) AS progress, reason, cause, ends, tries, complete, outcome, fingerprint,
       attempt, host, pid, process_start, started_at, heartbeat_at, ended_at
FROM (SELECT r.run_id AS run_id, a.outcome, a.cause, a.heartbeat_at, a.progress, a.reason, a.fingerprint, a.attempt, a.host,
             a.pid, a.process_start, a.started_at, a.ended_at,
             (SELECT count(*) FROM attempts b WHERE b.run_id = r.run_id) AS tries,
             EXISTS (SELECT 1 FROM attempts c WHERE c.run_id = r.run_id AND c.outcome = 'complete') AS complete,
             EXISTS (SELECT 1 FROM retries t WHERE t.run_id = a.run_id AND t.host = a.host AND t.pid = a.pid
                                               AND t.started_at = a.started_at) AS asked,
             CASE WHEN a.outcome IS NULL OR a.outcome = 'failed' THEN
                 (SELECT count(*) FROM attempts b
                  WHERE b.run_id = a.run_id AND b.resumed_at >= a.resumed_at
                    AND (b.outcome IS NULL OR b.outcome = 'failed' AND b.cause = 'outside')
                    AND NOT EXISTS (SELECT 1 FROM retries t WHERE t.run_id = b.run_id AND t.host = b.host
                                                              AND t.pid = b.pid AND t.started_at = b.started_at))
                  ELSE 0 END AS ends
      FROM runs r
      LEFT JOIN attempts a ON a.attempt = (SELECT b.attempt FROM attempts b WHERE b.run_id = r.run_id
                                           ORDER BY b.sequence DESC, b.started_at DESC, b.host DESC, b.pid DESC
                                           LIMIT 1));

-- Where each run stands. SQL cannot see processes: on a run's own host the program reports it as dead when it is
-- 'running' here and the process is gone, and as running when it is 'dead' here and the process lives. A stale run is
-- done until it is run again; `stale` says why it is.
DROP VIEW IF EXISTS run_status;
CREATE VIEW run_status AS
SELECT run_id, config_id, grid, scheme, network, dataset, seed,
       iif(finished, 'done', state) AS state, iif(finished, 1.0, progress) AS progress,
       reason, cause, iif(finished, 0, ends) AS ends, work, excluded, iif(finished, why, NULL) AS stale, tries AS attempts,
       attempt, host, pid, process_start, started_at, heartbeat_at, ended_at
FROM (SELECT l.*, r.config_id, r.grid, r.scheme, r.network, r.dataset, r.seed, r.work, x.excluded, y.why,
             l.complete AND (y.why IS NULL OR l.outcome = 'complete' OR l.fingerprint IS NOT f.fingerprint) AS finished
      FROM runs r
      JOIN last_attempts l ON l.run_id = r.run_id
      LEFT JOIN stale_runs y ON y.run_id = r.run_id
      LEFT JOIN fingerprints f ON f.scheme = r.scheme
      LEFT JOIN excluded_runs x ON x.run_id = r.run_id);
