-- Makes a part of a whole (tests/store/parts.h), by the table p of k, n and draw. Numbers of rows change last, since what
-- is drawn depends on those of the whole. fate 0: the attempt is not here; 1: it had not ended when it was copied.
CREATE TEMP TABLE fate AS
SELECT attempt, iif(attempt % n = k, 2, drawn(attempt * 11 + k * 5 + draw * 13) % 3) AS fate FROM attempts, p;
DELETE FROM attempts WHERE attempt IN (SELECT attempt FROM fate WHERE fate = 0);
UPDATE attempts SET outcome = NULL, ended_at = NULL, reason = NULL, cause = NULL, cpu_seconds = NULL, peak_bytes = NULL, progress = 0.5,
                    end_sequence = 0,
                    heartbeat_at = 2100 + drawn(attempt + (SELECT k + draw FROM p)) / 3
WHERE attempt IN (SELECT attempt FROM fate WHERE fate = 1);
DELETE FROM evaluations WHERE attempt IN (SELECT attempt FROM fate WHERE fate < 2);
DELETE FROM layers WHERE attempt IN (SELECT attempt FROM fate WHERE fate < 2);
DELETE FROM histograms WHERE attempt IN (SELECT attempt FROM fate WHERE fate < 2);
DELETE FROM epochs WHERE attempt IN (SELECT attempt FROM fate WHERE fate < 2 - (epoch = 1));
DELETE FROM epoch_evaluations WHERE attempt IN (SELECT attempt FROM fate WHERE fate < 2 - (epoch = 1));
DELETE FROM latencies WHERE (run_id, measured_at) IN
    (SELECT run_id, measured_at FROM latencies, p WHERE drawn(length(processor) + measured_at + bits * 3 + k * 5 + draw) % 2)
    OR run_id NOT IN (SELECT run_id FROM attempts);
DELETE FROM runs
WHERE run_id NOT IN (SELECT run_id FROM attempts) AND run_id NOT IN (SELECT parent FROM runs WHERE parent IS NOT NULL);
DELETE FROM grid_runs WHERE run_id NOT IN (SELECT run_id FROM runs);
DELETE FROM curve_requests WHERE run_id NOT IN (SELECT run_id FROM runs);
DELETE FROM retries WHERE run_id NOT IN (SELECT run_id FROM runs);
UPDATE runs SET recorded_at = recorded_at + drawn(rowid + (SELECT k + draw FROM p)) % 3,
                grid = iif(rowid % 3 = (SELECT k FROM p), 'b', 'a'),
                spec = spec || char(10) || 'seed = ' || (SELECT k FROM p),
                excluded = CASE drawn(rowid * 3 + (SELECT k * 7 + draw FROM p)) % 19
                           WHEN 0 THEN 'looks odd' WHEN 1 THEN 'b; "a\' WHEN 2 THEN 'b' END;
UPDATE grid_runs SET current = drawn(length(grid_runs.run_id) + number * 3 + (SELECT k + draw FROM p)) % 3 > 0
FROM (SELECT rowid AS number, run_id AS id FROM runs) WHERE id = grid_runs.run_id;
UPDATE curve_requests SET every = (SELECT k FROM p), split = iif((SELECT k + draw FROM p) % 2, 'test', 'val');
UPDATE retries SET asked_at = asked_at + (SELECT k + draw FROM p);
UPDATE fingerprints SET fingerprint = printf('%064d', (SELECT k FROM p) % 2),
                        recorded_at = (SELECT (k * 7 + draw) % 5 FROM p);
UPDATE runs SET rowid = -(rowid * (37 + (SELECT k + draw FROM p)) % 1009);
UPDATE evaluations SET evaluation = -(evaluation * (41 + (SELECT k + draw FROM p)) % 100003);
CREATE TEMP TABLE numbers AS SELECT attempt, -(attempt * (53 + k + draw) % 1013) AS number FROM attempts, p;
CREATE UNIQUE INDEX temp.numbers_of ON numbers (attempt);
UPDATE attempts SET attempt = (SELECT number FROM numbers o WHERE o.attempt = attempts.attempt);
UPDATE epochs SET attempt = (SELECT number FROM numbers o WHERE o.attempt = epochs.attempt);
UPDATE evaluations SET attempt = (SELECT number FROM numbers o WHERE o.attempt = evaluations.attempt);
UPDATE epoch_evaluations SET attempt = (SELECT number FROM numbers o WHERE o.attempt = epoch_evaluations.attempt);
UPDATE layers SET attempt = (SELECT number FROM numbers o WHERE o.attempt = layers.attempt);
UPDATE histograms SET attempt = (SELECT number FROM numbers o WHERE o.attempt = histograms.attempt);
COMMIT;
