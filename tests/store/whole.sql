-- A database with everything in it (tests/store/parts.h): 18 runs, three seeds of each configuration, with three attempts
-- each, which tie in what can tie. drawn(i) is a number from 0 to 996.
BEGIN;
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 17) SELECT i FROM n;
CREATE TEMP TABLE b AS WITH RECURSIVE b(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM b WHERE i < 255) SELECT i FROM b;
INSERT INTO runs (run_id, config_id, spec, cfg, grid, scheme, network, dataset, data_hash, params, seed, widths, epochs,
                  batch, images, act_bits, stored_bits, work, recorded_at, sequence, parent)
SELECT printf('%08x%056x', i * 40503 % 65521, i), printf('c%063x', i / 3), 'scheme = x', '', 'a',
       CASE i / 3 % 3 WHEN 0 THEN 'qat' WHEN 1 THEN 'truncquant' ELSE 'ptq' END, iif(i < 9, 'resnet8', 'lenet_5'),
       'fashion-mnist', 'd', '{}', i % 3 + 1, iif(i / 3 % 3 = 2, '32', '1 2 4 8 32'), 2, 128, 1000, 0, 8, 100,
       1000 + i / 5, i + 1, iif(i / 3 % 3 = 2, printf('%08x%056x', (i - 6) * 40503 % 65521, i - 6), NULL)
FROM n;
INSERT INTO grid_runs SELECT 'a', run_id, 1 FROM runs;
INSERT INTO grid_runs SELECT 'b', run_id, 1 FROM runs WHERE seed = 2;
INSERT INTO curve_requests SELECT 'a', run_id, 1, 'val' FROM runs WHERE seed < 3;
INSERT INTO fingerprints VALUES ('qat', printf('%064d', 1), 5);
INSERT INTO attempts (run_id, engine, precision, threads, isa, libraries, commit_id, dirty, host, pid, process_start,
                      command, started_at, heartbeat_at, resumed_at, progress, ended_at, outcome, reason, cause,
                      cpu_seconds, peak_bytes, classes, sources, fingerprint, origin, sequence, end_sequence, log, job)
SELECT run_id, 'onednn', 'fp32', 1, 'x', 'none', 'abc' || j, 0, 'host' || j, 10 + j, 7, 'truncquant run',
       2000 + (j > 0), 2500, 0, 1, 3000, outcome, iif(outcome = 'complete', NULL, 'why'),
       CASE outcome WHEN 'failed' THEN 'own' WHEN 'interrupted' THEN 'outside' END, 1.5, 100, 10,
       printf('%064d', j), iif(scheme = 'qat', printf('%064d', j % 2), NULL), printf('%032d', j),
       drawn(j * 3 + sequence) % 2, iif(sequence % 2, 2 + drawn(j * 5 + sequence) % 2, 0), '/log/' || j, '7_' || j
FROM (SELECT *, CASE WHEN j = 0 AND sequence % 5 = 1 THEN 'interrupted' WHEN j = 1 AND sequence % 4 = 1 THEN 'failed'
                     ELSE 'complete' END AS outcome
      FROM runs, (SELECT 0 AS j UNION SELECT 1 UNION SELECT 2));
INSERT INTO retries SELECT run_id, host, pid, started_at, 4000 FROM attempts WHERE outcome = 'failed';
INSERT INTO epochs
SELECT attempt, epoch, bits, 1 + drawn(attempt * 8 + epoch * 4 + bits) / 331.0, 50, 0.001, 1.25, 1000
FROM attempts, (SELECT 1 AS epoch UNION SELECT 2), (SELECT 2 AS bits UNION SELECT 8);
INSERT INTO evaluations (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference, calibration_batches,
                         precision, images, correct1, correct5, loss_sum)
SELECT attempt, 2, 'test', bits, bits, 8, bank, inference, calibration, how, 1000,
       drawn(attempt * 64 + bits * 4 + calibration + bank + length(how) * length(inference)), 1000,
       drawn(attempt * 97 + bits * 5 + calibration * bank + length(inference)) / 7.0
FROM attempts, (SELECT 2 AS bits UNION SELECT 8),
     (SELECT 'direct' AS inference UNION SELECT 'truncated'),
     (SELECT 0 AS calibration UNION SELECT 10 UNION SELECT 20),
     (SELECT 'fp32' AS how, 8 AS bank UNION SELECT 'int8', 8 UNION SELECT 'fp32', 4)
WHERE outcome = 'complete';
INSERT INTO evaluations (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference, calibration_batches,
                         precision, images, correct1, correct5, loss_sum, layer_bits, mean_bits)
SELECT attempt, 2, 'test', 0, 0, 8, 0, 'direct', 0, 'fp32', 1000, drawn(attempt), 1000, 1, '8 4', 5.5
FROM attempts WHERE outcome = 'complete' AND attempt % 7 = 0;
INSERT INTO epoch_evaluations (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference, precision, images,
                               correct1, correct5, loss_sum)
SELECT attempt, epoch, 'val', bits, bits, 8, 8, 'direct', 'fp32', 1000, drawn(attempt * 3 + epoch + bits), 1000,
       drawn(attempt + epoch * 17) / 3.0
FROM epochs;
INSERT INTO layers
SELECT attempt, 1, bits, 'conv', 0.5, 0.25, 0.125, drawn(attempt * 5 + bits) / 9.0 FROM epochs WHERE epoch = 2;
INSERT INTO histograms
SELECT attempt, 1, stage, 256 * 31 + drawn(attempt), (SELECT json_group_array(31 + (i = 7) * drawn(attempt)) FROM b)
FROM attempts, (SELECT 'start' AS stage UNION SELECT 'end') WHERE outcome = 'complete';
INSERT INTO latencies
SELECT run_id, 'host', 5, 4000 + j, bits, bits, 'cpu', 'portable', 'gcc -O3', 'abc', 0, 1, 1, 200, 1, 2, 3, 0.5, 100, 50, 900, 0
FROM runs, (SELECT 0 AS j UNION SELECT 1), (SELECT 2 AS bits UNION SELECT 8) WHERE seed = 1;
COMMIT;
