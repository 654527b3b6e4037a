-- Learning curves: loss and top-1 of the evaluations after epochs of training, of each width: mean and sample standard
-- deviation over seeds. A row of panels is a network, a data set and the images (split: held out, or the test split), a
-- column a configuration and an inference. A loss that is not finite, or nearly, cannot be drawn.
WITH chosen AS (
    SELECT t.*, avg(loss) OVER cell AS loss_mean, avg(top1) OVER cell AS top1_mean
    FROM learning_curves t
    WHERE (:grid IS NULL OR run_id IN (SELECT run_id FROM grid_runs WHERE grid = :grid AND current)) AND loss < 1e30
      AND bits IN (SELECT bits FROM shown_widths)
    WINDOW cell AS (PARTITION BY config_id, split, inference, epoch, bits)
),
summary AS (
    SELECT config_id, split, inference, epoch, bits, count(*) AS seeds, min(images) AS images,
           max(loss_mean) AS loss, max(top1_mean) AS accuracy,
           CASE WHEN count(*) > 1 THEN
               sqrt(sum((loss - loss_mean) * (loss - loss_mean)) / (count(*) - 1)) END AS loss_sd,
           CASE WHEN count(*) > 1 THEN
               sqrt(sum((top1 - top1_mean) * (top1 - top1_mean)) / (count(*) - 1)) END AS accuracy_sd
    FROM chosen
    GROUP BY config_id, split, inference, epoch, bits
)
SELECT dense_rank() OVER (ORDER BY c.dataset, c.network, s.split) AS panel,
       dense_rank() OVER (ORDER BY c.place, s.inference) AS curve,
       dense_rank() OVER (ORDER BY s.bits) AS width,
       c.dataset, c.network, s.split, c.label || ' ' || s.inference AS label, s.inference, s.bits, s.epoch,
       round(s.loss, 6) AS loss, round(s.loss_sd, 6) AS loss_sd,
       round(s.accuracy, 4) AS accuracy, round(s.accuracy_sd, 4) AS accuracy_sd, s.seeds, s.images,
       c.config_id AS caption_config, s.seeds AS caption_seeds
FROM summary s JOIN curves c ON c.config_id = s.config_id
ORDER BY panel, curve, s.bits, s.epoch;
