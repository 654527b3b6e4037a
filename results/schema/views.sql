-- The views: every figure and table reads these. Runs marked as excluded are left out of all but
-- run_status.

-- The order of schemes in tables and figures, which is that of baselines/registry.c (a test compares
-- them); schemes that are not listed come after these, by name. A place is a scheme's colour in every
-- figure: append, never move.
DROP VIEW IF EXISTS scheme_places;
CREATE VIEW scheme_places (scheme, place) AS
VALUES ('fp32', 1), ('qat', 2), ('minmax', 3), ('truncquant', 4), ('truncquant-minmax', 5),
       ('adabits', 6), ('adabits-floor', 7), ('matquant', 8), ('lsq', 9), ('double-rounding', 10);

-- The attempt that counts for a run: the earliest complete one.
DROP VIEW IF EXISTS counted_attempts;
CREATE VIEW counted_attempts AS
SELECT a.*, a.commit_id || CASE a.dirty WHEN 1 THEN '-dirty' ELSE '' END AS version
FROM attempts a
WHERE a.attempt = (SELECT b.attempt FROM attempts b
                   WHERE b.run_id = a.run_id AND b.outcome = 'complete'
                   ORDER BY b.ended_at, b.attempt LIMIT 1);

-- The evaluation of each finished run, one row per cell, with the version of the program that computed it:
-- `evaluate` records attempts of its own. Where a cell was evaluated more than once, on more images the
-- most complete counts, otherwise (other calibration batches, bank, precision, or version) the first;
-- the others are in the table.
DROP VIEW IF EXISTS accuracy;
CREATE VIEW accuracy AS
SELECT r.run_id, r.config_id, r.scheme, r.network, r.dataset, r.seed,
       e.bits, e.act_bits, e.inference, e.calibrated, e.split,
       100.0 * e.correct1 / e.images AS top1,
       100.0 * e.correct5 / e.images AS top5,
       e.loss_sum / e.images AS loss,
       e.images, e.version AS commit_id, r.params
FROM runs r
JOIN (SELECT v.*, a.run_id, v.calibration_batches > 0 AS calibrated,
             a.commit_id || CASE a.dirty WHEN 1 THEN '-dirty' ELSE '' END AS version,
             row_number() OVER (PARTITION BY a.run_id, v.bits, v.act_bits, v.inference,
                                             v.calibration_batches > 0, v.split
                                ORDER BY v.images DESC, a.ended_at, v.evaluation) AS place
      FROM evaluations v
      JOIN attempts a ON a.attempt = v.attempt AND a.outcome = 'complete'
      WHERE v.epoch = (SELECT max(w.epoch) FROM evaluations w WHERE w.attempt = v.attempt)
     ) e ON e.run_id = r.run_id AND e.place = 1
WHERE r.excluded IS NULL;

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
SELECT grid, config_id, scheme, network, dataset, bits, act_bits, inference, calibrated, split,
       count(*) AS n,
       max(mean) AS top1,
       CASE WHEN count(*) > 1
            THEN sqrt(sum((top1 - mean) * (top1 - mean)) / (count(*) - 1)) END AS top1_sd,
       avg(loss) AS loss,
       min(images) AS images,
       group_concat(DISTINCT commit_id) AS commits
FROM (SELECT *, avg(top1) OVER (PARTITION BY grid, config_id, bits, act_bits, inference,
                                             calibrated, split) AS mean
      FROM grid_accuracy)
GROUP BY grid, config_id, bits, act_bits, inference, calibrated, split;

DROP VIEW IF EXISTS accuracy_summary;
CREATE VIEW accuracy_summary AS
SELECT config_id, scheme, network, dataset, bits, act_bits, inference, calibrated, split,
       n, top1, top1_sd, loss, images, commits
FROM grid_accuracy_summary
WHERE grid IS NULL;

-- Training curves of finished runs. A run that was interrupted has its first epochs in an earlier
-- attempt; where attempts overlap, the latest up to the one that counts is what the weights went through.
DROP VIEW IF EXISTS training;
CREATE VIEW training AS
SELECT r.run_id, r.config_id, r.scheme, r.network, r.dataset, r.seed,
       e.epoch, e.bits, e.loss, e.accuracy, e.learning_rate, e.seconds, e.images
FROM runs r
JOIN (SELECT p.*, a.run_id,
             row_number() OVER (PARTITION BY a.run_id, p.epoch, p.bits
                                ORDER BY a.started_at DESC, a.attempt DESC) AS place
      FROM epochs p
      JOIN attempts a ON a.attempt = p.attempt
      JOIN counted_attempts c ON c.run_id = a.run_id AND a.started_at <= c.started_at
     ) e ON e.run_id = r.run_id AND e.place = 1
WHERE r.excluded IS NULL;

-- Per layer and width, of finished runs.
DROP VIEW IF EXISTS layer_errors;
CREATE VIEW layer_errors AS
SELECT r.run_id, r.config_id, r.scheme, r.network, r.dataset, r.seed,
       l.layer, l.name, l.bits, l.quantization_error, l.truncation_error, l.codes_differ, l.scale,
       a.version AS commit_id
FROM runs r
JOIN counted_attempts a ON a.run_id = r.run_id
JOIN layers l ON l.attempt = a.attempt
WHERE r.excluded IS NULL;

-- Where each run stands. SQL cannot see processes: the program reports a run as dead, too, when it is
-- 'running' here on its own host and the process is gone.
DROP VIEW IF EXISTS run_status;
CREATE VIEW run_status AS
SELECT r.run_id, r.config_id, r.grid, r.scheme, r.network, r.dataset, r.seed,
       CASE WHEN EXISTS (SELECT 1 FROM counted_attempts c WHERE c.run_id = r.run_id) THEN 'done'
            WHEN a.attempt IS NULL OR a.outcome = 'interrupted' THEN 'pending'
            WHEN a.outcome = 'failed' THEN 'failed'
            WHEN (julianday('now') - 2440587.5) * 86400.0 - a.heartbeat_at <= 120 THEN 'running'
            ELSE 'dead' END AS state,
       CASE WHEN EXISTS (SELECT 1 FROM counted_attempts c WHERE c.run_id = r.run_id) THEN 1.0
            ELSE coalesce(a.progress, 0.0) END AS progress,
       a.reason, r.work, r.excluded,
       (SELECT count(*) FROM attempts b WHERE b.run_id = r.run_id) AS attempts,
       a.attempt, a.host, a.pid, a.process_start, a.started_at, a.heartbeat_at, a.ended_at
FROM runs r
LEFT JOIN attempts a ON a.attempt = (SELECT b.attempt FROM attempts b WHERE b.run_id = r.run_id
                                     ORDER BY b.started_at DESC, b.attempt DESC LIMIT 1);
