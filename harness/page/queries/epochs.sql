-- Training of the attempt that counts, and of those it went on from.
SELECT n.number, t.epoch, t.bits, round(t.loss, 4) AS loss, round(t.accuracy, 2) AS accuracy, t.learning_rate
FROM page_runs n JOIN training t ON t.run_id = n.run_id
ORDER BY n.number, t.epoch, t.bits;
