-- What run ?1 came to on split ?2, a row per width, with batch norms as trained and calibrated: top-1 and loss, direct and
-- truncated. Of the attempt that counts and its last epoch.
SELECT v.bits, CASE WHEN v.calibration_batches > 0 THEN 'calibrated' ELSE 'as trained' END,
       max(CASE v.inference WHEN 'direct' THEN 100.0 * v.correct1 / v.images END),
       max(CASE v.inference WHEN 'truncated' THEN 100.0 * v.correct1 / v.images END),
       max(CASE v.inference WHEN 'direct' THEN v.loss_sum / v.images END),
       max(CASE v.inference WHEN 'truncated' THEN v.loss_sum / v.images END),
       v.images
FROM counted_attempts c
JOIN evaluations v ON v.attempt = c.attempt AND v.epoch = (SELECT max(w.epoch) FROM evaluations w WHERE w.attempt = c.attempt)
WHERE c.run_id = ?1 AND v.split = ?2 AND v.layer_bits = '' AND v.inference IN ('direct', 'truncated')
GROUP BY v.calibration_batches > 0, v.bits, v.images
ORDER BY v.calibration_batches > 0, v.bits, v.images;
