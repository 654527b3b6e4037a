-- The evaluations that count.
SELECT n.number, CASE a.layer_bits WHEN '' THEN a.bits ELSE a.layer_bits END AS bits, a.act_bits, a.inference,
       CASE a.calibrated WHEN 1 THEN 'calibrated' ELSE 'as trained' END AS norms, a.split, a.top1, a.top5, round(a.loss, 4) AS loss,
       a.images
FROM page_runs n JOIN grid_accuracy a ON a.run_id = n.run_id AND a.grid IS :grid
ORDER BY n.number, a.split, a.calibrated, a.inference, a.layer_bits <> '', a.bits, a.layer_bits;
