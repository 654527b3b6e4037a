-- Loss and training accuracy of each width against the epoch: mean and sample standard deviation over
-- seeds. A row of panels is a network and a data set, a column a configuration.
WITH chosen AS (
    SELECT t.*, avg(loss) OVER cell AS loss_mean, avg(accuracy) OVER cell AS accuracy_mean
    FROM training t
    WHERE (:grid IS NULL OR run_id IN (SELECT run_id FROM grid_runs WHERE grid = :grid AND current))
      AND bits IN (SELECT bits FROM shown_widths)
    WINDOW cell AS (PARTITION BY config_id, epoch, bits)
),
summary AS (
    SELECT config_id, epoch, bits, count(*) AS seeds,
           max(loss_mean) AS loss, max(accuracy_mean) AS accuracy,
           CASE WHEN count(*) > 1 THEN
               sqrt(sum((loss - loss_mean) * (loss - loss_mean)) / (count(*) - 1)) END AS loss_sd,
           CASE WHEN count(*) > 1 THEN
               sqrt(sum((accuracy - accuracy_mean) * (accuracy - accuracy_mean)) / (count(*) - 1))
               END AS accuracy_sd
    FROM chosen
    GROUP BY config_id, epoch, bits
)
SELECT dense_rank() OVER (ORDER BY c.dataset, c.network) AS panel,
       dense_rank() OVER (ORDER BY c.place) AS curve,
       dense_rank() OVER (ORDER BY s.bits) AS width,
       c.dataset, c.network, c.label, s.bits, s.epoch,
       round(s.loss, 6) AS loss, round(s.loss_sd, 6) AS loss_sd,
       round(s.accuracy, 4) AS accuracy, round(s.accuracy_sd, 4) AS accuracy_sd, s.seeds,
       c.config_id AS caption_config, s.seeds AS caption_seeds
FROM summary s JOIN curves c ON c.config_id = s.config_id
ORDER BY panel, curve, s.bits, s.epoch;
