-- Errors of layers at each width, with three digits.
SELECT n.number, l.layer, l.name, l.bits, CAST(printf('%.3g', l.quantization_error) AS REAL) AS quantization_error,
       CAST(printf('%.3g', l.truncation_error) AS REAL) AS truncation_error,
       CAST(printf('%.3g', l.codes_differ) AS REAL) AS codes_differ
FROM page_runs n JOIN counted_attempts a ON a.run_id = n.run_id JOIN layers l ON l.attempt = a.attempt
ORDER BY n.number, l.layer, l.bits;
