-- Run after a table `shown` (config_id) was filled: the networks and data sets of what is shown, a row for networks that
-- are on the same data sets.
SELECT networks || ' on ' || group_concat(dataset, ', ')
FROM (SELECT dataset, group_concat(network, ', ') AS networks
      FROM (SELECT DISTINCT dataset, network FROM grid_evaluated JOIN shown USING (config_id)
            WHERE grid IS :grid AND split = :split ORDER BY dataset, network)
      GROUP BY dataset ORDER BY dataset)
GROUP BY networks ORDER BY 1;
