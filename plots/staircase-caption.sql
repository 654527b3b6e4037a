-- What has to be said under the figure of staircase.sql.
SELECT 'endpoint dequantizer: û = q / (2^k - 1); nearest rounds ties to even';
