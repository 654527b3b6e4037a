-- Results with numbers that can be checked by hand: grid `three` has qat and truncquant on lenet, seeds 1 2 3
-- with top-1 of 58, 60, 62 (qat, truncated at 2 bits) and 78, 80, 82 elsewhere; grid `one` has one seed of
-- qat on net_8, twice, with 3 epochs and with 5, and calibrated results too; grid `alone` has just the one with 5.
CREATE TEMP TABLE planned (run_id, config_id, grid, scheme, network, params, seed, epochs);
INSERT INTO planned
SELECT printf('%064d', seed + 10 * s), printf('%064d', s), 'three',
       CASE s WHEN 1 THEN 'qat' ELSE 'truncquant' END, 'lenet', '{}', seed, 2
FROM (SELECT value AS s FROM json_each('[1, 2]')), (SELECT value AS seed FROM json_each('[1, 2, 3]'))
UNION ALL
SELECT printf('%064d', 100 + value), printf('%064d', 100 + value), 'one', 'qat', 'net_8',
       CASE value WHEN 3 THEN '{}' ELSE '{"epochs":"5"}' END, 1, 1
FROM json_each('[3, 5]');

INSERT INTO runs (run_id, config_id, spec, cfg, grid, scheme, network, dataset, data_hash, params, seed, widths,
                  epochs, batch, images, act_bits, stored_bits, work)
SELECT run_id, config_id, '', '', grid, scheme, network, 'fashion-mnist', '', params, seed, '2 32', epochs, 128,
       60000, 0, 8, 1e9
FROM planned;
INSERT INTO grid_runs (grid, run_id) SELECT grid, run_id FROM planned;
INSERT INTO grid_runs (grid, run_id) SELECT 'alone', run_id FROM planned WHERE params <> '{}';
INSERT INTO attempts (run_id, engine, precision, threads, isa, libraries, commit_id, dirty, host, pid,
                      process_start, command, started_at, heartbeat_at, resumed_at, progress, ended_at, outcome)
SELECT run_id, 'reference', 'fp32', 1, '', '', '0123456789abcdef', grid = 'one', '', 1, 0, '', 1, 2, 0, 1, 3, 'complete'
FROM planned;

-- Losses 1.1, 1.2, 1.3 and accuracies 61, 62, 63 by seed at 2 bits in epoch 1.
INSERT INTO epochs (attempt, epoch, bits, loss, accuracy, learning_rate, seconds, images)
SELECT attempt, e.value, b.value, 2.0 / b.value / e.value + seed / 10.0, 59 + e.value + seed, 0.1, 1, 60000
FROM planned JOIN attempts USING (run_id), json_each('[1, 2]') e, json_each('[2, 32]') b
WHERE e.value <= planned.epochs;

INSERT INTO evaluations (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference, calibration_batches,
                         precision, images, correct1, correct5, loss_sum)
SELECT attempt, planned.epochs, 'test', bits, bits, 8, bits, inference, calibration, 'fp32', 1000,
       10 * (76 + 2 * seed - CASE WHEN scheme = 'qat' AND inference = 'truncated' THEN 20 ELSE 0 END
             + calibration),
       1000, 1.0
FROM planned JOIN attempts USING (run_id)
JOIN (SELECT 2 AS bits, 'direct' AS inference UNION ALL SELECT 2, 'truncated' UNION ALL SELECT 32, 'direct')
JOIN (SELECT 0 AS calibration UNION ALL SELECT 5)
WHERE calibration = 0 OR grid = 'one';

-- An evaluation that was added later, with other activations: no figure may take it for the run's own.
INSERT INTO evaluations (attempt, epoch, split, bits, act_bits, stored_bits, bank, inference, calibration_batches,
                         precision, images, correct1, correct5, loss_sum)
SELECT attempt, 2, 'test', 2, 4, 8, 2, 'direct', 0, 'fp32', 1000, 10, 1000, 1.0
FROM planned JOIN attempts USING (run_id) WHERE grid = 'three' AND scheme = 'qat';
