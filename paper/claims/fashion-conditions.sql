-- What the networks of some length on Fashion-MNIST were trained on and evaluated with, and what that cost.
-- database = headline-fashion
-- grid = headline-fashion
SELECT DISTINCT r.run_id, r.scheme, r.seed, r.epochs, r.images, r.batch, r.stored_bits, r.widths, r.params, e.images AS evaluated,
       e.calibration_batches, r.network,
       (SELECT sum(coalesce(cpu_seconds, threads * max(0, heartbeat_at - started_at))) / 3600 FROM attempts a
        WHERE a.run_id = r.run_id) AS core_hours
FROM grid_accuracy g JOIN runs r ON r.run_id = g.run_id
JOIN counted_attempts a ON a.run_id = r.run_id JOIN evaluations e ON e.attempt = a.attempt AND e.split = :split
WHERE g.grid IS :grid AND g.split = :split
ORDER BY r.scheme, r.config_id, r.seed, e.calibration_batches;
WITH conditions(name, value) AS (
    SELECT 'Epochs', max(epochs) FROM claim
    UNION ALL SELECT 'Images', printf('%,d', max(images)) FROM claim
    UNION ALL SELECT 'Batch', max(batch) FROM claim
    UNION ALL SELECT 'Rate', coalesce(max(json_extract(params, '$.learning_rate')), '0.001') || '' FROM claim
    UNION ALL SELECT 'TestImages', printf('%,d', max(evaluated)) FROM claim
    UNION ALL SELECT 'Widths', replace(max(widths) FILTER (WHERE scheme = 'qat' AND widths LIKE '1 %'), ' ', ', ') FROM claim
    UNION ALL SELECT 'StoredBits', max(stored_bits) FROM claim
    UNION ALL SELECT 'CalibrationBatches', max(calibration_batches) FROM claim
    UNION ALL SELECT 'Seeds', count(DISTINCT seed) FROM claim
    UNION ALL SELECT 'Schemes', count(DISTINCT scheme) FROM claim
    UNION ALL SELECT 'Runs', count(DISTINCT run_id) FROM claim
    UNION ALL SELECT 'CoreHours', sum(core_hours) FROM (SELECT DISTINCT run_id, core_hours FROM claim)
)
SELECT CASE :grid WHEN 'headline-fashion' THEN 'Fashion' WHEN 'headline-cifar10-jpeg' THEN 'Cifar' WHEN 'control-lenet' THEN 'Control'
                  WHEN 'ablation-align.quick' THEN 'Align' ELSE 'Quick' END || name, value
FROM conditions;
